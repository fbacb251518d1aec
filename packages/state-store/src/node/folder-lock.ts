import { readFile, rename, rm, utimes, writeFile, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { StateError } from '../error.ts'
import { hasCode, toFileError } from './file-errors.ts'
import { placeNew } from './place-new.ts'

/** Keeps other processes out of a folder. */
export interface FolderLock {
  /** @throws {StateError} `in_use` when another process took the folder, because this one slept too long. */
  verify(): Promise<void>
  release(): Promise<void>
}

const BEAT_MS = 2000
/** A lock whose holder cannot be asked, in another container or on another host, is dead when it was silent this long. */
const DEAD_AFTER_MS = 10_000

/** Locks that this very process holds: the same path must not be opened twice. */
const held = new Set<string>()

/**
 * Takes a folder for this process. The lock of a process that died on this host is taken over at once, one from
 * elsewhere when it has been silent for 10 seconds.
 *
 * @throws {StateError} `in_use`, naming the holder.
 */
export async function lockFolder(directory: string): Promise<FolderLock> {
  const path = join(directory, 'state.lock')
  if (held.has(path)) throw new StateError('in_use', `${directory} is already open in this process`)
  held.add(path)
  const content = JSON.stringify({ pid: process.pid, host: hostname(), id: crypto.randomUUID() })
  try {
    await take(path, content, directory)
  } catch (error) {
    held.delete(path)
    throw toFileError(error, path)
  }
  const timer = setInterval(() => void beat(), BEAT_MS)
  timer.unref()

  async function beat(): Promise<void> {
    const now = new Date()
    if (await isOurs()) await utimes(path, now, now).catch(() => undefined)
  }

  async function isOurs(): Promise<boolean> {
    return (await readFile(path, 'utf8').catch(() => '')) === content
  }

  return {
    async verify() {
      if (await isOurs()) return
      throw new StateError('in_use', `Another process took ${directory} while this one was stopped; restart this one`)
    },
    async release() {
      clearInterval(timer)
      if (await isOurs()) await rm(path, { force: true })
      held.delete(path)
    },
  }
}

async function take(path: string, content: string, directory: string): Promise<void> {
  const own = `${path}.${crypto.randomUUID()}`
  await writeFile(own, content, { mode: 0o600, flag: 'wx' })
  try {
    for (;;) {
      // It appears with its content or not at all, and never over another.
      const taken = await placeNew(own, path).then(
        () => true,
        (error: unknown) => {
          if (hasCode(error, 'EEXIST')) return false
          throw error
        },
      )
      if (taken) return
      const holder = await readFile(path, 'utf8').catch(() => undefined)
      if (holder === undefined) continue
      if (!(await isDead(path, holder)))
        throw new StateError(
          'in_use',
          `${directory} is used by ${describe(holder)}; stop it, or give this one a folder of its own`,
        )
      await removeDead(path, holder)
    }
  } finally {
    await rm(own, { force: true })
  }
}

/** Moves the lock away before looking again: of several that do this, one moves it and none removes a fresh one unseen. */
async function removeDead(path: string, holder: string): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}`
  await rename(path, aside).catch(() => undefined)
  const moved = await readFile(aside, 'utf8').catch(() => undefined)
  if (moved !== undefined && moved !== holder) await placeNew(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}

async function isDead(path: string, holder: string): Promise<boolean> {
  const { pid, host } = parse(holder)
  // Ours by number but not held by us: a container starts with the same number every time.
  if (host === hostname() && (pid === process.pid || !isAlive(pid))) return true
  const silentMs = await stat(path).then(
    (file) => Date.now() - file.mtimeMs,
    () => 0,
  )
  return silentMs > DEAD_AFTER_MS
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function parse(holder: string): { pid?: number; host?: string } {
  try {
    const { pid, host } = JSON.parse(holder) as { pid?: unknown; host?: unknown }
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : {}
  } catch {
    return {}
  }
}

function describe(holder: string): string {
  const { pid, host } = parse(holder)
  return pid === undefined ? 'another process' : `process ${pid} on ${host}`
}
