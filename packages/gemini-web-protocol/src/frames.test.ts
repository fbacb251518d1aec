import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createByteFrameDecoder,
  createFrameDecoder,
  decodeFrames,
  encodeFrames,
  encodeUnframed,
  type Frame,
  type FrameDecoder,
  FrameError,
  utf8Length,
} from './frames.ts'

const frames: Frame[] = [
  [['wrb.fr', null, '"Ünïcode ✓ 日本語 🇯🇵 👩‍🚀"']],
  [
    ['wrb.fr', null, '[]'],
    ['di', 12],
  ],
]
const body = encodeFrames(frames)
const withEnd = [...frames, [['e', 4, null, null, utf8Length(body)]]]

function inPieces<Input extends string | Uint8Array>(
  decoder: FrameDecoder<Input>,
  input: Input,
  size: number,
): Frame[] {
  const out: Frame[] = []
  for (let from = 0; from < input.length; from += size)
    out.push(...decoder.push(input.slice(from, from + size) as Input))
  return [...out, ...decoder.finish()]
}

/** Code of the error that `run` throws. */
function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof FrameError) return error.code
    throw error
  }
  return 'none'
}

describe('encodeFrames', () => {
  it('writes lengths in UTF-16 units with both line feeds, and a total in bytes', () => {
    expect(encodeFrames([[['di', '🇯🇵']]])).toBe(`)]}'\n\n17\n[["di","🇯🇵"]]\n24\n[["e",2,null,null,55]]\n`)
  })

  it('leaves the end out on request, and writes the unframed form', () => {
    expect(encodeFrames([[['di', 1]]], { end: false })).toBe(`)]}'\n\n12\n[["di",1]]\n`)
    expect(encodeUnframed([['di', 1]])).toBe(`)]}'\n\n[["di",1]]`)
  })
})

describe('createFrameDecoder', () => {
  it.each([1, 2, 7, 64, 10_000])('finds the same frames when the network cuts every %i units', (size) => {
    expect(inPieces(createFrameDecoder(), body, size)).toEqual(withEnd)
  })

  it.each([1, 2, 7, 64, 10_000])(
    'finds the same frames when the network cuts every %i bytes, also inside an emoji',
    (size) => {
      expect(inPieces(createByteFrameDecoder(), new TextEncoder().encode(body), size)).toEqual(withEnd)
    },
  )

  it('gives a frame out as soon as its last unit is there', () => {
    const decoder = createFrameDecoder()
    expect(decoder.push(`)]}'\n\n12\n[["di",1]]`)).toEqual([])
    expect(decoder.push('\n')).toEqual([[['di', 1]]])
    expect(decoder.framed).toBe(true)
    expect(decoder.finish()).toEqual([])
  })

  it('reads what it wrote, however it is cut', () => {
    const entry = fc.tuple(fc.constant('wrb.fr'), fc.constant(null), fc.string({ unit: 'grapheme', maxLength: 30 }))
    fc.assert(
      fc.property(
        fc.array(fc.array(entry, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        (list, size) => {
          const text = encodeFrames(list, { end: false })
          expect(inPieces(createFrameDecoder(), text, size)).toEqual(list)
          expect(inPieces(createByteFrameDecoder(), new TextEncoder().encode(text), size)).toEqual(list)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('reads the unframed form, which ends without a line feed', () => {
    const decoder = createFrameDecoder()
    expect(decoder.push(`)]}'\n\n[["wrb.fr",null,null,null,null,[4]],`)).toEqual([])
    expect(decoder.push('["di",7]]')).toEqual([])
    expect(decoder.finish()).toEqual([
      [
        ['wrb.fr', null, null, null, null, [4]],
        ['di', 7],
      ],
    ])
    expect(decoder.framed).toBe(false)
  })

  it.each([3, 11, 13, 500])('falls back to lines when a length says %i instead of 12', (wrong) => {
    const decoder = createFrameDecoder()
    const text = `)]}'\n\n${wrong}\n[["di",1]]\n12\n[["di",2]]\n`
    expect([...decoder.push(text), ...decoder.finish()]).toEqual([[['di', 1]], [['di', 2]]])
    expect(decoder.problems).toEqual([{ kind: 'length', frame: 0 }])
  })

  it('accepts one line feed behind the prefix and a missing one at the end', () => {
    expect(decodeFrames(`)]}'\n12\n[["di",1]]`)).toEqual([[['di', 1]]])
  })

  it('leaves out a line that is no array, and says so', () => {
    const decoder = createFrameDecoder()
    expect(decoder.push(`)]}'\n\n7\n{"a"}\n12\n[["di",2]]\n`)).toEqual([[['di', 2]]])
    expect(decoder.problems.map((problem) => problem.kind)).toEqual(['length', 'json'])
  })

  it.each(['12\n[["di",', '12\n', '12', '100\n[["di",1]]\n10'])(
    'reports a reply that ends inside a frame: %j',
    (rest) => {
      expect(codeOf(() => decodeFrames(`)]}'\n\n${rest}`))).toBe('truncated')
    },
  )

  it.each(['', '<!doctype html><title>Sorry</title>', 'x'.repeat(100), `)]}'\n\nnonsense\n`])(
    'reports what is no reply: %j',
    (text) => {
      expect(codeOf(() => decodeFrames(text))).toBe('malformed')
    },
  )

  it('refuses a frame over the limit by its declared length and by what arrives', () => {
    expect(codeOf(() => createFrameDecoder({ maxBuffered: 100 }).push(`)]}'\n\n101\n[`))).toBe('too_large')
    expect(codeOf(() => createFrameDecoder({ maxBuffered: 100 }).push(`)]}'\n\n[${'1,'.repeat(100)}`))).toBe(
      'too_large',
    )
  })
})
