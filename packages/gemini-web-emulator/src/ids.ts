/** Identifiers that look like the service's and are the same in every run. */
export interface Ids {
  /** `digits` hex digits. */
  hex(digits: number): string
  /** Lower-case UUID, version 4 form. */
  uuid(): string
  /** Signed 64-bit number as text. */
  signed(): string
  /** `length` URL-safe characters. */
  token(length: number): string
  reset(): void
}

const SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** 32-bit hash of a text (FNV-1a with a final mix). */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Numbers from 0 up to and excluding 1, the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    return mix(state) / 0x1_0000_0000
  }
}

export function createIds(seed = 1): Ids {
  let random = createRandom(seed)
  const hex = (digits: number): string => {
    let text = ''
    while (text.length < digits)
      text += Math.floor(random() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, digits)
  }
  return {
    hex,
    uuid() {
      const digits = hex(30)
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(12, 15)}-8${digits.slice(15, 18)}-${digits.slice(18, 30)}`
    },
    signed: () => String(BigInt.asIntN(64, BigInt(`0x${hex(16)}`))),
    token(length) {
      let text = ''
      while (text.length < length) text += SAFE[Math.floor(random() * 64)]
      return text
    },
    reset() {
      random = createRandom(seed)
    },
  }
}
