import { randomBytes } from 'node:crypto'
import { open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StateError } from '../error.ts'
import type { StateKey } from '../encryption.ts'
import { hasCode, toFileError } from './file-errors.ts'
import { placeNew } from './place-new.ts'

/**
 * Reads the keys that seal a store, newest first, and makes the file with one key (mode 0600) when it is missing.
 * One key a line: its id, a space, 32 bytes in base64.
 *
 * @throws {StateError} `invalid` when the file is something else, `denied` or `unavailable` when it cannot be read.
 */
export async function openKeyFile(path: string): Promise<StateKey[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw toFileError(error, path)
  })
  if (text !== undefined) return parseKeys(text, path)
  await write(path, [newKey()], placeNew).catch((error: unknown) => {
    // Another process was faster; its key counts.
    if (!hasCode(error, 'EEXIST')) throw toFileError(error, path)
  })
  return openKeyFile(path)
}

/** Puts a new key in front of the others. Restart with it, then call `reseal`. */
export async function rotateKeyFile(path: string): Promise<StateKey[]> {
  const keys = [newKey(), ...(await openKeyFile(path))]
  await write(path, keys, rename).catch((error: unknown) => {
    throw toFileError(error, path)
  })
  return keys
}

/**
 * Leaves the newest key only, once everything is sealed with it. Keys that writes of this file left behind when they were
 * killed go too, so nothing else may be writing it.
 *
 * @throws {StateError} as `openKeyFile` does.
 */
export async function dropOldKeys(path: string): Promise<void> {
  const [newest] = await openKeyFile(path)
  try {
    if (newest !== undefined) await write(path, [newest], rename)
    const name = basename(path)
    for (const other of await readdir(dirname(path))) {
      if (other.startsWith(`${name}.`) && UUID.test(other.slice(name.length + 1))) await rm(join(dirname(path), other))
    }
  } catch (error) {
    throw toFileError(error, path)
  }
}

/** Ends the name of a file that is being written. */
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

function newKey(): StateKey & { key: string } {
  return { id: `k${Date.now().toString(36)}${randomBytes(2).toString('hex')}`, key: randomBytes(32).toString('base64') }
}

async function write(
  path: string,
  keys: readonly StateKey[],
  place: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(keys.map(({ id, key }) => `${id} ${String(key)}\n`).join(''))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await place(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

function parseKeys(text: string, path: string): StateKey[] {
  const keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => /^([\w.-]{1,64}) ([A-Za-z0-9+/]{43}=)$/.exec(line))
    .map((match) => (match === null ? undefined : { id: match[1] ?? '', key: match[2] ?? '' }))
  if (keys.length > 0 && keys.every((key) => key !== undefined)) return keys
  throw new StateError(
    'invalid',
    `${path} is not a key file: each line must be an id, a space and 32 bytes in base64. Restore it from a backup; a new one cannot open what the old one sealed`,
  )
}
