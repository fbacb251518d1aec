import {
  collect,
  isGenerationError,
  type ContentGenerator,
  type ErrorCode,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

type Prepared = GenerateContentRequest | Promise<GenerateContentRequest>

/** One upstream under test. Each function may set its upstream up before it returns the request. */
export interface ContentGeneratorFixture {
  generator: ContentGenerator
  /** A request that is answered with text over several chunks. */
  answered: () => Prepared
  /** A request whose upstream never says a word. */
  silent: () => Prepared
  /** A request whose upstream sends something and then falls silent. */
  stalled: () => Prepared
  /** A request the upstream refuses before any output, and the code that must come of it. */
  refused: () =>
    Promise<{ request: GenerateContentRequest; code: ErrorCode }> | { request: GenerateContentRequest; code: ErrorCode }
  /** Sockets, leases and streams held at this moment. */
  held: () => number | Promise<number>
  close: () => Promise<void> | void
}

/** How soon an abort must end everything. */
const ABORT_LIMIT_MS = 1_000

/** The contract of `ContentGenerator` (DESIGN section 5), as tests. Every upstream and decorator runs it. */
export function describeContentGenerator(
  name: string,
  create: () => Promise<ContentGeneratorFixture> | ContentGeneratorFixture,
): void {
  describe(`${name} keeps the contract of a ContentGenerator`, () => {
    let fixture: ContentGeneratorFixture
    let controller: AbortController

    beforeEach(async () => {
      fixture = await create()
      controller = new AbortController()
    })
    afterEach(async () => {
      controller.abort()
      await fixture.close()
    })

    function start(request: GenerateContentRequest): AsyncIterable<GenerateContentResponse> {
      return fixture.generator.generateContentStream(request, optionsOf(controller.signal))
    }

    async function expectNothingHeld(): Promise<void> {
      await expect.poll(() => fixture.held(), { timeout: ABORT_LIMIT_MS, interval: 10 }).toBe(0)
    }

    it('sends nothing until the first chunk is pulled', async () => {
      const request = await fixture.answered()
      start(request)
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(await fixture.held()).toBe(0)
    })

    it('answers with text that only grows and ends with exactly one finish reason, in the last candidate', async () => {
      const chunks: GenerateContentResponse[] = []
      for await (const chunk of start(await fixture.answered())) chunks.push(chunk)
      const candidates = chunks.flatMap((chunk) => chunk.candidates ?? [])
      const reasons = candidates.map((candidate) => candidate.finishReason)
      expect(reasons.filter((reason) => reason !== undefined)).toHaveLength(1)
      expect(reasons.at(-1)).toBeTypeOf('string')
      const text = candidates.flatMap((c) => c.content?.parts ?? []).map((part) => part.text ?? '')
      expect(text.join('')).not.toBe('')
      await expectNothingHeld()
    })

    it('gives the same answer collected as streamed', async () => {
      const request = await fixture.answered()
      const whole = await collect(start(request))
      expect(whole.candidates?.[0]?.content?.parts?.length).toBeGreaterThan(0)
      expect(whole.candidates?.[0]?.finishReason).toBeTypeOf('string')
    })

    it('never changes the request', async () => {
      const request = await fixture.answered()
      const before = structuredClone(request)
      await collect(start(deepFreeze(request)))
      expect(request).toEqual(before)
    })

    it('throws a GenerationError with the right code when the upstream refuses', async () => {
      const { request, code } = await fixture.refused()
      const error: unknown = await collect(start(request)).catch((thrown: unknown) => thrown)
      expect(isGenerationError(error)).toBe(true)
      expect(error).toMatchObject({ code })
      await expectNothingHeld()
    })

    it('tells that it asks, before the upstream can refuse', async () => {
      const { request } = await fixture.refused()
      let asked = 0
      const options = { ...optionsOf(controller.signal), onAsked: () => void asked++ }
      await collect(fixture.generator.generateContentStream(request, options)).catch(() => undefined)
      expect(asked).toBeGreaterThan(0)
      await expectNothingHeld()
    })

    it('throws aborted, without asking the upstream, when the caller left before the start', async () => {
      const request = await fixture.answered()
      controller.abort()
      await expectAborted(collect(start(request)))
      await expectNothingHeld()
    })

    it('throws aborted within a second when the caller leaves before the first chunk', async () => {
      const answer = collect(start(await fixture.silent()))
      setTimeout(() => controller.abort(), 30)
      await expectAborted(answer)
      await expectNothingHeld()
    })

    it('throws aborted within a second when the caller leaves a quiet upstream in mid-answer', async () => {
      const chunks = start(await fixture.stalled())[Symbol.asyncIterator]()
      expect((await chunks.next()).done).toBe(false)
      const rest = drain(chunks)
      setTimeout(() => controller.abort(), 30)
      await expectAborted(rest)
      await expectNothingHeld()
    })

    it('frees everything when the loop is left after the first chunk', async () => {
      for await (const chunk of start(await fixture.answered())) {
        expect(chunk).toBeTypeOf('object')
        break
      }
      await expectNothingHeld()
    })

    it('lists at least one model', async () => {
      const models = await fixture.generator.models(optionsOf(controller.signal))
      expect(models.length).toBeGreaterThan(0)
      for (const model of models) expect(model.name).not.toMatch(/^models\//)
      await expectNothingHeld()
    })
  })
}

function optionsOf(signal: AbortSignal): GenerateOptions {
  return { signal, requestId: 'contract-test' }
}

async function drain(iterator: AsyncIterator<unknown>): Promise<void> {
  while ((await iterator.next()).done !== true);
}

async function expectAborted(answer: Promise<unknown>): Promise<void> {
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error('The abort took longer than a second')), ABORT_LIMIT_MS + 200).unref()
  })
  const error: unknown = await Promise.race([answer, late]).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'aborted' })
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const field of Object.values(value)) deepFreeze(field)
  }
  return value
}
