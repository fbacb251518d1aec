import { afterEach, describe, expect, it } from 'vitest'
import { startStack, type Stack, type StackOptions } from './stack.ts'

let stack: Stack
afterEach(() => stack.close())

async function status(
  path: string,
  headers: Record<string, string> = {},
  options: StackOptions = {},
): Promise<Response> {
  stack = await startStack(options)
  return fetch(stack.gateway.url + path, { headers })
}

const KEYS = { config: { apiKeys: [{ id: 'laptop', key: 'correct-horse' }] } }

describe('the door', () => {
  it('serves this machine without a key', async () => {
    expect((await status('/v1/models')).status).toBe(200)
  })

  it.each(['/v1/models', '/api/models', '/v1beta/models', '/gemini_official/v1/models'])(
    'refuses another name for this machine on %s, which a rebinding web page would use',
    async (path) => {
      stack = await startStack()
      const { request } = await import('node:http')
      const answer = await new Promise<number | undefined>((resolve, reject) => {
        request(stack.gateway.url + path, { headers: { host: 'evil.example' } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
      expect(answer).toBe(403)
    },
  )

  it.each([
    ['Authorization: Bearer', { authorization: 'Bearer correct-horse' }, ''],
    ['Authorization', { authorization: 'correct-horse' }, ''],
    ['x-api-key', { 'x-api-key': 'correct-horse' }, ''],
    ['x-goog-api-key', { 'x-goog-api-key': 'correct-horse' }, ''],
    ['?key=', {}, '?key=correct-horse'],
  ])('takes the key from %s', async (_, headers, query) => {
    expect((await status(`/v1/models${query}`, headers as Record<string, string>, KEYS)).status).toBe(200)
  })

  it('refuses no key and a wrong key in the dialect of the path', async () => {
    const none = await status('/v1/models', {}, KEYS)
    expect(none.status).toBe(401)
    expect(await none.json()).toMatchObject({
      error: { code: 'invalid_api_key', message: expect.stringMatching(/Authorization/) },
    })
    const native = await fetch(`${stack.gateway.url}/v1beta/models?key=wrong`)
    expect(native.status).toBe(400)
    expect(await native.json()).toMatchObject({ error: { details: [{ reason: 'API_KEY_INVALID' }] } })
  })

  it('lets a browser client in with a key, and only pages of this machine without one', async () => {
    const preflight = {
      origin: 'https://chat.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    }
    stack = await startStack(KEYS)
    const allowed = await fetch(`${stack.gateway.url}/v1/chat/completions`, { method: 'OPTIONS', headers: preflight })
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://chat.example')
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/authorization/i)
    await stack.close()
    stack = await startStack()
    const refused = await fetch(`${stack.gateway.url}/v1/models`, { headers: { origin: 'https://chat.example' } })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null])
    const local = await fetch(`${stack.gateway.url}/v1/models`, { headers: { origin: 'http://localhost:3000' } })
    expect(local.headers.get('access-control-allow-origin')).toBe('http://localhost:3000')
  })

  it.each<[string, Record<string, string>]>([
    ['a page of a stranger', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a page without a name', { origin: 'null' }],
    ['a picture or form on a page of a stranger', { 'sec-fetch-site': 'cross-site' }],
    ['a proxy of this machine', { 'x-forwarded-for': '203.0.113.7' }],
    ['another proxy of this machine', { forwarded: 'for=203.0.113.7' }],
  ])('without a key is closed to %s, which may not even ask', async (_, headers) => {
    stack = await startStack()
    const body = JSON.stringify({ model: 'gemini-2.5-flash', messages: [{ role: 'user', content: 'Hi' }] })
    // A request that a browser sends without asking first.
    const plain = { ...headers, 'content-type': 'text/plain' }
    for (const path of ['/v1/chat/completions', '/api/accounts/ada/pause', '/api/keys', '/api/cookies']) {
      const { status } = await fetch(stack.gateway.url + path, { method: 'POST', headers: plain, body })
      expect([path, status]).toEqual([path, 403])
    }
    expect((await stack.gateway.accounts.status())[0]).toMatchObject({ state: 'ready', active: 0 })
    expect(stack.emulator.emulator.controls.requests.filter(({ path }) => path.endsWith('/StreamGenerate'))).toEqual([])
  })

  it.each<[string, Record<string, string>]>([
    ['a page of this machine', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
    ['a desktop program made of pages', { origin: 'file://', 'sec-fetch-site': 'cross-site' }],
    ['an address typed into a browser', { 'sec-fetch-site': 'none' }],
    ['a page that the operator named', { origin: 'https://chat.example', 'sec-fetch-site': 'cross-site' }],
  ])('without a key is open to %s', async (_, headers) => {
    stack = await startStack({ config: { corsOrigins: ['https://chat.example'] } })
    expect((await fetch(`${stack.gateway.url}/v1/models`, { headers })).status).toBe(200)
    expect((await fetch(`${stack.gateway.url}/api/accounts`, { headers })).status).toBe(200)
  })
})
