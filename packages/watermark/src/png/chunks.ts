import { WatermarkError } from '../error.ts'

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/** One chunk: where it lies in the file. `end` is behind its CRC. */
export interface Chunk {
  type: string
  start: number
  dataStart: number
  dataEnd: number
  end: number
}

/** True when the bytes begin like a PNG file. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((value, i) => bytes[i] === value)
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/**
 * Lists the chunks up to and with `IEND`. CRCs are not checked: what is kept is kept with its own.
 *
 * @throws {WatermarkError} `unknown_format`, `truncated`.
 */
export function readChunks(bytes: Uint8Array): Chunk[] {
  if (!isPng(bytes)) throw new WatermarkError('unknown_format', 'The bytes do not begin like a PNG file')
  const chunks: Chunk[] = []
  let at = SIGNATURE.length
  while (at + 12 <= bytes.length) {
    const length = readUint32(bytes, at)
    const type = String.fromCharCode(bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!)
    const end = at + 12 + length
    if (end > bytes.length) break
    chunks.push({ type, start: at, dataStart: at + 8, dataEnd: end - 4, end })
    if (type === 'IEND') return chunks
    at = end
  }
  throw new WatermarkError('truncated', `The PNG file ends inside a chunk or has no IEND (${bytes.length} bytes)`)
}

/** What the header says, and nothing but the kinds this door reads. */
export interface PngHeader {
  width: number
  height: number
  /** Bytes per pixel; 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
  pixelBytes: 1 | 2 | 3 | 4
}

const PIXEL_BYTES: Record<number, PngHeader['pixelBytes']> = { 0: 1, 2: 3, 4: 2, 6: 4 }

/** @throws {WatermarkError} `corrupt`, `unsupported`. */
export function readHeader(bytes: Uint8Array, chunks: readonly Chunk[]): PngHeader {
  const [header] = chunks
  if (header?.type !== 'IHDR' || header.dataEnd - header.dataStart !== 13) {
    throw new WatermarkError('corrupt', 'The PNG file does not begin with a header')
  }
  const at = header.dataStart
  const [width, height] = [readUint32(bytes, at), readUint32(bytes, at + 4)]
  const [depth, colourType, compression, filter, interlace] = bytes.subarray(at + 8, at + 13)
  if (width === 0 || height === 0) throw new WatermarkError('corrupt', `The PNG file says ${width}×${height} pixels`)
  if (compression !== 0 || filter !== 0 || interlace! > 1) {
    throw new WatermarkError(
      'corrupt',
      'The PNG header names a compression, filter or interlace method that does not exist',
    )
  }
  if (chunks.some((chunk) => chunk.type === 'acTL')) {
    throw new WatermarkError('unsupported', 'Animated PNG files are not supported; take out one frame first')
  }
  if (interlace === 1) {
    throw new WatermarkError('unsupported', 'Interlaced PNG files are not supported here; save without interlacing')
  }
  if (colourType === 3) {
    throw new WatermarkError('unsupported', 'PNG files with a palette are not supported here; save as RGB')
  }
  const pixelBytes = PIXEL_BYTES[colourType!]
  if (pixelBytes === undefined)
    throw new WatermarkError('corrupt', `The PNG file has the unknown colour type ${colourType}`)
  if (depth !== 8) {
    throw new WatermarkError('unsupported', `PNG files with ${depth} bits a channel are not supported; save with 8`)
  }
  return { width, height, pixelBytes }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value >>> 0
})

/** A whole chunk around `data`, length and CRC included. */
export function createChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(data.length + 12)
  writeUint32(chunk, 0, data.length)
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i)
  chunk.set(data, 8)
  let crc = 0xffffffff
  for (let i = 4; i < data.length + 8; i++) crc = CRC_TABLE[(crc ^ chunk[i]!) & 255]! ^ (crc >>> 8)
  writeUint32(chunk, data.length + 8, (crc ^ 0xffffffff) >>> 0)
  return chunk
}
