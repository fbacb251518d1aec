import { constants, copyFile, link, lstat, stat } from 'node:fs/promises'
import { StateError } from '../error.ts'
import { hasCode } from './file-errors.ts'

/**
 * Gives a whole file its name, never over another one: fails with `EEXIST` then. On file systems without hard links
 * the file is copied.
 *
 * @throws {StateError} `unavailable` when the name is a link to nothing: who reads it finds no file, for ever.
 */
export async function placeNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await isLinkToNothing(to))) {
      throw new StateError(
        'unavailable',
        `${to} is a link to something that is not there; bring that back (is its disk mounted?), or remove the link`,
        { cause: error },
      )
    }
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].some((code) => hasCode(error, code))) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL)
  }
}

async function isLinkToNothing(path: string): Promise<boolean> {
  const isMissing = await stat(path).then(
    () => false,
    (error: unknown) => hasCode(error, 'ENOENT'),
  )
  if (!isMissing) return false
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  )
}
