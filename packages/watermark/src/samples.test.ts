import { describe, expect, it } from 'vitest'
import { readWithJimp } from '../test/read-jpeg.ts'
import { compare } from '../test/marking.ts'
import { NO_FACTS, readFact, readJsonFact } from '../test/reference.ts'
import { removeVisibleMark } from './jimp.ts'

interface Sample {
  file: string
  original: string
  mark: string
  x: number
  y: number
  size: number
}
const isSamples = (value: unknown): value is Sample[] =>
  Array.isArray(value) && value.every((item) => 'mark' in Object(item))

const SAMPLES = NO_FACTS === undefined ? readJsonFact('samples/samples.json', isSamples) : []

describe.skipIf(NO_FACTS)('the sample pictures', () => {
  it.each(SAMPLES)('$file', async ({ file, original, mark, x, y, size }) => {
    const marked = readFact(`samples/${file}`)
    const { bytes, marks } = await removeVisibleMark(marked)
    expect(marks.map((found) => [found.mark, found.x, found.y, found.width])).toEqual([[mark, x, y, size]])
    const clean = await readWithJimp(readFact(`samples/${original}`))
    const error = compare(await readWithJimp(bytes), clean, { x, y, width: size, height: size })
    if (file.endsWith('.jpg')) expect(error.psnr).toBeGreaterThan(35.5)
    else expect(error.worst).toBeLessThanOrEqual(mark === 'v2-96' ? 2 : 1)
  })

  it.each([...new Set(SAMPLES.map(({ original }) => original))])('%s comes back as it was', async (original) => {
    const bytes = readFact(`samples/${original}`)
    expect((await removeVisibleMark(bytes)).bytes).toBe(bytes)
  })
})
