import type { Turn } from './request.ts'

/** Native length of a vector; shorter ones are not normalised, as at Google. */
const NATIVE_DIMENSIONS = 3_072

/** A vector that depends on the text alone; texts that share words point in similar directions. */
export function embed(content: Turn | undefined, dimensions = NATIVE_DIMENSIONS): number[] {
  const values = Array.from({ length: NATIVE_DIMENSIONS }, () => 0)
  const text = content?.parts?.map((part) => part.text ?? '').join(' ') ?? ''
  for (const word of text.toLowerCase().split(/\W+/u).concat('')) {
    let hash = 5_381
    for (let index = 0; index < word.length; index++) hash = (Math.imul(hash, 33) ^ word.charCodeAt(index)) >>> 0
    for (let step = 0; step < 16; step++) {
      hash = (Math.imul(hash, 1_664_525) + 1_013_904_223) >>> 0
      const at = hash % NATIVE_DIMENSIONS
      values[at] = (values[at] ?? 0) + (hash & 65_536 ? 1 : -1)
    }
  }
  const length = Math.hypot(...values) || 1
  return values.slice(0, dimensions).map((value) => Math.round((value / length) * 1e6) / 1e6)
}
