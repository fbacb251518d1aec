import { readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { CookieImport } from './describe.ts'
import { CookieImportError } from './error.ts'
import { readFirefoxProfile } from './firefox.ts'
import { decodeImportText } from './import-text.ts'
import { readImport } from './read-import.ts'

const MAX_BYTES = 256 * 1024 * 1024

/**
 * Reads a session from a path: a file in any form of `readImport`, a Firefox profile folder, or its `cookies.sqlite`.
 *
 * @throws {CookieImportError} `not_found` and what the readers say.
 */
export async function readImportPath(path: string): Promise<CookieImport> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new CookieImportError('not_found', `There is no file or folder ${path}.`)
  if (found.isDirectory()) return readFirefoxProfile(path)
  if (basename(path) === 'cookies.sqlite') return readFirefoxProfile(dirname(path))
  if (found.size > MAX_BYTES) throw new CookieImportError('unreadable', 'The file is larger than 256 MB.')
  return readImport(decodeImportText(await readFile(path)))
}
