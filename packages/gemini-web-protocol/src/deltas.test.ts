import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDeltaWriter } from './deltas.ts'
import { cleanText } from './text.ts'

/** What a reader sees after these snapshots, and how often the writer met a rewrite. */
function tell(snapshots: readonly string[]): { text: string; drift: number } {
  const writer = createDeltaWriter()
  let text = ''
  for (const snapshot of snapshots) text += writer.push(snapshot)
  text += writer.finish()
  expect(writer.length).toBe(text.length)
  return { text, drift: writer.drift }
}

describe('createDeltaWriter', () => {
  it('appends what is new', () => {
    const writer = createDeltaWriter()
    expect(['Water', 'Water boils', 'Water boils', 'Water boils at 100 °C.'].map((text) => writer.push(text))).toEqual([
      'Water',
      ' boils',
      '',
      ' at 100 °C.',
    ])
    expect(writer.finish()).toBe('')
  })

  it('goes on behind a repaired list without repeating it', () => {
    expect(
      tell([
        'Here is the list:\n* one\n* tw',
        'Here is the list:\n\n* one\n* two',
        'Here is the list:\n\n* one\n* two\n* three',
      ]),
    ).toEqual({
      text: 'Here is the list:\n* one\n* two\n* three',
      drift: 1,
    })
  })

  it('goes on behind an escape that was taken back', () => {
    expect(tell(['5 \\* 3 is fifteen, and 4', '5 * 3 is fifteen, and 4 \\* 3 is twelve.'])).toEqual({
      text: '5 \\* 3 is fifteen, and 4 \\* 3 is twelve.',
      drift: 1,
    })
  })

  it('goes on behind a change far before the end', () => {
    const long = 'The quick brown fox jumps over the lazy dog. '.repeat(40)
    expect(tell([`A *b c. ${long}`, `A **b** c. ${long}And more.`])).toEqual({
      text: `A *b c. ${long}And more.`,
      drift: 1,
    })
  })

  it('goes on behind list marks that all changed', () => {
    expect(tell(['List:\n* first one\n* second on', 'List:\n- first one\n- second one\n- third'])).toEqual({
      text: 'List:\n* first one\n* second one\n- third',
      drift: 1,
    })
  })

  it('tells a replaced answer whole, behind the common start', () => {
    expect(tell(['Let me think about it', 'Yes: 1234567890 and 0987654321'])).toEqual({
      text: 'Let me think about itYes: 1234567890 and 0987654321',
      drift: 1,
    })
  })

  it('does not split an emoji where a rewrite departs', () => {
    expect(tell(['It is done \u{1f600}', 'It is done \u{1f601}!']).text).toBe('It is done \u{1f600}\u{1f601}!')
  })

  it('waits while the text is shorter than before', () => {
    expect(tell(['One two three', 'One two', 'One two three four'])).toEqual({ text: 'One two three four', drift: 0 })
  })

  it('holds back what is not settled', () => {
    const writer = createDeltaWriter()
    expect(writer.push('Look: http://googleuserc')).toBe('Look: ')
    expect(writer.push('Look: http://googleusercontent.com/image_generation_content/0')).toBe('')
    expect(writer.push('Look: http://googleusercontent.com/image_generation_content/0\n\nNice. \\')).toBe('Nice. ')
    // The backslash was not told, so taking it back is no drift.
    expect(writer.push('Look: http://googleusercontent.com/image_generation_content/0\n\nNice. *')).toBe('*')
    expect(writer.finish()).toBe('')
    expect(writer.drift).toBe(0)
  })

  it('does not tell the fence that a cut code block is closed with', () => {
    expect(
      tell(['```js\nlet a\n```', '```js\nlet a = 1\nlet b\n```', '```js\nlet a = 1\nlet b = 2\n```\nDone.']),
    ).toEqual({
      text: '```js\nlet a = 1\nlet b = 2\n```\nDone.',
      drift: 0,
    })
  })

  it('takes changes as well as whole texts', () => {
    const writer = createDeltaWriter()
    expect(writer.apply({ kept: 0, added: 'Hello wor' })).toBe('Hello wor')
    expect(writer.apply({ kept: 9, added: 'ld' })).toBe('ld')
    expect(writer.apply({ kept: 6, added: 'there' })).toBe('there')
    expect(writer.drift).toBe(1)
  })

  it('adds up to the clean text when snapshots only grow', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'grapheme' }),
            fc.constantFrom('\n```js\n', '\n```\n', 'http://googleusercontent.com/a/1\n', '[cite: 1]', '\\'),
          ),
          { maxLength: 20 },
        ),
        (pieces) => {
          const snapshots = pieces.map((_, index) => pieces.slice(0, index + 1).join(''))
          expect(tell(snapshots)).toEqual({ text: cleanText(pieces.join('')).text, drift: 0 })
        },
      ),
      { numRuns: 500 },
    )
  })

  it('never loses the words behind a rewrite, and tells each once', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 12, maxLength: 40 })
    fc.assert(
      fc.property(words, fc.nat(), fc.constantFrom('*', '\n', '\\', '**'), (list, seed, mark) => {
        // Words are made unique, so that counting them is meaningful.
        const unique = list.map((word, index) => `${word}${index}.`)
        const at = 1 + (seed % (unique.length - 6))
        const before = unique.slice(0, unique.length - 3).join(' ')
        const changed = [...unique.slice(0, at), mark + (unique[at] as string), ...unique.slice(at + 1)].join(' ')
        const { text } = tell([before, changed])
        for (const word of unique) expect(text.split(word).length - 1, `${word} in ${text}`).toBe(1)
      }),
      { numRuns: 500 },
    )
  })
})
