import { WatermarkError } from '../error.ts'
import {
  createTable,
  distanceMeaning,
  END_OF_BLOCK,
  fixedTables,
  joinLiterals,
  KIND_THREE_LITERALS,
  KIND_OTHER,
  LENGTH_ORDER,
  literalMeaning,
  plainMeaning,
  ROOT_BITS,
  type DecodeTable,
} from './huffman.ts'

const ROOT_MASK = (1 << ROOT_BITS) - 1

/** A deflate block: where its header begins in the stream, and where its output begins. */
interface DeflateBlock {
  /** Bit position in the compressed bytes. */
  bit: number
  /** Byte position in the output. */
  out: number
}

/** What a block's header says. `stored` has a length, the others tables. */
export type BlockHeader = { final: boolean; dataBit: number } & (
  { kind: 'stored'; length: number } | { kind: 'coded'; literals: DecodeTable; distances: DecodeTable }
)

function truncated(): never {
  throw new WatermarkError('truncated', 'The compressed picture ends too early')
}

function corrupt(what: string): never {
  throw new WatermarkError('corrupt', `The compressed picture is damaged: ${what}`)
}

/** Reads a few bits at any position; for headers, not for the hot loop. */
function peek(bytes: Uint8Array, bit: number, count: number): number {
  const at = bit >>> 3
  if (bit + count > bytes.length * 8) truncated()
  const word = bytes[at]! | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
  return (word >>> (bit & 7)) & ((1 << count) - 1)
}

/** @throws {WatermarkError} `truncated`, `corrupt`. */
export function readBlockHeader(bytes: Uint8Array, bit: number): BlockHeader {
  const final = peek(bytes, bit, 1) === 1
  const type = peek(bytes, bit + 1, 2)
  if (type === 3) corrupt('a block of an unknown type')
  if (type === 0) {
    const at = (bit + 3 + 7) >>> 3
    if (at + 4 > bytes.length) truncated()
    const length = bytes[at]! | (bytes[at + 1]! << 8)
    if ((length ^ 0xffff) !== (bytes[at + 2]! | (bytes[at + 3]! << 8))) corrupt('a stored block with a wrong length')
    return { kind: 'stored', final, dataBit: (at + 4) * 8, length }
  }
  if (type === 1) return { kind: 'coded', final, dataBit: bit + 3, ...fixedTables() }
  return { kind: 'coded', final, ...readDynamicTables(bytes, bit + 3) }
}

function readDynamicTables(bytes: Uint8Array, start: number) {
  let bit = start
  const take = (count: number) => {
    const value = peek(bytes, bit, count)
    bit += count
    return value
  }
  const literalCount = take(5) + 257
  const distanceCount = take(5) + 1
  const lengthCount = take(4) + 4
  const lengthLengths = new Uint8Array(19)
  for (let i = 0; i < lengthCount; i++) lengthLengths[LENGTH_ORDER[i]!] = take(3)
  const table = createTable(lengthLengths, plainMeaning)
  const lengths = new Uint8Array(literalCount + distanceCount)
  for (let i = 0; i < lengths.length;) {
    const at = bit >>> 3
    if (at >= bytes.length) truncated()
    const entry = table[((bytes[at]! | ((bytes[at + 1] ?? 0) << 8)) >>> (bit & 7)) & 127]!
    if (entry === 0) corrupt('an unknown code length')
    bit += entry & 15
    const symbol = entry >>> 8
    if (symbol < 16) {
      lengths[i++] = symbol
      continue
    }
    if (symbol === 16 && i === 0) corrupt('a repeated code length with none before it')
    const value = symbol === 16 ? lengths[i - 1]! : 0
    const repeat = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7)
    if (i + repeat > lengths.length) corrupt('too many code lengths')
    lengths.fill(value, i, i + repeat)
    i += repeat
  }
  if (lengths[256] === 0) corrupt('a block without an end')
  return {
    dataBit: bit,
    literals: createTable(lengths.subarray(0, literalCount), literalMeaning),
    distances: createTable(lengths.subarray(literalCount), distanceMeaning),
  }
}

/** An inflated picture and the blocks it came from. */
export interface Inflated {
  data: Uint8Array
  blocks: DeflateBlock[]
  /** Bit behind the last block. */
  endBit: number
}

/**
 * Inflates a raw deflate stream of known size and notes every block, so that a later part can be written anew without
 * touching the bits before it.
 *
 * @param start Byte at which the stream begins.
 * @param size Bytes it must give, neither more nor fewer: a bomb stops here.
 * @throws {WatermarkError} `truncated`, `corrupt`.
 */
