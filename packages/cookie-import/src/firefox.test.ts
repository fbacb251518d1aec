import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sqlite from 'node-sqlite3-wasm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readFirefoxProfile } from './firefox.ts'
import { readImportPath } from './read-path.ts'

/** The table of Firefox 145. */
const TABLE = `CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT, value TEXT,
  host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER, isSecure INTEGER, isHttpOnly INTEGER,
  inBrowserElement INTEGER DEFAULT 0, sameSite INTEGER DEFAULT 0, schemeMap INTEGER DEFAULT 0,
  isPartitionedAttributeSet INTEGER DEFAULT 0, updateTime INTEGER,
  CONSTRAINT moz_uniqueid UNIQUE (name, host, path, originAttributes))`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'castor-firefox-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A profile whose last rows are only in the journal, as in a running Firefox. */
function writeProfile(
  name: string,
  rows: [container: string, name: string, value: string, host: string, expiry: number][],
) {
  const live = join(folder, `${name}-live`)
  const profile = join(folder, name)
  mkdirSync(live)
  mkdirSync(profile)
  const database = new sqlite.Database(join(live, 'cookies.sqlite'))
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA wal_autocheckpoint = 0')
  database.exec(TABLE)
  for (const [at, [container, cookie, value, host, expiry]] of rows.entries()) {
    database.run(
      `INSERT INTO moz_cookies (originAttributes, name, value, host, path, expiry, creationTime) VALUES (?, ?, ?, ?, '/', ?, ?)`,
      [container, cookie, value, host, expiry, 1_790_000_000_000_000 + at],
    )
  }
  for (const file of ['cookies.sqlite', 'cookies.sqlite-wal']) copyFileSync(join(live, file), join(profile, file))
  database.close()
  return profile
}

describe('readFirefoxProfile', () => {
  it('reads a profile in use, the journal included, and leaves it as it was', async () => {
    const profile = writeProfile('in-use', [
      ['', '__Secure-1PSID', 'g.a000x', '.google.com', 1_900_000_000],
      ['', '__Secure-1PSIDTS', 'sidts-y', '.google.com', 1_900_000_000_000],
      ['', 'OSID', 'o', 'gemini.google.com', 0],
      ['', 'other', 'o', '.notgoogle.com', 0],
    ])
    expect(await readImportPath(profile)).toEqual({
      form: 'firefox-profile',
      cookies: [
        {
          name: '__Secure-1PSID',
          value: 'g.a000x',
          domain: '.google.com',
          path: '/',
          hostOnly: false,
          expiresMs: 1_900_000_000_000,
        },
        {
          name: '__Secure-1PSIDTS',
          value: 'sidts-y',
          domain: '.google.com',
          path: '/',
          hostOnly: false,
          expiresMs: 1_900_000_000_000,
        },
        { name: 'OSID', value: 'o', domain: 'gemini.google.com', path: '/', hostOnly: true },
      ],
      names: ['OSID', '__Secure-1PSID', '__Secure-1PSIDTS'],
      accountIndex: undefined,
      deviceBound: false,
      sessionEndsMs: 1_900_000_000_000,
      advice: [],
    })
    expect(readdirSync(profile)).toEqual(['cookies.sqlite', 'cookies.sqlite-wal'])
  })

  it('takes the container that was signed in to last, and never mixes two', async () => {
    const profile = writeProfile('containers', [
      ['', '__Secure-1PSID', 'g.a000old', '.google.com', 1_900_000_000],
      ['^userContextId=2', '__Secure-1PSID', 'g.a000new', '.google.com', 1_900_000_000],
      ['^userContextId=3', 'NID', 'n', '.google.com', 1_900_000_000],
    ])
    const { cookies } = await readImportPath(join(profile, 'cookies.sqlite'))
    expect(cookies.map(({ value }) => value)).toEqual(['g.a000new'])
  })

  it('says where profiles are when the folder is none, and what is wrong with a broken one', async () => {
    await expect(readFirefoxProfile(folder)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found', message: expect.stringMatching(/about:profiles/) }),
    )
    const broken = join(folder, 'broken')
    mkdirSync(broken)
    writeFileSync(join(broken, 'cookies.sqlite'), 'this is not a database, and long enough to be taken for one')
    await expect(readFirefoxProfile(broken)).rejects.toThrow(expect.objectContaining({ code: 'unreadable' }))
  })
})

it('reads a file by its path, also in UTF-16, and says when it is no text or not there', async () => {
  const path = join(folder, 'cookie.txt')
  writeFileSync(path, '__Secure-1PSID=g.a000x; __Secure-1PSIDTS=sidts-y\n')
  expect((await readImportPath(path)).names).toEqual(['__Secure-1PSID', '__Secure-1PSIDTS'])
  const utf16 = Buffer.from('\uFEFF__Secure-1PSID=g.a000x; __Secure-1PSIDTS=sidts-y\r\n', 'utf16le')
  for (const bytes of [utf16, Buffer.from(utf16).swap16()]) {
    writeFileSync(path, bytes)
    expect((await readImportPath(path)).names).toEqual(['__Secure-1PSID', '__Secure-1PSIDTS'])
  }
  writeFileSync(path, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x1b, 0x5b, 0x32, 0x4a, 0x3d, 0x00]))
  await expect(readImportPath(path)).rejects.toThrow(
    expect.objectContaining({
      code: 'unreadable',
      message: expect.stringMatching(/^This is no text: it holds control characters\. [ -~]*$/) as string,
    }),
  )
  await expect(readImportPath(join(folder, 'nothing'))).rejects.toThrow(expect.objectContaining({ code: 'not_found' }))
})
