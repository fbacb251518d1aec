import { describe, expect, it } from 'vitest'
import { drawPicture, type Kind } from '../test/corpus.ts'
import { segment, writeJpeg, type JpegShape } from '../test/jpeg-writer.ts'
import { compare, MARKS, PLACES, withMark } from '../test/marking.ts'
import { readWithJimp } from '../test/read-jpeg.ts'
import { sameBytes } from '../test/same-bytes.ts'
import { readFrame } from './jpeg/markers.ts'
import { cleanScan, walkScan } from './jpeg/scan.ts'
import { removeFromJpeg } from './jpeg.ts'
import type { NativeMark } from './marks.ts'

const SIDE = 320
const ORIGINAL = drawPicture('clouds', 1, SIDE)
const boxOf = (mark: NativeMark) => {
  const size = Number(mark.slice(3))
  const at = SIDE - PLACES[mark] - size
  return { x: at, y: at, width: size, height: size }
}

/** MCUs whose coefficients differ between two files of the same shape. */
function changedMcus(a: Uint8Array, b: Uint8Array): number[] {
  const [left, right] = [a, b].map((bytes) => {
    const frame = readFrame(bytes)
    return { frame, capture: walkScan(frame, cleanScan(bytes, frame), { column: 0, row: 0 }) }
  })
  const blocks = left!.capture.blockComponent.length * 64
  const changed = new Set<number>()
  left!.capture.coefficients.forEach((value, i) => {
    if (value !== right!.capture.coefficients[i]) changed.add(Math.floor(i / blocks))
  })
  return [...changed]
}

const SHAPES: [string, JpegShape][] = [
  ['4:2:0', {}],
  ['4:2:2', { sampling: '4:2:2' }],
  ['4:4:0', { sampling: '4:4:0' }],
  ['4:4:4', { sampling: '4:4:4' }],
  ['grey', { sampling: 'grey' }],
  ['optimised tables', { tables: 'optimised' }],
  ['restart markers', { restartInterval: 7 }],
  ['restart markers and optimised tables', { restartInterval: 20, tables: 'optimised', sampling: '4:4:4' }],
]

