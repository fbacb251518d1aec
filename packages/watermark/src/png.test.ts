import { describe, expect, it } from 'vitest'
import { drawPicture } from '../test/corpus.ts'
import { compareUnderMark, MARKS, withMark } from '../test/marking.ts'
import { readPng, writePng, type PngShape } from '../test/png-writer.ts'
import { sameBytes } from '../test/same-bytes.ts'
import type { RawImage } from './image.ts'
import { locate } from './locate.ts'
import { createChunk, readChunks } from './png/chunks.ts'
import { removeFromPng } from './png.ts'

const SIDE = 320
const ORIGINAL = drawPicture('clouds', 1, SIDE)
const text = (value: string) => new TextEncoder().encode(value)

/** The picture as a file of the given kind stores it. */
function stored(image: RawImage, pixelBytes: number): RawImage {
  const data = image.data.slice()
  if (pixelBytes < 3) for (let i = 0; i < data.length; i += 4) data[i + 1] = data[i + 2] = data[i]!
  return { ...image, data }
}

function errorAfter(file: Uint8Array, original: RawImage) {
  const before = readPng(file)
  const location = locate(before)
  if (!location.found) throw new Error('no mark')
  const { placement } = location
  const after = readPng(removeFromPng(file).bytes)
  let outside = 0
  for (let i = 0; i < after.data.length; i++) {
    const [x, y] = [(i >> 2) % SIDE, Math.floor((i >> 2) / SIDE)]
    const inside =
      x >= placement.x && y >= placement.y && x < placement.x + placement.width && y < placement.y + placement.height
    if ((!inside || i % 4 === 3) && after.data[i] !== before.data[i]) outside++
  }
  return { outside, ...compareUnderMark(after, original, placement.laid) }
}

describe('removeFromPng', () => {
  it.each([1, 2, 3, 4] as const)(
    'restores files with %i bytes a pixel and keeps every pixel beside the mark',
    (pixelBytes) => {
      const original = stored(ORIGINAL, pixelBytes)
      const file = writePng(withMark(original, 'v1-48'), { pixelBytes })
      const { outside, worst } = errorAfter(file, original)
      expect([outside, worst]).toEqual([0, 1])
    },
  )

  it.each([0, 1, 2, 3, 4, 'mixed'] as const)('restores files with the row filter %s', (filter) => {
    const { outside, worst } = errorAfter(writePng(withMark(ORIGINAL, 'v2-48'), { filter }), ORIGINAL)
    expect([outside, worst]).toEqual([0, 1])
  })

  it.each([0, 1, 9])('reads and writes streams of zlib level %i', (level) => {
    const { outside, worst } = errorAfter(writePng(withMark(ORIGINAL, 'v1-96'), { level }), ORIGINAL)
    expect([outside, worst]).toEqual([0, 1])
  })

  it.each(MARKS)('restores %s', (mark) => {
    const { outside, worst } = errorAfter(writePng(withMark(ORIGINAL, mark)), ORIGINAL)
    expect(outside).toBe(0)
    expect(worst).toBeLessThanOrEqual(2)
  })

  it('keeps the compressed stream up to the first touched block, and the chunks it fills', () => {
    const tall = drawPicture('clouds', 2, SIDE, 1500)
    const file = writePng(withMark(tall, 'v1-48'), { chunkBytes: 4096 })
    const result = removeFromPng(file)
    expect(result.keptStreamBytes / result.streamBytes).toBeGreaterThan(0.85)
    const same = result.bytes.findIndex((value, i) => value !== file[i])
    expect(same).toBeGreaterThan(result.keptStreamBytes - 4096)
  })

  it('keeps every other chunk byte for byte and in order, and the C2PA store where it was', () => {
    const before = [
      createChunk('caBX', text('\0\0\0\x20jumb … c2pa … Added visible watermark, digitalSourceType')),
      createChunk('iCCP', text('profile')),
      createChunk('eXIf', text('II*\0')),
    ]
    const after = [createChunk('tEXt', text('Software\0x')), createChunk('zzZz', text('private'))]
    const file = writePng(withMark(ORIGINAL, 'v1-48'), { before, after })
    const result = removeFromPng(file)
    const others = (bytes: Uint8Array) =>
      readChunks(bytes)
        .filter(({ type }) => type !== 'IDAT')
        .map(({ start, end }) => Buffer.from(bytes.subarray(start, end)).toString('latin1'))
    expect(others(result.bytes)).toEqual(others(file))
    expect(readChunks(result.bytes)[1]).toEqual(readChunks(file)[1])
    expect([result.changed, result.sourceTypeWritten]).toEqual([true, false])
  })

  it('writes the source type when nothing states it, in front of IEND', () => {
    const result = removeFromPng(writePng(withMark(ORIGINAL, 'v1-48')))
    const chunk = readChunks(result.bytes).at(-2)!
    const written = Buffer.from(result.bytes.subarray(chunk.dataStart, chunk.dataEnd)).toString()
    expect([result.sourceTypeWritten, chunk.type]).toEqual([true, 'iTXt'])
    expect(written.startsWith('XML:com.adobe.xmp\0\0\0\0\0<?xpacket')).toBe(true)
    expect(written).toContain('http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia')
    expect(removeFromPng(result.bytes).changed).toBe(false)
  })

  it('gives the very bytes back when there is no mark, and when only asked to look', () => {
    const clean = writePng(ORIGINAL)
    const { bytes, ...rest } = removeFromPng(clean)
    expect(bytes).toBe(clean)
    expect(rest).toMatchObject({ changed: false, marks: [], reason: 'refuted', confidence: 0 })
    const marked = writePng(withMark(ORIGINAL, 'v1-48'))
    const { bytes: same, ...look } = removeFromPng(marked, { dryRun: true })
    expect(same).toBe(marked)
    expect(look).toMatchObject({ changed: false, marks: [{ mark: 'v1-48', x: SIDE - 80, y: SIDE - 80 }] })
  })

  it('does not write to the bytes it is given', () => {
    const file = writePng(withMark(ORIGINAL, 'v1-48'))
    const copy = file.slice()
    removeFromPng(file)
    expect(sameBytes(file, copy)).toBe(true)
  })

  it('takes both marks off a picture that was edited twice', () => {
    const file = writePng(withMark(withMark(ORIGINAL, 'v1-48'), 'v2-96'))
    expect(
      removeFromPng(file)
        .marks.map(({ mark }) => mark)
        .sort(),
    ).toEqual(['v1-48', 'v2-96'])
  })
})

