import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawPicture } from '../test/corpus.ts'
import { writeJpeg } from '../test/jpeg-writer.ts'
import { withMark } from '../test/marking.ts'
import { writePng } from '../test/png-writer.ts'
import { isWatermarkError } from './error.ts'
import { removeFromJpeg } from './jpeg.ts'
import { removeFromPng } from './png.ts'

/** Small files: a mutation then hits something that matters. 96 px hold the smallest mark. */
const PICTURE = withMark(drawPicture('clouds', 1, 96), 'v1-48')
const LIMITS = { maxBytes: 100_000, maxPixels: 40_000, scaled: false }

const DOORS = {
  png: {
    files: [writePng(PICTURE, { filter: 'mixed', chunkBytes: 700 }), writePng(PICTURE, { pixelBytes: 1, level: 1 })],
    run: (bytes: Uint8Array) => removeFromPng(bytes, LIMITS),
  },
  jpeg: {
    files: [
      writeJpeg(PICTURE, { quality: 50 }),
      writeJpeg(PICTURE, { quality: 50, sampling: 'grey', restartInterval: 9, tables: 'optimised' }),
    ],
    run: (bytes: Uint8Array) => removeFromJpeg(bytes, LIMITS),
  },
}

/** What happens to a file on its way: bytes flipped, a piece cut out, a piece doubled, the end lost. */
type Mutation =
  | { kind: 'set'; at: number; value: number }
  | { kind: 'cut'; at: number; length: number }
  | { kind: 'double'; at: number; length: number }
  | { kind: 'end'; at: number }

// Half of the places are near the beginning, where the headers are.
const place = fc.oneof(fc.nat(99_999), fc.nat(8_000)).map((n) => n / 100_000)
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('set' as const), at: place, value: fc.nat(255) }) },
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.nat(300) }),
  fc.record({ kind: fc.constant('double' as const), at: place, length: fc.nat(300) }),
  fc.record({ kind: fc.constant('end' as const), at: place }),
)

function mutate(file: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  return mutations.reduce((bytes, step) => {
    const at = Math.floor(step.at * bytes.length)
    if (step.kind === 'end') return bytes.slice(0, at)
    if (step.kind === 'set') {
      const changed = bytes.slice()
      if (at < changed.length) changed[at] = step.value
      return changed
    }
    const from = step.kind === 'cut' ? at + step.length : Math.max(0, at - step.length)
    return new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(from)]))
  }, file)
}

describe.each(Object.entries(DOORS))('the %s door', (_, { files, run }) => {
  it('answers 5,000 mutated files with a result or an error of its own', { timeout: 120_000 }, () => {
    let refused = 0
    let taken = 0
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(mutation, { minLength: 1, maxLength: 3 }), (file, mutations) => {
        const bytes = mutate(file, mutations)
        try {
          const result = run(bytes)
          taken++
          return result.changed || result.bytes === bytes
        } catch (error) {
          refused++
          return isWatermarkError(error)
        }
      }),
      { numRuns: 5000, seed: 20_261_120 },
    )
    expect(refused + taken).toBe(5000)
    expect(Math.min(refused, taken)).toBeGreaterThan(200)
  })

  it('does not read past any shorter end of a file', () => {
    for (const file of files) {
      for (let length = 0; length < file.length; length += 1 + Math.floor(file.length / 150)) {
        expect(() => run(file.slice(0, length))).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^(truncated|unknown_format|corrupt)$/) }),
        )
      }
    }
  })
})
