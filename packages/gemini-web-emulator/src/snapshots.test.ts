import { messageEntry, snapshotMessage } from '@castorjs/gemini-web-protocol'
import { describe, expect, it } from 'vitest'
import { cutText, growingText } from './snapshots.ts'

describe('growingText', () => {
  it('writes what encoding each snapshot anew would write', () => {
    const build = (text: string): unknown =>
      snapshotMessage({ chatId: 'c_1', responseId: 'r_1', candidates: [{ id: 'rc_1', text, thoughts: 'hm' }] })
    const growing = growingText(build)
    let whole = ''
    for (const part of ['Hello', ' "wörld"\n', "<a href='x'> & \\ = \u2028", '漢字 😀', '\u0007\ttab']) {
      whole += part
      const { json, entries, bytes } = growing.add(part)
      expect(json).toBe(JSON.stringify([messageEntry(build(whole))]))
      expect([entries, bytes]).toEqual([1, new TextEncoder().encode(json).byteLength])
    }
  })
})

describe('cutText', () => {
  it.each([
    ['', 'auto', 400, []],
    ['abc', 'auto', 400, ['abc']],
    ['a word or two in a row', 'auto', 400, ['a word o', 'r two in', ' a row']],
    ['abcdef', 2, 400, ['ab', 'cd', 'ef']],
    ['abcdef', 2, 2, ['abc', 'def']],
    ['😀😀', 1, 400, ['😀', '😀']],
  ] as const)('cuts %j by %s into at most %i', (text, chars, most, parts) => {
    expect(cutText(text, chars, most)).toEqual(parts)
  })

  it('loses nothing and keeps to the limit', () => {
    const text = 'x'.repeat(200_000)
    const parts = cutText(text, 'auto', 400)
    expect([parts.length, parts.join('') === text]).toEqual([400, true])
  })
})
