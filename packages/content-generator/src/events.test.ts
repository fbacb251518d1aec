import { CUT_SIZES, streamOf } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import {
  collect,
  finalChunk,
  partsChunk,
  readFinishReason,
  textPart,
  thoughtPart,
  toEvents,
  type GenerateContentResponse,
  type GenerationEvent,
} from './index.ts'

async function eventsOf(...chunks: GenerateContentResponse[]): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = []
  for await (const event of toEvents(streamOf(chunks))) events.push(event)
  return events
}

const START = { type: 'start', id: undefined, model: undefined }

describe('toEvents', () => {
  it('reads thoughts, text, a call and the last usage in order', async () => {
    const events = await eventsOf(
      {
        ...partsChunk([thoughtPart('Hm. ')], { modelVersion: 'gemini-x', responseId: 'r1' }),
        usageMetadata: { promptTokenCount: 9 },
      },
      partsChunk([
        textPart('Look: '),
        { functionCall: { name: 'get', args: { city: 'Oslo' } }, thoughtSignature: 'QUJD' },
      ]),
      finalChunk('STOP', { usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 4, thoughtsTokenCount: 2 } }),
    )
    expect(events).toEqual([
      { type: 'start', id: 'r1', model: 'gemini-x' },
      { type: 'thought-delta', text: 'Hm. ' },
      { type: 'text-delta', text: 'Look: ' },
      { type: 'tool-call', id: undefined, name: 'get', arguments: { city: 'Oslo' }, signature: 'QUJD' },
      {
        type: 'finish',
        reason: 'tool-call',
        rawReason: 'STOP',
        usage: { inputTokens: 10, cachedTokens: 0, outputTokens: 4, thoughtTokens: 2, estimated: false },
      },
    ])
  })

  it('keeps a signature that comes with an empty text', async () => {
    const events = await eventsOf(partsChunk([{ text: '', thoughtSignature: 'QQ==' }]), finalChunk('STOP'))
    expect(events[1]).toEqual({ type: 'text-delta', text: '', signature: 'QQ==' })
  })

  it('skips draft pictures, which come as thoughts', async () => {
    const picture = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }
    const events = await eventsOf(partsChunk([{ ...picture, thought: true }, picture]), finalChunk('STOP'))
    expect(events).toEqual([
      START,
      { type: 'media', mimeType: 'image/png', data: 'AAAA' },
      { type: 'finish', reason: 'stop', rawReason: 'STOP' },
    ])
  })

  it('throws blocked when the prompt was refused', async () => {
    const events = eventsOf({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } })
    await expect(events).rejects.toMatchObject({ code: 'blocked', upstreamCode: 'PROHIBITED_CONTENT' })
    const text = eventsOf({ promptFeedback: { blockReason: 'You wrote "a secret"' } })
    await expect(text).rejects.toMatchObject({ message: expect.not.stringContaining('secret'), upstreamCode: 'OTHER' })
  })

  it('throws when the stream ends without a finish reason', async () => {
    await expect(eventsOf(partsChunk([textPart('half')]))).rejects.toMatchObject({ code: 'upstream_unavailable' })
  })
})

describe('readFinishReason', () => {
  it.each([
    ['STOP', false, 'stop'],
    ['STOP', true, 'tool-call'],
    ['MAX_TOKENS', true, 'length'],
    ['CONTINUATION', false, 'length'],
    ['SAFETY', true, 'content-filter'],
    ['IMAGE_RECITATION', false, 'content-filter'],
    ['MALFORMED_FUNCTION_CALL', false, 'malformed-call'],
    ['SOMETHING_NEW', false, 'other'],
  ])('reads %s, with a call %s, as %s', (raw, hasCall, reason) => {
    expect(readFinishReason(raw, hasCall)).toBe(reason)
  })
})

describe('collect', () => {
  it.each(CUT_SIZES)('joins text that came in pieces of %i characters', async (size) => {
    const text = 'Grüße 👩‍🚀 aus Oslo'
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
    const answer = await collect(
      streamOf([
        partsChunk([thoughtPart('a')]),
        partsChunk([thoughtPart('b')]),
        ...pieces.map((p) => partsChunk([textPart(p)])),
        finalChunk('STOP'),
      ]),
    )
    expect(answer.candidates).toEqual([
      { index: 0, content: { role: 'model', parts: [{ text: 'ab', thought: true }, { text }] }, finishReason: 'STOP' },
    ])
  })

  it('never joins a signed text with its neighbours', async () => {
    const signed = { text: 'b', thoughtSignature: 'QQ==' }
    const answer = await collect(streamOf([partsChunk([textPart('a'), signed, textPart('c')]), finalChunk('STOP')]))
    expect(answer.candidates?.[0]?.content?.parts).toEqual([{ text: 'a' }, signed, { text: 'c' }])
  })

  it('keeps fields nobody here knows, and only the last usage', async () => {
    const answer = await collect(
      streamOf([
        { ...partsChunk([textPart('a')]), usageMetadata: { totalTokenCount: 1 }, newField: { deep: 1 } },
        { ...finalChunk('STOP', { candidate: { avgLogprobs: -0.5 } }), usageMetadata: { totalTokenCount: 2 } },
      ]),
    )
    expect(answer).toEqual({
      newField: { deep: 1 },
      usageMetadata: { totalTokenCount: 2 },
      candidates: [
        { index: 0, content: { role: 'model', parts: [{ text: 'a' }] }, finishReason: 'STOP', avgLogprobs: -0.5 },
      ],
    })
  })

  it('hands a blocked prompt back as it came', async () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' } }
    expect(await collect(streamOf([blocked]))).toEqual(blocked)
  })

  it('throws when the stream ended in the middle', async () => {
    await expect(collect(streamOf([partsChunk([textPart('a')])]))).rejects.toMatchObject({
      code: 'upstream_unavailable',
    })
  })
})