export function inflateBlocks(compressed: Uint8Array, start: number, size: number): Inflated {
  const data = new Uint8Array(size + SLACK).subarray(0, size)
  const bytes = withSlack(compressed)
  const blocks: DeflateBlock[] = []
  let bit = start * 8
  let out = 0
  const mostBlocks = 1000 + size / 64
  for (let count = 0; ; count++) {
    if (count > mostBlocks) corrupt('more blocks than any program writes')
    if (blocks.length === 0 || blocks[blocks.length - 1]!.out < out) blocks.push({ bit, out })
    const header = readBlockHeader(bytes, bit)
    if (header.kind === 'stored') {
      const at = header.dataBit >>> 3
      if (at + header.length > bytes.length) truncated()
      if (out + header.length > size) corrupt('more pixels than the header says')
      data.set(bytes.subarray(at, at + header.length), out)
      out += header.length
      bit = (at + header.length) * 8
    } else {
      const end = inflateCoded(bytes, header.dataBit, joinLiterals(header.literals), header.distances, data, out)
      bit = end.bit
      out = end.out
    }
    if (header.final) break
  }
  if (out !== size) throw new WatermarkError('truncated', `The PNG file holds ${out} of ${size} bytes of pixels`)
  return { data, blocks, endBit: bit }
}

/** Bytes behind input and output that the hot loop may look at or write to. */
const SLACK = 16

/** The same bytes with room behind them. */
function withSlack(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer.byteLength - bytes.byteOffset - bytes.length >= SLACK) return bytes
  const copy = new Uint8Array(bytes.length + SLACK)
  copy.set(bytes)
  return copy.subarray(0, bytes.length)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length + SLACK)
}

/**
 * The hot loop: one block of Huffman codes. There is no bit buffer to refill: every look is one unaligned 32-bit read,
 * good for 25 bits. Matches are copied four bytes at a time; what is written too far is written over next.
 */
function inflateCoded(
  bytes: Uint8Array,
  startBit: number,
  literals: DecodeTable,
  distances: DecodeTable,
  data: Uint8Array,
  start: number,
): { bit: number; out: number } {
  const input = viewOf(bytes)
  const output = viewOf(data)
  const lastBit = bytes.length * 8
  const size = data.length
  let bit = startBit
  let out = start
  for (;;) {
    if (bit > lastBit) truncated()
    let hold = input.getInt32(bit >>> 3, true) >>> (bit & 7)
    let entry = literals[hold & ROOT_MASK]!
    let kind = (entry >>> 4) & 15
    if (kind === KIND_OTHER) {
      bit += entry & 15
      if (entry >>> 8 === END_OF_BLOCK) break
      hold >>>= ROOT_BITS
      entry = literals[(entry >>> 12) + (hold & ((1 << ((entry >>> 8) & 15)) - 1))]!
      kind = (entry >>> 4) & 15
    }
    bit += entry & 15
    if (kind >= KIND_THREE_LITERALS) {
      if (kind === KIND_OTHER) break
      output.setInt32(out, entry >>> 8, true)
      out += KIND_OTHER - kind
      if (out > size) corrupt('more pixels than the header says')
      continue
    }
    if (entry === 0) corrupt('an unknown code')
    const length = (entry >>> 8) + ((hold >>> (entry & 15)) & ((1 << kind) - 1))
    bit += kind

    hold = input.getInt32(bit >>> 3, true) >>> (bit & 7)
    entry = distances[hold & ROOT_MASK]!
    if ((entry & 0xf0) === KIND_OTHER << 4) {
      bit += entry & 15
      hold >>>= ROOT_BITS
      entry = distances[(entry >>> 12) + (hold & ((1 << ((entry >>> 8) & 15)) - 1))]!
    }
    if (entry === 0) corrupt('an unknown distance')
    bit += entry & 15
    const extra = (entry >>> 4) & 15
    const distance = (entry >>> 8) + ((input.getInt32(bit >>> 3, true) >>> (bit & 7)) & ((1 << extra) - 1))
    bit += extra
    if (distance > out) corrupt('a distance before the beginning')
    const end = out + length
    if (end > size) corrupt('more pixels than the header says')
    let from = out - distance
    if (distance >= 4) {
      for (; out < end; out += 4, from += 4) output.setInt32(out, output.getInt32(from, true), true)
      out = end
    } else {
      while (out < end) data[out++] = data[from++]!
    }
  }
  if (bit > lastBit) truncated()
  return { bit, out }
}
