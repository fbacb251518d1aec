import { describeContentGenerator, scriptedGenerator } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import {
  collect,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  withDeadlines,
  type GenerateContentRequest,
} from './index.ts'

const REQUEST: GenerateContentRequest = { model: 'm', contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }

describeContentGenerator('withDeadlines', () => {
  const upstream = scriptedGenerator(({ model }) => {
    if (model === 'silent') return ['stall']
    if (model === 'stalled') return [partsChunk([textPart('a')]), 'stall']
    if (model === 'refused') return [new GenerationError('quota_exhausted', 'spent')]
    return [partsChunk([textPart('one ')]), partsChunk([textPart('two')]), finalChunk('STOP')]
  })
  const request = (model: string) => ({ ...REQUEST, model })
  return {
    generator: withDeadlines(upstream),
    answered: () => request('answered'),
    silent: () => request('silent'),
    stalled: () => request('stalled'),
    refused: () => ({ request: request('refused'), code: 'quota_exhausted' as const }),
    held: () => upstream.open,
    close: () => undefined,
  }
})

describe('withDeadlines', () => {
  function start(generator: ReturnType<typeof withDeadlines>) {
    return generator.generateContentStream(REQUEST, { signal: new AbortController().signal, requestId: 'r' })
  }

  it('gives up on an upstream that does not start, and frees it', async () => {
    const upstream = scriptedGenerator(['stall'])
    const answer = collect(start(withDeadlines(upstream, { firstChunkMs: 20 })))
    await expect(answer).rejects.toMatchObject({ code: 'upstream_timeout' })
    expect(upstream.open).toBe(0)
  })

  it('gives up on an upstream that falls silent in mid-answer, and frees it', async () => {
    const upstream = scriptedGenerator([partsChunk([textPart('a')]), 'stall'])
    const answer = collect(start(withDeadlines(upstream, { idleMs: 20 })))
    await expect(answer).rejects.toThrow(/continue its answer/)
    expect(upstream.open).toBe(0)
  })

  it('does not count the time the consumer takes between chunks', async () => {
    const upstream = scriptedGenerator([partsChunk([textPart('a')]), partsChunk([textPart('b')]), finalChunk('STOP')])
    const texts: string[] = []
    for await (const chunk of start(withDeadlines(upstream, { firstChunkMs: 40, idleMs: 40 }))) {
      texts.push(chunk.candidates?.[0]?.content?.parts?.[0]?.text ?? '')
      await new Promise((resolve) => setTimeout(resolve, 90))
    }
    expect(texts).toEqual(['a', 'b', ''])
  })
})
