/** Bits in deflate's order, least significant first, growing as needed. */
export interface BitWriter {
  write(value: number, count: number): void
  /** Copies bits as they are. */
  copy(bytes: Uint8Array, bit: number, end: number): void
  /** Fills the last byte with zeros and returns everything. */
  finish(): Uint8Array
}

export function createBitWriter(capacity: number): BitWriter {
  let bytes = new Uint8Array(capacity)
  let length = 0
  let hold = 0
  let held = 0

  function reserve(more: number): void {
    if (length + more <= bytes.length) return
    const larger = new Uint8Array(Math.max(bytes.length * 2, length + more))
    larger.set(bytes.subarray(0, length))
    bytes = larger
  }

  /** Up to 16 bits. */
  function write(value: number, count: number): void {
    hold |= value << held
    held += count
    if (held >= 16) {
      if (length + 2 > bytes.length) reserve(2)
      bytes[length++] = hold
      bytes[length++] = hold >>> 8
      hold >>>= 16
      held -= 16
    }
  }

  return {
    write,
    copy(source, bit, end) {
      while (bit < end && (bit & 7) !== 0) {
        write((source[bit >>> 3]! >>> (bit & 7)) & 1, 1)
        bit++
      }
      reserve((end - bit + 7) >>> 3)
      for (; bit + 8 <= end; bit += 8) write(source[bit >>> 3]!, 8)
      if (bit < end) write(source[bit >>> 3]! & ((1 << (end - bit)) - 1), end - bit)
    },
    finish() {
      while (held > 0) {
        reserve(1)
        bytes[length++] = hold
        hold >>>= 8
        held = Math.max(0, held - 8)
      }
      return bytes.subarray(0, length)
    },
  }
}
