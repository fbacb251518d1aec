import { encodePayload, messageEntry, utf8Length } from '@castorjs/gemini-web-protocol'

/** One frame whose JSON is already text. */
export interface FrameText {
  json: string
  /** Entries inside. */
  entries: number
  /** UTF-8 length of `json`, when it is known without counting. */
  bytes?: number
}

/** A frame of raw entries. */
export function frameOf(entries: readonly unknown[]): FrameText {
  return { json: JSON.stringify(entries), entries: entries.length }
}

/** A frame of one message. */
export function messageFrame(message: unknown): FrameText {
  return frameOf([messageEntry(message)])
}

const MARK = 'castor-text-goes-here'

export interface GrowingText {
  /** The frame after adding `text` to what was said. */
  add(text: string): FrameText
}

/**
 * Frames of cumulative snapshots that differ in one growing text only. The message around it is
 * encoded once, and only the new text is escaped: a snapshot costs what is new in it, apart from
 * the copy that the wire needs.
 *
 * @param build Makes the message around a text.
 */
export function growingText(build: (text: string) => unknown): GrowingText {
  const { json } = messageFrame(build(MARK))
  const at = json.indexOf(MARK)
  const before = json.slice(0, at)
  const after = json.slice(at + MARK.length)
  const aroundBytes = utf8Length(before) + utf8Length(after)
  let escaped = ''
  let escapedBytes = 0
  return {
    add(text) {
      const added = escapeTwice(text)
      escaped += added
      escapedBytes += utf8Length(added)
      return { json: before + escaped + after, entries: 1, bytes: aroundBytes + escapedBytes }
    },
  }
}

/** Text inside a payload that is itself a string in JSON, without the quotes of either. */
function escapeTwice(text: string): string {
  return JSON.stringify(encodePayload(text)).slice(3, -3)
}

/**
 * Cuts a text into the parts that successive snapshots add. Parts never end inside a surrogate pair.
 *
 * @param chars Code units per part; `auto` makes three parts of a short text and at most `most` of a long one.
 */
export function cutText(text: string, chars: number | 'auto', most: number): string[] {
  if (text === '') return []
  const wanted =
    chars === 'auto'
      ? Math.max(Math.min(3, Math.ceil(text.length / 8)), Math.ceil(text.length / 40))
      : Math.ceil(text.length / chars)
  const size = Math.ceil(text.length / Math.max(1, Math.min(wanted, most)))
  const parts: string[] = []
  for (let start = 0; start < text.length;) {
    let end = Math.min(text.length, start + size)
    const unit = text.charCodeAt(end - 1)
    if (end < text.length && unit >= 0xd800 && unit < 0xdc00) end++
    parts.push(text.slice(start, end))
    start = end
  }
  return parts
}
