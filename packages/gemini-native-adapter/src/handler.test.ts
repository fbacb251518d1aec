import {
  createKeyCheck,
  finalChunk,
  GenerationError,
  partsChunk,
  rememberRawJson,
  textPart,
  type Outcome,
} from '@castorjs/content-generator'
import { scriptedGenerator, type ScriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import { createGeminiNativeHandler, type GeminiNativeOptions } from './handler.ts'

const BASE = 'http://castor.test'
const USER_HI = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }
const HELLO: ScriptStep[] = [
  partsChunk([textPart('Hel')], { modelVersion: 'm-1' }),
  finalChunk('STOP', { usageMetadata: { promptTokenCount: 2, totalTokenCount: 2 } }, [textPart('lo')]),
]

function serve(script: readonly ScriptStep[], options: Partial<GeminiNativeOptions> = {}) {
  const generator: ScriptedGenerator = scriptedGenerator(script)
  const handle = createGeminiNativeHandler({ generator, authorize: 'anyone', heartbeatMs: 0, ...options })
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    handle(new Request(BASE + path, { method: 'POST', headers, body: JSON.stringify(body) }))
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    handle(new Request(BASE + path, { headers }))
  return { generator, handle, post, get }
}

describe('generateContent', () => {
  it.each(['v1beta', 'v1', 'v1alpha'])('answers whole under %s', async (version) => {
    const { post, generator } = serve(HELLO)
    const response = await post(`/gemini/${version}/models/gemini-x:generateContent`, USER_HI)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({
      candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Hello' }] }, finishReason: 'STOP' }],
      modelVersion: 'm-1',
      usageMetadata: { promptTokenCount: 2, totalTokenCount: 2 },
    })
    expect(generator.requests).toEqual([{ ...USER_HI, model: 'gemini-x' }])
  })

  it('takes contents as one object or a string, and systemInstruction as a string', async () => {
    const { post, generator } = serve(HELLO)
    await post('/v1beta/models/m:generateContent', { contents: { parts: { text: 'a' } }, system_instruction: 'S' })
    await post('/v1beta/models/m:generateContent', { contents: 'b' })
    expect(generator.requests).toEqual([
      { model: 'm', contents: [{ parts: [{ text: 'a' }] }], systemInstruction: { parts: [{ text: 'S' }] } },
      { model: 'm', contents: [{ role: 'user', parts: [{ text: 'b' }] }] },
    ])
  })

  it('hands on fields it does not know', async () => {
    const { post, generator } = serve(HELLO)
    const unknown = { new_thing: [1], contents: [{ role: 'user', parts: [{ text: 'a', part_metadata: { k: 1 } }] }] }
    await post('/v1beta/models/m:generateContent', unknown)
    expect(generator.requests).toEqual([{ ...unknown, model: 'm' }])
  })

  it('tells a refused prompt in the answer, as Google does', async () => {
    const { post } = serve([new GenerationError('blocked', 'Refused.', { upstreamCode: 'SAFETY' })])
    const response = await post('/v1beta/models/m:generateContent', USER_HI)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ promptFeedback: { blockReason: 'SAFETY', blockReasonMessage: 'Refused.' } })
  })

  it('takes the media parameters of the query', async () => {
    const { post, generator } = serve(HELLO, { media: { original: true } })
    await post('/v1beta/models/m:generateContent?remove_watermark=true&size=512x256', USER_HI)
    expect(generator.options[0]?.media).toEqual({
      original: true,
      removeVisibleMark: true,
      size: { width: 512, height: 256 },
    })
  })

  it('hands the client’s name for its conversation on', async () => {
    const { post, generator } = serve(HELLO)
    await post('/v1beta/models/m:generateContent', USER_HI, { 'x-session-id': 's-1' })
    expect(generator.options[0]?.sessionId).toBe('s-1')
  })

  it('renames models where the operator says so', async () => {
    const { post, generator } = serve(HELLO, { model: (name) => (name === 'alias' ? 'real' : name) })
    await post('/v1beta/models/alias:generateContent', USER_HI)
    expect(generator.requests[0]?.model).toBe('real')
  })
})

