import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sqlite from 'node-sqlite3-wasm'
import { expiryField, type ExportedCookie } from './cookie.ts'
import { describe, type CookieImport } from './describe.ts'
import { CookieImportError } from './error.ts'

const DATABASE = 'cookies.sqlite'
/** Rows of one container: none, `^userContextId=2`, `^privateBrowsingId=1`. */
type Row = Record<'name' | 'value' | 'host' | 'path' | 'container', string> & { expiry: number | bigint }

/**
 * Reads the Google session out of a Firefox profile folder, also while Firefox runs: the database and its journal are
 * copied first and only the copy is opened. Of several containers the one that was signed in to last counts.
 *
 * @throws {CookieImportError} `not_found` when the folder is no profile, `no_session`, `unreadable`.
 */
export async function readFirefoxProfile(folder: string): Promise<CookieImport> {
  const copy = await mkdtemp(join(tmpdir(), 'castor-cookies-'))
  try {
    await copyDatabase(folder, copy)
    const rows = readRows(join(copy, DATABASE))
    const containers = new Map<string, ExportedCookie[]>()
    for (const row of rows) containers.set(row.container, [...(containers.get(row.container) ?? []), toCookie(row)])
    const found = [...containers.values()].reverse()
    const signedIn = found.find((cookies) => cookies.some(({ name }) => name === '__Secure-1PSID'))
    return describe('firefox-profile', { cookies: signedIn ?? found[0] ?? [], urls: [], authUsers: [] })
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

async function copyDatabase(folder: string, copy: string): Promise<void> {
  try {
    await copyFile(join(folder, DATABASE), join(copy, DATABASE))
  } catch (error) {
    throw new CookieImportError(
      'not_found',
      `There is no ${DATABASE} in this folder. Firefox shows the right one under about:profiles, "Root Directory".`,
      { cause: error },
    )
  }
  const journal = join(folder, `${DATABASE}-wal`)
  if (await stat(journal).catch(() => undefined)) await copyFile(journal, join(copy, `${DATABASE}-wal`))
}

function readRows(path: string): Row[] {
  const database = new sqlite.Database(path)
  try {
    // The journal can be read without shared memory only by somebody who has the file to himself.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    return database.all(
      `SELECT name, value, host, path, expiry, originAttributes AS container FROM moz_cookies
       WHERE host = 'google.com' OR host LIKE '%.google.com'
       ORDER BY max(creationTime) OVER (PARTITION BY originAttributes), creationTime`,
    ) as unknown as Row[]
  } catch (error) {
    throw new CookieImportError('unreadable', `${DATABASE} could not be read as Firefox writes it.`, { cause: error })
  } finally {
    database.close()
  }
}

function toCookie({ name, value, host, path, expiry }: Row): ExportedCookie {
  return { name, value, domain: host, path, hostOnly: !host.startsWith('.'), ...expiryField(Number(expiry)) }
}
