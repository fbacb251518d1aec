import { codeLengths } from '../code-lengths.ts'
import type { BitWriter } from './bit-writer.ts'
import { assignCodes, DISTANCE_BASE, DISTANCE_EXTRA, LENGTH_BASE, LENGTH_EXTRA, LENGTH_ORDER } from './huffman.ts'

/** A match is kept as `MATCH | length << 16 | distance`; anything below `MATCH` is a literal. */
export const MATCH = 1 << 25

const END = 256

function lastAtMost(table: readonly number[]): (value: number) => number {
  return (value) => {
    let low = 0
    let high = table.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (table[middle]! <= value) low = middle
      else high = middle - 1
    }
    return low
  }
}

const LENGTH_CODE = Uint8Array.from({ length: 259 }, (_, length) => lastAtMost(LENGTH_BASE)(length))
const distanceCode = lastAtMost(DISTANCE_BASE)

/** Runs of equal code lengths, as `symbol | extra << 8`, for the code length code. */
function packLengths(lengths: readonly number[]): number[] {
  const out: number[] = []
  for (let i = 0; i < lengths.length;) {
    const value = lengths[i]!
    let run = 1
    while (i + run < lengths.length && lengths[i + run] === value) run++
    i += run
    if (value !== 0) {
      out.push(value)
      run--
    }
    while (run >= 3) {
      const most = value === 0 ? 138 : 6
      const take = Math.min(run, most)
      if (value !== 0) out.push(16 | ((take - 3) << 8))
      else out.push(take <= 10 ? 17 | ((take - 3) << 8) : 18 | ((take - 11) << 8))
      run -= take
    }
    for (; run > 0; run--) out.push(value)
  }
  return out
}

const PACKED_EXTRA: Record<number, number> = { 16: 2, 17: 3, 18: 7 }

/** Writes symbols as one block with Huffman codes of its own. */
export function writeBlock(writer: BitWriter, symbols: Uint32Array, count: number, final: boolean): void {
  const literalCounts = new Uint32Array(286)
  const distanceCounts = new Uint32Array(30)
  literalCounts[END] = 1
  for (let i = 0; i < count; i++) {
    const symbol = symbols[i]!
    if (symbol < MATCH) {
      literalCounts[symbol]!++
    } else {
      literalCounts[257 + LENGTH_CODE[(symbol >>> 16) & 511]!]!++
      distanceCounts[distanceCode(symbol & 0xffff)]!++
    }
  }
  const literalLengths = codeLengths(literalCounts, 15)
  const distanceLengths = codeLengths(distanceCounts, 15)
  writeHeader(writer, literalLengths, distanceLengths, final)

  const literals = assignCodes(literalLengths)
  const distances = assignCodes(distanceLengths)
  for (let i = 0; i < count; i++) {
    const symbol = symbols[i]!
    if (symbol < MATCH) {
      writer.write(literals[symbol]!, literalLengths[symbol]!)
      continue
    }
    const length = (symbol >>> 16) & 511
    const code = LENGTH_CODE[length]!
    writer.write(literals[257 + code]!, literalLengths[257 + code]!)
    writer.write(length - LENGTH_BASE[code]!, LENGTH_EXTRA[code]!)
    const distance = symbol & 0xffff
    const far = distanceCode(distance)
    writer.write(distances[far]!, distanceLengths[far]!)
    writer.write(distance - DISTANCE_BASE[far]!, DISTANCE_EXTRA[far]!)
  }
  writer.write(literals[END]!, literalLengths[END]!)
}

function trimmed(lengths: Uint8Array, least: number): number[] {
  let count = lengths.length
  while (count > least && lengths[count - 1] === 0) count--
  return [...lengths.subarray(0, count)]
}

function writeHeader(writer: BitWriter, literalLengths: Uint8Array, distanceLengths: Uint8Array, final: boolean): void {
  const literals = trimmed(literalLengths, 257)
  const distances = trimmed(distanceLengths, 1)
  const packed = packLengths([...literals, ...distances])
  const counts = new Uint32Array(19)
  for (const item of packed) counts[item & 255]!++
  const lengths = codeLengths(counts, 7)
  const codes = assignCodes(lengths)
  let stored = LENGTH_ORDER.length
  while (stored > 4 && lengths[LENGTH_ORDER[stored - 1]!] === 0) stored--
  writer.write(final ? 1 : 0, 1)
  writer.write(2, 2)
  writer.write(literals.length - 257, 5)
  writer.write(distances.length - 1, 5)
  writer.write(stored - 4, 4)
  for (let i = 0; i < stored; i++) writer.write(lengths[LENGTH_ORDER[i]!]!, 3)
  for (const item of packed) {
    const symbol = item & 255
    writer.write(codes[symbol]!, lengths[symbol]!)
    writer.write(item >>> 8, PACKED_EXTRA[symbol] ?? 0)
  }
}
