import { StateError } from './error.ts'

export interface StateKey {
  /** Names the key in what it sealed. 1 to 64 letters, digits, `-`, `_` or `.`. */
  id: string
  /** 32 bytes, or their base64. */
  key: Uint8Array | string
}

export interface Sealed {
  /** Key id. */
  k: string
  /** Nonce, 12 bytes in base64. */
  i: string
  /** Ciphertext with tag, in base64. */
  d: string
}

/** Seals and opens values with AES-256-GCM, each bound to the name of its record. */
export interface Sealer {
  /** The key that seals. */
  readonly id: string
  /** All that open. */
  readonly ids: readonly string[]
  seal(record: string, value: unknown): Promise<Sealed>
  /** @throws {StateError} `wrong_key` when no key here opens it. */
  open(record: string, sealed: Sealed): Promise<unknown>
}

/** @throws {TypeError} when there is no key, or one is not 32 bytes, or an id is used twice. */
export function createSealer(keys: readonly StateKey[]): Sealer {
  const [first] = keys
  if (first === undefined) throw new TypeError('withEncryption needs at least one key')
  const ring = new Map<string, Promise<CryptoKey>>()
  for (const { id, key } of keys) {
    if (!/^[\w.-]{1,64}$/.test(id) || ring.has(id))
      throw new TypeError('Each key needs an id of its own: letters, digits, "-", "_" or "."')
    ring.set(id, crypto.subtle.importKey('raw', readKey(key), 'AES-GCM', false, ['encrypt', 'decrypt']))
  }
  const ids = [...ring.keys()]

  function keyOf(id: string, record: string): Promise<CryptoKey> {
    const key = ring.get(id)
    if (key !== undefined) return key
    throw new StateError(
      'wrong_key',
      `The record "${record}" was sealed with the key "${id}", which is not among the keys given (${ids.join(', ')})`,
    )
  }

  return {
    id: first.id,
    ids,
    async seal(record, value) {
      const text = JSON.stringify(value) as string | undefined
      if (text === undefined) throw new StateError('invalid', `The value of "${record}" is not JSON`)
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const algorithm = { name: 'AES-GCM', iv, additionalData: encode(record) }
      const sealed = await crypto.subtle.encrypt(algorithm, await keyOf(first.id, record), encode(text))
      return { k: first.id, i: toBase64(iv), d: toBase64(new Uint8Array(sealed)) }
    },
    async open(record, { k, i, d }) {
      const key = await keyOf(k, record)
      try {
        const algorithm = { name: 'AES-GCM', iv: fromBase64(i), additionalData: encode(record) }
        const opened = await crypto.subtle.decrypt(algorithm, key, fromBase64(d))
        return JSON.parse(new TextDecoder().decode(opened)) as unknown
      } catch {
        throw new StateError(
          'wrong_key',
          `The record "${record}" does not open with the key "${k}": it is another key of that name, or the record is damaged`,
        )
      }
    },
  }
}

export function isSealed(value: unknown): value is Sealed {
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
