import { scriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import {
  createKeyCheck,
  finalChunk,
  GenerationError,
  partsChunk,
  serveExchange,
  textPart,
  toEvents,
  type DialectOptions,
  type Outcome,
} from '../index.ts'

/** The smallest dialect: text in, `data: <text>` out. */
function createEcho(steps: readonly ScriptStep[], options: Partial<DialectOptions> = {}) {
  const outcomes: Outcome[] = []
  const generator = scriptedGenerator(steps)
  const all: DialectOptions = { authorize: 'anyone', ...options, generator, onOutcome: (o) => outcomes.push(o) }
  const handle = (request: Request) =>
    serveExchange(
      request,
      'echo',
      all,
      (error) => ({ body: { code: error.code, message: error.message } }),
      (exchange) => {
        exchange.describe({ model: 'm', stream: true })
        const chunks = generator.generateContentStream({ model: 'm', contents: [] }, exchange.options)
        async function* lines() {
          for await (const event of toEvents(chunks)) if (event.type === 'text-delta') yield `data: ${event.text}\n\n`
          yield 'data: [DONE]\n\n'
        }
        return exchange.stream(lines(), { encodeError: (error) => `data: {"error":"${error.code}"}\n\n` })
      },
    )
  return { handle, outcomes, generator }
}

const ask = (init: RequestInit = {}) => new Request('http://castor.test/echo?key=secret', init)

describe('serveExchange', () => {
  it('streams, names the request, and reports one outcome without the query', async () => {
    const echo = createEcho([partsChunk([textPart('a')]), partsChunk([textPart('b')]), finalChunk('STOP')])
    const response = await echo.handle(ask({ headers: { 'x-request-id': 'req-7' } }))
    expect(response.headers.get('x-request-id')).toBe('req-7')
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    expect(await response.text()).toBe('data: a\n\ndata: b\n\ndata: [DONE]\n\n')
    await expect.poll(() => echo.outcomes).toHaveLength(1)
    expect(echo.outcomes[0]).toMatchObject({
      requestId: 'req-7',
      path: '/echo',
      status: 200,
      caller: 'anyone',
      stream: true,
    })
    expect(echo.outcomes[0]?.firstChunkMs).toBeTypeOf('number')
  })

  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', true],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', false],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\tx', false],
    ['hunter2', false],
  ])('reads the trace of %s: %s', async (traceparent, known) => {
    const echo = createEcho([partsChunk([textPart('a')]), finalChunk('STOP')])
    await (await echo.handle(ask({ headers: { traceparent } }))).text()
    await expect.poll(() => echo.outcomes).toHaveLength(1)
    expect(echo.outcomes[0]?.traceparent).toBe(known ? traceparent.slice(0, 55) : undefined)
  })

  it('gives a failure before the first piece its status, and says whether to retry', async () => {
    const echo = createEcho([new GenerationError('rate_limited', 'Slow down.', { retryAfterMs: 1_200 })])
    const response = await echo.handle(ask())
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('2')
    expect(response.headers.get('x-should-retry')).toBe('true')
    expect(await response.json()).toEqual({ code: 'rate_limited', message: 'Slow down.' })
    expect(echo.outcomes).toHaveLength(1)
  })

  it('tells SDKs not to sleep through a wait of hours', async () => {
    const echo = createEcho([new GenerationError('rate_limited', 'Later.', { retryAfterMs: 18_183_000 })])
    const response = await echo.handle(ask())
    expect(response.headers.get('retry-after')).toBe('18183')
    expect(response.headers.get('x-should-retry')).toBe('false')
  })

  it('puts a failure after the first piece into the stream and ends it', async () => {
    const echo = createEcho([partsChunk([textPart('a')]), new GenerationError('upstream_timeout', 'Silent.')])
    const response = await echo.handle(ask())
    expect(await response.text()).toBe('data: a\n\ndata: {"error":"upstream_timeout"}\n\n')
    await expect.poll(() => echo.outcomes[0]?.error?.code).toBe('upstream_timeout')
  })

  it('commits to 200 and keeps a silent connection alive', async () => {
    const echo = createEcho([{ waitMs: 120 }, partsChunk([textPart('late')]), finalChunk('STOP')], {
      commitAfterMs: 10,
      heartbeatMs: 20,
    })
    const response = await echo.handle(ask())
    const text = await response.text()
    expect(text).toMatch(/^(: ping\n\n)+data: late\n\ndata: \[DONE\]\n\n$/)
  })

  it('ends the upstream when the client leaves a quiet stream', async () => {
    const echo = createEcho([partsChunk([textPart('a')]), 'stall'])
    const response = await echo.handle(ask())
    const reader = response.body?.getReader()
    await reader?.read()
    expect(echo.generator.open).toBe(1)
    await reader?.cancel()
    expect(echo.generator.open).toBe(0)
    await expect.poll(() => echo.outcomes.map((outcome) => outcome.status)).toEqual([499])
    // Left in mid-stream or before: in the books it is the same.
    expect(echo.outcomes[0]?.error?.code).toBe('aborted')
  })

  it('ends the upstream when the request is aborted before the first piece', async () => {
    const leaving = new AbortController()
    const echo = createEcho(['stall'])
    setTimeout(() => leaving.abort(), 10)
    const response = await echo.handle(ask({ signal: leaving.signal }))
    expect(response.status).toBe(499)
    expect(echo.generator.open).toBe(0)
  })

  it('reports what was counted of answers whose dialect told no usage', async () => {
    const echo = createEcho([partsChunk([textPart('a')]), 'stall'])
    const body = (await echo.handle(ask())).body?.getReader()
    await body?.read()
    const usage = { inputTokens: 1, cachedTokens: 0, outputTokens: 2, thoughtTokens: 3, estimated: true }
    for (const media of [1, 2]) echo.generator.options[0]?.onTally?.(() => ({ media, usage }))
    await body?.cancel()
    await expect.poll(() => echo.outcomes).toHaveLength(1)
    expect(echo.outcomes[0]).toMatchObject({
      media: 3,
      usage: { inputTokens: 2, cachedTokens: 0, outputTokens: 4, thoughtTokens: 6, estimated: true },
    })
  })

  it('tells the time to the first chunk of an answer that is sent whole, of several the first', async () => {
    const outcomes: Outcome[] = []
    const generator = scriptedGenerator([])
    const options: DialectOptions = { authorize: 'anyone', generator, onOutcome: (outcome) => outcomes.push(outcome) }
    const begun = performance.now()
    await serveExchange(
      ask(),
      'echo',
      options,
      () => ({ body: {} }),
      async ({ options: { onTally }, json }) => {
        for (const firstChunkAt of [begun + 9_000, begun + 5_000, undefined]) {
          onTally?.(() => ({ media: 0, usage: undefined, firstChunkAt }))
        }
        return json({})
      },
    )
    // The request began a moment after the test did.
    expect(outcomes[0]?.firstChunkMs).toBeGreaterThan(0)
    expect(outcomes[0]?.firstChunkMs).toBeLessThanOrEqual(5_000)
  })

  it('hides what it cannot explain', async () => {
    const options: DialectOptions = { authorize: 'anyone', generator: scriptedGenerator([]) }
    const response = await serveExchange(
      ask(),
      'echo',
      options,
      ({ message }) => ({ body: { message } }),
      () => {
        throw new TypeError('cookie SID=abc')
      },
    )
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('SID')
  })
})

describe('createKeyCheck', () => {
  const authorize = createKeyCheck([
    { id: 'laptop', key: 'right' },
    { id: 'phone', key: 'other' },
  ])
  const url = 'http://castor.test/v1'

  it.each([
    ['Authorization with Bearer', new Request(url, { headers: { authorization: 'Bearer right' } })],
    ['Authorization raw', new Request(url, { headers: { authorization: 'right' } })],
    ['x-api-key', new Request(url, { headers: { 'x-api-key': 'right' } })],
    ['x-goog-api-key', new Request(url, { headers: { 'x-goog-api-key': 'right' } })],
    ['the query', new Request(`${url}?key=right`)],
  ])('takes the key from %s', async (_, request) => {
    expect(await authorize(request)).toEqual({ id: 'laptop' })
  })

  it.each([
    ['no key', new Request(url)],
    ['a wrong key', new Request(url, { headers: { 'x-api-key': 'righ' } })],
    ['an empty key', new Request(url, { headers: { authorization: 'Bearer ' } })],
  ])('refuses %s', async (_, request) => {
    await expect(authorize(request)).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})
