/**
 * Bytes of a StreamGenerate reply to updates, at a cost that follows the final text.
 *
 * The upstream sends the whole answer again and again, so a long one is hundreds of times larger on
 * the wire than the text is. This decoder keeps the raw bytes of the last snapshot. While bytes of
 * the next one equal them they are compared and dropped, never copied, decoded or parsed; only what
 * departs is. If it departs inside or at the end of the answer's text, the rest of the message is parsed
 * behind the short start of the last one, so that everything but the old text is read as usual; if
 * the rest is the same as before, just the new text is decoded. Any other shape takes the plain way
 * through the whole frame: the result is the same, only slower.
 *
 * Frames are cut at line feeds, which is exact because JSON never holds a raw one (fact sheet §4.1),
 * works for every recording, and lets the declared lengths be wrong.
 */

import { type AnswerNodes, findAnswerNodes, followAnswerNodes } from './answer-nodes.ts'
import { copyInto, createByteBuffer, reserve, sharedPrefix } from './bytes.ts'
import { parse } from './envelope.ts'
import { DEFAULT_MAX_BUFFERED, FrameError, REPLY_PREFIX } from './frames.ts'
import {
  createReply,
  mayBeCard,
  mergeEntry,
  mergeMessage,
  readOnlyTextPart,
  type ReplySnapshot,
  type ReplyUpdate,
} from './reply.ts'
import { changeText, compareText } from './text-change.ts'

export interface ReplyDecoderOptions {
  /** Longest frame in bytes. Default 33 554 432. */
  maxBuffered?: number
}

export interface ReplyDecoder {
  /** Takes the next bytes; returns one update per entry they completed, oldest first. @throws {FrameError} `too_large`, `malformed` */
  push(bytes: Uint8Array): ReplyUpdate[]
  /** The body ended. Sets `truncated` instead of throwing: what arrived is still an answer. @throws {FrameError} `malformed` when nothing was a reply */
  finish(): ReplyUpdate[]
  /** The merged reply so far; the same object all the time. */
  readonly reply: ReplySnapshot
}

/**
 * Start of a frame that holds one snapshot: everything up to the first character of the first
 * candidate's text, path [4][0][1][0]. Each token in it is fixed, so the text is where it says.
 */
