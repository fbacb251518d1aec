/**
 * Framing of StreamGenerate and batchexecute replies.
 *
 * With `rt=c` a body is `)]}'`, an empty line, then frames `<N> LF <JSON array> LF`, where N counts
 * UTF-16 code units of both line feeds and the JSON. Without `rt` it is the prefix and one JSON
 * array. JSON never holds a raw line feed, so lines are an exact second way to cut.
 * Source: fact sheet §4.1 [S], checked against unmodified recordings.
 */

/** The entries that one flush of the upstream carries, raw: `[["wrb.fr",null,"…"],["di",12]]`. */
export type Frame = readonly unknown[]

/** Anti-hijacking prefix of every reply, with the empty line. Source: fact sheet §4.1 [S]. */
export const REPLY_PREFIX = ")]}'\n\n"

/** Something in a reply that was read in spite of being wrong. */
export interface FrameProblem {
  /** `length`: the number did not delimit the JSON and the line was used. `json`: a line was no JSON array and was left out. */
  kind: 'length' | 'json'
  /** Number of the frame it was seen at, from 0. */
  frame: number
}

/** Why a body cannot be read as frames. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
  /** `too_large`: one frame is over the limit. `truncated`: ended inside a frame. `malformed`: not a reply at all, for example HTML. */
  readonly code: 'too_large' | 'truncated' | 'malformed'

  constructor(code: FrameError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface FrameDecoderOptions {
  /** Longest frame held back, in UTF-16 code units (text) or bytes (byte decoders). Default 33 554 432. */
  maxBuffered?: number
}

export interface FrameDecoder<Input> {
  /** Takes the next piece; returns the frames it completed, oldest first. @throws {FrameError} `too_large`, `malformed` */
  push(input: Input): Frame[]
  /** The body ended. Returns what only the end makes certain (an unframed reply). @throws {FrameError} `truncated`, `malformed` */
  finish(): Frame[]
  readonly problems: readonly FrameProblem[]
  /** False for a reply without lengths, undefined until that is known. */
  readonly framed: boolean | undefined
}

export const DEFAULT_MAX_BUFFERED = 33_554_432

/**
 * Decodes a reply from text, cut anywhere. Keeps the pieces of an open frame and the number of
 * units still missing, so no unit is looked at twice however small the pieces are.
 */
export function createFrameDecoder({
  maxBuffered = DEFAULT_MAX_BUFFERED,
}: FrameDecoderOptions = {}): FrameDecoder<string> {
  const problems: FrameProblem[] = []
  let framed: boolean | undefined
  let prefixSeen = false
  let count = 0
  /** Units not consumed yet; `held` is their sum. While `missing` is positive nothing can be complete. */
  let pieces: string[] = []
  let held = 0
  let missing = 0

  function fail(code: FrameError['code'], message: string): never {
    pieces = []
    held = missing = 0
    throw new FrameError(code, message)
  }

  function drain(text: string, ended: boolean): Frame[] {
    const frames: Frame[] = []
    let position = 0
    missing = 0
    const lineEnd = (from: number): number => {
      const found = text.indexOf('\n', from)
      return found < 0 && ended ? text.length : found
    }
    while (position < text.length) {
      const end = lineEnd(position)
      if (!prefixSeen) {
        if (end < 0 && text.length - position < 64) break
        const line = text.slice(position, end < 0 ? undefined : end).trim()
        if (line === '') position = end + 1
        else if (line === REPLY_PREFIX.trim()) {
          prefixSeen = true
          position = end + 1
        } else if (/^(\d+$|\[)/.test(line)) prefixSeen = true
        else fail('malformed', 'The body does not start like a reply of the web app')
        continue
      }
      if (text[position] === '[') {
        framed ??= false
        if (end < 0) break
        take(text.slice(position, end), frames)
        position = end + 1
        continue
      }
      if (end < 0 || (ended && end === text.length)) {
        if (text.length - position > 64) fail('malformed', 'A line between frames is neither a length nor an array')
        break
      }
      const digits = text.slice(position, end).trim()
      if (digits === '') {
        position = end + 1
        continue
      }
      if (!/^\d{1,10}$/.test(digits)) fail('malformed', 'A line between frames is neither a length nor an array')
      framed = true
      const length = Number(digits)
      if (length > maxBuffered) fail('too_large', `A frame declares ${length} units, the limit is ${maxBuffered}`)
      const close = end + length
      if (close > text.length) {
        // The line feed may come before the declared end: a wrong length. It is only looked for once the text is complete.
        if (!ended) {
          missing = close - text.length
          break
        }
      } else if (text[close - 1] === '\n' && length >= 3 && take(text.slice(end + 1, close - 1), frames, true)) {
        position = close
        continue
      }
      const recovered = lineEnd(end + 1)
      // A length at the very end announces a frame that never came.
      if (recovered < 0 || end + 1 >= text.length) break
      problems.push({ kind: 'length', frame: count })
      take(text.slice(end + 1, recovered), frames)
      position = recovered + 1
    }
    const rest = position < text.length ? text.slice(position) : ''
    pieces = rest === '' ? [] : [rest]
    held = rest.length
    return frames
  }

  /** Parses one frame; a line that is no array is a problem, unless `strict` asks to try the line instead. */
  function take(json: string, frames: Frame[], strict = false): boolean {
    if (json.trim() === '') return !strict
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch {
      value = undefined
    }
    if (!Array.isArray(value)) {
      if (!strict) problems.push({ kind: 'json', frame: count++ })
      return false
    }
    count++
    // A lone entry without its list has been seen in hand-made fixtures.
    frames.push(typeof value[0] === 'string' ? [value] : value)
    return true
  }

  return {
    problems,
    get framed() {
      return framed
    },
    push(input) {
      if (input === '') return []
      pieces.push(input)
      held += input.length
      if (held > maxBuffered + 64) fail('too_large', `A frame is longer than ${maxBuffered} units`)
      if (input.length < missing) {
        missing -= input.length
        return []
      }
      // Without a length a frame can only be complete once a line feed has arrived.
      if (framed === false && !input.includes('\n')) return []
      return drain(pieces.join(''), false)
    },
    finish() {
      const text = pieces.join('')
      if (text === '' && prefixSeen) return []
      const known = problems.length
      const frames = drain(text, true)
      if (held > 0 || problems.slice(known).some((problem) => problem.kind === 'json'))
        fail('truncated', 'The reply ended inside a frame')
      if (!prefixSeen) fail('malformed', 'The body is empty')
      return frames
    },
  }
}

/** {@link createFrameDecoder} for bytes: UTF-8 decoded as it arrives, also when cut inside a character. */
export function createByteFrameDecoder(options: FrameDecoderOptions = {}): FrameDecoder<Uint8Array> {
  const text = new TextDecoder('utf-8', { ignoreBOM: true })
  const frames = createFrameDecoder(options)
  return {
    problems: frames.problems,
    get framed() {
      return frames.framed
    },
    push: (bytes) => frames.push(text.decode(bytes, { stream: true })),
    finish() {
      const rest = text.decode()
      return rest === '' ? frames.finish() : [...frames.push(rest), ...frames.finish()]
    },
  }
}

/** Reads a whole body. @throws {FrameError} */
export function decodeFrames(body: string | Uint8Array, options: FrameDecoderOptions = {}): Frame[] {
  const decoder = createFrameDecoder(options)
  const frames = decoder.push(
    typeof body === 'string' ? body : new TextDecoder('utf-8', { ignoreBOM: true }).decode(body),
  )
  return [...frames, ...decoder.finish()]
}

export interface FrameEncoder {
  /** Text of one frame with its exact length; the first call starts with the prefix. */
  push(entries: Frame): string
  /**
   * The same for a frame whose JSON text is already made, so that a long snapshot is not encoded anew each time.
   *
   * @param entries How many entries it holds.
   * @param jsonBytes Its UTF-8 length, when that is known without counting.
   */
  pushJson(json: string, entries: number, jsonBytes?: number): string
  /** The end marker with the exact entry count and UTF-8 total. Source: fact sheet §4.2 [S]. */
  end(): string
}

/** Writes a framed reply piece by piece, as a stream leaves the upstream. */
export function createFrameEncoder(): FrameEncoder {
  let started = false
  let entries = 0
  let bytes = 0

  function write(text: string): string {
    const out = started ? text : REPLY_PREFIX + text
    started = true
    bytes += utf8Length(out)
    return out
  }

  return {
    push(frame) {
      entries += frame.length
      return write(encodeFrame(frame))
    },
    pushJson(json, count, jsonBytes) {
      entries += count
      const frame = `${json.length + 2}\n${json}\n`
      if (jsonBytes === undefined) return write(frame)
      const out = started ? frame : REPLY_PREFIX + frame
      started = true
      bytes += out.length - json.length + jsonBytes
      return out
    },
    end() {
      const before = bytes + (started ? 0 : REPLY_PREFIX.length)
      // The total counts its own digits, so it is found by approach.
      let total = before
      for (;;) {
        const tail = encodeFrame([['e', entries + 1, null, null, total]])
        const next = before + tail.length
        if (next === total) {
          entries++
          return write(tail)
        }
        total = next
      }
    },
  }
}

/** Writes a whole framed body; with `end: false` it stops like a connection that stays open. */
export function encodeFrames(frames: readonly Frame[], { end = true }: { end?: boolean } = {}): string {
  const encoder = createFrameEncoder()
  let body = ''
  for (const frame of frames) body += encoder.push(frame)
  if (end) body += encoder.end()
  return body === '' ? REPLY_PREFIX : body
}

/** Writes the reply to a request without `rt`: no lengths, no end marker, no final line feed. */
export function encodeUnframed(entries: Frame): string {
  return REPLY_PREFIX + JSON.stringify(entries)
}

function encodeFrame(entries: Frame): string {
  const json = JSON.stringify(entries)
  return `${json.length + 2}\n${json}\n`
}

/** UTF-8 length of well-formed text in bytes; a lone surrogate counts three, as encoders write it. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    bytes += unit < 0x800 ? 1 : 2
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(index + 1)
      if (next >= 0xdc00 && next < 0xe000) index++
      // A pair is four bytes for two units: the two added above are all it needs.
    }
  }
  return bytes
}
