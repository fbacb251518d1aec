import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CandidateInput } from './candidate.ts'
import { messageEntry, refusalEntry, trailerEntries } from './envelope.ts'
import { createFrameEncoder, decodeFrames, type Frame, FrameError } from './frames.ts'
import { createReply, mergeEntry, type ReplySnapshot } from './reply.ts'
import { createReplyDecoder, readReply } from './reply-decoder.ts'
import {
  ackMessage,
  activityMessage,
  contextMessage,
  progressMessage,
  snapshotMessage,
  titleMessage,
} from './reply-messages.ts'

const ids = { chatId: 'c_1', responseId: 'r_1' }

function body(frames: readonly Frame[], { end = true }: { end?: boolean } = {}): Uint8Array {
  const encoder = createFrameEncoder()
  const text = frames.map((frame) => encoder.push(frame)).join('')
  return new TextEncoder().encode(end ? text + encoder.push(trailerEntries({ ms: 9 })) + encoder.end() : text)
}

function snapshot(candidate: Partial<CandidateInput>, nodes?: unknown, modelName = '3.6 Flash'): Frame {
  const message = snapshotMessage({
    ...ids,
    candidates: [{ id: 'rc_1', ...candidate }],
    modelId: 'm',
    modelName,
    ...(nodes === undefined ? {} : { nodes }),
  })
  return [messageEntry(message)]
}

/** The answer as parsed nodes, one per line. */
function nodesOf(text: string): unknown {
  return text.split('\n').map((line) => [null, [null, 0, line, { 3: [line.length, true] }]])
}

/** The plain way through every frame: what the decoder must agree with. */
function readPlain(bytes: Uint8Array): ReplySnapshot {
  const reply = createReply()
  for (const frame of decodeFrames(bytes)) for (const entry of frame) mergeEntry(reply, entry)
  return reply
}

/** Reads in pieces and checks that the changes add up to the text. */
function readInPieces(bytes: Uint8Array, size: number): { reply: ReplySnapshot; texts: string[] } {
  const decoder = createReplyDecoder()
  const texts: string[] = []
  let text = ''
  let thoughts = ''
  for (let from = 0; from <= bytes.length; from += size) {
    const last = from + size > bytes.length
    for (const update of [...decoder.push(bytes.subarray(from, from + size)), ...(last ? decoder.finish() : [])]) {
      if (update.text !== undefined) {
        text = text.slice(0, update.text.kept) + update.text.added
        texts.push(text)
      }
      if (update.thoughts !== undefined) thoughts = thoughts.slice(0, update.thoughts.kept) + update.thoughts.added
    }
  }
  expect(text).toBe(decoder.reply.text)
  expect(thoughts).toBe(decoder.reply.thoughts)
  return { reply: decoder.reply, texts }
}

const SIZES = [1, 2, 7, 64, 100_000]

