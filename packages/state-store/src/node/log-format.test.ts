import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isStateError } from '../error.ts'
import type { Change } from '../table.ts'
import { encodeChange, encodeHeader, readLog } from './log-format.ts'

const changes: Change[] = [
  { r: 'a', v: '{"text":"ü 🐈\\n"}', n: 1 },
  { c: 'hits', v: 3, e: 1_800_000_000_000 },
  { r: 'a', n: 2 },
]
const lines = [encodeHeader(1234), ...changes.map(encodeChange)]
const whole = Buffer.from(lines.join(''))

describe('readLog', () => {
  it('reads what was written', () => {
    expect(readLog(whole)).toEqual({ changes, goodBytes: whole.length, damagedLines: 0, keptBytes: 1234 })
    expect(readLog(Buffer.alloc(0))).toEqual({ changes: [], goodBytes: 0, damagedLines: 0, keptBytes: undefined })
    // As it was before the header told a length.
    const before = Buffer.from(`9f76b637 {"castorState":1}\n${encodeChange({ c: 'hits', v: 1 })}`)
    expect(readLog(before)).toMatchObject({ changes: [{ c: 'hits', v: 1 }], damagedLines: 0, keptBytes: undefined })
  })

  it('writes lines that other tools can check', () => {
    const header = encodeHeader(1234)
    expect(header).toBe('d2dd5202 {"castorState":1,"kept":           1234}\n')
    expect(encodeHeader(999_999_999_999_999)).toHaveLength(header.length)
  })

  it('finds each line that was changed, and loses no other', () => {
    for (const [index, line] of lines.entries()) {
      for (let at = 0; at < line.length - 1; at++) {
        const bytes = Buffer.from(lines.join(''))
        const start = Buffer.byteLength(lines.slice(0, index).join('')) + at
        bytes[start] = (bytes[start] ?? 0) ^ 0x04
        const { changes: found, damagedLines } = readLog(bytes)
        expect(damagedLines).toBeGreaterThan(0)
        for (const [other, change] of changes.entries()) if (other !== index - 1) expect(found).toContainEqual(change)
      }
    }
  })

  it('never fails in another way, whatever the bytes are', () => {
    const cuts = fc.record({ at: fc.nat(whole.length), remove: fc.nat(60), insert: fc.uint8Array({ maxLength: 60 }) })
    fc.assert(
      fc.property(cuts, ({ at, remove, insert }) => {
        const bytes = Buffer.concat([whole.subarray(0, at), insert, whole.subarray(at + remove)])
        try {
          const { changes: found, goodBytes } = readLog(bytes)
          // A checksum of 32 bits lets nothing through that was not written.
          for (const change of found) expect(changes).toContainEqual(change)
          expect(goodBytes).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect(isStateError(error)).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
