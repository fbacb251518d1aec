import {
  createKeyCheck,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  type Outcome,
} from '@castorjs/content-generator'
import { scriptedGenerator } from '@castorjs/testkit'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createOpenAIHandler } from './handler.ts'
import { createOpenAIApp } from './hono.ts'
import type { OpenAIHandlerOptions } from './options.ts'

const HELLO = [partsChunk([textPart('Good day')]), finalChunk('STOP')]
const BODY = { model: 'gemini-2.5-flash', messages: [{ role: 'user', content: 'Hi' }] }

function post(path: string, body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(`http://castor.test${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

function open(script: Parameters<typeof scriptedGenerator>[0] = HELLO, options: Partial<OpenAIHandlerOptions> = {}) {
  const upstream = scriptedGenerator(script, { models: [{ name: 'gemini-2.5-flash' }, { name: 'tuned/mine' }] })
  return { upstream, handler: createOpenAIHandler({ generator: upstream, authorize: 'anyone', ...options }) }
}

describe('routes', () => {
  it.each([
    '/v1/chat/completions',
    '/v1/chat/completions/',
    '/chat/completions',
    '/gemini_official/v1/chat/completions',
    '/gemini/chat/completions',
    '//v1/chat/completions',
  ])('serves chat at %s', async (path) => {
    expect((await open().handler(post(path, BODY))).status).toBe(200)
  })

  it('is strict about its mount where it was given one', async () => {
    const { handler } = open(HELLO, { basePath: '/gemini_official' })
    expect((await handler(post('/gemini_official/v1/chat/completions', BODY))).status).toBe(200)
    expect((await handler(post('/v1/chat/completions', BODY))).status).toBe(404)
  })

  it('names the right base URL where /v1 is said twice', async () => {
    const answer = await open().handler(post('/gemini_official/v1/v1/chat/completions', BODY))
    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({
      error: {
        message: 'The path repeats /v1. Set the base URL of your client to http://castor.test/gemini_official/v1',
        type: 'invalid_request_error',
        param: null,
        code: 'not_found',
      },
    })
  })

  it('answers unknown paths and wrong methods in JSON', async () => {
    const { handler } = open()
    const unknown = await handler(new Request('http://castor.test/v1/nothing'))
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/json'])
    const wrong = await handler(new Request('http://castor.test/v1/chat/completions'))
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('finds a model whose name has a slash', async () => {
    const found = await open().handler(new Request('http://castor.test/v1/models/models%2Ftuned%2Fmine'))
    expect(await found.json()).toMatchObject({ id: 'tuned/mine', object: 'model' })
  })

  it('works below a Hono mount', async () => {
    const app = new Hono().route(
      '/gemini_official',
      createOpenAIApp({ generator: scriptedGenerator(HELLO), authorize: 'anyone' }),
    )
    const answer = await app.request(post('/gemini_official/v1/chat/completions', BODY))
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'Good day' } }] })
  })
})

describe('a chat exchange', () => {
  it.each([
    ['no JSON', '{', 400, null],
    ['an empty body', '', 400, null],
    ['a list', '[]', 400, null],
    ['a wrong type', { ...BODY, messages: 'Hi' }, 400, 'messages'],
  ])('refuses %s', async (_, body, status, param) => {
    const answer = await open().handler(post('/v1/chat/completions', body))
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param } })
    expect(answer.headers.get('x-should-retry')).toBe('false')
  })

  it('refuses a body over the limit, with the remedy', async () => {
    const answer = await open(HELLO, { maxBodyBytes: 10 }).handler(post('/v1/chat/completions', BODY))
    expect(answer.status).toBe(413)
    expect(((await answer.json()) as { error: { message: string } }).error.message).toContain('larger than 10 bytes')
  })

  it('asks for the key', async () => {
    const { handler } = open(HELLO, { authorize: createKeyCheck([{ id: 'me', key: 'sesame' }]) })
    const answers = await Promise.all(
      [{}, { authorization: 'Bearer wrong' }, { authorization: 'sesame' }, { 'x-api-key': 'sesame' }].map((headers) =>
        handler(post('/v1/chat/completions', BODY, headers as Record<string, string>)),
      ),
    )
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 200, 200])
    expect(await answers[0]?.json()).toMatchObject({ error: { type: 'authentication_error', code: 'invalid_api_key' } })
  })

  it('reports a remote file by the field that named it', async () => {
    const url = 'http://10.0.0.1/a.png'
    const { handler } = open([new GenerationError('invalid_request', 'The address is private.', { fileUri: url })])
    const content = [
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: { url } },
    ]
    for (const stream of [false, true]) {
      const answer = await handler(
        post('/v1/chat/completions', { ...BODY, stream, messages: [{ role: 'user', content }] }),
      )
      expect([answer.status, await answer.json()]).toEqual([
        400,
        {
          error: {
            message: '`messages[0].content[1].image_url.url`: The address is private.',
            type: 'invalid_request_error',
            param: 'messages[0].content[1].image_url.url',
            code: 'invalid_image_url',
          },
        },
      ])
    }
  })

  it('asks once more after nonsense and then is a bad gateway (row 2)', async () => {
    const { handler, upstream } = open([finalChunk('MALFORMED_FUNCTION_CALL')])
    for (const stream of [false, true]) {
      const answer = await handler(post('/v1/chat/completions', { ...BODY, stream }))
      expect(answer.status).toBe(502)
      expect(await answer.json()).toMatchObject({ error: { type: 'server_error', code: 'upstream_error' } })
    }
    expect(upstream.requests).toHaveLength(4)
  })

  it('never answers 200 with nothing', async () => {
    const answer = await open([finalChunk('STOP')]).handler(post('/v1/chat/completions', BODY))
    expect(answer.status).toBe(502)
    expect(((await answer.json()) as { error: { message: string } }).error.message).toContain('empty answer')
  })

  it('refuses a blocked prompt before the stream begins (row 44)', async () => {
    const { handler } = open([{ promptFeedback: { blockReason: 'SAFETY' } }])
    for (const stream of [false, true]) {
      const answer = await handler(post('/v1/chat/completions', { ...BODY, stream }))
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ error: { code: 'content_policy_violation' } })
    }
  })

  it('keeps a silent stream alive and ends it with the error of the upstream (row 49)', async () => {
    const { handler } = open([{ waitMs: 60 }, new GenerationError('upstream_unavailable', 'Gone.')], {
      commitAfterMs: 5,
      heartbeatMs: 10,
    })
    const answer = await handler(post('/v1/chat/completions', { ...BODY, stream: true }))
    expect([answer.status, answer.headers.get('x-accel-buffering')]).toEqual([200, 'no'])
    const text = await answer.text()
    expect(text).toContain(': ping\n\n')
    expect(text.replaceAll(': ping\n\n', '')).toBe(
      'data: {"error":{"message":"Gone.","type":"server_error","param":null,"code":"upstream_error"}}\n\n',
    )
  })

  it('reports an upstream that hangs up before the end, without [DONE] (row 50)', async () => {
    const { handler } = open([partsChunk([textPart('Half')])])
    const text = await (await handler(post('/v1/chat/completions', { ...BODY, stream: true }))).text()
    expect(text).toContain('"content":"Half"')
    expect(text).toMatch(/data: \{"error":\{"message":"The upstream closed the stream before.+\}\}\n\n$/)
    expect((await handler(post('/v1/chat/completions', BODY))).status).toBe(503)
  })

  it('repeats the model asked for, whoever answered (row 63)', async () => {
    const { handler } = open([partsChunk([textPart('Hi')], { modelVersion: 'gemini-3.8-flash' }), finalChunk('STOP')])
    const answer = await handler(post('/v1/chat/completions', BODY))
    expect(await answer.json()).toMatchObject({ model: 'gemini-2.5-flash' })
  })

  it('gives a remembered signature to the same caller and model only', async () => {
    const call = { functionCall: { id: 'a', name: 'f', args: {} }, thoughtSignature: 'QUJD' }
    const authorize = createKeyCheck([
      { id: 'one', key: '1' },
      { id: 'two', key: '2' },
    ])
    const { handler, upstream } = open([partsChunk([call]), finalChunk('STOP')], { authorize })
    const messages = [
      ...BODY.messages,
      { role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'a', content: 'ok' },
    ]
    const ask = (key: string, body: unknown) => handler(post('/v1/chat/completions', body, { authorization: key }))
    await ask('1', BODY)
    await ask('1', { ...BODY, messages })
    await ask('2', { ...BODY, messages })
    await ask('1', { ...BODY, model: 'gemini-2.5-pro', messages })
    const signatures = upstream.requests.slice(1).map((request) => request.contents[1]?.parts?.[0]?.thoughtSignature)
    expect(signatures).toEqual(['QUJD', undefined, undefined])
  })

  it('tells a drawing model the shape, and takes strict_model', async () => {
    const { handler, upstream } = open()
    const model = 'gemini-2.5-flash-imagen'
    await handler(post('/v1/chat/completions?size=1920x1080&strict_model=true', { ...BODY, model }))
    expect(upstream.requests[0]?.generationConfig).toEqual({
      responseModalities: ['TEXT', 'IMAGE'],
      imageConfig: { aspectRatio: '16:9' },
    })
    expect(upstream.options[0]).toMatchObject({ strictModel: true, media: { size: { width: 1920, height: 1080 } } })
    const refused = await handler(post('/v1/chat/completions', { ...BODY, strict_model: 7 }))
    expect(await refused.json()).toMatchObject({ error: { param: 'strict_model' } })
  })

  it('tells the retry time, and forbids retries after long waits (row 68)', async () => {
    const limited = (retryAfterMs: number) => [new GenerationError('rate_limited', 'Wait.', { retryAfterMs })]
    const headers = async (ms: number) => {
      const answer = await open(limited(ms)).handler(post('/v1/chat/completions', BODY))
      return [answer.headers.get('retry-after'), answer.headers.get('x-should-retry')]
    }
    expect(await headers(1_500)).toEqual(['2', 'true'])
    expect(await headers(18_183_000)).toEqual(['18183', 'false'])
  })

  it('hands media wishes, session and warnings on, and reports the outcome once', async () => {
    const outcomes: Outcome[] = []
    const { handler, upstream } = open(HELLO, {
      media: { removeVisibleMark: true },
      onOutcome: (outcome) => outcomes.push(outcome),
    })
    const answer = await handler(
      post(
        '/v1/chat/completions?return_origin_image=true&size=640x480',
        { ...BODY, logit_bias: {}, response_type: 'url' },
        { 'x-session-id': 's-1' },
      ),
    )
    expect(upstream.options[0]).toMatchObject({
      media: { removeVisibleMark: true, original: true, size: { width: 640, height: 480 }, delivery: 'url' },
      sessionId: 's-1',
    })
    expect(answer.headers.get('x-castor-warnings')).toBe('logit_bias: Gemini has nothing like it; ignored.')
    expect(answer.headers.get('x-castor-usage')).toBe('estimated')
    expect(outcomes).toEqual([
      expect.objectContaining({ dialect: 'openai', model: 'gemini-2.5-flash', status: 200, stream: false }),
    ])
    expect(outcomes[0]?.usage?.estimated).toBe(true)
  })
})

it('answers the simple route', async () => {
  const { handler, upstream } = open()
  const answer = await handler(post('/v1/generate', { prompt: 'Hi' }))
  expect(await answer.json()).toMatchObject({ text: 'Good day', model: 'gemini-2.5-flash', finish_reason: 'stop' })
  expect(upstream.requests[0]?.contents).toEqual([{ role: 'user', parts: [{ text: 'Hi' }] }])
  const refused = await handler(post('/v1/generate', { model: 'x' }))
  expect(await refused.json()).toMatchObject({ error: { param: 'prompt' } })
})
