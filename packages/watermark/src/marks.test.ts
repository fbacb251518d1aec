import { describe, expect, it } from 'vitest'
import { NO_FACTS, readJsonFact } from '../test/reference.ts'
import { markModels } from './marks.ts'

interface OnBlack {
  V2_96_on_black: number[][]
}
const isOnBlack = (value: unknown): value is OnBlack =>
  typeof value === 'object' && value !== null && 'V2_96_on_black' in value

describe('markModels', () => {
  it('gives the first generation 128/255 and the second 0.30 at most, but for the overshoot of the enlarged sprite', () => {
    const peak = (mark: Parameters<typeof markModels>[0]) => Math.max(...markModels(mark)[0]!.alpha)
    expect(peak('v1-48')).toBeCloseTo(128 / 255, 6)
    expect(peak('v1-96')).toBeCloseTo(128 / 255, 6)
    expect(peak('v2-48')).toBeCloseTo(0.3, 6)
    expect(peak('v2-96')).toBeCloseTo(0.37, 2)
  })

  it('darkens a ring around the enlarged sprite on white, and nothing else', () => {
    const { alpha, colour } = markModels('v2-96')[0]!
    const darkening = alpha.map((value, i) => value * (255 - colour[i]!))
    expect(Math.max(...darkening)).toBeGreaterThan(14)
    expect(darkening[48 * 96 + 48]).toBe(0)
    expect(darkening[0]).toBe(0)
  })

  it('blends the same light on black whichever edge the enlarged sprite has', () => {
    const [dark, white] = markModels('v2-96')
    const light = (model: NonNullable<typeof dark>) => Array.from(model.alpha, (a, i) => a * model.colour[i]!)
    const [a, b] = [light(dark!), light(white!)]
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-4)
  })

  it.skipIf(NO_FACTS)('agrees with the captures of the enlarged sprite on black', () => {
    const rows = readJsonFact('alpha-reference.json', isOnBlack).V2_96_on_black
    const { alpha, colour } = markModels('v2-96')[0]!
    const errors = rows.flatMap((row, y) =>
      row.map((measured, x) => Math.abs(measured - alpha[y * 96 + x]! * colour[y * 96 + x]!)),
    )
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.1)
    expect(Math.max(...errors)).toBeLessThan(1.2)
  })
})
