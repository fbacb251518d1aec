import { StateError, isStateError } from '../error.ts'

/** A failure of the file system in our words. */
export function toFileError(error: unknown, path: string): Error {
  if (isStateError(error)) return error
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StateError('unavailable', `No space is left to write ${path}; free some and it goes on`, {
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new StateError('denied', `${path} cannot be written by this user (${code}); check owner and mode`, {
      cause: error,
    })
  }
  if (code === 'EISDIR' || code === 'ERR_FS_EISDIR') {
    return new StateError('unavailable', `${path} is a folder, and a file belongs there; move the folder away`, {
      cause: error,
    })
  }
  return new StateError('unavailable', `${path} cannot be used (${code})`, { cause: error })
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
