import { WatermarkError } from '../error.ts'

/** First length of each length code 257…285, and its extra bits (RFC 1951, 3.2.5). */
export const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
] as const
export const LENGTH_EXTRA = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
] as const
/** First distance of each distance code 0…29, and its extra bits. */
export const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
] as const
export const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
] as const
/** In which order the lengths of the code length code are stored. */
export const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const

/** Index bits of a first level table; longer codes go on in a second level behind it. */
export const ROOT_BITS = 11
const ROOT_SIZE = 1 << ROOT_BITS

/**
 * A decoding table. An entry holds the bits to take (0–3), a kind (4–7) and a payload (8 and up); 0 is no code.
 * Kinds 0…13 of distances, and 0…5 of lengths, are the number of extra bits; the payload is the base.
 */
export type DecodeTable = Int32Array
/** One, two and three literals at once; the payload has a byte for each. 15 − kind is their number. */
export const KIND_LITERAL = 14
export const KIND_THREE_LITERALS = 12
export const KIND_OTHER = 15
/** Payload of `KIND_OTHER`: end of block; any other payload is a second level (`offset << 4 | index bits`). */
export const END_OF_BLOCK = 0xfffff

/** How a symbol becomes kind and payload. */
export type Meaning = (symbol: number) => number

export const literalMeaning: Meaning = (symbol) => {
  if (symbol < 256) return (symbol << 8) | (KIND_LITERAL << 4)
  if (symbol === 256) return (END_OF_BLOCK << 8) | (KIND_OTHER << 4)
  const base = LENGTH_BASE[symbol - 257]
  return base === undefined ? 0 : (base << 8) | (LENGTH_EXTRA[symbol - 257]! << 4)
}

export const distanceMeaning: Meaning = (symbol) => {
  const base = DISTANCE_BASE[symbol]
  return base === undefined ? 0 : (base << 8) | (DISTANCE_EXTRA[symbol]! << 4)
}

export const plainMeaning: Meaning = (symbol) => (symbol << 8) | (KIND_LITERAL << 4)

function reverse(code: number, length: number): number {
  let out = 0
  for (let i = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i)
  return out
}

/** Canonical codes of the given lengths, bits reversed as deflate stores them. */
export function assignCodes(lengths: Uint8Array): Uint16Array {
  const next = new Uint16Array(17)
  const counts = new Uint16Array(16)
  for (const length of lengths) if (length > 0) counts[length]!++
  for (let length = 1, code = 0; length < 16; length++) {
    code = (code + counts[length - 1]!) << 1
    next[length] = code
  }
  return Uint16Array.from(lengths, (length) => (length === 0 ? 0 : reverse(next[length]!++, length)))
}

/** @throws {WatermarkError} `corrupt` when the lengths ask for more codes than there are. */
export function createTable(lengths: Uint8Array, meaning: Meaning): DecodeTable {
  let room = 1 << 15
  let longest = 0
  let long = 0
  for (const length of lengths) {
    if (length === 0) continue
    room -= 1 << (15 - length)
    if (length > longest) longest = length
    if (length > ROOT_BITS) long++
  }
  if (room < 0) throw new WatermarkError('corrupt', 'A Huffman code in the compressed picture is over-full')
  const codes = assignCodes(lengths)
  const subBits = Math.max(0, longest - ROOT_BITS)
  const table = new Int32Array(ROOT_SIZE + (long << subBits))
  let used = ROOT_SIZE
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!
    if (length === 0) continue
    const code = codes[symbol]!
    const entry = meaning(symbol)
    if (length <= ROOT_BITS) {
      for (let i = code; i < ROOT_SIZE; i += 1 << length) table[i] = entry | length
      continue
    }
    const root = code & (ROOT_SIZE - 1)
    if (table[root] === 0) {
      table[root] = (((used << 4) | subBits) << 8) | (KIND_OTHER << 4) | ROOT_BITS
      used += 1 << subBits
    }
    const offset = table[root]! >>> 12
    const rest = length - ROOT_BITS
    for (let i = code >>> ROOT_BITS; i < 1 << subBits; i += 1 << rest) table[offset + i] = entry | rest
  }
  return table
}

/** Puts literals whose codes fit into one index together: most of a picture is literals with short codes. */
export function joinLiterals(table: DecodeTable): DecodeTable {
  const joined = table.slice()
  for (let i = 0; i < ROOT_SIZE; i++) {
    const first = table[i]!
    if (((first >>> 4) & 15) !== KIND_LITERAL) continue
    let used = first & 15
    const second = table[i >>> used]!
    if (((second >>> 4) & 15) !== KIND_LITERAL || used + (second & 15) > ROOT_BITS) continue
    used += second & 15
    const pair = (first & 0xff00) | ((second & 0xff00) << 8)
    joined[i] = pair | ((KIND_LITERAL - 1) << 4) | used
    const third = table[i >>> used]!
    if (((third >>> 4) & 15) !== KIND_LITERAL || used + (third & 15) > ROOT_BITS) continue
    joined[i] = pair | ((third & 0xff00) << 16) | (KIND_THREE_LITERALS << 4) | (used + (third & 15))
  }
  return joined
}

const FIXED_LITERALS = Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))
const FIXED_DISTANCES = new Uint8Array(30).fill(5)

let fixed: { literals: DecodeTable; distances: DecodeTable } | undefined

export function fixedTables() {
  return (fixed ??= {
    literals: createTable(FIXED_LITERALS, literalMeaning),
    distances: createTable(FIXED_DISTANCES, distanceMeaning),
  })
}
