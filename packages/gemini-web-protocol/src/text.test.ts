import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanText, createTextCleaner } from './text.ts'

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  fc.constantFrom(
    '\n',
    '\n\n',
    '```',
    '```js\nlet a\n```\n',
    '```python?code_reference&code_event_index=2\nprint(1)\n```\n',
    '```text?code_stdout&code_event_index=2\n1\n\n```\n',
    'http://googleusercontent.com/card_content/0',
    'http://googleusercontent.com/image_generation_content/12\n\n',
    'https://google.com/a',
    'http://googleuserc',
    '[cite: 1, 2]',
    '[cite_start]',
    '[cite',
    '[link](x)',
    '<FollowUp label="More" query="Tell me more"/>',
    '<FollowUp',
    '<b>',
    '\\',
    '\\*',
    '`',
    ' ',
    '👩‍🚀',
  ),
)
const prose = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''))

function inPieces(text: string, cuts: readonly number[]): string {
  const cleaner = createTextCleaner()
  let out = ''
  let from = 0
  for (const cut of [...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]) {
    out += cleaner.push(text.slice(from, cut))
    from = cut
  }
  return out + cleaner.finish()
}

describe('cleanText', () => {
  it.each([
    ['plain text stays as it is', 'a < b\n\n* one', 'a < b\n\n* one'],
    [
      'placeholders go with the line feeds behind them',
      'Here.\nhttp://googleusercontent.com/image_generation_content/0\n\nMore',
      'Here.\nMore',
    ],
    ['any word is a placeholder', 'http://googleusercontent.com/something_new/3\nx', 'x'],
    ['other links stay', 'see https://googleusercontent.com.evil/x', 'see https://googleusercontent.com.evil/x'],
    [
      'code runs and their output go',
      '```python?code_reference&code_event_index=2\nprint(2**10)\n```\n```text?code_stdout&code_event_index=2\n1024\n\n```\n2 to the power of 10 is 1024.',
      '2 to the power of 10 is 1024.',
    ],
    [
      'a lone code run stays with a plain fence',
      '```python?code_reference&code_event_index=2\nprint(1)\n```\n',
      '```python\nprint(1)\n```\n',
    ],
    [
      'ordinary code stays',
      '```js\nlet a = "http://googleusercontent.com/card_content/0"\n```\nok',
      '```js\nlet a = "http://googleusercontent.com/card_content/0"\n```\nok',
    ],
    ['citation marks go', 'So it is[cite: 1, 3]. [cite_start]Yes.', 'So it is. Yes.'],
    ['a cut placeholder at the very end stays', 'see http://googleuserc', 'see http://googleuserc'],
  ])('%s', (_, text, clean) => {
    expect(cleanText(text).text).toBe(clean)
  })

  it('lists the follow-ups it takes out', () => {
    expect(
      cleanText('Done.\n<FollowUp label="More" query="Tell me more"/>\n<FollowUp label="Less" query="Shorter"/>'),
    ).toEqual({
      text: 'Done.\n',
      followUps: [
        { label: 'More', query: 'Tell me more' },
        { label: 'Less', query: 'Shorter' },
      ],
    })
  })

  it('keeps citations and everything else on request', () => {
    expect(cleanText('a [cite: 1]', { citations: 'keep' }).text).toBe('a [cite: 1]')
    const raw = 'http://googleusercontent.com/card_content/0\n[cite: 1]'
    expect(cleanText(raw, { clean: false }).text).toBe(raw)
  })

  it('gives the same text however it arrives', () => {
    fc.assert(
      fc.property(prose, fc.array(fc.nat(), { maxLength: 40 }), (text, cuts) => {
        expect(inPieces(text, cuts)).toBe(cleanText(text).text)
      }),
      { numRuns: 2_000 },
    )
  })

  it('knows a fence that is indented, however it arrives', () => {
    const text = ' ```python?code_reference&code_event_index=2\nprint(1)\n ```\nDone.'
    for (let cut = 0; cut <= text.length; cut++) expect(inPieces(text, [cut, cut + 1])).toBe('Done.')
  })

  it('never gives out half a surrogate pair, an open placeholder, or a closing fence at the end', () => {
    const cleaner = createTextCleaner()
    expect(cleaner.push('ok \ud83d')).toBe('ok ')
    expect(cleaner.push('\ude00 http://googleuserc')).toBe('😀 ')
    expect(cleaner.push('ontent.com/x/1\n\nA\n```js\nlet a\n```')).toBe('A\n```js\nlet a')
    expect(cleaner.finish()).toBe('\n```')
  })
})