describe('streamGenerateContent', () => {
  it('streams blocks that begin with data: and end with an empty line, without [DONE]', async () => {
    const { post } = serve(HELLO)
    const response = await post('/v1beta/models/m:streamGenerateContent?alt=sse', USER_HI)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await response.text()).toBe(
      'data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hel"}]}}],"modelVersion":"m-1"}\r\n\r\n' +
        'data: {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"lo"}]},"finishReason":"STOP"}],' +
        '"usageMetadata":{"promptTokenCount":2,"totalTokenCount":2}}\r\n\r\n',
    )
  })

  it('streams one JSON array without alt=sse', async () => {
    const { post } = serve(HELLO)
    const response = await post('/v1beta/models/m:streamGenerateContent', USER_HI)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await response.json()).toEqual([
      { candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Hel' }] } }], modelVersion: 'm-1' },
      {
        candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'lo' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 2, totalTokenCount: 2 },
      },
    ])
  })

  it('sends a chunk on in the upstream’s own letters', async () => {
    const raw = '{"candidates" : [{"finishReason":"STOP","x":1.0}]}'
    const { post } = serve([rememberRawJson({ candidates: [{ finishReason: 'STOP', x: 1 }] }, raw)])
    const response = await post('/v1beta/models/m:streamGenerateContent?alt=sse', USER_HI)
    expect(await response.text()).toBe(`data: ${raw}\r\n\r\n`)
  })

  const late = new GenerationError('upstream_unavailable', 'Gone.')
  const lateBody = {
    error: {
      code: 503,
      message: 'Gone.',
      status: 'UNAVAILABLE',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'UPSTREAM_UNAVAILABLE', domain: 'castor' },
      ],
    },
  }

  it('tells a late failure as a chunk of the stream', async () => {
    const { post } = serve([partsChunk([textPart('a')]), late])
    const text = await (await post('/v1beta/models/m:streamGenerateContent?alt=sse', USER_HI)).text()
    expect(text.split('\r\n\r\n')[1]).toBe(`data: ${JSON.stringify(lateBody)}`)
  })

  it('tells a late failure as the last element of the array', async () => {
    const { post } = serve([partsChunk([textPart('a')]), late])
    const elements = await (await post('/v1beta/models/m:streamGenerateContent', USER_HI)).json()
    expect(elements).toEqual([
      { candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'a' }] } }] },
      lateBody,
    ])
  })

  it('gives an early failure a status', async () => {
    const { post } = serve([late])
    const response = await post('/v1beta/models/m:streamGenerateContent?alt=sse', USER_HI)
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual(lateBody)
  })

  it('stops the upstream when the caller leaves', async () => {
    const { post, generator } = serve([partsChunk([textPart('a')]), 'stall'])
    const response = await post('/v1beta/models/m:streamGenerateContent?alt=sse', USER_HI)
    const reader = response.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await expect.poll(() => generator.open).toBe(0)
  })
})

