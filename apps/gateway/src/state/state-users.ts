import { isStateError, StateError, type StateStore } from '@castorjs/state-store'
import { hostname } from 'node:os'

/** A process that uses a shared state, as the others see it. */
export interface StateUser {
  pid: number
  host: string
  /** Milliseconds since 1970, by its clock. */
  since: number
  /** Id of the key it seals with. */
  key: string
}

/** Not sealed: whoever changes the key must be able to read it. */
const USERS = 'castor/users/'
const ROTATION = 'castor/rotation'
/** A process that was killed is forgotten after this. */
const HELD_MS = 20_000
const BEAT_MS = 5_000

/**
 * Says in a shared state that this process uses it, until it leaves.
 *
 * @param onBeat Called every 5 s, after that was said again.
 * @returns How to leave.
 * @throws {StateError} `unavailable` while the key is being changed.
 */
export async function joinState(
  store: StateStore,
  key: string,
  onBeat: () => Promise<unknown>,
): Promise<() => Promise<void>> {
  const name = USERS + crypto.randomUUID()
  const user: StateUser = { ...whoIsThis(), key }
  const say = (): Promise<number> => store.set(name, user, { ttlMs: HELD_MS })
  const leave = async (): Promise<void> => void (await store.delete(name).catch(() => false))
  // Where nothing can be written just now, no key can be changed either.
  await say().catch(unlessAway)
  // Said before it is asked, as `claimState` does: of two that do this at once, at least one sees the other.
  const rotation = (await store.get(ROTATION))?.value as StateUser | undefined
  if (rotation !== undefined) {
    await leave()
    throw new StateError(
      'unavailable',
      `The key of the state is being changed by ${describe(rotation)}. Start again when that is done; if it was killed, after ${HELD_MS / 1000} s`,
    )
  }
  const timer = setInterval(() => {
    void say()
      .then(onBeat)
      // The state says itself what is wrong with it.
      .catch(() => undefined)
  }, BEAT_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await leave()
  }
}

/**
 * Keeps other processes from joining a shared state, until it is released.
 *
 * @param mayStay Whether one that uses it now does no harm.
 * @param remedy What to do about the others.
 * @returns How to release it.
 * @throws {StateError} `in_use`, naming those who use it, or who changes the key already.
 */
export async function claimState(
  store: StateStore,
  { key, mayStay, remedy }: { key: string; mayStay: (user: StateUser) => boolean; remedy: string },
): Promise<() => Promise<void>> {
  const claim: StateUser = { ...whoIsThis(), key }
  if ((await store.compareAndSet(ROTATION, 0, claim, { ttlMs: HELD_MS })) === undefined) {
    const other = (await store.get(ROTATION))?.value as StateUser | undefined
    throw new StateError(
      'in_use',
      `The key of the state is being changed already, by ${other === undefined ? 'another process' : describe(other)}`,
    )
  }
  const timer = setInterval(() => {
    void store.set(ROTATION, claim, { ttlMs: HELD_MS }).catch(() => undefined)
  }, BEAT_MS)
  const release = async (): Promise<void> => {
    clearInterval(timer)
    await store.delete(ROTATION)
  }
  const users: StateUser[] = []
  try {
    for await (const { value } of store.list(USERS)) if (!mayStay(value as StateUser)) users.push(value as StateUser)
  } catch (error) {
    // Why it cannot be read matters more than that the claim cannot be taken back: it ends by itself.
    await release().catch(() => undefined)
    throw error
  }
  if (users.length === 0) return release
  await release()
  const who = users.length === 1 ? 'One process uses' : `${users.length} processes use`
  throw new StateError(
    'in_use',
    `${who} this state: ${users.map(describe).join(', ')}. ${remedy} One that was killed is forgotten after ${HELD_MS / 1000} s`,
  )
}

function whoIsThis(): Omit<StateUser, 'key'> {
  return { pid: process.pid, host: hostname(), since: Date.now() }
}

function describe({ pid, host, since }: StateUser): string {
  return `process ${pid} on ${host} (since ${new Date(since).toISOString().slice(0, 19)}Z)`
}

function unlessAway(error: unknown): void {
  if (!isStateError(error) || error.code !== 'unavailable') throw error
}
