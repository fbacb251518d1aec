import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({
    config: { apiKeys: [{ id: 'laptop', key: 'correct-horse' }], adminKey: 'battery-staple' },
  })
})
afterAll(() => stack.close())

async function call(method: string, path: string, body?: unknown, key = 'battery-staple') {
  const response = await fetch(stack.gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  }
}

const chat = (key: string, model = 'gemini-2.5-flash') =>
  call('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Repeat exactly: hello' }] }, key)

describe('the operator', () => {
  it('makes a key that is shown once, restricts it, switches it off and removes it', async () => {
    const made = await call('POST', '/api/keys', { name: 'phone', models: ['gemini-2.5-*'], limits: { perHour: 2 } })
    expect(made.status).toBe(201)
    const { key, record } = made.json as { key: string; record: { id: string } }
    expect((await call('GET', '/api/keys')).text).not.toContain(key)

    const first = await chat(key)
    expect(first.status).toBe(200)
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    expect((await chat(key, 'gemini-3-pro')).status).toBe(403)
    expect((await chat(key)).status).toBe(200)
    const third = await chat(key)
    expect(third.status).toBe(429)
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(third.text).toMatch(/2 requests an hour/)

    expect((await call('PATCH', `/api/keys/${record.id}`, { limits: null, enabled: false })).status).toBe(200)
    expect((await chat(key)).text).toMatch(/switched off/)
    expect((await call('DELETE', `/api/keys/${record.id}`)).status).toBe(200)
    expect((await chat(key)).status).toBe(401)
  })

  it.each([
    ['POST', '/api/keys', { name: '' }, 400, 'name'],
    ['POST', '/api/keys', { name: 'x', limits: { perHour: 0 } }, 400, 'limits.perHour'],
    ['PATCH', '/api/keys/nothere', { name: 'x' }, 404, 'id'],
    ['DELETE', '/api/keys/nothere', undefined, 404, 'id'],
    ['GET', '/api/usage?by=colour', undefined, 400, 'by'],
  ])('is told what is wrong with %s %s', async (method, path, body, status, param) => {
    const answer = await call(method, path, body)
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({ error: { param } })
  })

  it.each([
    ['PUT', '/api/keys', 'GET, POST'],
    ['POST', '/api/keys/aaaaaaaaaaaa', 'GET, PATCH, DELETE'],
    ['GET', '/api/keys/aaaaaaaaaaaa/rotate', 'POST'],
    ['DELETE', '/api/usage', 'GET'],
    ['POST', '/metrics', 'GET'],
    ['POST', '/health', 'GET'],
    ['PUT', '/ready', 'GET'],
    ['POST', '/api/info', 'GET'],
    ['POST', '/api/models', 'GET'],
  ])('is told with 405 that %s does nothing at %s, and what does', async (method, path, allowed) => {
    const { status, headers, json } = await call(method, path)
    expect([status, headers.get('allow')]).toEqual([405, allowed])
    expect(json).toEqual({
      error: {
        message: `${method} does nothing here. Use ${allowed}.`,
        type: 'invalid_request',
        param: null,
        code: 'method_not_allowed',
      },
    })
  })

  it('reads the usage, summed and as CSV, with guesses marked', async () => {
    await chat('correct-horse')
    const { rows } = (await call('GET', '/api/usage?by=key,model&caller=laptop')).json as {
      rows: Record<string, unknown>[]
    }
    expect(rows).toEqual([
      expect.objectContaining({ key: 'laptop', model: 'gemini-2.5-flash', requests: 1, failures: {} }),
    ])
    expect(rows[0]?.['estimatedTokens']).toBe(Number(rows[0]?.['inputTokens']) + Number(rows[0]?.['outputTokens']))
    const csv = await call('GET', '/api/usage?format=csv')
    expect(csv.headers.get('content-type')).toMatch(/text\/csv/)
    expect(csv.text.split('\n')[0]).toContain('requests')
  })

  it('reads metrics that hold no key and no cookie', async () => {
    const { text } = await call('GET', '/metrics')
    expect(text).toMatch(
      /castor_requests_total\{dialect="openai",upstream="gemini-web",model="gemini-2.5-flash",status="200",code=""\} \d/,
    )
    expect(text).toContain('castor_account_state{upstream="gemini-web",account="ada",state="ready"} 1')
    expect(text).not.toMatch(/g\.a000|sidts-|correct-horse|battery-staple/)
  })

  it.each(['/metrics', '/api/keys', '/api/usage'])('is the only one let into %s', async (path) => {
    const { status, json } = await call('GET', path, undefined, 'correct-horse')
    expect(status).toBe(401)
    expect(json).toMatchObject({
      error: { message: "This is the operator's, and the API key sent is not ADMIN_KEY.", code: 'unauthenticated' },
    })
  })

  it('sees whether anything can serve, and why not', async () => {
    expect((await call('GET', '/ready')).json).toEqual({ ready: true })
    await stack.gateway.accounts.pause('ada')
    // The other upstreams can.
    expect((await call('GET', '/ready')).status).toBe(200)
    await stack.gateway.accounts.resume('ada')

    const alone = await startStack({ config: { geminiApi: {}, codeAssist: {} } })
    await alone.gateway.accounts.pause('ada')
    const paused = await fetch(`${alone.gateway.url}/ready`)
    const answer: unknown = await paused.json()
    await alone.close()
    expect([paused.status, answer]).toEqual([
      503,
      {
        ready: false,
        reason: 'No account can serve (gemini-web: 1 disabled). GET /api/upstreams has the details.',
      },
    ])
  })
})