describe('errors', () => {
  const authorize = createKeyCheck([{ id: 'k', key: 'right' }])

  it('answers a wrong key like Google: 400 with API_KEY_INVALID', async () => {
    const { post } = serve(HELLO, { authorize })
    const response = await post('/v1beta/models/m:generateContent', USER_HI, { 'x-goog-api-key': 'wrong' })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({
      error: {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'API_KEY_INVALID',
            domain: 'googleapis.com',
            metadata: { service: 'generativelanguage.googleapis.com' },
          },
        ],
      },
    })
  })

  it('answers a missing key with 403', async () => {
    const { post } = serve(HELLO, { authorize })
    const response = await post('/v1beta/models/m:generateContent', USER_HI)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } })
  })

  it.each([
    ['', { 'x-goog-api-key': 'right' }],
    ['', { authorization: 'right' }],
    ['', { authorization: 'Bearer right' }],
    ['', { 'x-api-key': 'right' }],
    ['?key=right', {}],
  ])('finds the key in %s %j', async (query, headers) => {
    const { post } = serve(HELLO, { authorize })
    expect((await post(`/v1beta/models/m:generateContent${query}`, USER_HI, { ...headers })).status).toBe(200)
  })

  it('names the field that is wrong', async () => {
    const { post } = serve(HELLO)
    const response = await post('/v1beta/models/m:generateContent', { contents: [{ parts: [{ text: 5 }] }] })
    expect(response.status).toBe(400)
    const message = '`contents[0].parts[0].text` must be a string, not a number.'
    expect(await response.json()).toMatchObject({
      error: {
        status: 'INVALID_ARGUMENT',
        message,
        details: [{}, { fieldViolations: [{ field: 'contents[0].parts[0].text', description: message }] }],
      },
    })
  })

  it('tells the true wait of a rate limit in RetryInfo and in the header', async () => {
    const { post } = serve([new GenerationError('rate_limited', 'Slow down.', { retryAfterMs: 12_500 })])
    const response = await post('/v1beta/models/m:generateContent', USER_HI)
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('13')
    expect(await response.json()).toMatchObject({
      error: {
        status: 'RESOURCE_EXHAUSTED',
        details: [
          { reason: 'RATE_LIMITED' },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '13s' },
        ],
      },
    })
  })

  it('hides a bad upstream key behind 503', async () => {
    const { post } = serve([new GenerationError('upstream_auth', 'The key of this server was refused.')])
    const response = await post('/v1beta/models/m:generateContent', USER_HI)
    expect(response.status).toBe(503)
    expect(response.headers.get('x-should-retry')).toBe('false')
  })

  it.each([
    ['POST', '/v1beta/models/m:predict'],
    ['GET', '/v1beta/models/m:generateContent'],
    ['POST', '/upload/v1beta/files'],
    ['GET', '/v1beta/cachedContents'],
    ['DELETE', '/v1beta/models/m'],
  ])('says clearly that %s %s is not served', async (method, path) => {
    const { handle } = serve(HELLO)
    const response = await handle(new Request(BASE + path, { method }))
    expect(response.status).toBe(404)
    const { error } = (await response.json()) as { error: { message: string } }
    expect(error.message).toContain('is not served here')
  })

  it.each([
    ['', 'The body is empty; send a JSON object.'],
    ['{', 'The body is not valid JSON; send a JSON object.'],
    ['[]', 'The body must be a JSON object, not an array.'],
    ['{}', '`contents` is missing.'],
    ['{"contents":[]}', '`contents` must hold at least one turn.'],
  ])('refuses the body %s', async (body, message) => {
    const { handle } = serve(HELLO)
    const response = await handle(new Request(`${BASE}/v1beta/models/m:generateContent`, { method: 'POST', body }))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { message } })
  })

  it('reports each request once', async () => {
    const outcomes: Outcome[] = []
    const { post } = serve(HELLO, { onOutcome: (outcome) => outcomes.push(outcome) })
    await (await post('/v1beta/models/m:streamGenerateContent?alt=sse&key=secret', USER_HI)).text()
    await expect.poll(() => outcomes.length).toBe(1)
    expect(outcomes[0]).toMatchObject({
      dialect: 'gemini',
      path: '/v1beta/models/m:streamGenerateContent',
      model: 'm',
      stream: true,
      status: 200,
      usage: { inputTokens: 2, outputTokens: 0 },
    })
  })
})

