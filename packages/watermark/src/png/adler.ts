const PRIME = 65_521

/** Collects changed bytes of a stream and then corrects its checksum. */
export interface AdlerChange {
  add(at: number, before: number, after: number): void
  /** The new sum, from the old one. */
  apply(sum: number): number
}

/**
 * Adler-32 without reading what did not change: both halves of the sum are linear in the bytes.
 *
 * @param length Bytes in the whole uncompressed stream.
 */
export function createAdlerChange(length: number): AdlerChange {
  let low = 0
  let high = 0
  return {
    add(at, before, after) {
      const change = after - before
      low += change
      high = (high + change * ((length - at) % PRIME)) % PRIME
    },
    apply(sum) {
      const newLow = ((((sum & 0xffff) + low) % PRIME) + PRIME) % PRIME
      const newHigh = ((((sum >>> 16) + high) % PRIME) + PRIME) % PRIME
      return ((newHigh << 16) | newLow) >>> 0
    },
  }
}
