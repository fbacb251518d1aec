import { concat } from './concat.ts'
import { WatermarkError } from './error.ts'
import { notFound, takeMarks, type FileOptions, type FileResult } from './file-removal.ts'
import { checkRawImage, wholeWindow, type RawImage } from './image.ts'
import { isJpeg, removeFromJpeg } from './jpeg.ts'
import { carryJpegMetadata, peekJpeg } from './jpeg/metadata.ts'
import { checkBytes, checkPixels } from './limits.ts'
import { isPng, removeFromPng } from './png.ts'
import { carryPngMetadata, peekPng } from './png/metadata.ts'
import type { Provenance } from './provenance.ts'
import { removeFromWindow } from './remove.ts'

export type { FileOptions, FileResult, FoundMark } from './file-removal.ts'

/** The part of a jimp image this door touches, so that any jimp (or anything like it) fits. */
export interface JimpLike {
  bitmap: RawImage
}

export type PictureFormat = 'png' | 'jpeg' | 'bmp'

/** `removeVisibleMark` also says what the file was and which way it went. */
export interface AnyResult extends FileResult {
  format: PictureFormat
  /** True when the file was decoded and encoded again by jimp, because its own door does not read this kind. */
  reencoded: boolean
}

export interface AnyOptions extends FileOptions {
  /** Quality of a JPEG file that has to be encoded again, 1…100. Default 95. */
  quality?: number
}

/**
 * Takes the visible mark off a jimp image, in place; every pixel outside the mark's square stays bit for bit.
 *
 * @throws {WatermarkError} `invalid_image`, `invalid_option`.
 */
export function removeFromJimp(
  image: JimpLike,
  options: Omit<FileOptions, 'maxBytes' | 'maxPixels'> = {},
): Omit<FileResult, 'bytes' | 'sourceTypeWritten'> {
  checkRawImage(image.bitmap)
  const { dryRun = false } = options
  // Not `slice`: jimp holds a Buffer, whose slice is no copy.
  const data = dryRun ? new Uint8Array(image.bitmap.data) : image.bitmap.data
  const window = wholeWindow({ ...image.bitmap, data })
  const { marks, reason, confidence } = takeMarks(window, options, (placement) => {
    removeFromWindow(window, placement)
  })
  return { changed: marks.length > 0 && !dryRun, marks, confidence, ...(reason === undefined ? {} : { reason }) }
}

/**
 * Takes the visible mark off a picture file, whatever kind it is.
 *
 * The kind is read from the bytes. PNG and baseline JPEG go through their own doors, which keep everything but the
 * mark. What those do not read (progressive JPEG, interlaced, palette and 16-bit PNG) and BMP is decoded by jimp and,
 * only when a mark was found, encoded again; metadata is carried over byte for byte.
 *
 * @throws {WatermarkError} as the doors do; `missing_peer` when jimp is needed and not installed.
 */
export async function removeVisibleMark(bytes: Uint8Array, options: AnyOptions = {}): Promise<AnyResult> {
  checkBytes(bytes, options)
  const format = readFormat(bytes)
  try {
    if (format === 'png') return { ...removeFromPng(bytes, options), format, reencoded: false }
    if (format === 'jpeg') return { ...removeFromJpeg(bytes, options), format, reencoded: false }
  } catch (error) {
    if (!(error instanceof WatermarkError && error.code === 'unsupported')) throw error
    if (KINDS[format].peek(bytes) === undefined) throw error
  }
  return removeByReencoding(bytes, format, options)
}

function readFormat(bytes: Uint8Array): PictureFormat {
  if (isPng(bytes)) return 'png'
  if (isJpeg(bytes)) return 'jpeg'
  if (bytes[0] === 0x42 && bytes[1] === 0x4d && bytes.length > 26) return 'bmp'
  throw new WatermarkError('unknown_format', 'The bytes are not a PNG, JPEG or BMP file')
}

/** What has to be known of a file before jimp may decode it. */
export interface PeekedFile {
  width: number
  height: number
  provenance: Provenance
}

interface Kind {
  mime: 'image/png' | 'image/jpeg' | 'image/bmp'
  /** Undefined when jimp cannot help either: animated, CMYK, arithmetic-coded … */
  peek: (bytes: Uint8Array) => PeekedFile | undefined
  /** Puts the old file's metadata into the new one. */
  carry: (old: Uint8Array, fresh: Uint8Array, writeSourceType: boolean) => Uint8Array
}

const NO_PROVENANCE: Provenance = { declaresVisibleMark: false, statesSourceType: true, hasC2pa: false }

function peekBmp(bytes: Uint8Array): PeekedFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  // BMP has no place for metadata, so there is none to read and none to write.
  return {
    width: Math.abs(view.getInt32(18, true)),
    height: Math.abs(view.getInt32(22, true)),
    provenance: NO_PROVENANCE,
  }
}

const KINDS: Record<PictureFormat, Kind> = {
  png: { mime: 'image/png', peek: peekPng, carry: carryPngMetadata },
  jpeg: { mime: 'image/jpeg', peek: peekJpeg, carry: carryJpegMetadata },
  bmp: { mime: 'image/bmp', peek: peekBmp, carry: (_, fresh) => concat([fresh]) },
}

async function loadJimp() {
  try {
    return await import('jimp')
  } catch (cause) {
    throw new WatermarkError('missing_peer', 'This kind of file needs the package jimp; install it beside this one', {
      cause,
    })
  }
}

async function removeByReencoding(bytes: Uint8Array, format: PictureFormat, options: AnyOptions): Promise<AnyResult> {
  const { quality = 95 } = options
  if (!(quality >= 1 && quality <= 100)) {
    throw new WatermarkError('invalid_option', `quality must lie between 1 and 100, not ${quality}`)
  }
  const { mime, peek, carry } = KINDS[format]
  const { width, height, provenance } = peek(bytes)!
  checkPixels(width, height, options)
  const { Jimp } = await loadJimp()
  const image = await Jimp.fromBuffer(new Uint8Array(bytes).buffer).catch((cause: unknown) => {
    throw new WatermarkError('corrupt', `jimp could not decode the ${format.toUpperCase()} file`, { cause })
  })
  checkPixels(image.bitmap.width, image.bitmap.height, options)
  const { dryRun = false, ...locating } = options
  const window = wholeWindow(image.bitmap)
  const declared = provenance.declaresVisibleMark
  const { marks, reason, confidence } = takeMarks(window, { ...locating, declared }, (placement) => {
    removeFromWindow(window, placement)
  })
  if (reason !== undefined) return { ...notFound(bytes, reason, confidence), format, reencoded: false }
  if (dryRun) return { bytes, changed: false, marks, confidence, sourceTypeWritten: false, format, reencoded: false }
  const fresh = mime === 'image/jpeg' ? await image.getBuffer(mime, { quality }) : await image.getBuffer(mime)
  const sourceTypeWritten = !provenance.statesSourceType
  const file = carry(bytes, new Uint8Array(fresh), sourceTypeWritten)
  return { bytes: file, changed: true, marks, confidence, sourceTypeWritten, format, reencoded: true }
}
