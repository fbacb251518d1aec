import { deflateSync, inflateSync } from 'node:zlib'
import type { RawImage } from '../src/image.ts'
import { createChunk, readChunks, readHeader } from '../src/png/chunks.ts'
import { filterRow, unfilterRows } from '../src/png/filters.ts'

export interface PngShape {
  /** Bytes per pixel: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. Default 4. */
  pixelBytes?: 1 | 2 | 3 | 4
  /** Filter of every row 0…4, or 'mixed' for all in turn. Default 1, as the app writes. */
  filter?: number | 'mixed'
  /** Bytes in one IDAT chunk. Default 8192, as the app writes. */
  chunkBytes?: number
  level?: number
  /** Chunks between the header and the pixels, and between the pixels and the end. */
  before?: readonly Uint8Array[]
  after?: readonly Uint8Array[]
}

const COLOUR_TYPE = { 1: 0, 2: 4, 3: 2, 4: 6 } as const

/** Writes a PNG file the way the app does, or differently on demand. zlib does the deflating. */
export function writePng(image: RawImage, shape: PngShape = {}): Uint8Array {
  const { pixelBytes = 4, filter = 1, chunkBytes = 8192, level = 6, before = [], after = [] } = shape
  const { width, height, data } = image
  const rowBytes = width * pixelBytes
  const filtered = new Uint8Array(height * (rowBytes + 1))
  let above = new Uint8Array(rowBytes)
  for (let y = 0; y < height; y++) {
    const row = new Uint8Array(rowBytes)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 4
      if (pixelBytes > 2) for (let c = 0; c < pixelBytes; c++) row[x * pixelBytes + c] = data[from + c]!
      else row[x * pixelBytes] = data[from]!
      if (pixelBytes === 2) row[x * 2 + 1] = data[from + 3]!
    }
    filtered[y * (rowBytes + 1)] = filter === 'mixed' ? y % 5 : filter
    filterRow(filtered, y * (rowBytes + 1), above, row, pixelBytes, 0, rowBytes)
    above = row
  }
  const stream = deflateSync(filtered, { level })
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header[8] = 8
  header[9] = COLOUR_TYPE[pixelBytes]
  const pixels: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += chunkBytes)
    pixels.push(createChunk('IDAT', stream.subarray(at, at + chunkBytes)))
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
  const parts = [
    signature,
    createChunk('IHDR', header),
    ...before,
    ...pixels,
    ...after,
    createChunk('IEND', new Uint8Array()),
  ]
  return new Uint8Array(Buffer.concat(parts))
}

/** Reads an 8-bit PNG file with zlib, checksum checked: an opinion independent of `src/png/inflate.ts`. */
export function readPng(bytes: Uint8Array): RawImage {
  const chunks = readChunks(bytes)
  const { width, height, pixelBytes } = readHeader(bytes, chunks)
  const stream = Buffer.concat(
    chunks.filter((chunk) => chunk.type === 'IDAT').map((chunk) => bytes.subarray(chunk.dataStart, chunk.dataEnd)),
  )
  const rows = unfilterRows(inflateSync(stream), width * pixelBytes, pixelBytes, 0, height)
  const data = new Uint8Array(width * height * 4)
  rows.forEach((row, y) => {
    for (let x = 0; x < width; x++) {
      const [to, from] = [(y * width + x) * 4, x * pixelBytes]
      for (let c = 0; c < 3; c++) data[to + c] = row[pixelBytes < 3 ? from : from + c]!
      data[to + 3] = pixelBytes === 4 ? row[from + 3]! : pixelBytes === 2 ? row[from + 1]! : 255
    }
  })
  return { width, height, data }
}

/** The seven passes of Adam7: first column and row, and the steps. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/** Writes an interlaced RGBA file, which the PNG door refuses and jimp reads. */
export function writeInterlaced({ width, height, data }: RawImage, before: readonly Uint8Array[]): Uint8Array {
  const rows: number[] = []
  for (const [left, top, stepX, stepY] of PASSES) {
    for (let y = top; y < height; y += stepY) {
      rows.push(0)
      for (let x = left; x < width; x += stepX)
        rows.push(...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4))
    }
  }
  const header = new Uint8Array(13)
  new DataView(header.buffer).setUint32(0, width)
  new DataView(header.buffer).setUint32(4, height)
  header.set([8, 6, 0, 0, 1], 8)
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
  const pixels = createChunk('IDAT', deflateSync(Uint8Array.from(rows)))
  return new Uint8Array(
    Buffer.concat([signature, createChunk('IHDR', header), ...before, pixels, createChunk('IEND', new Uint8Array())]),
  )
}