describe('createReplyDecoder', () => {
  it('reads growing text, a title and a context token', () => {
    const bytes = body([
      [messageEntry(ackMessage(ids))],
      snapshot({ text: 'Water' }),
      snapshot({ text: 'Water boils "at" 100\n' }),
      snapshot({ text: 'Water boils "at" 100\n\\ °C 🇯🇵 <b> = &', complete: true }),
      [messageEntry(titleMessage({ ...ids, title: 'Boiling' }))],
      [messageEntry(contextMessage({ ...ids, contextToken: 'Aw' }))],
    ])
    for (const size of SIZES) {
      const { reply, texts } = readInPieces(bytes, size)
      expect(texts).toEqual(['Water', 'Water boils "at" 100\n', 'Water boils "at" 100\n\\ °C 🇯🇵 <b> = &'])
      expect(reply).toMatchObject({
        complete: true,
        ended: true,
        title: 'Boiling',
        contextToken: 'Aw',
        servedModelName: '3.6 Flash',
        messages: 6,
        truncated: false,
        problems: [],
      })
      expect(reply).toEqual(readPlain(bytes))
    }
  })

  it('counts a rewrite as a change of what it keeps', () => {
    const decoder = createReplyDecoder()
    const updates = decoder.push(
      body([snapshot({ text: 'one\n* tw' }), snapshot({ text: 'one\n\n* two' })], { end: false }),
    )
    expect(updates.map((update) => update.text)).toEqual([
      { kept: 0, added: 'one\n* tw' },
      { kept: 4, added: '\n* two' },
    ])
  })

  it.each([1, 50, 10_000])('keeps a long text whose end is repaired every time, cut every %i bytes', (size) => {
    const lines = Array.from({ length: 30 }, (_, index) => `const x${index} = "日本 \\u003d ${index}" && 🇯🇵`)
    const closed = lines.map((_, index) => `${lines.slice(0, index + 1).join('\n')}\n\`\`\``)
    const bytes = body(closed.map((text) => snapshot({ text })))
    const updates = createReplyDecoder().push(bytes)
    for (const [index, { text }] of updates.slice(1, closed.length).entries()) {
      expect(text).toEqual({ kept: (closed[index] as string).length - 3, added: `${lines[index + 1]}\n\`\`\`` })
    }
    const { reply, texts } = readInPieces(bytes, size)
    expect(texts).toEqual(closed)
    expect(reply).toEqual(readPlain(bytes))
  })

  it('takes back what another message said between two snapshots', () => {
    const other: Frame = [messageEntry(titleMessage({ chatId: 'c_2', responseId: 'r_2', title: 'Other' }))]
    const bytes = body([
      snapshot({ text: 'a' }),
      snapshot({ text: 'ab' }),
      other,
      snapshot({ text: 'abc' }),
      snapshot({ text: 'abcd' }),
    ])
    const { reply } = readInPieces(bytes, 7)
    expect(reply).toMatchObject({ chatId: 'c_1', title: 'Other', text: 'abcd' })
    expect(reply).toEqual(readPlain(bytes))
  })

  it('follows a rewrite in a frame of another shape', () => {
    const two: Frame = [...snapshot({ text: 'one 2' }), ...snapshot({ text: 'ONE 22' })]
    const bytes = body([
      snapshot({ text: 'one 1' }),
      snapshot({ text: 'one 11' }),
      two,
      snapshot({ text: 'one 11 again' }),
    ])
    const { reply, texts } = readInPieces(bytes, 1_000)
    expect(texts).toEqual(['one 1', 'one 11', 'one 2', 'ONE 22', 'one 11 again'])
    expect(reply).toEqual(readPlain(bytes))
  })

  it('turns to the text of a card once the placeholder is whole', () => {
    const bytes = body([
      snapshot({ text: 'http://googleusercontent.com/card' }),
      snapshot({ text: 'http://googleusercontent.com/card_content/0', cardText: 'A red panda' }),
      snapshot({ text: 'http://googleusercontent.com/card_content/0', cardText: 'A red panda resting' }),
    ])
    expect(readInPieces(bytes, 64).texts).toEqual([
      'http://googleusercontent.com/card',
      'A red panda',
      'A red panda resting',
    ])
  })

  it('agrees with the plain way on any reply, at any cut', () => {
    const grapheme = fc.string({ unit: 'grapheme', maxLength: 6 })
    const part = fc.oneof(
      grapheme,
      fc.constantFrom(
        '\n',
        '"',
        '\\',
        '\\"',
        '\\n',
        '\u2028',
        '\u0000',
        '<b>',
        '=',
        '🇯🇵',
        '\ud83d',
        '],null',
        '\\u003d',
        'http://googleusercontent.com/card_content/0',
      ),
    )
    const step = fc.record({
      part,
      rewrite: fc.option(fc.nat(30), { freq: 6 }),
      thoughts: fc.option(grapheme, { freq: 4 }),
      between: fc.option(fc.constantFrom('title', 'activity', 'refusal', 'two', 'progress'), { freq: 6 }),
      working: fc.boolean(),
      card: fc.option(grapheme, { freq: 12 }),
      nodes: fc.boolean(),
      filler: fc.option(fc.integer({ min: 1, max: 40 }), { freq: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), fc.integer({ min: 1, max: 200 }), (steps, size) => {
        let text = ''
        let thoughts = ''
        const frames: Frame[] = []
        for (const { part, rewrite, between, working, card, nodes, filler, ...more } of steps) {
          if (rewrite !== null) text = text.slice(0, rewrite)
          text += part + (filler === null ? '' : `["{${filler}}"],\\ `.repeat(filler))
          if (more.thoughts !== null) thoughts += more.thoughts
          const candidate = { text, thoughts, working, ...(card === null ? {} : { cardText: card }) }
          if (between === 'title') frames.push([messageEntry(titleMessage({ ...ids, title: part }))])
          if (between === 'activity') frames.push([messageEntry(activityMessage({ ...ids, label: part }))])
          if (between === 'refusal') frames.push([refusalEntry({ status: 13, code: 1096 })])
          if (between === 'progress') frames.push([messageEntry(progressMessage(4))])
          const frame = snapshot(candidate, nodes ? nodesOf(text) : undefined)
          frames.push(between === 'two' ? [...frame, ...frame] : frame)
        }
        const bytes = body(frames)
        expect(readInPieces(bytes, size).reply).toEqual(readPlain(bytes))
      }),
      { numRuns: 400 },
    )
  })

  it('follows an answer that is repeated as nodes', () => {
    const lines = Array.from(
      { length: 60 },
      (_, index) => `${index}. "quoted" [brackets] {braces}, a \\ and a comma, <b> = & 🇯🇵 ${'x'.repeat(40)}`,
    )
    const texts = lines.map((_, index) => lines.slice(0, index + 1).join('\n'))
    const bytes = body([
      ...texts.map((text) => snapshot({ text }, nodesOf(text))),
      snapshot({ text: `${texts.at(-1)}!`, complete: true }, nodesOf(`${texts.at(-1)}!`)),
    ])
    const read = readInPieces(bytes, 1_000)
    expect(read.texts).toEqual([...texts, `${texts.at(-1)}!`])
    expect(read.reply).toEqual(readPlain(bytes))
  })

  it.each([
    ['shrink', [[1]], 'Flash'],
    ['change in the middle', [[1], 'xyz', [3]], 'Flash'],
    ['are gone', null, 'Flash'],
    ['become a text, which one client took for the context token', 'AwAAAA', 'Flash'],
    ['grow while the model changes', [[1], 'abc', [3], 'more'], 'Pro'],
  ])('reads a snapshot whose nodes %s', (_, nodes, modelName) => {
    const first = [[1], 'abc', [3]]
    const bytes = body([
      snapshot({ text: 'a', complete: true }, first, 'Flash'),
      snapshot({ text: 'ab', complete: true }, [...first, 4], 'Flash'),
      snapshot({ text: 'abc', complete: true }, nodes, modelName),
      snapshot({ text: 'abcd', complete: true }, nodes, modelName),
    ])
    const { reply } = readInPieces(bytes, 64)
    expect(reply.text).toBe('abcd')
    expect(reply).toEqual(readPlain(bytes))
  })

  it('reads several candidates; the first is the answer', () => {
    const both = (text: string): Frame => [
      messageEntry(
        snapshotMessage({
          ...ids,
          candidates: [
            { id: 'rc_1', text },
            { id: 'rc_2', text: `${text}!` },
          ],
        }),
      ),
    ]
    const bytes = body([both('a'), both('ab'), both('abc')])
    const { reply } = readInPieces(bytes, 5)
    expect(reply.candidates.map((candidate) => candidate.text)).toEqual(['abc', 'abc!'])
    expect(reply).toEqual(readPlain(bytes))
  })

  it('keeps an answer that an error follows, and the code', () => {
    const reply = readReply(
      body([snapshot({ text: 'done', complete: true }), [refusalEntry({ status: 13, code: 1096 })]]),
    )
    expect(reply).toMatchObject({ text: 'done', complete: true, refusals: [{ status: 13, code: 1096 }] })
  })

  it.each([1, 20, 300])('says that a reply was cut %i bytes before its end', (missing) => {
    const bytes = body([snapshot({ text: 'a' }), snapshot({ text: 'ab' })], { end: false })
    expect(readInPieces(bytes.subarray(0, bytes.length - missing - 1), 50).reply).toMatchObject({
      text: missing === 1 ? 'a' : 'a',
      truncated: true,
      ended: false,
    })
  })

  it('says so too when only the length of the next frame came', () => {
    const bytes = new TextEncoder().encode(
      `${new TextDecoder().decode(body([snapshot({ text: 'a' })], { end: false }))}120\n`,
    )
    expect(readReply(bytes)).toMatchObject({ text: 'a', truncated: true })
  })

  it('reports a frame that is no array and goes on', () => {
    const bytes = new TextEncoder().encode(`)]}'\n\n9\n[garbage\n12\n[["di",5]]\n`)
    expect(readReply(bytes)).toMatchObject({ problems: ['a frame is not a JSON array'], serverMs: 5 })
  })

  it.each(['', '<!doctype html><html>', 'x'.repeat(200), 'Error 502\n'])('refuses what is no reply: %j', (text) => {
    expect(() => readReply(text)).toThrow(FrameError)
  })

  it('refuses a frame over the limit', () => {
    expect(() => readReply(`)]}'\n\n[${'1,'.repeat(600)}`, { maxBuffered: 1_000 })).toThrow(
      'A frame is longer than 1000 bytes',
    )
  })
})
