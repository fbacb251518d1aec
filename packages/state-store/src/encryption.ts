import { StateError } from './error.ts'
import type { StateRecord, StateStore } from './state-store.ts'

export interface StateKey {
  /** Names the key in what it sealed. 1 to 64 letters, digits, `-`, `_` or `.`. */
  id: string
  /** 32 bytes, or their base64. */
  key: Uint8Array | string
}

export interface EncryptionOptions {
  /** The first one seals; all of them open. To rotate, put a new key in front and call `reseal`. */
  keys: readonly StateKey[]
  /** Also return records that were never sealed, to encrypt an existing store. Default false: they are refused. */
  acceptPlain?: boolean
}

export interface EncryptedStateStore extends StateStore {
  /**
   * Opens the record that tells whether these keys belong to this store, or makes it in a new one.
   *
   * @throws {StateError} `wrong_key`. Do not go on then: what is written would be lost with the other key.
   */
  checkKeys(): Promise<void>
  /**
   * Seals again every record that the first key did not seal, and drops history, which the old keys could still open.
   *
   * @returns How many.
   */
  reseal(): Promise<number>
}

interface Sealed {
  /** Key id. */
  k: string
  /** Nonce, 12 bytes in base64. */
  i: string
  /** Ciphertext with tag, in base64. */
  d: string
}

const CHECK_KEY = 'castor/key-check'

/**
 * Seals the values of records with AES-256-GCM. The key of a record is bound to its value, so sealed values cannot be
 * swapped. Keys of records, counters and locks stay readable.
 *
 * @throws {TypeError} when there is no key, or one is not 32 bytes, or an id is used twice.
 */
export function withEncryption(
  store: StateStore,
  { keys, acceptPlain = false }: EncryptionOptions,
): EncryptedStateStore {
  const [first] = keys
  if (first === undefined) throw new TypeError('withEncryption needs at least one key')
  const sealingId = first.id
  const ring = new Map<string, Promise<CryptoKey>>()
  for (const { id, key } of keys) {
    if (!/^[\w.-]{1,64}$/.test(id) || ring.has(id))
      throw new TypeError('Each key needs an id of its own: letters, digits, "-", "_" or "."')
    ring.set(id, crypto.subtle.importKey('raw', readKey(key), 'AES-GCM', false, ['encrypt', 'decrypt']))
  }

  async function seal(key: string, value: unknown): Promise<Sealed> {
    const text = JSON.stringify(value) as string | undefined
    if (text === undefined) throw new StateError('invalid', `The value of "${key}" is not JSON`)
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const algorithm = { name: 'AES-GCM', iv, additionalData: encode(key) }
    const sealed = await crypto.subtle.encrypt(algorithm, await keyOf(sealingId, key), encode(text))
    return { k: sealingId, i: toBase64(iv), d: toBase64(new Uint8Array(sealed)) }
  }

  function keyOf(id: string, record: string): Promise<CryptoKey> {
    const key = ring.get(id)
    if (key !== undefined) return key
    throw new StateError(
      'wrong_key',
      `The record "${record}" was sealed with the key "${id}", which is not among the keys given (${[...ring.keys()].join(', ')})`,
    )
  }

  async function openSealed(key: string, value: unknown): Promise<unknown> {
    if (!isSealed(value)) {
      if (acceptPlain) return value
      throw new StateError(
        'wrong_key',
        `The record "${key}" is not sealed; set acceptPlain to encrypt an existing store`,
      )
    }
    const cryptoKey = await keyOf(value.k, key)
    try {
      const algorithm = { name: 'AES-GCM', iv: fromBase64(value.i), additionalData: encode(key) }
      return JSON.parse(
        new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, cryptoKey, fromBase64(value.d))),
      ) as unknown
    } catch {
      throw new StateError(
        'wrong_key',
        `The record "${key}" does not open with the key "${value.k}": it is another key of that name, or the record is damaged`,
      )
    }
  }

  async function open(record: StateRecord): Promise<StateRecord> {
    return { ...record, value: await openSealed(record.key, record.value) }
  }

  return {
    shared: store.shared,
    async get(key) {
      const record = await store.get(key)
      return record === undefined ? undefined : open(record)
    },
    set: async (key, value, options) => store.set(key, await seal(key, value), options),
    compareAndSet: async (key, version, value, options) =>
      store.compareAndSet(key, version, await seal(key, value), options),
    delete: (key, version) => store.delete(key, version),
    async *list(prefix) {
      for await (const record of store.list(prefix)) if (record.key !== CHECK_KEY) yield open(record)
    },
    count: (key, options) => store.count(key, options),
    resetCount: (key) => store.resetCount(key),
    tryLock: (name, ttlMs) => store.tryLock(name, ttlMs),
    compact: () => store.compact(),
    status: () => store.status(),
    close: () => store.close(),

    async checkKeys() {
      const record = await store.get(CHECK_KEY)
      if (record !== undefined) return void (await openSealed(CHECK_KEY, record.value))
      // It may have been lost to damage: then the others tell whose store this is.
      for await (const { key, value } of store.list('')) {
        if (!isSealed(value)) continue
        await openSealed(key, value)
        break
      }
      // Two that start at once may both find nothing; the later one checks what the earlier one made.
      const made = await store.compareAndSet(CHECK_KEY, 0, await seal(CHECK_KEY, 'castor'))
      if (made === undefined) await this.checkKeys()
    },
    async reseal() {
      let count = 0
      for await (const { key, value, version, expiresAt } of store.list('')) {
        if (isSealed(value) && value.k === sealingId) continue
        const sealed = await seal(key, await openSealed(key, value))
        const options = expiresAt === undefined ? {} : { ttlMs: Math.max(1, Math.round(expiresAt - Date.now())) }
        // A record that changed meanwhile was sealed with the first key by whoever changed it.
        if ((await store.compareAndSet(key, version, sealed, options)) !== undefined) count++
      }
      await store.compact()
      return count
    },
  }
}

function isSealed(value: unknown): value is Sealed {
  if (typeof value !== 'object' || value === null) return false
  const { k, i, d } = value as Partial<Record<keyof Sealed, unknown>>
  return typeof k === 'string' && typeof i === 'string' && typeof d === 'string'
}

function readKey(key: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const bytes = typeof key === 'string' ? tryBase64(key) : new Uint8Array(key)
  if (bytes?.byteLength !== 32)
    throw new TypeError('An encryption key must be 32 bytes, or their base64 (44 characters)')
  return bytes
}

function tryBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return fromBase64(text.trim().replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return undefined
  }
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}
