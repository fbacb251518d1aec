import { Jimp } from 'jimp'
import { readProvenance, writeProvenance } from './provenance.ts'

/** What is done to one picture, in this order. */
export interface PicturePlan {
  removeVisibleMark?: boolean
  /** Exact size in pixels: scaled to cover it, then cropped evenly, never distorted. */
  size?: { width: number; height: number }
  /** Length of the longer side at least, in pixels; the shape stays. `size` wins. */
  atLeast?: number
  format?: 'png' | 'jpeg'
}

export interface PictureResult {
  bytes: Uint8Array
  mimeType: string
  width: number
  height: number
  /** What was asked for and not done, and why, in words for the caller. */
  notes: string[]
}

/** Thrown for a file that is no picture we can work on. The message is fit for callers. */
class PictureError extends Error {
  override readonly name = 'PictureError'
}

/** Takes the mark off; the file comes back as it was when there is none. */
export type RemoveMark = (bytes: Uint8Array) => Promise<{ bytes: Uint8Array; changed: boolean; reason?: string }>

const MIME_TYPES = { png: 'image/png', jpeg: 'image/jpeg' } as const
const JPEG_QUALITY = 95

/**
 * Works on one picture. Pixels that no step touches stay as they are: without a new size or format the file is
 * not encoded anew, and all its metadata stays in place.
 */
export async function processPicture(
  file: Uint8Array,
  { removeVisibleMark = false, size: exact, atLeast, format }: PicturePlan,
  removeMark: RemoveMark,
): Promise<PictureResult> {
  const notes: string[] = []
  const before = readHeader(file)
  const size = exact ?? enlargedTo(before, atLeast)
  let bytes = file
  if (removeVisibleMark) {
    const removal = await removeMark(file)
    bytes = removal.bytes
    if (!removal.changed) notes.push(`The visible mark was not removed: ${removal.reason ?? 'none was found'}.`)
  }
  const target = format ?? before.format
  const resize = size !== undefined && (size.width !== before.width || size.height !== before.height)
  if (!resize && target === before.format) {
    return { bytes, mimeType: MIME_TYPES[before.format], width: before.width, height: before.height, notes }
  }
  const image = await Jimp.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  if (resize) {
    const enlarged = size.width > before.width || size.height > before.height
    if (enlarged) {
      notes.push(
        `The picture was enlarged from ${before.width}x${before.height} to ${size.width}x${size.height}; the upstream drew no larger one.`,
      )
    }
    image.cover({ w: size.width, h: size.height })
  }
  const encoded =
    target === 'jpeg'
      ? await image.getBuffer('image/jpeg', { quality: JPEG_QUALITY })
      : await image.getBuffer('image/png')
  return {
    bytes: writeProvenance(encoded, readProvenance(bytes)),
    mimeType: MIME_TYPES[target],
    width: image.width,
    height: image.height,
    notes,
  }
}

/** The size with the longer side as long as wanted; undefined when it is long enough. */
function enlargedTo({ width, height }: PictureHeader, atLeast = 0): PicturePlan['size'] {
  const scale = atLeast / Math.max(width, height)
  return scale <= 1 ? undefined : { width: Math.round(width * scale), height: Math.round(height * scale) }
}

/** 100 megapixels: a little more than 4K squared at four times the area. Decoding takes four bytes for each. */
const MAX_PIXELS = 100_000_000

interface PictureHeader {
  format: 'png' | 'jpeg'
  width: number
  height: number
}

/**
 * Format and size from the first bytes, before anything is decoded.
 *
 * @throws {PictureError} when it is neither PNG nor JPEG, or has too many pixels.
 */
export function readHeader(file: Uint8Array): PictureHeader {
  const header = readPngHeader(file) ?? readJpegHeader(file)
  if (header === undefined) throw new PictureError('The picture is neither a PNG nor a JPEG, so it was left as it is.')
  if (header.width * header.height > MAX_PIXELS || header.width === 0 || header.height === 0) {
    throw new PictureError(
      `The picture has ${header.width}x${header.height} pixels; at most ${MAX_PIXELS} can be worked on.`,
    )
  }
  return header
}

function readPngHeader(file: Uint8Array): PictureHeader | undefined {
  if (file.length < 24 || file[0] !== 0x89 || file[1] !== 0x50) return undefined
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  return { format: 'png', width: view.getUint32(16), height: view.getUint32(20) }
}

/** The first start-of-frame segment holds the size. */
function readJpegHeader(file: Uint8Array): PictureHeader | undefined {
  if (file[0] !== 0xff || file[1] !== 0xd8) return undefined
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  for (let offset = 2; offset + 9 < file.length && file[offset] === 0xff; offset += 2 + view.getUint16(offset + 2)) {
    const marker = file[offset + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { format: 'jpeg', width: view.getUint16(offset + 7), height: view.getUint16(offset + 5) }
  }
  return undefined
}
