import { ZIGZAG } from './markers.ts'

/** Bits in JPEG's order, most significant first. */
export interface JpegBitWriter {
  write(value: number, count: number): void
  /** A code (`code << 8 | length`) and the `bits` bits of a value in JPEG's signed form. */
  symbol(code: number, bits: number, value: number): void
  /** Copies bits as they are. */
  copy(data: Uint8Array, bit: number, end: number): void
  /** Fills the last byte with ones, and returns everything with a zero stuffed behind each 0xFF. */
  finish(): Uint8Array
}

export function createJpegBitWriter(capacity: number): JpegBitWriter {
  let bytes = new Uint8Array(capacity)
  let length = 0
  let hold = 0
  let held = 0

  function reserve(more: number): void {
    if (length + more <= bytes.length) return
    const larger = new Uint8Array(Math.max(bytes.length * 2, length + more))
    larger.set(bytes)
    bytes = larger
  }

  function push(byte: number): void {
    reserve(2)
    bytes[length++] = byte
    if (byte === 0xff) bytes[length++] = 0
  }

  /** Whole bytes, from one 0xFF to the next. */
  function pushAll(source: Uint8Array): void {
    for (let from = 0; from < source.length;) {
      const found = source.indexOf(0xff, from)
      const end = found < 0 ? source.length : found
      reserve(end - from)
      bytes.set(source.subarray(from, end), length)
      length += end - from
      if (found >= 0) push(0xff)
      from = end + 1
    }
  }

  /** Up to 16 bits. */
  function write(value: number, count: number): void {
    hold = (hold << count) | value
    held += count
    while (held >= 8) {
      held -= 8
      push((hold >>> held) & 255)
    }
    hold &= (1 << held) - 1
  }

  return {
    write,
    symbol(code, bits, value) {
      write(code >>> 8, code & 255)
      if (bits > 0) write(value < 0 ? value + (1 << bits) - 1 : value, bits)
    },
    copy(data, bit, end) {
      while (bit < end && (bit & 7) !== 0) {
        write((data[bit >>> 3]! >>> (7 - (bit & 7))) & 1, 1)
        bit++
      }
      if (held === 0) {
        pushAll(data.subarray(bit >>> 3, end >>> 3))
        bit = Math.max(bit, end & ~7)
      }
      for (; bit + 8 <= end; bit += 8) write(data[bit >>> 3]!, 8)
      if (bit < end) write(data[bit >>> 3]! >>> (8 - (end - bit)), end - bit)
    },
    finish() {
      if (held > 0) write((1 << (8 - held)) - 1, 8 - held)
      return bytes.subarray(0, length)
    },
  }
}

/** Bits a value needs: its JPEG category. */
function category(value: number): number {
  return 32 - Math.clz32(Math.abs(value))
}

const ZERO_RUN = 0xf0
const END_OF_BLOCK = 0

/** Calls back for every symbol of a block, with the value of its extra bits. */
export function forEachSymbol(
  coefficients: Int16Array,
  base: number,
  prediction: number,
  visit: (isDc: boolean, symbol: number, value: number) => void,
): void {
  const difference = coefficients[base]! - prediction
  visit(true, category(difference), difference)
  let run = 0
  for (let k = 1; k < 64; k++) {
    const value = coefficients[base + ZIGZAG[k]!]!
    if (value === 0) {
      run++
      continue
    }
    for (; run > 15; run -= 16) visit(false, ZERO_RUN, 0)
    visit(false, (run << 4) | category(value), value)
    run = 0
  }
  if (run > 0) visit(false, END_OF_BLOCK, 0)
}
