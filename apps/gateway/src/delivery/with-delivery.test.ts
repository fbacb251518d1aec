import {
  collect,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { describeContentGenerator, scriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { withDelivery, type DeliveringGenerator, type DeliveryOptions } from './with-delivery.ts'

const request = (text: string): GenerateContentRequest => ({
  model: 'm',
  contents: [{ role: 'user', parts: [{ text }] }],
})
const pieces = (...texts: string[]): ScriptStep[] => texts.map((text) => partsChunk([textPart(text)]))

describeContentGenerator('withDelivery', () => {
  const upstream = scriptedGenerator(({ contents }) => {
    const text = contents[0]?.parts?.[0]?.text
    if (text === 'silent') return ['stall']
    if (text === 'stalled') return [...pieces('a'), 'stall']
    if (text === 'refused') return [new GenerationError('blocked', 'No.')]
    return [...pieces('one ', 'two '), finalChunk('STOP', {}, [textPart('three')])]
  })
  const generator = withDelivery(upstream)
  return {
    generator,
    answered: () => request('answered'),
    silent: () => request('silent'),
    stalled: () => request('stalled'),
    refused: () => ({ request: request('refused'), code: 'blocked' as const }),
    held: () => upstream.open,
    close: () => generator.close(),
  }
})

let generator: DeliveringGenerator | undefined
afterEach(() => generator?.close())

/** An upstream that says one piece each time it is let, and a caller's view of it. */
function line(script: readonly ScriptStep[], options: DeliveryOptions = {}) {
  const upstream = scriptedGenerator(script)
  const delivering = withDelivery(upstream, { agentGraceMs: 60_000, graceMs: 60_000, ...options })
  generator = delivering
  function call(text = 'hi', extra: Partial<GenerateOptions> = {}) {
    const controller = new AbortController()
    const served: string[] = []
    const options: GenerateOptions = {
      signal: controller.signal,
      requestId: 'r',
      caller: 'ada',
      onHeaders: (headers) => void Object.assign(told, headers),
      onServed: ({ upstream: name }) => void served.push(name),
      ...extra,
    }
    const told: Record<string, string> = {}
    const iterator = delivering.generateContentStream(request(text), options)[Symbol.asyncIterator]()
    return {
      told,
      async next() {
        const { value, done } = await iterator.next()
        return done === true ? undefined : textOf([value as GenerateContentResponse])
      },
      async rest() {
        const chunks: GenerateContentResponse[] = []
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) chunks.push(next.value)
        return textOf(chunks)
      },
      async leave() {
        controller.abort()
        await iterator.return?.()
      },
      stop: () => iterator.return?.(),
    }
  }
  return { upstream, delivering, call }
}

function textOf(chunks: readonly GenerateContentResponse[]): string {
  return chunks
    .flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
    .map((part) => part.text ?? '')
    .join('')
}

const ANSWER: ScriptStep[] = [
  ...pieces('one ', 'two ', 'three '),
  { waitMs: 5 },
  ...pieces('four '),
  finalChunk('STOP', { usageMetadata: { totalTokenCount: 7 } }, [textPart('five')]),
]
const WHOLE = 'one two three four five'

describe('withDelivery', () => {
  it('gives a client that lost its connection the whole answer, from the start, for one prompt', async () => {
    const { upstream, call } = line(ANSWER)
    const first = call()
    expect(await first.next()).toBe('one ')
    await first.leave()
    const retry = call()
    expect(await retry.rest()).toBe(WHOLE)
    expect(retry.told).toMatchObject({ 'x-castor-joined': expect.stringMatching(/running|finished/) as string })
    expect(upstream.requests).toHaveLength(1)
  })

  it('keeps an answer that finished while nobody was there', async () => {
    const { upstream, delivering, call } = line(ANSWER)
    const first = call()
    await first.next()
    await first.leave()
    await expect.poll(() => upstream.open).toBe(0)
    expect(delivering.lost).toBe(1)
    expect(await call().rest()).toBe(WHOLE)
    expect(delivering.lost).toBe(0)
    expect(upstream.requests).toHaveLength(1)
  })

  it('never gives an answer twice that arrived: asking again means asking again', async () => {
    const { upstream, call } = line(ANSWER)
    await call().rest()
    await call('hi', { retry: 'declared', sessionId: 's' }).rest()
    expect(upstream.requests).toHaveLength(2)
  })

  it('gives two who ask the same at the same time an answer each', async () => {
    const { upstream, call } = line(ANSWER)
    const [left, right] = [call(), call('hi', { retry: 'likely' })]
    expect(await Promise.all([left.rest(), right.rest()])).toEqual([WHOLE, WHOLE])
    expect(upstream.requests).toHaveLength(2)
  })

  it.each([{ sessionId: 's' }, { retry: 'declared' as const }])(
    'joins beside a connection that only looks alive, for %j',
    async (extra) => {
      const { upstream, call } = line(ANSWER)
      const dead = call('hi', extra)
      await dead.next()
      const retry = call('hi', extra)
      expect(await retry.rest()).toBe(WHOLE)
      expect(await dead.rest()).toBe('two three four five')
      expect(upstream.requests).toHaveLength(1)
      expect(upstream.open).toBe(0)
    },
  )

  it.each([
    ['another caller', 'hi', { caller: 'bob' }],
    ['another conversation', 'hi', { sessionId: 'other' }],
    ['another prompt', 'ho', {}],
    ['another wish for pictures', 'hi', { media: { original: true } }],
    ['who asks for an answer of its own', 'hi', { retry: 'off' as const }],
  ])('never joins for %s', async (_, text, extra) => {
    const { upstream, call } = line(ANSWER)
    const first = call()
    await first.next()
    await first.leave()
    expect(await call(text, extra).rest()).toBe(WHOLE)
    expect(upstream.requests).toHaveLength(2)
  })

  it('prompts again after a failure', async () => {
    const { upstream, call } = line([...pieces('a'), new GenerationError('upstream_unavailable', 'Cut.')])
    const first = call()
    await expect(first.rest()).rejects.toMatchObject({ code: 'upstream_unavailable' })
    await first.leave()
    await expect(call().rest()).rejects.toMatchObject({ code: 'upstream_unavailable' })
    expect(upstream.requests).toHaveLength(2)
  })

  it('ends the upstream when no retry came in time, and at once for a loop that was left', async () => {
    const { upstream, delivering, call } = line([...pieces('a'), 'stall'], { graceMs: 20 })
    const first = call()
    await first.next()
    await first.leave()
    expect(upstream.open).toBe(1)
    await expect.poll(() => upstream.open).toBe(0)
    const second = call()
    await second.next()
    await second.stop()
    expect(upstream.open).toBe(0)
    expect(delivering.lost).toBe(0)
  })

  it('ends the upstream at once where there is no grace', async () => {
    const { upstream, call } = line([...pieces('a'), 'stall'], { graceMs: 0 })
    const first = call()
    await first.next()
    await first.leave()
    expect(upstream.open).toBe(0)
  })

  it('forgets what is larger than it may keep', async () => {
    const { upstream, delivering, call } = line(pieces('x'.repeat(4_000), 'y'.repeat(4_000), 'z'), {
      maxAnswerBytes: 10_000,
    })
    const first = call()
    await first.next()
    await first.leave()
    await expect.poll(() => upstream.open).toBe(0)
    expect(delivering.lost).toBe(0)
  })

  it('lets the oldest go when too many wait', async () => {
    const { delivering, call } = line(ANSWER, { maxLost: 2 })
    for (const text of ['a', 'b', 'c']) {
      const one = call(text)
      await one.next()
      await one.leave()
    }
    expect(delivering.lost).toBe(2)
  })

  it('tells a client that joins who serves, and keeps usage and finish reason', async () => {
    const upstream = scriptedGenerator(ANSWER)
    const delivering = withDelivery(upstream, { graceMs: 60_000 })
    generator = delivering
    const first = new AbortController()
    const options = { requestId: 'r', signal: first.signal }
    await delivering.generateContentStream(request('hi'), options)[Symbol.asyncIterator]().next()
    upstream.options[0]?.onServed?.({ upstream: 'web' })
    first.abort()
    const served: string[] = []
    const answer = await collect(
      delivering.generateContentStream(request('hi'), {
        requestId: 'r2',
        signal: new AbortController().signal,
        onServed: (by) => void served.push(by.upstream),
      }),
    )
    expect(served).toEqual(['web'])
    expect(answer).toEqual({
      candidates: [{ index: 0, finishReason: 'STOP', content: { role: 'model', parts: [{ text: WHOLE }] } }],
      usageMetadata: { totalTokenCount: 7 },
    })
  })

  it('gives everyone who stays the whole text, whoever leaves and joins when', async () => {
    const step = fc.record({ caller: fc.integer({ min: 0, max: 3 }), act: fc.constantFrom('open', 'next', 'leave') })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const texts = Array.from({ length: 12 }, (_, index) => `${index} `)
        const { upstream, delivering, call } = line([...pieces(...texts), finalChunk('STOP')])
        const open = new Map<number, { call: ReturnType<typeof call>; text: string }>()
        for (const { caller, act } of steps) {
          const known = open.get(caller)
          if (act === 'open' && known === undefined) {
            open.set(caller, { call: call('hi', { sessionId: 's' }), text: '' })
          } else if (act === 'next' && known !== undefined) known.text += (await known.call.next()) ?? ''
          else if (act === 'leave' && known !== undefined) {
            await known.call.leave()
            open.delete(caller)
          }
        }
        for (const { call: left, text } of open.values()) expect(text + (await left.rest())).toBe(texts.join(''))
        await delivering.close()
        expect(upstream.open).toBe(0)
        expect(delivering.lost).toBe(0)
      }),
      { numRuns: 100 },
    )
  })
})
