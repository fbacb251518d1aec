import { open, readFile, readdir, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Change } from '../table.ts'
import { hasCode } from './file-errors.ts'
import type { FolderLock } from './folder-lock.ts'
import { encodeChange, encodeHeader, readLog } from './log-format.ts'
import { placeNew } from './place-new.ts'

/** Begins the name of a log that is being written, and is left behind by a crash. */
const NEXT = 'state.log.new-'
/** Below this size a log is not worth rewriting. */
const REWRITE_ABOVE_BYTES = 1_048_576

/** The file on disk: appended to, and rewritten when most of it is history. */
interface StateLog {
  /** Writes lines at the end and syncs them. */
  append(lines: string): Promise<void>
  /** Writes all of the state into a new file that then takes the place of this one. */
  rewrite(changes: Iterable<Change>): Promise<void>
  /** True when most of the file is history. */
  isLong(): boolean
  close(): Promise<void>
}

export interface OpenedLog {
  log: StateLog
  changes: Change[]
  warnings: string[]
}

/** Opens `state.log` in a folder, makes it when missing, cuts a torn tail and puts a damaged file aside. */
export async function openStateLog(
  directory: string,
  lock: Pick<FolderLock, 'inherited' | 'verify'>,
  now: () => number,
): Promise<OpenedLog> {
  const path = join(directory, 'state.log')
  for (const name of await readdir(directory)) if (name.startsWith(NEXT)) await rm(join(directory, name))
  // Of this process: another one that wakes must not write into it.
  const next = join(directory, `${NEXT}${crypto.randomUUID()}`)
  const bytes = await readFile(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  const { changes, goodBytes, damagedLines } = readLog(bytes ?? Buffer.alloc(0))
  const warnings: string[] = []
  let handle: FileHandle | undefined
  let size = goodBytes
  let rewrittenSize = 0

  async function rewrite(all: Iterable<Change>): Promise<void> {
    const fresh = await open(next, 'w', 0o600)
    let written = 0
    try {
      for (const piece of toPieces(all)) {
        await fresh.appendFile(piece)
        written += piece.byteLength
      }
      await fresh.sync()
      // It would put an old state in the place of what another process wrote.
      await lock.verify()
      await rename(next, path)
      await syncFolder(directory)
    } catch (error) {
      await fresh.close()
      await rm(next, { force: true })
      throw error
    }
    await handle?.close()
    handle = fresh
    size = rewrittenSize = written
  }

  // It is never left empty: it gets its name when its first line is in it.
  const empty = bytes?.length === 0
  if (damagedLines > 0 || empty) {
    const aside = join(directory, `state.damaged-${new Date(now()).toISOString().replaceAll(/[:.]/g, '-')}.log`)
    // Kept before it is replaced: a crash in between leaves both.
    await placeNew(path, aside)
    await rewrite(changes)
    warnings.push(
      `${path} was ${empty ? 'empty' : `damaged in ${damagedLines} ${damagedLines === 1 ? 'place' : 'places'}`}. ${changes.length} changes could be read and were kept; the damaged file is kept as ${aside}`,
    )
  } else if (bytes === undefined || lock.inherited) {
    // The one before may wake and finish its write: into a file that has lost its name.
    await rewrite(changes)
  } else {
    handle = await open(path, 'r+')
    if (bytes.length > goodBytes) {
      await handle.truncate(goodBytes)
      await handle.sync()
    }
  }

  return {
    changes,
    warnings,
    log: {
      async append(lines) {
        const chunk = Buffer.from(lines)
        for (let done = 0; done < chunk.length;) {
          const written = await handle!.write(chunk, done, chunk.length - done, size + done)
          done += written.bytesWritten
        }
        await handle!.datasync()
        size += chunk.length
      },
      rewrite,
      isLong: () => size > Math.max(REWRITE_ABOVE_BYTES, rewrittenSize * 4),
      close: async () => handle?.close(),
    },
  }
}

function* toPieces(changes: Iterable<Change>): Generator<Buffer> {
  let text = encodeHeader()
  for (const change of changes) {
    text += encodeChange(change)
    if (text.length < 1_048_576) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

/** Makes names durable, where folders can be synced (not on Windows). */
async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined)
  if (handle === undefined) return
  await handle.sync().catch(() => undefined)
  await handle.close()
}
