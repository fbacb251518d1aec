import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from './file-errors.ts'

/**
 * Makes a folder and those above it that are missing, all with mode 0700; one that is there stays as it is.
 *
 * Node's own `mkdir(…, { recursive: true })` is not used: it never ends below a folder like `/proc`, which is there and
 * answers that it is not, and it hides a file system that is read-only behind `ENOENT`.
 *
 * @throws Node's own error: of the first folder that could not be made.
 */
export async function makeFolder(path: string): Promise<void> {
  const refused = await tryMake(path)
  if (refused === undefined) return
  const parent = dirname(path)
  if (!hasCode(refused, 'ENOENT') || parent === path) throw refused
  await makeFolder(parent)
  const refusedAgain = await tryMake(path)
  if (refusedAgain !== undefined) throw refusedAgain
}

/** @returns Why it is not there; undefined when it is. */
async function tryMake(path: string): Promise<unknown> {
  try {
    await mkdir(path, { mode: 0o700 })
    return undefined
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
    return isThere ? undefined : error
  }
}
