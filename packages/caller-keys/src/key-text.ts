/** Begins every key made here, so that no other key may. */
export const KEY_PREFIX = 'sk-castor-'

/** A key as its holder has it: `sk-castor-<id>-<secret>`. The id finds the record, the secret proves the holder. */
const KEY = /^sk-castor-([a-z0-9]{12})-[\w-]{43}$/
const ID = /^[a-z0-9]{12}$/

/** 256 random bits: the holder's whole proof. */
const SECRET_BYTES = 32
const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** A fresh key and its public id, which may be given. */
export function createKeyText(id = createId()): { id: string; key: string } {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  const secret = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
  return { id, key: `${KEY_PREFIX}${id}-${secret}` }
}

function createId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => ID_ALPHABET[byte % 32]).join('')
}

/** False for text that cannot be the id of a key; a store may not even take it for a name. */
export function isKeyId(text: string): boolean {
  return ID.test(text)
}

/** The id inside a key; undefined for text that cannot be one of ours. */
export function readKeyId(key: string): string | undefined {
  return KEY.exec(key)?.[1]
}

/**
 * What is kept of a key. A slow hash would be of no use: it protects secrets that people choose, which can be
 * guessed by trying. Nobody tries 2^256 keys, however fast each try is, and each request would pay for it.
 */
export async function hashKey(key: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Compares in a time that does not tell where the first difference is. */
export function equalTexts(left: string, right: string): boolean {
  let difference = left.length ^ right.length
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index)
  return difference === 0
}
