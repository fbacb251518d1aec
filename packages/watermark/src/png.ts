import { concat } from './concat.ts'
import { createAdlerChange } from './png/adler.ts'
import { reachOf } from './candidates.ts'
import { notFound, takeMarks, type FileOptions, type FileResult } from './file-removal.ts'
import type { PixelWindow } from './image.ts'
import { checkBytes, checkPixels } from './limits.ts'
import type { Placement } from './locate.ts'
import {
  createChunk,
  readChunks,
  readHeader,
  readUint32,
  writeUint32,
  type Chunk,
  type PngHeader,
} from './png/chunks.ts'
import { filterRow, unfilterRows } from './png/filters.ts'
import { pngProvenance, sourceTypeChunk } from './png/metadata.ts'
import { inflateBlocks, type Inflated } from './png/inflate.ts'
import { spliceStream } from './png/splice.ts'
import { removeFromWindow } from './remove.ts'
import { WatermarkError } from './error.ts'

export { isPng } from './png/chunks.ts'
export type { FileOptions, FileResult, FoundMark } from './file-removal.ts'

/** `removeFromPng` also says how much of the old file lives on. */
export interface PngResult extends FileResult {
  /** Bytes of the compressed pixels, and how many of them are the old ones, unmoved. */
  streamBytes: number
  keptStreamBytes: number
}

/**
 * Takes the visible mark off a PNG file.
 *
 * Only the rows under the mark are touched. Every chunk but IDAT is kept byte for byte and in order, C2PA store
 * included, and so is the compressed stream up to the deflate block with the first touched row. When a mark was found and
 * nothing states a DigitalSourceType, an XMP chunk that does is written before IEND.
 *
 * Reads 8-bit grey, grey with alpha, RGB and RGBA. The bytes given are never written to.
 *
 * @throws {WatermarkError} `unknown_format`, `truncated`, `corrupt`, `too_large`, or `unsupported` for animated,
 * interlaced, palette and 16-bit files.
 */
export function removeFromPng(bytes: Uint8Array, options: FileOptions = {}): PngResult {
  checkBytes(bytes, options)
  const chunks = readChunks(bytes)
  const header = readHeader(bytes, chunks)
  checkPixels(header.width, header.height, options)
  const provenance = pngProvenance(bytes, chunks)
  const stream = joinData(bytes, chunks)
  checkStreamHeader(stream)
  const inflated = inflateBlocks(stream, 2, header.height * (1 + header.width * header.pixelBytes))
  const whole = { streamBytes: stream.length, keptStreamBytes: stream.length }

  const picture = readBottomRows(inflated, header, options)
  const placements: Placement[] = []
  const { marks, reason, confidence } = takeMarks(
    picture.window,
    { ...options, declared: provenance.declaresVisibleMark },
    (placement) => {
      removeFromWindow(picture.window, placement)
      placements.push(placement)
    },
  )
  if (reason !== undefined) return { ...notFound(bytes, reason, confidence), ...whole }
  const sourceTypeWritten = !provenance.statesSourceType
  if (options.dryRun === true) {
    return { bytes, changed: false, marks, confidence, sourceTypeWritten: false, ...whole }
  }

  const spliced = writeBack(stream, inflated, header, picture, placements)
  const file = assemble(bytes, chunks, spliced.stream, spliced.kept, sourceTypeWritten)
  return {
    bytes: file,
    changed: true,
    marks,
    confidence,
    sourceTypeWritten,
    streamBytes: stream.length,
    keptStreamBytes: spliced.kept,
  }
}

/** The data of all IDAT chunks, one behind the other. */
function joinData(bytes: Uint8Array, chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks
    .filter((chunk) => chunk.type === 'IDAT')
    .map((chunk) => bytes.subarray(chunk.dataStart, chunk.dataEnd))
  const stream = concat(parts)
  const types = chunks.map((chunk) => chunk.type)
  if (types.lastIndexOf('IDAT') - types.indexOf('IDAT') + 1 !== parts.length) {
    throw new WatermarkError('corrupt', 'The IDAT chunks of the PNG file do not follow each other')
  }
  return stream
}

function checkStreamHeader(stream: Uint8Array): void {
  if (stream.length < 6) throw new WatermarkError('truncated', 'The PNG file has no pixels')
  const [method, flags] = stream
  if ((method! & 15) !== 8 || ((method! << 8) | flags!) % 31 !== 0 || (flags! & 32) !== 0) {
    throw new WatermarkError('corrupt', 'The pixels of the PNG file are not a zlib stream')
  }
}

interface BottomRows {
  /** First row of `rows`. */
  top: number
  rows: Uint8Array[]
  /** The bottom right part of the picture as RGBA. */
  window: PixelWindow
}