describe('removeFromJpeg', () => {
  it.each(SHAPES)('changes the coefficients under the mark and no other: %s', (_, shape) => {
    const file = writeJpeg(withMark(ORIGINAL, 'v1-48'), shape)
    const result = removeFromJpeg(file)
    expect(result.marks.map(({ mark, x, y }) => [mark, x, y])).toEqual([['v1-48', 240, 240]])
    const { mcusAcross, maxH, maxV } = readFrame(file)
    const outside = changedMcus(file, result.bytes).filter((mcu) => {
      const x = (mcu % mcusAcross) * 8 * maxH
      const y = Math.floor(mcu / mcusAcross) * 8 * maxV
      return x + 8 * maxH <= 240 || y + 8 * maxV <= 240 || x >= 288 || y >= 288
    })
    expect(outside).toEqual([])
  })

  it.each(SHAPES)('writes files another decoder reads: %s', async (_, shape) => {
    const original = shape.sampling === 'grey' ? greyOf(ORIGINAL) : ORIGINAL
    const file = writeJpeg(withMark(original, 'v1-48'), shape)
    const [before, after] = [await readWithJimp(file), await readWithJimp(removeFromJpeg(file).bytes)]
    expect(compare(after, original, boxOf('v1-48')).psnr).toBeGreaterThan(33)
    expect(compare(after, before, { x: 0, y: 0, width: SIDE, height: 224 })).toEqual({ worst: 0, psnr: Infinity })
  })

  it('handles sides that are no multiple of an MCU', () => {
    const odd = drawPicture('clouds', 2, 333, 317)
    const result = removeFromJpeg(writeJpeg(withMark(odd, 'v1-48'), { restartInterval: 5 }))
    expect(result.marks.map(({ mark, x, y }) => [mark, x, y])).toEqual([['v1-48', 253, 237]])
  })

  it('keeps every APPn and COM segment byte for byte, and the C2PA store where it was', () => {
    const text = (value: string) => new TextEncoder().encode(value)
    const segments = [
      segment(0xe0, text('JFIF\0\x01\x01\0\0\x01\0\x01\0\0')),
      segment(0xe1, text('Exif\0\0II*\0')),
      segment(0xeb, text('JP\0\x01jumb c2pa Added visible watermark')),
      segment(0xfe, text('a comment')),
    ]
    const file = writeJpeg(withMark(ORIGINAL, 'v1-48'), { segments })
    const result = removeFromJpeg(file)
    const others = (bytes: Uint8Array) =>
      readFrame(bytes)
        .segments.filter(({ marker }) => (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe)
        .map(({ start, end }) => Buffer.from(bytes.subarray(start, end)).toString('latin1'))
    const kept = others(result.bytes).filter((value) => !value.includes('trainedAlgorithmicMedia'))
    expect(kept).toEqual(others(file))
    expect(result.sourceTypeWritten).toBe(true)
    const heads = segments.slice(0, 3).reduce((sum, { length }) => sum + length, 2)
    expect(sameBytes(result.bytes.subarray(0, heads), file.subarray(0, heads))).toBe(true)
    expect(removeFromJpeg(result.bytes).changed).toBe(false)
  })

  it('gives the very bytes back when there is no mark, and when only asked to look', () => {
    const clean = writeJpeg(ORIGINAL)
    expect(removeFromJpeg(clean).bytes).toBe(clean)
    const marked = writeJpeg(withMark(ORIGINAL, 'v2-96'))
    const { bytes, ...look } = removeFromJpeg(marked, { dryRun: true })
    expect(bytes).toBe(marked)
    expect(look).toMatchObject({ changed: false, marks: [{ mark: 'v2-96' }] })
  })
})

function greyOf(image: typeof ORIGINAL): typeof ORIGINAL {
  const data = image.data.slice()
  for (let i = 0; i < data.length; i += 4) data[i] = data[i + 1] = data[i + 2] = data[i + 1]!
  return { ...image, data }
}

/** Bars on pictures that are neither flat nor as rough as noise, as the facts measure them: median PSNR in the square, dB. */
const BARS: Record<NativeMark, readonly [number, number, number]> = {
  'v1-48': [34, 35.5, 38.5],
  'v1-96': [33.5, 35, 38],
  'v2-48': [36, 37.5, 40.5],
  'v2-96': [35, 36.5, 40],
}
const KINDS: Kind[] = ['clouds', 'gradient', 'lights', 'dark', 'bright']
const QUALITIES = [75, 85, 95] as const
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!

describe('removeFromJpeg meets the bars', () => {
  const pictures = KINDS.map((kind) => drawPicture(kind, 1, SIDE))
  const plain = QUALITIES.map((quality) =>
    Promise.all(pictures.map((picture) => readWithJimp(writeJpeg(picture, { quality, sampling: '4:4:4' })))),
  )

  it.each(MARKS)('for %s at quality 75, 85 and 95, or stays within 2 dB of the unmarked JPEG', async (mark) => {
    for (const [i, quality] of QUALITIES.entries()) {
      const found: number[] = []
      const unmarked: number[] = []
      for (const [n, picture] of pictures.entries()) {
        const { bytes, changed } = removeFromJpeg(writeJpeg(withMark(picture, mark), { quality, sampling: '4:4:4' }))
        if (!changed) continue
        found.push(compare(await readWithJimp(bytes), picture, boxOf(mark)).psnr)
        unmarked.push(compare((await plain[i]!)[n]!, picture, boxOf(mark)).psnr)
      }
      expect(found.length).toBe(pictures.length)
      expect(median(found)).toBeGreaterThanOrEqual(Math.min(BARS[mark][i]!, median(unmarked) - 2))
    }
  })
})

describe('removeFromJpeg refuses', () => {
  const good = writeJpeg(withMark(ORIGINAL, 'v1-48'))
  const frameAt = readFrame(good).segments.find(({ marker }) => marker === 0xc0)!
  const patched = (at: number, ...values: number[]) => {
    const bytes = good.slice()
    bytes.set(values, at)
    return bytes
  }

  it.each([
    ['something else', new TextEncoder().encode('BM and so on'), 'unknown_format'],
    ['a file that ends in its headers', good.slice(0, 100), 'truncated'],
    ['a file that ends in its pixels', good.slice(0, good.length - 900), 'truncated'],
    ['progressive files', patched(frameAt.start + 1, 0xc2), 'unsupported'],
    ['arithmetic coding', patched(frameAt.start + 1, 0xc9), 'unsupported'],
    ['12 bits a sample', patched(frameAt.dataStart, 12), 'unsupported'],
    ['a width of zero', patched(frameAt.dataStart + 3, 0, 0), 'corrupt'],
    ['CMYK', patched(frameAt.dataStart + 5, 4), 'corrupt'],
    ['odd sampling', patched(frameAt.dataStart + 7, 0x41), 'unsupported'],
    ['more rows than there are', patched(frameAt.dataStart + 1, 0x40, 0), 'truncated'],
    ['too many pixels', patched(frameAt.dataStart + 1, 0xff, 0xff, 0xff, 0xff), 'too_large'],
  ])('%s', (_, bytes, code) => {
    expect(() => removeFromJpeg(bytes)).toThrow(expect.objectContaining({ code }))
  })
})
