import { constants, copyFile, link } from 'node:fs/promises'
import { hasCode } from './file-errors.ts'

/**
 * Gives a whole file its name, never over another one: fails with `EEXIST` then. On file systems without hard links
 * the file is copied.
 */
export async function placeNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].some((code) => hasCode(error, code))) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL)
  }
}
