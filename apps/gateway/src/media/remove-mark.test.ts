import { Jimp } from 'jimp'
import { deflateSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { drawVisibleMark } from './draw-mark.ts'
import { jpegSegment } from './jpeg-segments.ts'
import { pngChunk } from './png-chunks.ts'
import { processPicture } from './picture.ts'
import { removeMark } from './remove-mark.ts'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

function header(width: number, height: number, depth: number, colour: number): Uint8Array {
  const data = Buffer.alloc(13)
  data.writeUInt32BE(width, 0)
  data.writeUInt32BE(height, 4)
  data.set([depth, colour, 0, 0, 0], 8)
  return pngChunk('IHDR', data)
}

const end = pngChunk('IEND', new Uint8Array())
const pixels = (bytes: number): Uint8Array => pngChunk('IDAT', deflateSync(Buffer.alloc(bytes)))

let marked: Uint8Array
beforeAll(async () => {
  const image = new Jimp({ width: 512, height: 512, color: 0x336699ff })
  drawVisibleMark({
    ...image.bitmap,
    data: new Uint8ClampedArray(image.bitmap.data.buffer, image.bitmap.data.byteOffset),
  })
  marked = await image.getBuffer('image/png')
})

describe('removeMark', () => {
  it('takes off what the demo draws', async () => {
    const { bytes, notes } = await processPicture(marked, { removeVisibleMark: true }, removeMark)
    expect(notes).toEqual([])
    const { data } = (await Jimp.fromBuffer(Buffer.from(bytes))).bitmap
    const reds = data.filter((_, index) => index % 4 === 0)
    expect(Math.max(...new Set(reds))).toBeLessThanOrEqual(0x35)
    expect(Math.min(...new Set(reds))).toBeGreaterThanOrEqual(0x31)
  })

  it.each([
    ['a picture of 16 bits', () => Buffer.concat([SIGNATURE, header(64, 64, 16, 2), pixels(64 * 385), end]), /16/],
    [
      'an animated picture',
      () =>
        Buffer.concat([
          SIGNATURE,
          header(64, 64, 8, 2),
          pngChunk('acTL', Buffer.from('0000000200000000', 'hex')),
          pixels(64 * 193),
          end,
        ]),
      /anim/i,
    ],
    [
      'a picture in CMYK',
      () =>
        Buffer.concat([
          Buffer.from('ffd8', 'hex'),
          jpegSegment(0xdb, Buffer.concat([Buffer.of(0), Buffer.alloc(64, 1)])),
          jpegSegment(0xc0, Buffer.from('080040004004011100021100031100041100', 'hex')),
          Buffer.from('ffd9', 'hex'),
        ]),
      /CMYK/,
    ],
    ['a picture that was cut off', () => marked.subarray(0, marked.length - 200), /end|truncat|short/i],
    [
      'an unmarked picture',
      () => new Jimp({ width: 512, height: 512, color: 0x336699ff }).getBuffer('image/png'),
      /known places/,
    ],
  ])('gives %s back unharmed, with the reason', async (_, make, reason) => {
    const file = new Uint8Array(await make())
    const { bytes, notes } = await processPicture(file, { removeVisibleMark: true }, removeMark)
    expect(Buffer.compare(bytes, file)).toBe(0)
    expect(notes).toEqual([expect.stringMatching(/^The visible mark was not removed: /)])
    expect(notes[0]).toMatch(reason)
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['a picture without a side', Buffer.concat([SIGNATURE, header(0, 64, 8, 2), end])],
    ['a GIF', Buffer.from('GIF89a')],
    ['a bomb', Buffer.concat([SIGNATURE, header(60_000, 60_000, 8, 6), pixels(1_000), end])],
  ])('refuses %s before decoding', async (_, file) => {
    await expect(processPicture(file, { removeVisibleMark: true }, removeMark)).rejects.toMatchObject({
      name: 'PictureError',
    })
  })
})
