import { StateError, isStateError } from './error.ts'
import { createKeysInUse, OWN_PREFIX } from './keys-in-use.ts'
import { createSealer, isSealed } from './sealer.ts'
import type { Sealed, StateKey } from './sealer.ts'
import type { StateRecord, StateStore } from './state-store.ts'
import { createUnreadableRecords } from './unreadable.ts'

export interface EncryptionOptions {
  /** The first one seals; all of them open. To rotate, put a new key in front and call `reseal`. */
  keys: readonly StateKey[]
  /** Also return records that were never sealed, to encrypt an existing store. Default false: they are refused. */
  acceptPlain?: boolean
  /** Hears once of each record that does not open, and when the keys turn out not to be those of the store. */
  onTrouble?: (error: StateError) => void
}

export interface EncryptedStateStore extends StateStore {
  /**
   * Tells whether these keys belong to this store, and says in the store that the first one is in use from now on. Call
   * it at the start, and now and then when other processes may change the keys.
   *
   * @returns True when the store was sealed with nothing before: it is new, or it lost everything.
   * @throws {StateError} `wrong_key`. Do not go on then: what is written would be lost with the other key.
   */
  checkKeys(): Promise<boolean>
  /**
   * Seals again every record that the first key did not seal, takes the other keys out of use and drops history, which
   * they could still open. Nobody may seal with the other keys meanwhile or afterwards. What does not open is left as it is.
   *
   * @returns How many.
   */
  reseal(): Promise<number>
}

/**
 * Seals the values of records with AES-256-GCM. The key of a record is bound to its value, so sealed values cannot be
 * swapped. Keys of records, counters and locks stay readable.
 *
 * A record that does not open although the keys are right (damaged, or sealed with a key that is out of use) is
 * `unreadable`: `list` passes it over and `status().warnings` names it, `get` throws and the status is not ok until it was
 * written anew or deleted. Where a key is missing that is in use everything that it sealed throws `wrong_key`.
 *
 * @throws {TypeError} when there is no key, or one is not 32 bytes, or an id is used twice.
 */
