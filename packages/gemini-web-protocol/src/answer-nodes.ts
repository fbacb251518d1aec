/**
 * The answer as parsed nodes, index 26 of a message, repeats the whole text a second time and is read
 * by nobody. This follows it through the raw bytes of growing snapshots without parsing it, so that
 * it costs no more than the text: what equals the last snapshot is compared, the rest is walked over.
 *
 * The bytes are JSON inside a JSON string, so a quote is written `\"` and a backslash `\\`.
 */

import { sharedPrefix } from './bytes.ts'

const COMMA = 44
const QUOTE = 34
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** Lists that are open inside the first candidate's text: message, candidates, candidate, text. */
const TEXT_DEPTH = 4
const CANDIDATES_INDEX = 4
const NODES_INDEX = 26
/** Bytes between two places to go on from. */
const STEP = 1_024

/** Where a walk can go on: the position, how many lists are open, and whether inside a string. */
interface Place {
  at: number
  depth: number
  inString: boolean
}

/** The nodes inside what follows the text; offsets count from the end of the text. */
export interface AnswerNodes {
  start: number
  end: number
  /** Ascending; the first is at `start`. */
  places: Place[]
}

/**
 * Walks from `place` to `limit`. Stops in front of a comma or bracket that ends a value at depth 1.
 * Undefined for anything the upstream does not write, such as the end of the outer string.
 */
function walk(bytes: Uint8Array, from: Place, limit: number, places?: Place[]): Place | undefined {
  let { at, depth, inString } = from
  let next = at + STEP
  while (at < limit) {
    if (places !== undefined && at >= next) {
      places.push({ at, depth, inString })
      next = at + STEP
    }
    if (inString) {
      const slash = bytes.indexOf(BACKSLASH, at)
      if (slash < 0 || slash + 1 >= limit) return undefined
      const escaped = bytes[slash + 1]
      if (escaped === QUOTE) {
        inString = false
        at = slash + 2
      } else if (escaped === BACKSLASH) at = slash + (bytes[slash + 2] === BACKSLASH ? 4 : 3)
      else return undefined
      continue
    }
    const byte = bytes[at]
    if (byte === BACKSLASH) {
      if (bytes[at + 1] !== QUOTE) return undefined
      inString = true
      at += 2
      continue
    }
    if (byte === QUOTE) return undefined
    if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      if (depth === 1) return { at, depth, inString }
      depth--
    } else if (byte === COMMA && depth === 1) return { at, depth, inString }
    at++
  }
  return at === limit ? { at, depth, inString } : undefined
}

/** Finds the nodes in `rest`, which starts at the closing quote of the text; undefined when there are none. */
export function findAnswerNodes(rest: Uint8Array): AnswerNodes | undefined {
  let place = walk(rest, { at: 0, depth: TEXT_DEPTH, inString: true }, rest.length)
  for (let index = CANDIDATES_INDEX; place !== undefined && rest[place.at] === COMMA; index++) {
    const start = place.at + 1
    if (index + 1 === NODES_INDEX) {
      if (rest[start] !== OPEN_BRACKET) return undefined
      const places = [{ at: start, depth: 1, inString: false }]
      const end = walk(rest, places[0] as Place, rest.length, places)
      return end === undefined || end.at >= rest.length ? undefined : { start, end: end.at, places }
    }
    place = walk(rest, { at: start, depth: 1, inString: false }, rest.length)
  }
  return undefined
}

/**
 * The nodes of the next snapshot, provided that everything else behind the text is what it was.
 *
 * @param known Buffer that holds the last snapshot; its rest starts at `at` and ends at `limit`.
 * @param rest The same part of the next snapshot.
 */
export function followAnswerNodes(
  nodes: AnswerNodes,
  known: Uint8Array<ArrayBuffer>,
  at: number,
  limit: number,
  rest: Uint8Array,
): AnswerNodes | undefined {
  const behind = limit - at - nodes.end
  const end = rest.length - behind
  if (end <= nodes.start || rest[nodes.start] !== OPEN_BRACKET) return undefined
  const same = sharedPrefix(known, at, limit, rest, 0, rest.length)
  if (same < nodes.start || sharedPrefix(known, limit - behind, limit, rest, end, rest.length) < behind)
    return undefined
  // A place is good as long as nothing before it changed, and an escape before it is whole.
  const places = nodes.places.filter((place) => place.at <= same && place.at <= end)
  const last = places.at(-1)
  if (last === undefined) return undefined
  const reached = walk(rest.subarray(0, end), last, end, places)
  if (reached === undefined || reached.at !== end || reached.depth !== 1 || reached.inString) return undefined
  return { start: nodes.start, end, places }
}
