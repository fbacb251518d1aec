import { StateError } from './error.ts'
import { isSealed } from './sealer.ts'
import type { Sealer } from './sealer.ts'
import type { StateStore } from './state-store.ts'
import { updateRecord } from './update-record.ts'
import { withLock } from './with-lock.ts'

/** Names of the store's own begin so. Users never see them in a list. */
export const OWN_PREFIX = 'castor/'
/** For each key that anything may be sealed with, a record that it sealed. */
const CHECK_PREFIX = `${OWN_PREFIX}key-check`
const checkOf = (id: string): string => `${CHECK_PREFIX}/${id}`

/** Longer than the lock of a process that died while it had it. */
const WAIT_MS = 15_000

/** Which keys a store is sealed with: what tells a key that is wrong from a record that is. */
export interface KeysInUse {
  /** Why these keys are not those of the store, as far as it was seen last. */
  readonly trouble: StateError | undefined
  /** When that last changed. Milliseconds since 1970. */
  readonly since: number
  /** True when the key that seals here was taken out of use by another process: what it sealed would be lost. */
  readonly retired: boolean
  /** @returns Ids of the keys in use, and which of them do not open here. */
  look(): Promise<{ ids: ReadonlySet<string>; lacking: ReadonlySet<string> }>
  /** Says that the sealing key is in use. It must be there before anything is sealed with it. */
  enter(): Promise<void>
  /**
   * Does something while nobody else does.
   *
   * @throws {StateError} `unavailable` when others took too long.
   */
  alone<Result>(work: () => Promise<Result>): Promise<Result>
  /** Takes all other keys out of use, when nothing is sealed with them any more. */
  leaveOnly(): Promise<void>
}

/** @param onTrouble Called when the keys turn out to be wrong. */
export function createKeysInUse(
  store: StateStore,
  sealer: Sealer,
  onTrouble: (error: StateError) => void = () => {},
): KeysInUse {
  let trouble: StateError | undefined
  let since = Date.now()
  let entered = false
  let retired = false

  function judge(error: StateError | undefined): void {
    if (error?.message === trouble?.message) return
    trouble = error
    since = Date.now()
    if (error !== undefined) onTrouble(error)
  }

  return {
    get trouble() {
      return trouble
    },
    get since() {
      return since
    },
    get retired() {
      return retired
    },
    async look() {
      const ids = new Set<string>()
      const lacking = new Set<string>()
      for await (const { key, value } of store.list(CHECK_PREFIX)) {
        if (!isSealed(value)) continue
        ids.add(value.k)
        await sealer.open(key, value).catch(() => lacking.add(value.k))
      }
      if (ids.has(sealer.id)) entered = true
      // A store that forgot everything is nobody's: it is told the key again.
      retired = entered && ids.size > 0 && !ids.has(sealer.id)
      const [first] = lacking
      if (first !== undefined) judge(lackingError(first, sealer.ids))
      else judge(retired ? retiredError(sealer.id, ids) : undefined)
      return { ids, lacking }
    },
    async enter() {
      const key = checkOf(sealer.id)
      const sealed = await sealer.seal(key, 'castor')
      await updateRecord(store, key, (value) => (isSealed(value) ? undefined : sealed))
      entered = true
    },
    async alone(work) {
      const done = await withLock(store, CHECK_PREFIX, work, { waitMs: WAIT_MS })
      if (done === undefined) throw new StateError('unavailable', 'Others tell the state their keys all the time')
      return done.value
    },
    async leaveOnly() {
      for await (const { key, value } of store.list(CHECK_PREFIX))
        if (isSealed(value) && key !== checkOf(sealer.id)) await store.delete(key)
    },
  }
}

function lackingError(id: string, given: readonly string[]): StateError {
  const message = given.includes(id)
    ? `The state is sealed with another key that is called "${id}" too`
    : `The state is sealed with the key "${id}", which is not among the keys given (${given.join(', ')})`
  return new StateError('wrong_key', message)
}

function retiredError(id: string, ids: ReadonlySet<string>): StateError {
  return new StateError(
    'wrong_key',
    `The key "${id}", with which this process seals, was taken out of use by another one: now it is ${[...ids].join(', ')}. Start it again with that`,
  )
}
