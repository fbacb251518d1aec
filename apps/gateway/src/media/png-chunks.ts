import { crc32 } from 'node:zlib'

export interface PngChunk {
  /** Four letters. */
  type: string
  data: Uint8Array
}

/** The chunks of a PNG, as far as they are whole. */
export function* readPngChunks(file: Uint8Array): Generator<PngChunk> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  for (let offset = 8; offset + 12 <= file.length;) {
    const length = view.getUint32(offset)
    if (offset + 12 + length > file.length) return
    const type = String.fromCharCode(...file.subarray(offset + 4, offset + 8))
    yield { type, data: file.subarray(offset + 8, offset + 8 + length) }
    offset += 12 + length
  }
}

/** One chunk with its length and checksum. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(12 + data.length)
  chunk.writeUInt32BE(data.length, 0)
  chunk.write(type, 4, 'latin1')
  chunk.set(data, 8)
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length)
  return chunk
}
