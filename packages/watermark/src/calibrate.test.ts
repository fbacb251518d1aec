import { describe, expect, it } from 'vitest'
import { createRandom, drawPicture } from '../test/corpus.ts'
import { withMark } from '../test/marking.ts'
import { calibrate, toPlacedModel } from './calibrate.ts'
import { starCoverage } from './coverage.ts'
import type { RawImage } from './image.ts'
import { locate } from './locate.ts'
import type { NativeMark } from './marks.ts'
import { remove } from './remove.ts'

/** A nearly uniform picture: a level, and grain around it. */
function nearlyUniform(level: number, grain: number, seed: number): RawImage {
  const random = createRandom(seed)
  const data = new Uint8ClampedArray(200 * 200 * 4).fill(255)
  for (let i = 0; i < data.length; i++)
    if (i % 4 < 3) data[i] = level + (random() + random() + random() - 1.5) * 2 * grain
  return { width: 200, height: 200, data }
}

function wrongLevels(levels: readonly string[], size: number): number {
  const truth = starCoverage(size)
  return Array.from(levels.join(''), (digit) => parseInt(digit, 17)).filter((level, i) => level !== truth[i]).length
}

const CASES: [string, NativeMark, number, RawImage[]][] = [
  ['one black picture', 'v1-48', 128 / 255, [nearlyUniform(1, 0.7, 1)]],
  ['one black picture', 'v2-48', 0.3, [nearlyUniform(2, 0.8, 2)]],
  ['one nearly black picture', 'v1-96', 128 / 255, [nearlyUniform(6, 2, 3)]],
  ['two flat pictures', 'v2-48', 0.3, [nearlyUniform(60, 1, 4), nearlyUniform(120, 1, 5)]],
  ['eight grainy ones', 'v1-48', 128 / 255, Array.from({ length: 8 }, (_, i) => nearlyUniform(20 + 10 * i, 3, 10 + i))],
]
const MARGIN = { 'v1-48': 32, 'v1-96': 64, 'v2-48': 96, 'v2-96': 192 }

describe('calibrate', () => {
  it.each(CASES)('measures every level from %s (%s)', (_, mark, opacity, pictures) => {
    const size = Number(mark.slice(3))
    const margin = MARGIN[mark]
    const rounding = mark.startsWith('v1') ? 'floor' : 'nearest'
    const measured = calibrate(
      pictures.map((picture) => withMark(picture, mark)),
      { size, margin, rounding },
    )
    expect(measured).toMatchObject({ size, margin, snapped: true, pictures: pictures.length })
    expect(measured.opacity).toBe(opacity)
    expect(wrongLevels(measured.levels, size)).toBe(0)
  })

  it('gives a model that locate and remove use, also after a trip through JSON', () => {
    const measured = calibrate([withMark(nearlyUniform(0, 0, 1), 'v2-48', 40)], { name: 'new', size: 48, margin: 40 })
    const models = [toPlacedModel(JSON.parse(JSON.stringify(measured)) as typeof measured)]
    const original = drawPicture('clouds', 1, 320)
    const marked = withMark(original, 'v2-48', 40)
    const location = locate(marked, { models })
    if (!location.found) throw new Error('not found')
    expect(location.placement).toMatchObject({ mark: 'new', x: 232, y: 232, width: 48 })
    remove(marked, location.placement)
    expect(marked.data.every((value, i) => Math.abs(value - original.data[i]!) <= 1)).toBe(true)
  })

  it('says when the guess of the place is wrong', () => {
    const black = withMark(nearlyUniform(0, 0, 1), 'v2-48', 40)
    expect(calibrate([black], { size: 48, margin: 46 }).snapped).toBe(false)
    expect(() => calibrate([nearlyUniform(0, 0, 1)], { size: 48, margin: 40 })).toThrow('no half-transparent mark')
  })

  it('names what cannot be used', () => {
    expect(() => calibrate([], { size: 48, margin: 32 })).toThrow('at least one picture')
    expect(() => calibrate([nearlyUniform(0, 0, 1)], { size: 47, margin: 32 })).toThrow('size must be an even number')
    expect(() => calibrate([nearlyUniform(0, 0, 1)], { size: 48, margin: -1 })).toThrow('margin must be')
    expect(() => calibrate([nearlyUniform(0, 0, 1)], { size: 190, margin: 32 })).toThrow('no room for the mark')
    expect(() => calibrate([nearlyUniform(240, 0, 1)], { size: 48, margin: 32 })).toThrow('too bright')
  })
})