export function withEncryption(
  store: StateStore,
  { keys, acceptPlain = false, onTrouble }: EncryptionOptions,
): EncryptedStateStore {
  const sealer = createSealer(keys)
  const inUse = createKeysInUse(store, sealer, onTrouble)
  const unreadable = createUnreadableRecords(onTrouble)
  /** The record with which a missing key was met last. */
  let met: string | undefined

  async function seal(key: string, value: unknown): Promise<Sealed> {
    if (inUse.retired && inUse.trouble !== undefined) throw inUse.trouble
    return sealer.seal(key, value)
  }

  function openValue(key: string, value: unknown): Promise<unknown> {
    if (isSealed(value)) return sealer.open(key, value)
    if (acceptPlain) return Promise.resolve(value)
    throw new StateError('wrong_key', `The record "${key}" is not sealed; set acceptPlain to encrypt an existing store`)
  }

  /** @param look At the keys in use; in a list once for all. */
  async function open(record: StateRecord, asked: boolean, look = inUse.look): Promise<StateRecord> {
    try {
      const value = await openValue(record.key, record.value)
      unreadable.forget(record.key)
      return { ...record, value }
    } catch (error) {
      const known = await explain(record, error, look)
      if (known.code === 'unreadable') unreadable.note(record.key, known, { asked, expiresAt: record.expiresAt })
      throw known
    }
  }

  /** Whether it is the key that is wrong, or the record. */
  async function explain(record: StateRecord, error: unknown, look: typeof inUse.look): Promise<StateError> {
    if (!isStateError(error)) throw error
    const { ids, lacking } = await look()
    const { key, value, version } = record
    const id = isSealed(value) ? value.k : undefined
    // Nothing tells whose store it is, or this process is not up to date.
    if (ids.size === 0 || (id !== undefined && lacking.has(id))) {
      met = key
      return error
    }
    const why =
      id === undefined
        ? 'is not sealed, so nobody who has the key wrote it'
        : ids.has(id)
          ? `does not open with the key "${id}": it is damaged`
          : `was sealed with the key "${id}", which is not in use any more (${[...ids].join(', ')})`
    return new StateError('unreadable', `The record "${key}" ${why}. Write it anew, or delete it`, {
      cause: error,
      version,
    })
  }

  async function get(key: string): Promise<StateRecord | undefined> {
    const record = await store.get(key)
    if (record === undefined) unreadable.forget(key)
    return record === undefined ? undefined : open(record, true)
  }

  /** Records of users, as they are stored. */
  async function* stored(prefix: string): AsyncGenerator<StateRecord> {
    for await (const record of store.list(prefix)) if (!record.key.startsWith(OWN_PREFIX)) yield record
  }

  async function* list(prefix: string): AsyncGenerator<StateRecord> {
    let looked: ReturnType<typeof inUse.look> | undefined
    const look: typeof inUse.look = () => (looked ??= inUse.look())
    for await (const record of stored(prefix)) {
      const opened = await open(record, false, look).catch(passOver)
      if (opened !== undefined) yield opened
    }
  }

  async function lookAndJudge(): ReturnType<typeof inUse.look> {
    const looked = await inUse.look()
    if (inUse.trouble !== undefined) throw inUse.trouble
    return looked
  }

  /** @returns True when the store was sealed with nothing before. */
  async function enterIfRight(): Promise<boolean> {
    const { ids } = await lookAndJudge()
    // What told it may have been lost to damage: then the others tell whose store this is.
    let isNew = ids.size === 0
    if (isNew) {
      for await (const { key, value } of stored('')) {
        if (!isSealed(value)) continue
        await sealer.open(key, value)
        isNew = false
        break
      }
    }
    await inUse.enter()
    return isNew
  }

  return {
    shared: store.shared,
    get,
    async set(key, value, options) {
      const version = await store.set(key, await seal(key, value), options)
      unreadable.forget(key)
      return version
    },
    async compareAndSet(key, version, value, options) {
      const written = await store.compareAndSet(key, version, await seal(key, value), options)
      if (written !== undefined) unreadable.forget(key)
      return written
    },
    async delete(key, version) {
      const deleted = await store.delete(key, version)
      if (deleted) unreadable.forget(key)
      return deleted
    },
    list,
    count: (key, options) => store.count(key, options),
    resetCount: (key) => store.resetCount(key),
    tryLock: (name, ttlMs) => store.tryLock(name, ttlMs),
    compact: () => store.compact(),
    status() {
      const status = unreadable.addTo(store.status())
      const { trouble, since } = inUse
      if (trouble === undefined) return status
      const reason = met === undefined ? trouble.message : `${trouble.message}; seen at the record "${met}"`
      return { ...status, ok: false, since, reason }
    },
    close: () => store.close(),

    async checkKeys() {
      const { ids } = await lookAndJudge()
      // One at a time: of two keys that come to a new store at once, the second has to see the first.
      const isNew = !ids.has(sealer.id) && (await inUse.alone(enterIfRight))
      // Others may have been put right by other processes.
      for (const key of unreadable.keys()) await get(key).catch(passOver)
      return isNew
    },
    async reseal() {
      await inUse.enter()
      let count = 0
      for await (const record of stored('')) {
        const { key, value, version, expiresAt } = record
        if (isSealed(value) && value.k === sealer.id) continue
        const opened = await open(record, false).catch(passOver)
        if (opened === undefined) continue
        const sealed = await seal(key, opened.value)
        const options = expiresAt === undefined ? {} : { ttlMs: Math.max(1, Math.round(expiresAt - Date.now())) }
        // A record that changed meanwhile was sealed with the first key by whoever changed it.
        if ((await store.compareAndSet(key, version, sealed, options)) !== undefined) count++
      }
      await inUse.leaveOnly()
      await store.compact()
      return count
    },
  }
}

function passOver(error: unknown): undefined {
  if (!isStateError(error) || error.code !== 'unreadable') throw error
}

export type { StateKey } from './sealer.ts'