describe('models', () => {
  const models = Array.from({ length: 120 }, (_, index) => ({ name: `m-${index}`, inputTokenLimit: index }))
  const handle = createGeminiNativeHandler({ generator: scriptedGenerator([], { models }), authorize: 'anyone' })
  const get = async (path: string) => (await handle(new Request(BASE + path))).json()

  it('pages through the list', async () => {
    const first = await get('/v1beta/models')
    expect(first.models).toHaveLength(50)
    expect(first.models[0]).toEqual({
      name: 'models/m-0',
      version: '001',
      displayName: 'm-0',
      inputTokenLimit: 0,
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    })
    const last = await get(`/v1beta/models?pageSize=100&pageToken=${first.nextPageToken}`)
    expect(last.models.map((model: { name: string }) => model.name)).toEqual(
      models.slice(50).map(({ name }) => `models/${name}`),
    )
    expect(last.nextPageToken).toBeUndefined()
  })

  it('gives one model, also by its full name', async () => {
    expect(await get('/v1/models/m-7')).toMatchObject({ name: 'models/m-7' })
    expect(await get('/v1beta/models/models%2Fm-7')).toMatchObject({ name: 'models/m-7' })
  })

  it('answers 404 for a model it does not have, and 400 for a bad page', async () => {
    expect(await get('/v1beta/models/none')).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } })
    expect(await get('/v1beta/models?pageSize=-1')).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } })
  })
})

describe('countTokens', () => {
  it('counts a whole request where the upstream can', async () => {
    const generator = {
      ...scriptedGenerator([]),
      countTokens: (request: object) => Promise.resolve({ totalTokens: Object.keys(request).length }),
    }
    const { post } = serve([], { generator })
    const whole = { generateContentRequest: { model: 'models/m', ...USER_HI, system_instruction: 'S' } }
    expect(await (await post('/v1beta/models/m:countTokens', whole)).json()).toEqual({ totalTokens: 3 })
    expect(await (await post('/v1beta/models/m:countTokens', USER_HI)).json()).toEqual({ totalTokens: 2 })
  })

  it('guesses where it cannot, and says so', async () => {
    const { post } = serve([])
    const response = await post('/v1beta/models/m:countTokens', { contents: [{ parts: [{ text: 'twelve chars' }] }] })
    expect(await response.json()).toEqual({ totalTokens: 3 })
    expect(response.headers.get('x-castor-warnings')).toContain('totalTokens')
  })
})

describe('embeddings', () => {
  const generator = scriptedGenerator([], {
    embed: (requests) => ({ embeddings: requests.map((_, index) => ({ values: [index, 1] })) }),
  })
  const entry = { content: { parts: [{ text: 'a' }] }, task_type: 'RETRIEVAL_QUERY' }

  it('embeds one content and a batch', async () => {
    const { post } = serve([], { generator })
    expect(await (await post('/v1beta/models/e:embedContent', entry)).json()).toEqual({ embedding: { values: [0, 1] } })
    expect(await (await post('/v1beta/models/e:batchEmbedContents', { requests: [entry, entry] })).json()).toEqual({
      embeddings: [{ values: [0, 1] }, { values: [1, 1] }],
    })
  })

  it('reports a guess of the tokens, as Google counts none', async () => {
    const outcomes: Outcome[] = []
    const { post } = serve([], { generator, onOutcome: (outcome) => outcomes.push(outcome) })
    const long = { content: { parts: [{ text: 'x'.repeat(40) }, { text: 'é'.repeat(3) }] } }
    await post('/v1beta/models/e:embedContent', long)
    await post('/v1beta/models/e:batchEmbedContents', { requests: [long, entry] })
    const nothing = { cachedTokens: 0, outputTokens: 0, thoughtTokens: 0, estimated: true }
    expect(outcomes.map(({ usage }) => usage)).toEqual([
      { ...nothing, inputTokens: 12 },
      { ...nothing, inputTokens: 13 },
    ])
  })

  it('says clearly when the upstream has none', async () => {
    const { post } = serve([])
    const response = await post('/v1beta/models/e:embedContent', entry)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { status: 'FAILED_PRECONDITION' } })
  })

  it('refuses more than a hundred at once', async () => {
    const { post } = serve([], { generator })
    const response = await post('/v1beta/models/e:batchEmbedContents', { requests: Array(101).fill(entry) })
    expect(response.status).toBe(400)
  })
})
