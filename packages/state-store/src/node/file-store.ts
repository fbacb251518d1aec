import { StateError } from '../error.ts'
import type { StateStatus, StateStore } from '../state-store.ts'
import { Table } from '../table.ts'
import type { Change } from '../table.ts'
import { createTableStore } from '../table-store.ts'
import { hasCode, toFileError } from './file-errors.ts'
import { lockFolder } from './folder-lock.ts'
import type { FolderLock } from './folder-lock.ts'
import { encodeChange } from './log-format.ts'
import { makeFolder } from './make-folder.ts'
import { openStateLog } from './state-log.ts'
import type { OpenedLog } from './state-log.ts'

export interface FileStateStoreOptions {
  /** Made when missing (mode 0700). One process at a time may use it. */
  directory: string
  /** Clock, for tests. */
  now?: () => number
}

interface Waiting {
  /** Undefined asks for the whole file to be written anew. */
  change: Change | undefined
  resolve(this: void): void
  reject(this: void, error: unknown): void
}

/**
 * State in a folder of this process: everything in memory, every change appended to `state.log` and synced before it
 * is acknowledged. Changes that come at the same time share one sync. `kill -9` at any moment loses nothing that was
 * acknowledged.
 *
 * Locks live in memory only: they end with the process that could hold them.
 *
 * @throws {StateError} `in_use`, `denied`, `unsupported` or `unavailable`.
 */
export async function openFileStateStore({ directory, now = Date.now }: FileStateStoreOptions): Promise<StateStore> {
  await makeFolder(directory).catch((error: unknown) => {
    if (hasCode(error, 'EEXIST')) {
      const message = `${directory} is no folder, and a folder belongs there; move away what has its name`
      throw new StateError('unavailable', message, { cause: error })
    }
    throw toFileError(error, directory)
  })
  const lock = await lockFolder(directory)
  const { log, changes, warnings } = await openStateLog(directory, lock, now).catch(async (error: unknown) => {
    await lock.release()
    throw toFileError(error, directory)
  })
  return createLogStore({ directory, lock, log, changes, warnings, now })
}

/** After a write that failed, the next try comes by itself. */
const RETRY_MS = 2000

export interface LogStoreOptions extends OpenedLog {
  directory: string
  lock: FolderLock
  now: () => number
  /** Default 2 000. */
  retryMs?: number
}

/** The store over an open log. */
export function createLogStore({
  directory,
  lock,
  log,
  changes,
  warnings,
  now,
  retryMs = RETRY_MS,
}: LogStoreOptions): StateStore {
  const table = new Table(now)
  for (const change of changes) table.apply(change)

  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined
  /** After a failed write the file lags behind memory; it is then written anew. */
  let behind = false
  let retry: NodeJS.Timeout | undefined
  let status: StateStatus = { home: 'file', ok: true, since: now(), warnings }

  async function write(batch: readonly Waiting[]): Promise<void> {
    await lock.verify()
    const lines = batch.map(({ change }) => (change === undefined ? undefined : encodeChange(change)))
    if (behind || log.isLong() || lines.includes(undefined)) {
      table.purge()
      // The table already holds the batch.
      await log.rewrite(table.snapshot())
      behind = false
    } else {
      await log.append(lines.join(''))
    }
    // Who takes the folder over reads the log after that: what was written before is read, and only that is acknowledged.
    await lock.verify()
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await write(batch)
        if (!status.ok) status = { home: 'file', ok: true, since: now(), warnings }
        for (const { resolve } of batch) resolve()
      } catch (thrown) {
        behind = true
        tryLater()
        const error = toFileError(thrown, directory)
        if (status.ok) fail(error)
        for (const { reject } of batch) reject(error)
      }
    }
    writing = undefined
  }

  function fail({ message }: Error): void {
    status = { home: 'file', ok: false, since: now(), reason: message, warnings }
  }

  function commit(change: Change | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.push({ change, resolve, reject })
      writing ??= writeAll()
    })
  }

  /** What could not be written is in memory only: it is written as soon as the disk lets it be. */
  function tryLater(): void {
    clearTimeout(retry)
    retry = setTimeout(() => void (behind && commit(undefined).catch(() => undefined)), retryMs)
    retry.unref()
  }

  return createTableStore({
    table,
    commit,
    compact: () => commit(undefined),
    ensure() {
      // What is in memory may be old.
      if (lock.lost !== undefined) throw lock.lost
    },
    status() {
      if (status.ok && lock.lost !== undefined) fail(lock.lost)
      return status
    },
    async close() {
      await writing
      // The last chance of what could not be written before.
      if (behind) await commit(undefined).catch(() => undefined)
      clearTimeout(retry)
      await log.close()
      await lock.release()
    },
  })
}
