import { describe, expect, it } from 'vitest'
import { createRandom, DECOYS, drawDecoy, drawPicture, KINDS, type Kind } from '../test/corpus.ts'
import { compareUnderMark, copyOf, MARKS, PLACES, withMark } from '../test/marking.ts'
import { isWatermarkError } from './error.ts'
import type { RawImage } from './image.ts'
import { locate } from './locate.ts'
import type { NativeMark } from './marks.ts'
import { remove } from './remove.ts'

const SIDE = 320
const SEEDS = [0, 1, 2, 3]

/** Every kind and seed once; pictures are drawn when they are needed. */
const PICTURES = KINDS.flatMap((kind) => SEEDS.map((seed) => ({ kind, seed })))

const drawn = new Map<string, RawImage>()

/** A copy of a picture that is drawn once. */
function picture(kind: Kind, seed: number): RawImage {
  const key = `${kind} ${seed}`
  const known = drawn.get(key) ?? drawPicture(kind, seed, SIDE)
  drawn.set(key, known)
  return copyOf(known)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

/** Bars of lossless storage: share of misses, median PSNR under the mark in dB, largest error in levels. */
const BARS: Record<NativeMark, { misses: number; psnr: number; worst: number }> = {
  'v1-48': { misses: 0.04, psnr: 51, worst: 1 },
  'v1-96': { misses: 0.04, psnr: 51, worst: 1 },
  'v2-48': { misses: 0.04, psnr: 53, worst: 1 },
  'v2-96': { misses: 0.08, psnr: 51, worst: 2 },
}

describe('locate and remove', () => {
  it.each(MARKS)('meet the bars of lossless storage for %s', (mark) => {
    const psnrs: number[] = []
    let misses = 0
    let worst = 0
    for (const { kind, seed } of PICTURES) {
      const original = picture(kind, seed)
      const marked = withMark(original, mark)
      const location = locate(marked)
      if (!location.found || location.placement.mark !== mark) {
        misses++
        continue
      }
      const { x, y, width } = location.placement
      expect([x, y, width]).toEqual([SIDE - PLACES[mark] - width, SIDE - PLACES[mark] - width, Number(mark.slice(3))])
      const before = copyOf(marked)
      remove(marked, location.placement)
      expect(Buffer.compare(outside(marked, location.placement), outside(before, location.placement))).toBe(0)
      const error = compareUnderMark(marked, original, location.placement.laid)
      psnrs.push(error.psnr)
      worst = Math.max(worst, error.worst)
    }
    expect(misses / PICTURES.length).toBeLessThanOrEqual(BARS[mark].misses)
    expect(median(psnrs)).toBeGreaterThanOrEqual(BARS[mark].psnr)
    expect(worst).toBeLessThanOrEqual(BARS[mark].worst)
  })

  it('raise no false alarm on clean pictures of every kind', () => {
    const alarms = PICTURES.filter(({ kind, seed }) => locate(picture(kind, seed)).found)
    expect(alarms).toEqual([])
  })

  it.each(DECOYS)('raise no false alarm on a %s where a mark would be', (decoy) => {
    const alarms = PICTURES.filter(({ kind, seed }, i) => {
      const decoyed = picture(kind, seed)
      const mark = MARKS[i % MARKS.length]!
      drawDecoy(decoyed, decoy, Number(mark.slice(3)), PLACES[mark], createRandom(i))
      return locate(decoyed).found
    })
    expect(alarms).toEqual([])
  })
})

/** All bytes but the colours in the square. */
function outside(
  { width, data }: { width: number; data: Uint8Array | Uint8ClampedArray },
  box: { x: number; y: number; width: number; height: number },
): Uint8Array {
  const rest = new Uint8Array(data)
  for (let y = box.y; y < box.y + box.height; y++) {
    for (let x = box.x; x < box.x + box.width; x++) rest.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
  }
  return rest
}

describe('locate', () => {
  it('finds a mark on a picture darker than the mark, and says that the bound refutes the unmarked one', () => {
    const black = drawPicture('black', 0, SIDE)
    expect(locate(black)).toEqual({ found: false, reason: 'refuted', confidence: 0 })
    const location = locate(withMark(black, 'v2-48'))
    expect(location.found && location.placement.mark).toBe('v2-48')
  })

  it('says that a picture is too small for any mark', () => {
    expect(locate(drawPicture('flat', 0, 40))).toEqual({ found: false, reason: 'too_small', confidence: 0 })
  })

  it('finds the place reported for some JPEG files, 89 px from the edge', () => {
    const location = locate(withMark(drawPicture('clouds', 1, SIDE), 'v2-48', 89))
    expect(location.found && [location.placement.mark, location.placement.x]).toEqual(['v2-48', SIDE - 89 - 48])
  })

  it('asks for less when metadata declares a mark', () => {
    const faint = withMark(drawPicture('bright', 2, SIDE), 'v2-48')
    const plain = locate(faint, { minConfidence: 0 })
    const declared = locate(faint, { minConfidence: 0, declared: true })
    expect(declared.confidence).toBeGreaterThan(plain.confidence)
  })

  it('leaves a guess below the bar alone', () => {
    expect(locate(withMark(drawPicture('clouds', 1, SIDE), 'v2-48'), { minConfidence: 1 })).toMatchObject({
      found: false,
      reason: 'unsure',
    })
  })

  it('never writes to the picture', () => {
    const marked = withMark(drawPicture('leaves', 1, SIDE), 'v1-96')
    const before = copyOf(marked)
    locate(marked)
    expect(marked.data.every((value, i) => value === before.data[i])).toBe(true)
  })

  it('names the side, the length or the option that is wrong', () => {
    const data = new Uint8Array(16)
    const code = (run: () => unknown) => {
      try {
        run()
        return 'nothing thrown'
      } catch (error) {
        return isWatermarkError(error) ? error.message : error
      }
    }
    expect(code(() => locate({ width: 0, height: 2, data }))).toBe(
      'width and height must be whole pixels above zero, not 0×2',
    )
    expect(code(() => locate({ width: 3, height: 2, data }))).toBe(
      'data must be 24 bytes of RGBA for 3×2 pixels, not 16',
    )
    expect(code(() => locate({ width: 2, height: 2, data }, { minConfidence: 2 }))).toBe(
      'minConfidence must lie between 0 and 1, not 2',
    )
  })
})

describe('remove', () => {
  it('keeps the alpha channel', () => {
    const marked = withMark(drawPicture('leaves', 2, SIDE), 'v1-48')
    for (let i = 3; i < marked.data.length; i += 4) marked.data[i] = i % 251
    const location = locate(marked)
    if (!location.found) throw new Error('not found')
    remove(marked, location.placement)
    expect(marked.data.every((value, i) => i % 4 !== 3 || value === i % 251)).toBe(true)
  })

  it('takes two marks off a picture that was edited twice', () => {
    const original = drawPicture('clouds', 3, SIDE)
    const marked = withMark(withMark(original, 'v1-48'), 'v2-96')
    const names: string[] = []
    for (let location = locate(marked); location.found; location = locate(marked)) {
      names.push(location.placement.mark)
      remove(marked, location.placement)
    }
    expect(names.sort()).toEqual(['v1-48', 'v2-96'])
  })

  it('refuses a placement of another picture', () => {
    const location = locate(withMark(drawPicture('clouds', 1, SIDE), 'v2-48'))
    if (!location.found) throw new Error('not found')
    expect(() => remove(drawPicture('flat', 0, 64), location.placement)).toThrow('does not fit into the picture')
  })
})
