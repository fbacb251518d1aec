import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MediaStoreError } from '../error.ts'
import type { HomeEntry, MediaHome, StoredEntry } from '../home.ts'
import { readExpiry } from '../media-id.ts'

/** Follows the id in the name of the file that says what the item is. An id holds one dot at most, so never ends so. */
const ENTRY_SUFFIX = '.entry.json'
const TEMPORARY = /^tmp-/

/** What an interrupted write left is removed after this time; longer than any write takes. */
const LEFTOVER_MS = 3_600_000

/**
 * One file for the bytes and one that describes it, in one folder.
 *
 * An item exists once its description does. Both are written beside their place, synced and moved there, the
 * description last, so a crash at any moment leaves a whole item or none.
 */
export function createFolderHome(directory: string): MediaHome {
  const path = (name: string): string => join(directory, name)
  /** Descriptions never change, so each is read once. */
  const known = new Map<string, StoredEntry>()
  let ready: Promise<unknown> | undefined

  async function readEntry(id: string): Promise<StoredEntry | undefined> {
    const cached = known.get(id)
    if (cached !== undefined) return cached
    const text = await readFile(path(id + ENTRY_SUFFIX), 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw toStoreError(error, directory)
    })
    const entry = text === undefined ? undefined : parseEntry(text, id)
    if (entry !== undefined) known.set(id, entry)
    return entry
  }

  async function writeSafely(name: string, body: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
    const temporary = path(`tmp-${crypto.randomUUID()}`)
    // What the body throws is the caller's; everything else here is the file system's.
    let own: { error: unknown } | undefined
    try {
      const handle = await open(temporary, 'wx', 0o600)
      let size: number
      try {
        await writeFile(handle, typeof body === 'string' || body instanceof Uint8Array ? body : watched(body))
        await handle.sync()
        size = (await handle.stat()).size
      } finally {
        await handle.close()
      }
      await rename(temporary, path(name))
      return size
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw own === undefined ? toStoreError(error, directory) : own.error
    }

    async function* watched(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      try {
        yield* chunks
      } catch (error) {
        own = { error }
        throw error
      }
    }
  }

  async function write(entry: HomeEntry, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
    ready ??= mkdir(directory, { recursive: true, mode: 0o700 })
    await ready.catch((error: unknown) => {
      ready = undefined
      throw toStoreError(error, directory)
    })
    const sizeBytes = await writeSafely(entry.id, body)
    const stored: StoredEntry = { ...entry, sizeBytes }
    try {
      await writeSafely(entry.id + ENTRY_SUFFIX, JSON.stringify(stored))
    } catch (error) {
      await rm(path(entry.id), { force: true }).catch(() => undefined)
      throw error
    }
    await syncFolder(directory)
    known.set(entry.id, stored)
    return sizeBytes
  }

  async function names(): Promise<string[]> {
    return readdir(directory).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw toStoreError(error, directory)
    })
  }

  return {
    write,
    async head(id) {
      const entry = await readEntry(id)
      if (entry === undefined) return undefined
      // Another process may have removed it.
      const size = await stat(path(id)).then(
        (file) => file.size,
        () => undefined,
      )
      if (size === entry.sizeBytes) return entry
      known.delete(id)
      return undefined
    },
    async *read(id, range, signal) {
      try {
        yield* createReadStream(path(id), {
          ...range,
          ...(signal === undefined ? {} : { signal }),
        }) as AsyncIterable<Uint8Array>
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason
        throw toStoreError(error, directory)
      }
    },
    async remove(id) {
      known.delete(id)
      try {
        const found = await stat(path(id + ENTRY_SUFFIX)).then(
          () => true,
          () => false,
        )
        await rm(path(id + ENTRY_SUFFIX), { force: true })
        await rm(path(id), { force: true })
        return found
      } catch (error) {
        throw toStoreError(error, directory)
      }
    },
    async *list() {
      for (const name of await names()) {
        const id = name.endsWith(ENTRY_SUFFIX) ? name.slice(0, -ENTRY_SUFFIX.length) : undefined
        const entry = id === undefined || readExpiry(id) === undefined ? undefined : await readEntry(id)
        if (entry !== undefined) yield entry
      }
    },
    async tidy(now) {
      const all = await names()
      const present = new Set(all)
      for (const name of all) {
        const orphan = readExpiry(name) !== undefined && !present.has(name + ENTRY_SUFFIX)
        if (!orphan && !TEMPORARY.test(name)) continue
        const modified = await stat(path(name)).then(
          (file) => file.mtimeMs,
          () => undefined,
        )
        if (modified !== undefined && modified < now - LEFTOVER_MS) await rm(path(name), { force: true })
      }
    },
  }
}

function parseEntry(text: string, id: string): StoredEntry | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { mimeType, storedAt, sizeBytes, name } = value as Partial<Record<keyof StoredEntry, unknown>>
    if (typeof mimeType !== 'string' || typeof storedAt !== 'number' || typeof sizeBytes !== 'number') return undefined
    return { id, mimeType, storedAt, sizeBytes, ...(typeof name === 'string' ? { name } : {}) }
  } catch {
    return undefined
  }
}

/** Makes the names durable, where folders can be synced (not on Windows). */
async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined)
  if (handle === undefined) return
  await handle.sync().catch(() => undefined)
  await handle.close()
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function toStoreError(error: unknown, directory: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new MediaStoreError('full', `No space is left for ${directory}`, { cause: error })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new MediaStoreError('denied', `${directory} cannot be written by this user (${code})`, { cause: error })
  }
  if (typeof code !== 'string') return error
  return new MediaStoreError('unavailable', `${directory} cannot be used (${code})`, { cause: error })
}
