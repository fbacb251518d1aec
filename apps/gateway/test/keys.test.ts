import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readChatStream } from './chat-stream.ts'
import { startStack, type Stack } from './stack.ts'

const ADMIN = 'battery-staple'
const MESSAGES = [{ role: 'user', content: 'Repeat exactly: hello' }]
const CONTENTS = [{ role: 'user', parts: [{ text: 'Repeat exactly: hello' }] }]

let stack: Stack
beforeAll(async () => {
  stack = await startStack({
    config: {
      apiKeys: [{ id: 'laptop', key: 'correct-horse' }],
      adminKey: ADMIN,
      mounts: [
        { path: '/', upstreams: ['gemini-web'] },
        { path: '/gemini', upstreams: ['gemini-api'] },
        { path: '/both', upstreams: ['gemini-web', 'gemini-api'] },
      ],
    },
  })
})
afterAll(() => stack.close())

async function call(method: string, path: string, body?: unknown, key = ADMIN) {
  const response = await fetch(stack.gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}

/** Sends the headers and half of the body, and the rest once `meanwhile` is over. */
async function upload(path: string, body: unknown, key: string, meanwhile: () => Promise<void>) {
  const bytes = Buffer.from(JSON.stringify(body))
  const request = httpRequest(stack.gateway.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': bytes.length,
      expect: '100-continue',
    },
  })
  request.flushHeaders()
  await once(request, 'continue')
  request.write(bytes.subarray(0, 10))
  await meanwhile()
  request.end(bytes.subarray(10))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode, text: await readText(response) }
}

interface Made {
  key: string
  record: { id: string; name: string }
}

async function make(settings: object): Promise<Made> {
  const { status, text } = await call('POST', '/api/keys', settings)
  expect([status, text.slice(0, 2)]).toEqual([201, '{"'])
  return JSON.parse(text) as Made
}

const chat = (key: string, model = 'gemini-2.5-flash', mount = '') =>
  call('POST', `${mount}/v1/chat/completions`, { model, messages: MESSAGES }, key)

describe('a key for one model', () => {
  const large = 'gemini-2.5-pro'
  it.each<[string, string, (model: string) => unknown]>([
    ['chat', '/v1/chat/completions', (model) => ({ model, messages: MESSAGES })],
    ['chat as a stream', '/v1/chat/completions', (model) => ({ model, messages: MESSAGES, stream: true })],
    ['a plain prompt', '/v1/generate', (model) => ({ model, prompt: 'Repeat exactly: hello' })],
    ['Gemini', '/v1beta/models/MODEL:generateContent', () => ({ contents: CONTENTS })],
    ['Gemini as a stream', '/v1beta/models/MODEL:streamGenerateContent?alt=sse', () => ({ contents: CONTENTS })],
    ['a count of tokens', '/v1beta/models/MODEL:countTokens', () => ({ contents: CONTENTS })],
    ['Code Assist', '/v1internal:generateContent', (model) => ({ model, request: { contents: CONTENTS } })],
  ])('holds for %s', async (_, path, body) => {
    const { key } = await make({ name: 'phone', models: ['gemini-2.5-flash'] })
    const ask = (model: string) => call('POST', path.replace('MODEL', model), body(model), key)
    const refused = await ask(large)
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('The key \\"phone\\" may not use')])
    expect((await ask('gemini-2.5-flash')).status).toBe(200)
  })

  it('holds for pictures', async () => {
    const { key } = await make({ name: 'phone', models: ['gemini-2.5-flash'] })
    const body = { model: 'gemini-2.5-flash-image', prompt: 'A cat' }
    expect((await call('POST', '/v1/images/generations', body, key)).status).toBe(403)
    // Also where the request names no model.
    expect((await call('POST', '/v1/generate-images', { prompt: 'A cat' }, key)).status).toBe(403)
  })

  it.each(['/v1/models', '/api/models', '/v1beta/models', '/both/v1/models'])('is all that %s shows', async (path) => {
    const { key } = await make({ name: 'phone', models: ['gemini-2.5-flash'] })
    const { text } = await call('GET', path, undefined, key)
    expect(text).toContain('gemini-2.5-flash"')
    expect(text).not.toContain('gemini-2.5-pro')
    expect((await call('GET', path, undefined, 'correct-horse')).text).toContain('gemini-2.5-pro')
  })

  it('hides the others one by one too', async () => {
    const { key } = await make({ name: 'phone', models: ['gemini-2.5-flash'] })
    for (const path of ['/v1/models', '/v1beta/models']) {
      expect((await call('GET', `${path}/gemini-2.5-flash`, undefined, key)).status).toBe(200)
      expect((await call('GET', `${path}/${large}`, undefined, key)).status).toBe(404)
    }
  })
})

