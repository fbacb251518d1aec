import type { RawPicture } from './media.ts'

const CRC_TABLE = new Uint32Array(256).map((_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
  return value
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + data.byteLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.byteLength)
  for (let index = 0; index < 4; index++) bytes[4 + index] = type.charCodeAt(index)
  bytes.set(data, 8)
  view.setUint32(8 + data.byteLength, crc32(bytes.subarray(4, 8 + data.byteLength)))
  return bytes
}

const latin1 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (character) => character.charCodeAt(0))

/** A JUMBF box: length, type, content. */
function box(type: string, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 8)
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, size)
  bytes.set(latin1(type), 4)
  let offset = 8
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}

/**
 * A stand-in for the provenance record of Gemini's pictures: a JUMBF box in the chunk `caBX` at
 * byte 33. It names the actions that the real one names, and is signed by nobody.
 */
function provenance(marked: boolean): Uint8Array<ArrayBuffer> {
  const c2pa = Uint8Array.from([0x63, 0x32, 0x70, 0x61, 0, 0x11, 0, 0x10, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71])
  const description = (label: string): Uint8Array => box('jumd', c2pa, Uint8Array.of(3), latin1(`${label}\0`))
  const actions = [
    { action: 'c2pa.created', description: 'Created by a local emulator, not by Google' },
    ...(marked ? [{ action: 'c2pa.edited', description: 'Added visible watermark' }] : []),
  ]
  return box(
    'jumb',
    description('c2pa'),
    box('json', latin1(JSON.stringify({ claim_generator: 'castor-emulator', actions }))),
  )
}

/** Pixel rows filtered and compressed at a time. */
const BAND_BYTES = 2_097_152

export interface EncodePngOptions {
  /** Written as tEXt `Title`. */
  title: string
  /** The visible mark is in the picture. */
  marked: boolean
}

/** An 8-bit RGBA PNG with the chunks that Gemini's files carry. Compression runs beside the event loop. */
export async function encodePng(
  { width, height, data }: RawPicture,
  { title, marked }: EncodePngOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, 6, 0, 0, 0], 8)
  const body = await compress(filteredRows({ width, height, data }))
  const text = (key: string, value: string): Uint8Array<ArrayBuffer> =>
    chunk('tEXt', latin1(`${key}\0${value.replace(/[^\x20-\x7e]/g, '?')}`))
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('caBX', provenance(marked)),
    text('Software', 'castor-emulator'),
    text('Title', title),
    chunk('IDAT', body),
    chunk('IEND', new Uint8Array()),
  ]
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}

/** Rows with the filter "up": each byte minus the one above it. */
function* filteredRows({ width, height, data }: RawPicture): Generator<Uint8Array<ArrayBuffer>> {
  const stride = width * 4
  const rowsPerBand = Math.max(1, Math.floor(BAND_BYTES / stride))
  for (let top = 0; top < height; top += rowsPerBand) {
    const rows = Math.min(rowsPerBand, height - top)
    const band = new Uint8Array(rows * (stride + 1))
    for (let row = 0; row < rows; row++) {
      const from = (top + row) * stride
      const to = row * (stride + 1)
      band[to] = 2
      for (let index = 0; index < stride; index++) {
        const above = top + row === 0 ? 0 : (data[from + index - stride] as number)
        band[to + 1 + index] = (data[from + index] as number) - above
      }
    }
    yield band
  }
}

async function compress(bands: Iterable<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new CompressionStream('deflate')
  const compressed = new Response(stream.readable).arrayBuffer()
  const writer = stream.writable.getWriter()
  for (const band of bands) {
    await writer.ready
    await writer.write(band)
  }
  await writer.close()
  return new Uint8Array(await compressed)
}
