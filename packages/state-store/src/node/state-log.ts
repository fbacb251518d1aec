import { open, readFile, readdir, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Change } from '../table.ts'
import { hasCode, toFileError } from './file-errors.ts'
import type { FolderLock } from './folder-lock.ts'
import { encodeChange, encodeHeader, readLog } from './log-format.ts'
import { placeNew } from './place-new.ts'

/** Begins the name of a damaged log that was kept aside. */
const ASIDE = 'state.damaged-'
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
  for (const name of await readdir(directory)) {
    const left = join(directory, name)
    if (name.startsWith(NEXT)) await rm(left).catch((error: unknown) => Promise.reject(toFileError(error, left)))
  }
  // Of this process: another one that wakes must not write into it.
  const next = join(directory, `${NEXT}${crypto.randomUUID()}`)
  const bytes = await readFile(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw toFileError(error, path)
  })
  const { changes, goodBytes, damagedLines, keptBytes } = readLog(bytes ?? Buffer.alloc(0))
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
      await writeHeader(fresh, written)
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

  const harm = describeHarm({ size: bytes?.length, damagedLines, goodBytes, keptBytes: keptBytes ?? 0 })
  if (harm !== undefined) {
    const aside = join(directory, `${ASIDE}${new Date(now()).toISOString().replaceAll(/[:.]/g, '-')}.log`)
    // Kept before it is replaced: a crash in between leaves both.
    await placeNew(path, aside)
    await rewrite(changes)
    warnings.push(
      `${path} was ${harm}. ${changes.length} changes could be read and were kept; the damaged file is kept as ${aside}`,
    )
  } else if (bytes === undefined || lock.inherited || keptBytes === undefined) {
    // The one before may wake and finish its write: into a file that has lost its name.
    await rewrite(changes)
  } else {
    handle = await open(path, 'r+')
    if (bytes.length > goodBytes) {
      await handle.truncate(goodBytes)
      await handle.sync()
    }
    if (goodBytes > keptBytes) await writeHeader(handle, goodBytes)
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
        // Not before it is so. It reaches the disk with the next sync.
        await writeHeader(handle!, size)
      },
      rewrite,
      isLong: () => size > Math.max(REWRITE_ABOVE_BYTES, rewrittenSize * 4),
      async close() {
        await handle?.datasync()
        await handle?.close()
      },
    },
  }
}

/**
 * Damaged files that were kept aside in the folder of a store. Nothing reads or changes them any more, so keys that are out
 * of use still open what is in them: delete them when nothing of them is wanted.
 *
 * @returns Their paths.
 */
export async function findDamagedFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return []
    throw toFileError(error, directory)
  })
  return names
    .filter((name) => name.startsWith(ASIDE))
    .toSorted()
    .map((name) => join(directory, name))
}

async function writeHeader(handle: FileHandle, keptBytes: number): Promise<void> {
  await handle.write(encodeHeader(keptBytes), 0)
}

/** What is wrong with a log; undefined when nothing is, or when all that is missing was never acknowledged. */
function describeHarm({
  size,
  damagedLines,
  goodBytes,
  keptBytes,
}: {
  size: number | undefined
  damagedLines: number
  goodBytes: number
  keptBytes: number
}): string | undefined {
  // It is never left empty: it gets its name when its first line is in it.
  if (size === 0) return 'empty'
  const damaged = `damaged in ${damagedLines} ${damagedLines === 1 ? 'place' : 'places'}`
  const cut = `cut: ${goodBytes} of ${keptBytes} bytes are left`
  if (goodBytes >= keptBytes) return damagedLines > 0 ? damaged : undefined
  return damagedLines > 0 ? `${damaged} and ${cut}` : cut
}

function* toPieces(changes: Iterable<Change>): Generator<Buffer> {
  let text = encodeHeader(0)
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
