import { Jimp } from 'jimp'
import { describe, expect, it } from 'vitest'
import { drawPicture } from '../test/corpus.ts'
import { segment, writeJpeg } from '../test/jpeg-writer.ts'
import { compare, withMark } from '../test/marking.ts'
import { writeInterlaced, writePng } from '../test/png-writer.ts'
import { readWithJimp } from '../test/read-jpeg.ts'
import { removeFromJimp, removeVisibleMark } from './jimp.ts'
import { createChunk, readChunks } from './png/chunks.ts'

const SIDE = 160
const ORIGINAL = drawPicture('clouds', 1, SIDE)
const MARKED = withMark(ORIGINAL, 'v1-48')
const BOX = { x: 80, y: 80, width: 48, height: 48 }
const WHOLE = { x: 0, y: 0, width: SIDE, height: SIDE }

describe('removeFromJimp', () => {
  it('works in place on a jimp image', () => {
    const image = new Jimp({ width: SIDE, height: SIDE, data: Buffer.from(MARKED.data) })
    const result = removeFromJimp(image)
    expect(result).toMatchObject({ changed: true, marks: [{ mark: 'v1-48', x: 80, y: 80, lossless: true }] })
    expect(compare({ ...ORIGINAL, data: image.bitmap.data }, ORIGINAL, WHOLE).worst).toBe(1)
    expect(removeFromJimp(image)).toMatchObject({ changed: false, marks: [] })
  })

  it('only looks in a dry run', () => {
    const image = new Jimp({ width: SIDE, height: SIDE, data: Buffer.from(MARKED.data) })
    expect(removeFromJimp(image, { dryRun: true })).toMatchObject({ changed: false, marks: [{ mark: 'v1-48' }] })
    expect(compare({ ...MARKED, data: image.bitmap.data }, MARKED, WHOLE).worst).toBe(0)
  })
})

describe('removeVisibleMark', () => {
  it('reads the kind from the bytes and takes the door of its own', async () => {
    expect(await removeVisibleMark(writePng(MARKED))).toMatchObject({ format: 'png', changed: true, reencoded: false })
    expect(await removeVisibleMark(writeJpeg(MARKED))).toMatchObject({
      format: 'jpeg',
      changed: true,
      reencoded: false,
    })
  })

  it('restores a BMP file', async () => {
    const image = new Jimp({ width: SIDE, height: SIDE, data: Buffer.from(MARKED.data) })
    const file = await image.getBuffer('image/bmp')
    const result = await removeVisibleMark(Buffer.concat([Buffer.from('before'), file]).subarray(6))
    expect(result).toMatchObject({ format: 'bmp', changed: true, reencoded: true, sourceTypeWritten: false })
    expect(compare(await readWithJimp(result.bytes), ORIGINAL, WHOLE).worst).toBe(1)
  })

  it('decodes an interlaced PNG file and carries its metadata chunks over, byte for byte', async () => {
    const text = (value: string) => new TextEncoder().encode(value)
    const kept = [createChunk('caBX', text('jumb c2pa')), createChunk('tEXt', text('Title\0a'))]
    const result = await removeVisibleMark(writeInterlaced(MARKED, kept))
    expect(result).toMatchObject({ changed: true, reencoded: true, sourceTypeWritten: true })
    const chunks = readChunks(result.bytes)
    expect(chunks.slice(1, 3).map(({ start, end }) => Buffer.from(result.bytes.subarray(start, end)))).toEqual(
      kept.map((chunk) => Buffer.from(chunk)),
    )
    expect(compare(await readWithJimp(result.bytes), ORIGINAL, BOX).worst).toBe(1)
  })

  it('refuses what nothing here reads', async () => {
    await expect(removeVisibleMark(new TextEncoder().encode('RIFF....WEBPVP8 '))).rejects.toMatchObject({
      code: 'unknown_format',
    })
    const animated = writePng(MARKED, { before: [createChunk('acTL', new Uint8Array(8))] })
    await expect(removeVisibleMark(animated)).rejects.toMatchObject({ code: 'unsupported' })
    const cmyk = Buffer.concat([
      Uint8Array.of(0xff, 0xd8),
      segment(0xc0, [8, 0, 64, 0, 64, 4, 1, 17, 0, 2, 17, 0, 3, 17, 0, 4, 17, 0]),
      segment(0xda, [4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]),
      Uint8Array.of(0xff, 0xd9),
    ])
    await expect(removeVisibleMark(cmyk)).rejects.toMatchObject({ code: 'unsupported' })
    await expect(removeVisibleMark(writePng(MARKED), { maxPixels: 99 })).rejects.toMatchObject({ code: 'too_large' })
  })
})