describe('removeFromPng refuses', () => {
  const good = writePng(withMark(ORIGINAL, 'v1-48'))
  const header = (offset: number, value: number) => {
    const bytes = good.slice()
    bytes[16 + offset] = value
    return bytes
  }
  const shape: PngShape = { before: [createChunk('acTL', new Uint8Array(8))] }

  it.each([
    ['something else', text('GIF89a and more bytes than a signature'), 'unknown_format'],
    ['a file without an end', good.slice(0, 3000), 'truncated'],
    ['a file without pixels', writePng(ORIGINAL, { chunkBytes: 1e9 }).slice(0, 33), 'truncated'],
    ['a width of zero', header(3, 0).fill(0, 16, 20), 'corrupt'],
    ['16 bits a channel', header(8, 16), 'unsupported'],
    ['a palette', header(9, 3), 'unsupported'],
    ['an unknown colour type', header(9, 5), 'corrupt'],
    ['interlacing', header(12, 1), 'unsupported'],
    ['animation', writePng(ORIGINAL, shape), 'unsupported'],
    ['a header that promises more rows', header(7, 255), 'truncated'],
    ['a header that promises fewer rows', header(7, 9), 'corrupt'],
  ])('%s', (_, bytes, code) => {
    expect(() => removeFromPng(bytes)).toThrow(expect.objectContaining({ code }))
  })

  it('a file or a picture over the limits, before decoding it', () => {
    expect(() => removeFromPng(good, { maxBytes: 100 })).toThrow(
      expect.objectContaining({ code: 'too_large', message: `The file has ${good.length} bytes; maxBytes allows 100` }),
    )
    const bomb = header(0, 0x40).fill(0x40, 20, 21)
    expect(() => removeFromPng(bomb)).toThrow(expect.objectContaining({ code: 'too_large' }))
  })

  it('a stream that unpacks to more than the header says', () => {
    const small = writePng(drawPicture('flat', 1, 64))
    const large = writePng(drawPicture('flat', 1, 640))
    const pixels = readChunks(large).filter(({ type }) => type === 'IDAT')
    const bomb = Buffer.concat([
      small.subarray(0, 33),
      ...pixels.map(({ start, end }) => large.subarray(start, end)),
      createChunk('IEND', new Uint8Array()),
    ])
    expect(() => removeFromPng(bomb)).toThrow('more pixels than the header says')
  })
})
