import { describe, expect, it } from 'vitest'
import { NO_FACTS, readJsonFact } from '../test/reference.ts'
import { starCoverage } from './coverage.ts'

const SIZES = [36, 48, 96] as const

interface Levels {
  K36: string[]
  K48: string[]
  K96: string[]
}
const isLevels = (value: unknown): value is Levels =>
  typeof value === 'object' && value !== null && 'K36' in value && 'K48' in value && 'K96' in value

describe('starCoverage', () => {
  it.each(SIZES)('has four-fold rotation and no mirror symmetry at %i px', (size) => {
    const levels = starCoverage(size)
    let turned = 0
    let mirrored = 0
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        if (levels[y * size + x] !== levels[x * size + size - 1 - y]) turned++
        if (levels[y * size + x] !== levels[y * size + size - 1 - x]) mirrored++
      }
    }
    expect(turned).toBe(0)
    expect(mirrored).toBeGreaterThan(0)
  })

  it('is full in the middle and empty in the corners', () => {
    const levels = starCoverage(48)
    expect([levels[24 * 48 + 24], levels[0], levels[47], levels[48 * 48 - 1]]).toEqual([16, 0, 0, 0])
  })

  it('draws each size on its own: 48 px is not 96 px halved', () => {
    const small = starCoverage(48)
    const large = starCoverage(96)
    let different = 0
    for (let y = 0; y < 48; y++) {
      for (let x = 0; x < 48; x++) {
        const at = 2 * y * 96 + 2 * x
        const mean = (large[at]! + large[at + 1]! + large[at + 96]! + large[at + 97]!) / 4
        if (Math.abs(small[y * 48 + x]! - mean) > 0.5) different++
      }
    }
    expect(different).toBeGreaterThan(20)
  })

  it.skipIf(NO_FACTS).each(SIZES)('equals the measured opacity level for level at %i px', (size) => {
    const rows = readJsonFact('alpha-reference.json', isLevels)[`K${size}`]
    const levels = starCoverage(size)
    const drawn = rows.map((_, y) => [...levels.subarray(y * size, (y + 1) * size)].map((k) => k.toString(17)).join(''))
    expect(drawn).toEqual(rows)
  })
})