function readBottomRows(
  inflated: Inflated,
  { width, height, pixelBytes }: PngHeader,
  options: FileOptions,
): BottomRows {
  const reach = reachOf(width, height, options)
  const top = Math.max(0, height - reach)
  const left = Math.max(0, width - reach)
  const rows = unfilterRows(inflated.data, width * pixelBytes, pixelBytes, top, height)
  const window = {
    x: left,
    y: top,
    width: width - left,
    height: height - top,
    imageWidth: width,
    imageHeight: height,
    data: new Uint8Array((width - left) * (height - top) * 4),
  }
  rows.forEach((row, y) => {
    let to = y * window.width * 4
    for (let from = left * pixelBytes; from < row.length; from += pixelBytes, to += 4) {
      const grey = pixelBytes < 3
      window.data[to] = row[from]!
      window.data[to + 1] = row[grey ? from : from + 1]!
      window.data[to + 2] = row[grey ? from : from + 2]!
      window.data[to + 3] = 255
    }
  })
  return { top, rows, window }
}

/** Puts the window's new colours into the rows and the compressed stream. */
function writeBack(
  stream: Uint8Array,
  inflated: Inflated,
  { width, height, pixelBytes }: PngHeader,
  { top, rows, window }: BottomRows,
  placements: readonly Placement[],
): { stream: Uint8Array; kept: number } {
  const stride = 1 + width * pixelBytes
  const { data } = inflated
  const touched = new Set<number>()
  for (const box of placements) {
    for (let y = box.y; y < box.y + box.height; y++) {
      touched.add(y)
      if (y + 1 < height) touched.add(y + 1)
      const row = rows[y - top]!
      let from = ((y - window.y) * window.width + box.x - window.x) * 4
      for (let x = box.x; x < box.x + box.width; x++, from += 4) {
        for (let c = 0; c < Math.min(3, pixelBytes === 2 ? 1 : pixelBytes); c++)
          row[x * pixelBytes + c] = window.data[from + c]!
      }
    }
  }
  const none = new Uint8Array(width * pixelBytes)
  const change = createAdlerChange(data.length)
  let firstChange = data.length
  for (const y of touched) {
    const before = data.slice(y * stride, (y + 1) * stride)
    filterRow(data, y * stride, rows[y - top - 1] ?? none, rows[y - top]!, pixelBytes, 0, width * pixelBytes)
    for (let i = 0; i < stride; i++) {
      if (data[y * stride + i] === before[i]) continue
      change.add(y * stride + i, before[i]!, data[y * stride + i]!)
      firstChange = Math.min(firstChange, y * stride + i)
    }
  }
  if (firstChange === data.length) return { stream, kept: stream.length }

  const { kept, tail } = spliceStream(stream, inflated, firstChange)
  const out = new Uint8Array(kept + tail.length + 4)
  out.set(stream.subarray(0, kept))
  out.set(tail, kept)
  const adlerAt = (inflated.endBit + 7) >>> 3
  if (adlerAt + 4 > stream.length) throw new WatermarkError('truncated', 'The PNG file ends before its checksum')
  writeUint32(out, kept + tail.length, change.apply(readUint32(stream, adlerAt)))
  return { stream: out, kept }
}

/** The file with the new stream: chunks wholly before the change are copied, CRC and all, and so is everything but IDAT. */
function assemble(
  bytes: Uint8Array,
  chunks: readonly Chunk[],
  stream: Uint8Array,
  kept: number,
  addXmp: boolean,
): Uint8Array {
  const parts: Uint8Array[] = [bytes.subarray(0, chunks[0]!.start)]
  const data = chunks.filter((chunk) => chunk.type === 'IDAT')
  const lastData = data[data.length - 1]
  const usual = Math.max(...data.map((chunk) => chunk.dataEnd - chunk.dataStart))
  let at = 0
  for (const chunk of chunks) {
    if (chunk.type === 'IEND' && addXmp) parts.push(sourceTypeChunk())
    if (chunk.type !== 'IDAT') {
      parts.push(bytes.subarray(chunk.start, chunk.end))
      continue
    }
    const length = chunk.dataEnd - chunk.dataStart
    if (at + length <= kept) {
      parts.push(bytes.subarray(chunk.start, chunk.end))
      at += length
      continue
    }
    const take = Math.min(length, stream.length - at)
    if (take > 0) parts.push(createChunk('IDAT', stream.subarray(at, at + take)))
    at += take
    if (chunk !== lastData) continue
    for (; at < stream.length; at += usual) parts.push(createChunk('IDAT', stream.subarray(at, at + usual)))
  }
  return concat(parts)
}
