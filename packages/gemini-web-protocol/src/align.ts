/** Finds where a rewritten text goes on behind what was told of the old one. */

import { beforePair, commonLength } from './text-change.ts'

/** Units of the told text whose place is looked for as one piece before smaller ones are tried. */
const ANCHOR = 64
/** Units on both sides that are compared one by one when no piece is found. */
const WINDOW = 400

/**
 * The end of the part of `now` that `told` already says.
 *
 * Both differ somewhere. Behind that place the last units of `told` are looked for in `now`, nearest
 * to where they would be without the change. If they are not there, the ends are compared unit by
 * unit and the best match wins, provided that at least half of it agrees. If nothing does, the text
 * was replaced, and all that follows the common start is new.
 */
export function alignedEnd(told: string, now: string): number {
  const common = commonLength(told, now)
  const tail = told.slice(common)
  const rest = now.slice(common)
  if (tail === '' || rest === '') return common
  for (let size = Math.min(ANCHOR, tail.length); size >= 12 || size === tail.length; size >>= 1) {
    const found = nearestEnd(rest, tail.slice(-size), tail.length)
    if (found !== undefined) return beforePair(now, common + found)
    if (size < 12) break
  }
  return beforePair(now, common + bestEnd(tail, rest))
}

/** End of the occurrence of `piece` whose end is nearest to `expected`. */
function nearestEnd(text: string, piece: string, expected: number): number | undefined {
  const after = text.indexOf(piece, Math.max(0, expected - piece.length))
  const before = text.lastIndexOf(piece, Math.max(0, expected - piece.length))
  const ends = [before, after].filter((start) => start >= 0).map((start) => start + piece.length)
  ends.sort((a, b) => Math.abs(a - expected) - Math.abs(b - expected))
  return ends[0]
}

/** The prefix of `rest` that shares most with `tail`, by longest common subsequence over the last units. */
function bestEnd(tail: string, rest: string): number {
  const from = Math.max(0, tail.length - WINDOW)
  const oldUnits = tail.slice(from)
  const start = Math.max(0, from - WINDOW)
  const newUnits = rest.slice(start, start + oldUnits.length + 2 * WINDOW)
  let row = new Int32Array(newUnits.length + 1)
  for (let i = 1; i <= oldUnits.length; i++) {
    const next = new Int32Array(newUnits.length + 1)
    for (let j = 1; j <= newUnits.length; j++) {
      next[j] =
        oldUnits.charCodeAt(i - 1) === newUnits.charCodeAt(j - 1)
          ? (row[j - 1] as number) + 1
          : Math.max(row[j] as number, next[j - 1] as number)
    }
    row = next
  }
  let best = 0
  let score = 0
  for (let j = 1; j <= newUnits.length; j++) {
    // What agrees, less what only the new text has.
    const gain = 2 * (row[j] as number) - j
    if (gain > score) {
      score = gain
      best = j
    }
  }
  const agreed = 2 * (row[best] as number)
  return best > 0 && agreed >= (oldUnits.length + best) / 2 ? start + best : 0
}
