import {
  collect,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  thoughtPart,
  type GenerateContentResponse,
  type Tally,
} from '@castorjs/content-generator'
import { describeContentGenerator, scriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import { withTally } from './with-tally.ts'

const request = (model = 'm') => ({ model, contents: [{ role: 'user', parts: [{ text: 'x'.repeat(40) }] }] })

describeContentGenerator('withTally', () => {
  const upstream = scriptedGenerator(({ model }) => {
    if (model === 'silent') return ['stall']
    if (model === 'stalled') return [partsChunk([textPart('a')]), 'stall']
    if (model === 'refused') return [new GenerationError('quota_exhausted', 'Spent.')]
    return [partsChunk([textPart('hello')]), finalChunk('STOP')]
  })
  return {
    generator: withTally(upstream),
    answered: () => request('answered'),
    silent: () => request('silent'),
    stalled: () => request('stalled'),
    refused: () => ({ request: request('refused'), code: 'quota_exhausted' as const }),
    held: () => upstream.open,
    close: () => undefined,
  }
})

function start(steps: readonly ScriptStep[]) {
  const tallies: (() => Tally)[] = []
  const controller = new AbortController()
  const chunks = withTally(scriptedGenerator(steps)).generateContentStream(request(), {
    signal: controller.signal,
    requestId: 'r',
    onTally: (read) => void tallies.push(read),
  })
  return { chunks, tally: () => tallies.map((read) => read()) }
}

const picture = partsChunk([
  { inlineData: { mimeType: 'image/png', data: 'QUJD' } },
  { fileData: { mimeType: 'video/mp4', fileUri: 'http://localhost/media/1' } },
])

describe('withTally', () => {
  it('counts files inside the answer and behind a URL, and takes the tokens as told', async () => {
    const last: GenerateContentResponse = {
      ...finalChunk('STOP'),
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4, thoughtsTokenCount: 5 },
    }
    const { chunks, tally } = start([partsChunk([textPart('Here:')]), picture, last])
    await collect(chunks)
    const usage = { inputTokens: 3, cachedTokens: 0, outputTokens: 4, thoughtTokens: 5, estimated: false }
    expect(tally()).toEqual([{ media: 2, usage, firstChunkAt: expect.any(Number) as number }])
  })

  it('guesses the tokens of an answer that was cut short', async () => {
    const pieces = Array.from({ length: 10 }, () => partsChunk([textPart('ab')]))
    const { chunks, tally } = start([partsChunk([thoughtPart('1234')]), ...pieces, 'stall'])
    let seen = 0
    for await (const _ of chunks) if (++seen === 11) break
    const usage = { inputTokens: 10, cachedTokens: 0, outputTokens: 5, thoughtTokens: 1, estimated: true }
    expect(tally()).toEqual([{ media: 0, usage, firstChunkAt: expect.any(Number) as number }])
  })

  it('counts nothing of what the upstream refused', async () => {
    const { chunks, tally } = start([new GenerationError('quota_exhausted', 'Spent.')])
    await expect(collect(chunks)).rejects.toThrow('Spent.')
    expect(tally()).toEqual([{ media: 0, usage: undefined, firstChunkAt: undefined }])
  })
})
