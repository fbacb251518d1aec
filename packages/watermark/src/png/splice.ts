import { createBitWriter } from './bit-writer.ts'
import { MATCH, writeBlock } from './deflate-block.ts'
import { END_OF_BLOCK, KIND_LITERAL, KIND_OTHER, ROOT_BITS } from './huffman.ts'
import { readBlockHeader, type BlockHeader, type Inflated } from './inflate.ts'

/** A compressed stream in two parts: `kept` bytes of the old one, then `tail`. */
export interface SplicedStream {
  kept: number
  tail: Uint8Array
}

/**
 * Writes the stream anew from the first changed byte on, and as little of it as possible.
 *
 * Blocks before the change stay bit for bit. In the others the old program's own choice of matches is kept: a match
 * whose bytes still agree stays a match, the rest become literals. Nothing has to be searched, which makes this about
 * as fast as inflating. Blocks behind the change in which nothing differs are copied bit by bit.
 *
 * @param bytes The old stream.
 * @param inflated Where its blocks are; `data` holds the bytes as they are to be now.
 * @param firstChange First byte that differs.
 */
export function spliceStream(
  bytes: Uint8Array,
  { data: fresh, blocks, endBit }: Inflated,
  firstChange: number,
): SplicedStream {
  let first = blocks.length - 1
  while (first > 0 && blocks[first]!.out > firstChange) first--
  let { bit, out } = blocks[first]!
  const kept = bit >>> 3
  const writer = createBitWriter(((endBit - bit) >>> 3) + 4096)
  if ((bit & 7) !== 0) writer.write(bytes[kept]! & ((1 << (bit & 7)) - 1), bit & 7)
  const symbols = createSymbolList()
  for (;;) {
    const header = readBlockHeader(bytes, bit)
    symbols.clear()
    const end =
      header.kind === 'stored'
        ? carryStored(header, fresh, out, symbols)
        : carryCoded(bytes, header, fresh, out, symbols)
    if (header.kind === 'coded' && !end.changed) writer.copy(bytes, bit, end.bit)
    else writeBlock(writer, symbols.items(), symbols.count(), header.final)
    bit = end.bit
    out = end.out
    if (header.final) return { kept, tail: writer.finish() }
  }
}

interface SymbolList {
  add(symbol: number): void
  clear(): void
  items(): Uint32Array
  count(): number
}

function createSymbolList(): SymbolList {
  let items = new Uint32Array(65_536)
  let count = 0
  return {
    add(symbol) {
      if (count === items.length) {
        const larger = new Uint32Array(items.length * 2)
        larger.set(items)
        items = larger
      }
      items[count++] = symbol
    },
    clear: () => void (count = 0),
    items: () => items,
    count: () => count,
  }
}

interface Carried {
  bit: number
  out: number
  changed: boolean
}

function carryStored(
  header: BlockHeader & { kind: 'stored' },
  fresh: Uint8Array,
  out: number,
  symbols: SymbolList,
): Carried {
  for (let i = 0; i < header.length; i++) symbols.add(fresh[out + i]!)
  return { bit: header.dataBit + header.length * 8, out: out + header.length, changed: true }
}

/** Reads a block that is known to be sound (it was inflated before) and says it again for the fresh pixels. */
function carryCoded(
  bytes: Uint8Array,
  { dataBit, literals, distances }: BlockHeader & { kind: 'coded' },
  fresh: Uint8Array,
  start: number,
  symbols: SymbolList,
): Carried {
  const mask = (1 << ROOT_BITS) - 1
  let bit = dataBit
  let out = start
  let changed = false
  /** At least 25 bits at the current position; a code and its extra bits are taken apart, so this is always enough. */
  const look = () => {
    const at = bit >>> 3
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> (bit & 7)
  }
  const decode = (table: Int32Array) => {
    const hold = look()
    const entry = table[hold & mask]!
    if ((entry & 0xf0) !== KIND_OTHER << 4 || entry >>> 8 === END_OF_BLOCK) {
      bit += entry & 15
      return entry
    }
    const second = table[(entry >>> 12) + ((hold >>> ROOT_BITS) & ((1 << ((entry >>> 8) & 15)) - 1))]!
    bit += ROOT_BITS + (second & 15)
    return second
  }
  const extra = (entry: number) => {
    const count = (entry >>> 4) & 15
    const value = (entry >>> 8) + (look() & ((1 << count) - 1))
    bit += count
    return value
  }
  for (;;) {
    const entry = decode(literals)
    const kind = (entry >>> 4) & 15
    if (kind === KIND_LITERAL) {
      const value = fresh[out++]!
      if (value !== entry >>> 8) changed = true
      symbols.add(value)
    } else if (kind === KIND_OTHER) {
      return { bit, out, changed }
    } else {
      const length = extra(entry)
      const distance = extra(decode(distances))
      if (carryMatch(fresh, out, length, distance, symbols)) changed = true
      out += length
    }
  }
}

const SHORTEST_MATCH = 3

/** Keeps what still matches of a match; true when that is not all of it. */
function carryMatch(fresh: Uint8Array, out: number, length: number, distance: number, symbols: SymbolList): boolean {
  const end = out + length
  let broken = false
  for (let at = out; at < end;) {
    let run = at
    while (run < end && fresh[run] === fresh[run - distance]) run++
    if (run - at < length) broken = true
    if (run - at >= SHORTEST_MATCH) {
      symbols.add(MATCH | ((run - at) << 16) | distance)
      at = run
    } else {
      symbols.add(fresh[at++]!)
    }
  }
  return broken
}