describe('a key for one upstream', () => {
  it('opens the mounts of that upstream, and on a shared mount passes over the other', async () => {
    const { key } = await make({ name: 'paid', upstreams: ['gemini-api'] })
    expect((await chat(key)).text).toContain('may not use the upstream gemini-web')
    for (const mount of ['/gemini', '/both']) {
      const answer = await chat(key, 'gemini-2.5-flash', mount)
      expect([answer.status, answer.headers.get('x-castor-upstream')]).toEqual([200, 'gemini-api'])
    }
    expect(JSON.parse((await call('GET', '/v1/models', undefined, key)).text)).toMatchObject({ data: [] })
  })
})

describe('a key', () => {
  it('is renamed, gets a new secret, ends and is removed, each at once', async () => {
    const { key, record } = await make({ name: 'phone' })
    const path = `/api/keys/${record.id}`
    expect((await chat(key)).status).toBe(200)
    expect(JSON.parse((await call('PATCH', path, { name: 'old phone' })).text)).toMatchObject({ name: 'old phone' })
    expect(JSON.parse((await call('GET', path)).text)).toMatchObject({ id: record.id, name: 'old phone' })

    const rotated = JSON.parse((await call('POST', `${path}/rotate`)).text) as Made
    expect(rotated.record).toMatchObject({ id: record.id, name: 'old phone' })
    expect((await chat(key)).status).toBe(401)
    expect((await chat(rotated.key)).status).toBe(200)

    expect((await call('PATCH', path, { enabled: false })).status).toBe(200)
    expect((await chat(rotated.key)).text).toContain('switched off')
    expect((await call('PATCH', path, { enabled: true, expiresAt: '2020-01-01T00:00:00Z' })).status).toBe(200)
    const expired = await chat(rotated.key)
    expect([expired.status, expired.text]).toEqual([
      401,
      expect.stringContaining('expired at 2020-01-01T00:00:00.000Z'),
    ])
    expect((await call('PATCH', path, { expiresAt: null })).status).toBe(200)
    expect((await chat(rotated.key)).status).toBe(200)
    expect((await call('DELETE', path)).status).toBe(200)
    expect((await chat(rotated.key)).status).toBe(401)
  })

  it.each<[string, (path: string) => Promise<{ status: number }>]>([
    ['is removed', (path) => call('DELETE', path)],
    ['is switched off', (path) => call('PATCH', path, { enabled: false })],
    ['expires', (path) => call('PATCH', path, { expiresAt: '2020-01-01T00:00:00Z' })],
  ])('opens nothing to a request whose body is still on its way when it %s', async (_, end) => {
    for (const [path, body, status] of [
      ['/v1/chat/completions', { model: 'gemini-2.5-pro', messages: MESSAGES }, 401],
      ['/gemini/v1/embeddings', { model: 'gemini-embedding-001', input: 'hello' }, 401],
      // Google answers a wrong key so.
      ['/gemini/v1beta/models/gemini-2.5-pro:countTokens', { contents: CONTENTS }, 400],
    ] as const) {
      const { key, record } = await make({ name: 'phone', models: ['gemini-2.5-flash'] })
      const ended = async (): Promise<void> => expect((await end(`/api/keys/${record.id}`)).status).toBe(200)
      const answer = await upload(path, body, key, ended)
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.text).toMatch(/not one of this server|switched off|expired|API key not valid/)
    }
  })

  it('that is removed lets an answer end that has begun', async () => {
    stack.emulator.emulator.controls.fail({ kind: 'stall', ms: 300, afterFrames: 4 })
    const { key, record } = await make({ name: 'phone' })
    const answer = await fetch(`${stack.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gemini-2.5-flash', messages: MESSAGES, stream: true }),
    })
    expect((await call('DELETE', `/api/keys/${record.id}`)).status).toBe(200)
    expect(readChatStream(await answer.text())).toMatchObject({ content: 'hello', finish: 'stop', done: true })
    expect((await chat(key)).status).toBe(401)
  })

  it('takes back what a form was shown', async () => {
    const { record } = await make({ name: 'phone', limits: { perHour: 5 } })
    const shown = JSON.parse((await call('GET', `/api/keys/${record.id}`)).text) as object
    expect((await call('PATCH', `/api/keys/${record.id}`, shown)).status).toBe(200)
    expect(JSON.parse((await call('GET', `/api/keys/${record.id}`)).text)).toEqual(shown)
  })

  it.each<[object, string, RegExp]>([
    [{ name: 'x', expires: 1 }, 'expires', /`expires` is not a setting of a key\. There are name, upstreams/],
    [{ name: 'x', upstreams: ['gemini'] }, 'upstreams', /must be some of gemini-web, gemini-api, code-assist/],
    [{ name: 'x', expiresAt: 'tomorrow' }, 'expiresAt', /must be a time such as 2026-12-31T23:59:00Z/],
    [{ name: 'x', expiresAt: '2027-02-30' }, 'expiresAt', /must be a time such as 2026-12-31T23:59:00Z/],
    [{ name: 'x', expiresAt: '2027-02-29T12:00:00+02:00' }, 'expiresAt', /must be a time such as/],
    [{ name: 'x', models: ['gemini-3-pro', ' '] }, 'models', /must be a list of at most 200 names/],
    [{ name: 'x', expiresAt: '2020-01-01' }, 'expiresAt', /is 2020-01-01T00:00:00\.000Z, which is over/],
    [{ name: 'x', limits: { modelSpacingMs: 7_200_000 } }, 'limits.modelSpacingMs', /at most 3600000 milliseconds/],
    [{ name: 'x', limits: { perDay: 3 } }, 'limits', /may hold perHour and modelSpacingMs only/],
    [{ name: 7 }, 'name', /text of 1 to 100 characters/],
    [{}, 'name', /text of 1 to 100 characters/],
  ])('is not made of %o', async (settings, param, message) => {
    const { status, text } = await call('POST', '/api/keys', settings)
    const { error } = JSON.parse(text) as { error: { param: string; message: string } }
    expect([status, error.param, error.message]).toEqual([400, param, expect.stringMatching(message)])
  })

  it.each(['%00', 'x'.repeat(600), 'nosuchkey234', '..%2Fstate', '__proto__'])(
    'of the id %s is not found',
    async (id) => {
      const requests: [string, string, object?][] = [
        ['GET', ''],
        ['PATCH', '', { name: 'x' }],
        ['POST', '/rotate'],
        ['DELETE', ''],
      ]
      for (const [method, path, body] of requests) {
        const { status, text } = await call(method, `/api/keys/${id}${path}`, body)
        expect([method, status, JSON.parse(text)]).toMatchObject([method, 404, { error: { code: 'key_not_found' } }])
      }
    },
  )

  it('is nowhere in clear, and answers that show one are kept by nobody', async () => {
    const made = await call('POST', '/api/keys', { name: 'phone' })
    expect(made.headers.get('cache-control')).toBe('no-store')
    const { key } = JSON.parse(made.text) as Made
    await chat(key)
    await chat(`${key.slice(0, -1)}!`)
    await call('GET', `/v1/models?key=${key}`)
    const shown = await Promise.all(['/api/keys', '/api/usage', '/metrics', '/health'].map((path) => call('GET', path)))
    const secret = key.slice(-43, -1)
    for (const { text } of shown) expect(text).not.toContain(secret)
    expect(stack.logLines.join('\n')).not.toContain(secret)
  })
})
