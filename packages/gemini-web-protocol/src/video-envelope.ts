/**
 * The protobuf around a video that some downloads answer with: length-delimited fields, one of which
 * is the MP4 and another its type. Source: fact sheet §9.5 [W 2026-09-15].
 */

import { isMp4 } from './downloads.ts'

export interface VideoEnvelope {
  data: Uint8Array
  mimeType: string
}

/** Nesting that is followed; the field was seen near the top. */
const MAX_DEPTH = 4

/** Finds the video; undefined when there is none. Never throws and never reads out of bounds. */
export function readVideoEnvelope(bytes: Uint8Array): VideoEnvelope | undefined {
  const found: { data?: Uint8Array; mimeType?: string } = {}
  walk(bytes, 0, found)
  return found.data === undefined ? undefined : { data: found.data, mimeType: found.mimeType ?? 'video/mp4' }
}

function walk(bytes: Uint8Array, depth: number, found: { data?: Uint8Array; mimeType?: string }): boolean {
  let position = 0
  while (position < bytes.length) {
    const tag = readVarint(bytes, position)
    if (tag === undefined || tag.value < 8) return false
    position = tag.end
    const wireType = tag.value & 7
    if (wireType === 0) {
      const skipped = readVarint(bytes, position)
      if (skipped === undefined) return false
      position = skipped.end
    } else if (wireType === 1) position += 8
    else if (wireType === 5) position += 4
    else if (wireType === 2) {
      const length = readVarint(bytes, position)
      if (length === undefined || length.end + length.value > bytes.length) return false
      const part = bytes.subarray(length.end, length.end + length.value)
      position = length.end + length.value
      if (isMp4(part)) {
        if (found.data === undefined || part.length > found.data.length) found.data = part
      } else if (part.length < 40 && /^(video|audio)\/[\w.+-]+$/.test(latin1(part))) found.mimeType ??= latin1(part)
      else if (depth < MAX_DEPTH && part.length > 1) walk(part, depth + 1, found)
    } else return false
  }
  return position === bytes.length
}

/** Lengths fit in 32 bits; anything larger is not ours. */
function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0
  for (let index = 0; index < 10; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { value, end: start + index + 1 }
  }
  return undefined
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** An envelope as the emulator sends it. */
export function buildVideoEnvelope({ data, mimeType }: VideoEnvelope): Uint8Array<ArrayBuffer> {
  const type = new TextEncoder().encode(mimeType)
  const inner = [...field(1, type.length), ...type, ...field(2, data.length)]
  const head = field(1, inner.length + data.length)
  const bytes = new Uint8Array(head.length + inner.length + data.length)
  bytes.set(head)
  bytes.set(inner, head.length)
  bytes.set(data, head.length + inner.length)
  return bytes
}

function field(number: number, length: number): number[] {
  const out = [number * 8 + 2]
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80)
  out.push(rest)
  return out
}
