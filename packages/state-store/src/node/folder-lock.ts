import { createHash } from 'node:crypto'
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StateError } from '../error.ts'
import { hasCode, toFileError } from './file-errors.ts'
import { askHolder, describeThisProcess, readHolder } from './lock-holder.ts'
import type { LockHolder } from './lock-holder.ts'
import { placeNew } from './place-new.ts'

/** Keeps other processes out of a folder. */
export interface FolderLock {
  /** True when the one before may still live, stopped or cut off, and wake with the files open. */
  readonly inherited: boolean
  /** Set as soon as another process is seen to have the folder: what this one knows of it is old then. */
  readonly lost: StateError | undefined
  /**
   * Looks who has the folder, unless that was seen a moment ago.
   *
   * @throws {StateError} `in_use` when another process took it, because this one was stopped too long.
   */
  verify(): Promise<void>
  release(): Promise<void>
}

const BEAT_MS = 2000
/** A lock whose holder cannot be asked is dead when it was silent this long. */
const DEAD_AFTER_MS = 10_000
/** Clocks differ between machines: at most so much of the silence is taken from the time of the file, the rest is watched. */
const BELIEVED_MS = 5000
const WATCH_EVERY_MS = 100
/** Nobody takes a folder over sooner than `DEAD_AFTER_MS - BELIEVED_MS` after a beat: until then a look holds. */
const LOOK_HOLDS_MS = 2500

/** What stands in the locks of this very process: the same folder must not be opened twice. */
const held = new Set<string>()

/**
 * Takes a folder for this process. The lock of a process that is known to be dead is taken over at once. One that cannot
 * be asked, on another host or in another container, is watched: it is dead when it was silent for 10 seconds. Of any
 * number that start at once, one gets the folder.
 *
 * @throws {StateError} `in_use`, naming the holder.
 */
export async function lockFolder(directory: string): Promise<FolderLock> {
  const path = join(directory, 'state.lock')
  const self = await describeThisProcess()
  const content = JSON.stringify(self)
  const taker: Taker = { self, content, directory }
  held.add(content)
  let inherited: boolean
  try {
    inherited = await withOwnFile(path, content, (own) => take(path, own, taker))
  } catch (error) {
    held.delete(content)
    throw toFileError(error, path)
  }
  let lost: StateError | undefined
  let seenAt = now()
  const timer = setInterval(() => void beat(), BEAT_MS)
  timer.unref()

  async function look(): Promise<void> {
    const askedAt = now()
    // A lock that is missing was taken over and given back: whatever we know may be old.
    if ((await readLock(path)) === content) seenAt = askedAt
    else lost ??= new StateError('in_use', `Another process took ${directory} while this one was stopped; restart it`)
  }

  async function beat(): Promise<void> {
    // What cannot be read just now is looked at again.
    await look().catch(() => undefined)
    if (lost === undefined) await touch(path).catch(() => undefined)
  }

  return {
    inherited,
    get lost() {
      return lost
    },
    async verify() {
      const { monotonic, wall } = now()
      // One of them stands still while the machine sleeps.
      if (Math.max(monotonic - seenAt.monotonic, wall - seenAt.wall) > LOOK_HOLDS_MS) await look()
      if (lost !== undefined) throw lost
    },
    async release() {
      clearInterval(timer)
      // Somebody who takes it over at this moment may have it.
      if (lost === undefined) await instead(path, content, taker, () => rm(path, { force: true })).catch(() => false)
      held.delete(content)
    },
  }
}

interface Taker {
  self: LockHolder
  content: string
  directory: string
}

/**
 * Gives a lock its name when nobody has it, or when its holder is dead.
 *
 * @returns True when the one before may still live.
 */
async function take(path: string, own: string, taker: Taker): Promise<boolean> {
  for (;;) {
    // It appears with its content or not at all, and never over another.
    await touch(own)
    const taken = await placeNew(own, path).then(
      () => true,
      (error: unknown) => {
        if (hasCode(error, 'EEXIST')) return false
        throw error
      },
    )
    if (taken) return false
    const holder = await readLock(path)
    if (holder === undefined) continue
    const fate = await watch(path, holder, taker.self)
    if (fate === 'changed') continue
    if (fate === 'alive') throw inUse(holder, taker.directory)
    const replace = async (): Promise<void> => {
      // It was made before the watching.
      await touch(own)
      await rename(own, path)
    }
    if (await instead(path, holder, taker, replace)) return fate === 'silent'
  }
}

/**
 * Does something to a lock in place of its holder, who is dead or who gives it back. That is guarded by a lock of its
 * own, named after the holder: only one at a time acts on what one holder left.
 *
 * @returns False when it is no longer there.
 */
async function instead(path: string, holder: string, taker: Taker, act: () => Promise<void>): Promise<boolean> {
  const guard = `${path}.${createHash('sha256').update(holder).digest('hex').slice(0, 16)}`
  await withOwnFile(guard, taker.content, (ownGuard) => take(guard, ownGuard, taker))
  try {
    if ((await readLock(path)) !== holder) return false
    await act()
    return true
  } finally {
    if ((await readLock(guard)) === taker.content) await rm(guard, { force: true })
  }
}

/** Waits until it is known whether the holder of a lock lives, which it shows by touching it. */
async function watch(path: string, holder: string, self: LockHolder): Promise<'alive' | 'dead' | 'silent' | 'changed'> {
  if (held.has(holder)) return 'alive'
  const answer = askHolder(readHolder(holder), self)
  if (answer === 'dead') return 'dead'
  const touchedMs = await readTouch(path)
  if (touchedMs === undefined) return 'changed'
  const age = Math.max(0, Date.now() - touchedMs)
  // The same clock. One that lives and is silent is stopped, or another process that got its number.
  if (answer === 'alive') return age > DEAD_AFTER_MS ? 'silent' : 'alive'
  const until = performance.now() + DEAD_AFTER_MS - Math.min(age, BELIEVED_MS)
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, WATCH_EVERY_MS))
    if ((await readLock(path)) !== holder) return 'changed'
    if ((await readTouch(path)) !== touchedMs) return 'alive'
  }
  return 'silent'
}

/** Hands over a file of this process that holds what a lock is to say. */
async function withOwnFile<T>(path: string, content: string, work: (own: string) => Promise<T>): Promise<T> {
  const own = `${path}.${crypto.randomUUID()}`
  await writeFile(own, content, { mode: 0o600, flag: 'wx' })
  try {
    return await work(own)
  } finally {
    await rm(own, { force: true })
  }
}

async function readLock(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(orMissing)
}

async function touch(path: string): Promise<void> {
  const time = new Date()
  await utimes(path, time, time)
}

async function readTouch(path: string): Promise<number | undefined> {
  return stat(path).then(({ mtimeMs }) => mtimeMs, orMissing)
}

function orMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
}

function now(): { monotonic: number; wall: number } {
  return { monotonic: performance.now(), wall: Date.now() }
}

function inUse(holder: string, directory: string): StateError {
  if (held.has(holder)) return new StateError('in_use', `${directory} is already open in this process`)
  const { pid, host } = readHolder(holder)
  const who = pid === undefined ? 'another process' : `process ${pid} on ${host}`
  return new StateError('in_use', `${directory} is used by ${who}; stop it, or give this one a folder of its own`)
}
