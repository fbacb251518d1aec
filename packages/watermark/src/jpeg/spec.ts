import { codeLengths } from '../code-lengths.ts'
import type { HuffmanSpec } from './markers.ts'

/** A symbol that never occurs: it takes the code of all ones, which JPEG forbids. */
const RESERVED = 256

/** A Huffman table fitted to how often each symbol occurs. */
export function createSpec(occurrences: Uint32Array): HuffmanSpec {
  const frequencies = new Uint32Array(RESERVED + 1)
  occurrences.forEach((count, symbol) => (frequencies[symbol] = count * 2))
  frequencies[RESERVED] = 1
  const lengths = codeLengths(frequencies, 16)
  const symbols = [...lengths.keys()].filter((symbol) => lengths[symbol]! > 0 && symbol !== RESERVED)
  symbols.sort((a, b) => lengths[a]! - lengths[b]! || a - b)
  const counts = new Uint8Array(17)
  for (const symbol of symbols) counts[lengths[symbol]!]!++
  return { counts, symbols: Uint8Array.from(symbols) }
}