const SNAPSHOT_START =
  /^\[\["wrb\.fr",null,"(\[null,\[\\"[\w-]*\\",\\"[\w-]*\\"(?:,\\"[\w-]*\\")?\],null,null,\[\[\\"[\w-]*\\",\[\\")/

const ENTRY_START = '[["wrb.fr",null,"'
const LINE_FEED = 10
const QUOTE = 34
const OPEN_BRACKET = 91
const BACKSLASH = 92
/** Bytes reserved at most on the word of a length line. */
const MAX_RESERVED = 4_194_304
/** Bytes of `\\u003d`. */
const LONGEST_ESCAPE = 7
const DECODE_STEP = 65_536
/** Longest line that is neither a frame nor part of one. */
const MAX_OTHER_LINE = 64

/** What is known about the snapshot whose bytes are kept. */
interface Anchor {
  /** Start of its payload, up to the opening quote of the text. */
  payloadStart: string
  /** Offset of the text's first byte. */
  textStart: number
  /** Offset of the text's closing quote in the raw bytes: safe to decode from. Looked for when it is needed. */
  textEnd: number | undefined
  /** UTF-16 units of the text. */
  textLength: number
  /** The answer's nodes behind the text; null when there are none, undefined when not looked for yet. */
  nodes: AnswerNodes | null | undefined
  /** True once another message was merged: the rest must be read again. */
  stale: boolean
}

export function createReplyDecoder({ maxBuffered = DEFAULT_MAX_BUFFERED }: ReplyDecoderOptions = {}): ReplyDecoder {
  const reply = createReply()
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  /** Raw JSON of the last snapshot frame. */
  let last = createByteBuffer()
  /** Bytes of the open frame behind the first `matched` ones, which equal those of `last`. */
  let fresh = createByteBuffer()
  const scratch = createByteBuffer()
  let anchor: Anchor | undefined
  let matched = 0
  let line: 'start' | 'frame' | 'other' = 'start'
  let other = ''
  let replySeen = false
  /** A length was read and its frame has not come yet. */
  let announced = false

  function feedFrame(bytes: Uint8Array, from: number, to: number): void {
    let position = from
    if (fresh.length === 0 && matched < last.length) {
      const same = sharedPrefix(last.bytes, matched, last.length, bytes, position, to)
      matched += same
      position += same
    }
    if (position < to) copyInto(fresh, fresh.length, bytes, position, to)
    if (matched + fresh.length > maxBuffered)
      throw new FrameError('too_large', `A frame is longer than ${maxBuffered} bytes`)
  }

  function feedOther(bytes: Uint8Array, from: number, to: number): void {
    if (other.length + to - from > MAX_OTHER_LINE) notAReply()
    other += utf8.decode(bytes.subarray(from, to))
  }

  function closeOther(): void {
    const text = other.trim()
    other = ''
    if (text === REPLY_PREFIX.trim()) replySeen = true
    else if (!/^\d*$/.test(text)) notAReply()
    // The declared length spares the buffer its growing; it is not trusted for anything else.
    else if (text !== '') {
      announced = true
      if (last.length === 0) reserve(fresh, Math.min(Number(text), maxBuffered, MAX_RESERVED))
    }
  }

  function notAReply(): never {
    throw new FrameError('malformed', 'The body is not a reply of the web app')
  }

  function closeFrame(updates: ReplyUpdate[]): void {
    if (!readTail(updates)) readWhole(updates)
    announced = false
    matched = 0
    fresh.length = 0
  }

  /** The short way. False leaves everything as it was. */
  function readTail(updates: ReplyUpdate[]): boolean {
    if (anchor === undefined) return false
    const textEnd = textEndOf(anchor)
    const from =
      textEnd === undefined
        ? undefined
        : findSafeStart(last.bytes, anchor.textStart, Math.min(matched, textEnd), textEnd)
    if (textEnd === undefined || from === undefined) return false
    const length = matched + fresh.length
    if (length === last.length && fresh.length === 0 && !anchor.stale) {
      reply.messages++
      updates.push({ type: 'message' })
      return true
    }
    // From here on `tail` is what follows the part of the text that surely stays, in one piece.
    const tail = scratch
    tail.length = 0
    copyInto(tail, 0, last.bytes, from, matched)
    copyInto(tail, tail.length, fresh.bytes, 0, fresh.length)
    const textBytes = findTextEnd(tail.bytes.subarray(0, tail.length))
    if (textBytes === undefined) return false
    const rest = tail.bytes.subarray(textBytes, tail.length)
    const first = reply.candidates[0]
    const before = decodeText(utf8.decode(last.bytes.subarray(from, textEnd)))
    const after = decodeText(utf8.decode(tail.bytes.subarray(0, textBytes)))
    if (first === undefined || before === undefined || after === undefined) return false
    const change = compareText(before, after)
    change.kept += anchor.textLength - before.length
    if (!anchor.stale && restIsSame(anchor, textEnd, rest)) {
      reply.messages++
      const changed = change.added !== '' || change.kept < anchor.textLength
      first.text = changeText(first.text, change)
      reply.text = first.text
      updates.push(changed ? { type: 'message', text: change } : { type: 'message' })
    } else {
      const frame = parse(ENTRY_START + utf8.decode(tail.bytes.subarray(0, tail.length)))
      const payload = onlyPayload(frame)
      if (payload === undefined) return false
      const message = parse(anchor.payloadStart + payload)
      if (readOnlyTextPart(message) !== after) return false
      updates.push(mergeMessage(reply, message, change))
      anchor.nodes = undefined
      anchor.stale = false
    }
    anchor.textLength = change.kept + change.added.length
    anchor.textEnd = from + textBytes
    copyInto(last, matched, fresh.bytes, 0, fresh.length)
    last.length = length
    return true
  }

  /** Whether what follows the text is what it was, the answer's nodes aside. Remembers where those are now. */
  function restIsSame(anchor: Anchor, textEnd: number, rest: Uint8Array): boolean {
    if (
      rest.length === last.length - textEnd &&
      sharedPrefix(last.bytes, textEnd, last.length, rest, 0, rest.length) === rest.length
    )
      return true
    if (anchor.nodes === undefined) anchor.nodes = findAnswerNodes(last.bytes.subarray(textEnd, last.length)) ?? null
    if (anchor.nodes === null) return false
    const nodes = followAnswerNodes(anchor.nodes, last.bytes, textEnd, last.length, rest)
    if (nodes !== undefined) anchor.nodes = nodes
    return nodes !== undefined
  }

  /** The plain way: parse the whole frame. */
  function readWhole(updates: ReplyUpdate[]): void {
    replySeen = true
    const text = decodeFrame()
    const frame = parse(text)
    if (!Array.isArray(frame)) {
      reply.problems.push('a frame is not a JSON array')
      return
    }
    const only = onlyPayload(frame)
    const message = only === undefined ? undefined : parse(only)
    if (Array.isArray(message)) {
      merged(mergeMessage(reply, message), updates)
      keepSnapshot(text, message)
      return
    }
    for (const entry of typeof frame[0] === 'string' ? [frame] : frame) merged(mergeEntry(reply, entry), updates)
  }

  /** Text of the open frame. Decoded in steps: one large call takes twice as long in Node 20. */
  function decodeFrame(): string {
    let text = ''
    for (const { bytes, length } of [{ bytes: last.bytes, length: matched }, fresh]) {
      for (let from = 0; from < length; from += DECODE_STEP) {
        text += utf8.decode(bytes.subarray(from, Math.min(from + DECODE_STEP, length)), { stream: true })
      }
    }
    return text + utf8.decode()
  }

  /** The next snapshot may take back what another message said, so its rest has to be read again. */
  function merged(update: ReplyUpdate, updates: ReplyUpdate[]): void {
    if (update.text !== undefined) anchor = undefined
    else if (update.type === 'message' && anchor !== undefined) anchor.stale = true
    updates.push(update)
  }

  /** Keeps the raw bytes of a frame that the next snapshot may repeat. */
  function keepSnapshot(text: string, message: unknown): void {
    const start = SNAPSHOT_START.exec(text)
    const part = readOnlyTextPart(message)
    // A card's text comes from elsewhere, and a part that is not the whole text is of no use.
    if (start === null || part === undefined || mayBeCard(part) || part.length !== reply.text.length) return
    const payloadStart = parse(`"${start[1]}"`)
    if (typeof payloadStart !== 'string') return
    if (matched === 0) [last, fresh] = [fresh, last]
    else copyInto(last, matched, fresh.bytes, 0, fresh.length)
    anchor = {
      payloadStart,
      textStart: start[0].length,
      textEnd: undefined,
      textLength: part.length,
      nodes: undefined,
      stale: false,
    }
  }

  /** Finds the end of the kept snapshot's text, once the next one has shown that it matters. */
  function textEndOf(anchor: Anchor): number | undefined {
    if (anchor.textEnd === undefined && matched >= anchor.textStart) {
      const length = findTextEnd(last.bytes.subarray(anchor.textStart, last.length))
      if (length !== undefined) anchor.textEnd = anchor.textStart + length
    }
    return anchor.textEnd
  }

  return {
    reply,
    push(bytes) {
      const updates: ReplyUpdate[] = []
      let position = 0
      while (position < bytes.length) {
        const found = bytes.indexOf(LINE_FEED, position)
        const end = found < 0 ? bytes.length : found
        if (line === 'start' && end > position) line = bytes[position] === OPEN_BRACKET ? 'frame' : 'other'
        if (line === 'frame') feedFrame(bytes, position, end)
        else if (line === 'other') feedOther(bytes, position, end)
        if (found < 0) break
        if (line === 'frame') closeFrame(updates)
        else if (line === 'other') closeOther()
        line = 'start'
        position = found + 1
      }
      return updates
    },
    finish() {
      const updates: ReplyUpdate[] = []
      if (line === 'frame') {
        const problems = reply.problems.length
        closeFrame(updates)
        // A frame without its line feed is whole if it can be read: replies without `rt` end like this.
        if (reply.problems.length > problems) {
          reply.problems.length = problems
          reply.truncated = true
        }
      } else if (line === 'other') {
        if (/^\d+$/.test(other)) reply.truncated = true
        else if (!REPLY_PREFIX.startsWith(other)) notAReply()
      }
      if (announced) reply.truncated = true
      line = 'start'
      if (!replySeen) notAReply()
      return updates
    },
  }
}

/** Payload text of a frame that is one message and nothing else. */
function onlyPayload(frame: unknown): string | undefined {
  if (!Array.isArray(frame) || frame.length !== 1) return undefined
  const entry: unknown = frame[0]
  return Array.isArray(entry) &&
    entry.length === 3 &&
    entry[0] === 'wrb.fr' &&
    entry[1] === null &&
    typeof entry[2] === 'string'
    ? entry[2]
    : undefined
}

/** Text of a JSON string inside a JSON string. */
function decodeText(raw: string): string | undefined {
  const inner = parse(`"${raw}"`)
  const text = typeof inner === 'string' ? parse(`"${inner}"`) : undefined
  return typeof text === 'string' ? text : undefined
}

/**
 * Where to go on inside the kept text, at most at `limit`: its end when that is reached, else the last
 * place that is neither inside a character nor inside an escape, the longest of which is `\\u003d`.
 */
function findSafeStart(bytes: Uint8Array, start: number, limit: number, end: number): number | undefined {
  if (limit === end) return end
  for (let at = limit; at - LONGEST_ESCAPE > start; at--) {
    const inside = ((bytes[at] as number) & 0xc0) === 0x80
    if (!inside && !bytes.subarray(at - LONGEST_ESCAPE, at).includes(BACKSLASH)) return at
  }
  return undefined
}

/**
 * Length of the text that `bytes` starts inside of, up to its closing quote, which is written `\"`
 * because the text is a JSON string inside a JSON string. Undefined when the place looks different
 * from what the upstream writes (an escape of the outer string other than of a quote or backslash).
 */
function findTextEnd(bytes: Uint8Array): number | undefined {
  let position = 0
  for (;;) {
    const slash = bytes.indexOf(BACKSLASH, position)
    if (slash < 0) return undefined
    const next = bytes[slash + 1]
    if (next === QUOTE) return slash
    if (next !== BACKSLASH) return undefined
    // An escape of the text itself: `\\n`, `\\u003d`, `\\\"`, `\\\\`.
    const escaped = bytes[slash + 2]
    position = slash + (escaped === BACKSLASH ? 4 : 3)
  }
}

/** Reads a whole StreamGenerate body. @throws {FrameError} when it is no reply at all */
export function readReply(body: string | Uint8Array, options: ReplyDecoderOptions = {}): ReplySnapshot {
  const decoder = createReplyDecoder(options)
  decoder.push(typeof body === 'string' ? new TextEncoder().encode(body) : body)
  decoder.finish()
  return decoder.reply
}
