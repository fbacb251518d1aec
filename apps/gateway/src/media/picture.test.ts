import { Jimp } from 'jimp'
import { beforeAll, describe, expect, it } from 'vitest'
import { jpegSegment } from './jpeg-segments.ts'
import { pngChunk } from './png-chunks.ts'
import { processPicture, readHeader, type RemoveMark } from './picture.ts'
import { readProvenance, writeProvenance } from './provenance.ts'

const keepMark: RemoveMark = (bytes) => Promise.resolve({ bytes, changed: false, reason: 'no mark was found' })
const text = (value: string) => new TextEncoder().encode(value)

/** A C2PA-like JUMBF box: length, type, then so many bytes. */
function jumbf(size: number): Uint8Array {
  const box = Buffer.alloc(size, 7)
  box.writeUInt32BE(size, 0)
  box.write('jumb', 4, 'latin1')
  for (let index = 8; index < size; index++) box[index] = index % 251
  return box
}

const PROVENANCE = {
  c2pa: jumbf(150_000),
  xmp: text('<x:xmpmeta>made by a model</x:xmpmeta>'),
  icc: text('a colour profile'),
  exif: text('MM\0*exif'),
}

let png: Uint8Array
let jpeg: Uint8Array
beforeAll(async () => {
  const image = new Jimp({ width: 90, height: 60 })
  // Left third red, middle green, right blue: a crop shows in the colours that remain.
  image.scan((x, _y, index) => {
    image.bitmap.data.set([x < 30 ? 255 : 0, x >= 30 && x < 60 ? 255 : 0, x >= 60 ? 255 : 0, 255], index)
  })
  png = writeProvenance(await image.getBuffer('image/png'), {
    ...PROVENANCE,
    texts: [{ type: 'tEXt', data: text('Software\0Gemini') }],
  })
  jpeg = writeProvenance(await image.getBuffer('image/jpeg', { quality: 95 }), { ...PROVENANCE, texts: [] })
})

describe('processPicture', () => {
  it('gives the file back byte for byte when there is nothing to do', async () => {
    const result = await processPicture(png, { removeVisibleMark: true }, keepMark)
    expect(Buffer.compare(result.bytes, png)).toBe(0)
    expect(result.notes).toEqual(['The visible mark was not removed: no mark was found.'])
  })

  it('takes what the mark’s removal gives back', async () => {
    const result = await processPicture(png, { removeVisibleMark: true }, () =>
      Promise.resolve({ bytes: jpeg, changed: true }),
    )
    expect(result.notes).toEqual([])
    expect(result.bytes).toBe(jpeg)
  })

  it.each([
    ['smaller and square', { width: 30, height: 30 }, ['green', 'green']],
    ['wider than the original', { width: 90, height: 30 }, ['red', 'blue']],
  ])('scales to cover and crops evenly: %s', async (_, size, [left, right]) => {
    const result = await processPicture(png, { size }, keepMark)
    const image = await Jimp.fromBuffer(Buffer.from(result.bytes))
    expect([image.width, image.height]).toEqual([size.width, size.height])
    const colourAt = (x: number): string | undefined => {
      const rgb = [...image.bitmap.data.subarray((15 * size.width + x) * 4, (15 * size.width + x) * 4 + 3)]
      return ['red', 'green', 'blue'][rgb.indexOf(Math.max(...rgb))]
    }
    expect([colourAt(size.width === 30 ? 10 : 1), colourAt(size.width - (size.width === 30 ? 10 : 2))]).toEqual([
      left,
      right,
    ])
  })

  it('says when it had to enlarge', async () => {
    const result = await processPicture(png, { size: { width: 180, height: 120 } }, keepMark)
    expect(result.notes).toEqual([expect.stringContaining('enlarged from 90x60 to 180x120')])
  })

  it.each([
    ['png', 'png'],
    ['png', 'jpeg'],
    ['jpeg', 'png'],
    ['jpeg', 'jpeg'],
  ] as const)('carries all provenance from %s to %s when pixels are encoded anew', async (from, to) => {
    const result = await processPicture(
      from === 'png' ? png : jpeg,
      { size: { width: 60, height: 60 }, format: to },
      keepMark,
    )
    expect(result.mimeType).toBe(`image/${to}`)
    expect((await Jimp.fromBuffer(Buffer.from(result.bytes))).width).toBe(60)
    const { texts, ...provenance } = readProvenance(result.bytes)
    expect(Object.keys(provenance).toSorted()).toEqual(['c2pa', 'exif', 'icc', 'xmp'])
    for (const name of ['c2pa', 'xmp', 'icc', 'exif'] as const) {
      expect(Buffer.compare(provenance[name] ?? new Uint8Array(), PROVENANCE[name])).toBe(0)
    }
    expect(texts).toHaveLength(from === 'png' && to === 'png' ? 1 : 0)
  })

  it.each([
    ['a file that is no picture', text('<html></html>'), /neither a PNG nor a JPEG/],
    [
      'a picture that would fill the memory',
      Buffer.from('89504e470d0a1a0a0000000d49484452000186a0000186a00806000000', 'hex'),
      /100000x100000 pixels/,
    ],
  ])('refuses %s before decoding it', async (_, bytes, message) => {
    await expect(processPicture(new Uint8Array(bytes), { size: { width: 1, height: 1 } }, keepMark)).rejects.toThrow(
      message,
    )
  })
})

describe('readProvenance', () => {
  it('survives files that end anywhere', () => {
    for (const file of [png, jpeg]) {
      for (let length = 0; length < file.length; length += 997) {
        expect(() => readProvenance(file.subarray(0, length))).not.toThrow()
      }
    }
  })

  it('reads a size from every header it accepts', () => {
    expect(readHeader(png)).toEqual({ format: 'png', width: 90, height: 60 })
    expect(readHeader(jpeg)).toEqual({ format: 'jpeg', width: 90, height: 60 })
    expect(pngChunk('tEXt', text('a')).length).toBe(13)
    expect(jpegSegment(0xfe, text('a')).length).toBe(5)
  })
})
