import { WatermarkError } from '../error.ts'
import type { HuffmanSpec } from './markers.ts'

export const FAST_BITS = 10

/** A table ready to decode and to encode. */
export interface HuffmanTable {
  /** By the next `FAST_BITS` bits: `symbol << 8 | code length`, or 0 for a longer code. */
  fast: Uint16Array
  /** By length: first code, last code + 1 (0 when none), and where its symbols begin. */
  first: Int32Array
  limit: Int32Array
  offset: Int32Array
  symbols: Uint8Array
  /** By symbol: `code << 8 | length`, or 0 when the table has no code for it. */
  codes: Int32Array
}

export function createHuffmanTable({ counts, symbols }: HuffmanSpec): HuffmanTable {
  const fast = new Uint16Array(1 << FAST_BITS)
  const first = new Int32Array(17)
  const limit = new Int32Array(17)
  const offset = new Int32Array(17)
  const codes = new Int32Array(256)
  let code = 0
  let index = 0
  for (let length = 1; length <= 16; length++) {
    first[length] = code
    offset[length] = index
    for (let n = counts[length]!; n > 0; n--, code++, index++) {
      const symbol = symbols[index]!
      if (codes[symbol] === 0) codes[symbol] = (code << 8) | length
      if (length > FAST_BITS) continue
      const spread = FAST_BITS - length
      fast.fill((symbol << 8) | length, code << spread, (code + 1) << spread)
    }
    limit[length] = counts[length]! > 0 ? code : 0
    code <<= 1
  }
  return { fast, first, limit, offset, symbols, codes }
}

/**
 * Decodes a code longer than `FAST_BITS`, given the next 16 bits. Returns `symbol << 8 | length`.
 *
 * @throws {WatermarkError} `corrupt`.
 */
export function decodeLong(table: HuffmanTable, next16: number): number {
  for (let length = FAST_BITS + 1; length <= 16; length++) {
    const code = next16 >>> (16 - length)
    if (code < table.limit[length]! && code >= table.first[length]!) {
      return (table.symbols[table.offset[length]! + code - table.first[length]!]! << 8) | length
    }
  }
  throw new WatermarkError('corrupt', 'The JPEG file is damaged: an unknown Huffman code')
}

/**
 * Adds codes for missing symbols without changing any code there is, so that all other bits of the file stay. Returns
 * undefined when the table has no room: files with optimised tables whose longest code has all 16 bits.
 */
export function extendSpec({ counts, symbols }: HuffmanSpec, missing: readonly number[]): HuffmanSpec | undefined {
  let code = 0
  for (let length = 1; length <= 16; length++) code = (code + counts[length]!) << 1
  // `code` is twice the first free code of 16 bits; the code of all ones must stay free.
  if ((code >> 1) + missing.length > 0xffff) return undefined
  const extended = counts.slice()
  if (extended[16]! + missing.length > 255) return undefined
  extended[16]! += missing.length
  return { counts: extended, symbols: Uint8Array.from([...symbols, ...missing]) }
}
