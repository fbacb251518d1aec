import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

const SECRETS = /g\.a000|sidts-|SNlM0e|correct-horse|proxy-password/

let stack: Stack
let answers: string[] = []
beforeEach(async () => {
  answers = []
  stack = await startStack({ guest: true })
})
afterEach(async () => {
  await stack.close()
  if (SECRETS.test([...answers, ...stack.logLines].join('\n'))) throw new Error('A secret came back out')
})

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(stack.gateway.url + path, {
    method,
    headers: { ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  answers.push(text)
  const isJson = response.headers.get('content-type')?.includes('application/json') === true
  return { status: response.status, text, json: (isJson ? JSON.parse(text) : {}) as Record<string, never> }
}

const ADA = { SECURE_1PSID: 'g.a000castor-demo-ada', SECURE_1PSIDTS: 'sidts-castor-demo-ada' }
const GRACE = { SECURE_1PSID: 'g.a000castor-demo-grace', SECURE_1PSIDTS: 'sidts-castor-demo-grace' }
const header = ({ SECURE_1PSID, SECURE_1PSIDTS }: typeof ADA, more = '') =>
  `__Secure-1PSID=${SECURE_1PSID}; __Secure-1PSIDTS=${SECURE_1PSIDTS}${more}`
const chat = (model = 'gemini-2.5-flash') =>
  call('POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'What model are you?' }] })
const ids = async () =>
  ((await call('GET', '/api/accounts')).json as unknown as { accounts: { id: string }[] }).accounts.map(({ id }) => id)

describe('POST /api/cookies, as the reference server has it', () => {
  it('takes the three fields, checks the account for real and serves with it from then on', async () => {
    expect(await ids()).toEqual([])
    const { status, json } = await call('POST', '/api/cookies', { ...ADA, SECURE_1PSIDCC: 'AKEy' })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      success: true,
      message: 'The account "default" was added.',
      accounts: [
        { id: 'default', state: 'ready', source: 'added', session: { kind: 'account', code: 1000 }, notes: [] },
      ],
      results: [
        {
          outcome: 'added',
          found: {
            form: 'json',
            names: ['__Secure-1PSID', '__Secure-1PSIDCC', '__Secure-1PSIDTS'],
            deviceBound: false,
          },
          check: expect.arrayContaining([expect.objectContaining({ name: 'answer', outcome: 'ok' })]),
        },
      ],
    })
    expect((await chat()).status).toBe(200)
    expect(stack.emulator.emulator.controls.requests.some((one) => one.caller === 'ada')).toBe(true)
  })

  it('takes a list, and any import text', async () => {
    expect((await call('POST', '/api/cookies', [ADA, GRACE])).json).toMatchObject({
      message: 'The account "default" was added. The account "account-2" was added.',
    })
    const again = await call('POST', '/api/cookies', `Cookie: ${header(GRACE)}`, { 'content-type': 'text/plain' })
    expect(again.json).toMatchObject({ results: [{ outcome: 'kept', account: { id: 'account-2' } }] })
    expect(await ids()).toEqual(['default', 'account-2'])
  })

  it('says of a list with one that is refused what became of the others', async () => {
    const dead = { SECURE_1PSID: 'g.a000dead', SECURE_1PSIDTS: 'sidts-dead' }
    const { status, json } = await call('POST', '/api/cookies', [ADA, dead, GRACE])
    const message = expect.stringMatching(/^Number 2 of 3: .* Of the others, taken in: 1; not tried: 1\.$/)
    expect([status, json]).toEqual([400, { error: expect.objectContaining({ param: '[1]', message }) }])
    expect(await ids()).toEqual(['default'])
  })
})

describe('the same person again', () => {
  it('gets the newer cookies, and older ones never overwrite them', async () => {
    const cookies = (ticket: string, endsAt: number) => [
      { name: '__Secure-1PSID', value: ADA.SECURE_1PSID, domain: '.google.com', expirationDate: 1_900_000_000 },
      { name: '__Secure-1PSIDTS', value: ticket, domain: '.google.com', expirationDate: endsAt },
    ]
    const [first, second] = [ADA.SECURE_1PSIDTS, 'sidts-not-known']
    await call('POST', '/api/accounts', { label: 'ada', cookies: cookies(first, 1_890_000_000) })
    const older = await call('POST', '/api/accounts', { cookies: cookies(second, 1_880_000_000) })
    expect([older.status, older.json]).toEqual([
      200,
      expect.objectContaining({ outcome: 'kept', message: expect.stringMatching(/"ada".*older/) }),
    ])
    // Newer by date, but Google does not know it: what was there is kept.
    stack.emulator.emulator.controls.changeAccount('ada', { deviceBound: true })
    const dead = await call('POST', '/api/accounts', { cookies: cookies('sidts-nor-this', 1_895_000_000) })
    expect([dead.status, dead.json]).toEqual([
      400,
      { error: expect.objectContaining({ param: 'cookies', message: expect.stringMatching(/"ada" was kept/) }) },
    ])
    expect((await chat()).status).toBe(200)
    expect(await ids()).toEqual(['ada'])
  })

  it('may be there twice by two accounts of one cookie set', async () => {
    await call('POST', '/api/accounts', { label: 'first', ...ADA })
    const second = await call('POST', '/api/accounts', { label: 'second', accountIndex: 1, ...ADA })
    expect(second.json).toMatchObject({ outcome: 'added', account: { id: 'second', accountIndex: 1 } })
  })
})

describe('/api/accounts', () => {
  beforeEach(() => call('POST', '/api/accounts', { label: 'ada', ...ADA }))

  it('checks step by step, collected or streamed', async () => {
    const { json } = await call('POST', '/api/accounts/ada/check')
    expect(json).toMatchObject({ ok: true, account: { id: 'ada', state: 'ready' } })
    const streamed = await call('POST', '/api/accounts/ada/check', undefined, { accept: 'application/x-ndjson' })
    const steps = streamed.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string })
    expect(steps.map(({ name }) => name)).toEqual([
      'connect',
      'page',
      'token',
      'account',
      'models',
      'answer',
      'protocol',
    ])
  })

  it('renews, pauses, resumes, resets and removes', async () => {
    expect((await call('POST', '/api/accounts/ada/renew')).json).toMatchObject({ outcome: 'renewed' })
    expect((await call('POST', '/api/accounts/ada/renew')).json).toMatchObject({ outcome: 'too-soon' })
    expect((await call('POST', '/api/accounts/ada/pause')).json).toMatchObject({ state: 'disabled' })
    expect((await chat()).status).toBe(503)
    expect((await call('POST', '/api/accounts/ada/resume')).json).toMatchObject({ state: 'ready' })
    expect((await call('POST', '/api/accounts/ada/reset')).json).toMatchObject({ state: 'ready' })
    expect((await call('DELETE', '/api/accounts/ada')).json).toEqual({ deleted: true })
    expect(await ids()).toEqual([])
    // A guest answers again.
    expect((await chat()).text).toContain('Flash-Lite')
  })

  it('names a dead session with its cause, and says when it is well again', async () => {
    const { controls } = stack.emulator.emulator
    controls.revoke('ada')
    const check = await call('POST', '/api/accounts/ada/check')
    expect(check.status).toBe(200)
    expect((await chat()).status).toBeGreaterThanOrEqual(500)
    expect((await call('GET', '/api/accounts/ada')).json).toMatchObject({
      state: 'signed-out',
      cause: 'signed out',
      notes: [expect.stringMatching(/Sign in again|copy new cookies/)],
    })
    controls.changeAccount('ada', { revoked: false })
    expect((await call('POST', '/api/accounts/ada/check')).json).toMatchObject({
      ok: true,
      account: { state: 'ready' },
    })
  })

  it.each<[string, string, unknown, RegExp, string | null]>([
    ['text without a session', '/api/cookies', 'NID=1', /no session.*__Secure-1PSID is missing/, 'cookies'],
    ['an empty body', '/api/cookies', ' ', /empty/, 'cookies'],
    [
      'a dead session',
      '/api/cookies',
      '__Secure-1PSID=g.a000dead; __Secure-1PSIDTS=sidts-dead',
      /Nothing was stored/,
      'cookies',
    ],
    ['a proxy that is none', '/api/accounts', { ...GRACE, proxy: 'example' }, /socks5/, 'proxy'],
    [
      'a proxy that is misspelt',
      '/api/accounts',
      { cookies: header(GRACE), prxy: 'socks5://127.0.0.1:1' },
      /`prxy` is no setting.*label, accountIndex, proxy/,
      'prxy',
    ],
    [
      'a misspelt proxy beside a list',
      '/api/cookies',
      {
        label: 'grace',
        cookies: [{ name: '__Secure-1PSID', value: GRACE.SECURE_1PSID }],
        Proxy: 'socks5://127.0.0.1:1',
      },
      /`Proxy` is no setting/,
      'Proxy',
    ],
    ['a label with a slash', '/api/accounts', { ...GRACE, label: 'a/b' }, /letters/, 'label'],
    ['a label that is a number', '/api/accounts', { ...GRACE, label: 5 }, /`label` must be a text/, 'label'],
    ['the label of the guest', '/api/accounts', { ...GRACE, label: 'guest' }, /without an account/, 'label'],
    ['an index in words', '/api/accounts', { ...GRACE, accountIndex: '1' }, /whole number.*\/u\/N/, 'accountIndex'],
    ['a session that is a number', '/api/cookies', { SECURE_1PSID: 5 }, /must be a text/, 'SECURE_1PSID'],
    ['a session that is a list', '/api/cookies', { SECURE_1PSID: ['g.a000'] }, /must be a text/, 'SECURE_1PSID'],
    ['an empty session', '/api/cookies', { ...GRACE, SECURE_1PSID: '' }, /is missing/, 'SECURE_1PSID'],
    ['a ticket alone', '/api/cookies', { SECURE_1PSIDTS: 'sidts-x' }, /is missing/, 'SECURE_1PSID'],
    [
      'a ticket that is an object',
      '/api/cookies',
      { ...GRACE, SECURE_1PSIDTS: {} },
      /must be a text/,
      'SECURE_1PSIDTS',
    ],
    ['cookies that are a number', '/api/cookies', { cookies: 7 }, /text, a list or an object/, 'cookies'],
    ['a list with something else in it', '/api/cookies', [GRACE, { colour: 'red' }], /no account/, '[1]'],
    ['a list with a wrong field', '/api/cookies', [GRACE, { SECURE_1PSID: 5 }], /\[1\]: .*text/, '[1].SECURE_1PSID'],
    ['an empty list', '/api/cookies', [], /No cookies/, 'cookies'],
    ['an empty object', '/api/cookies', {}, /No cookies/, 'cookies'],
    ['JSON that was cut', '/api/cookies', '{"SECURE_1PSID":', /not valid JSON/, 'cookies'],
    [
      'a proxy that does not answer',
      '/api/accounts',
      { ...GRACE, proxy: 'http://u:proxy-password@127.0.0.1:9' },
      /proxy/i,
      'proxy',
    ],
  ])('refuses %s in words that help', async (_, path, body, message, param) => {
    const answer = await call('POST', path, body)
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ error: { param, message: expect.stringMatching(message) } })
    expect(await ids()).toEqual(['ada'])
  })

  it.each<[string, string]>([
    ['GET', '/api/accounts/nobody'],
    ['DELETE', '/api/accounts/nobody'],
    ['PUT', '/api/accounts/nobody/proxy'],
    ...['check', 'renew', 'pause', 'resume', 'reset'].map(
      (word) => ['POST', `/api/accounts/nobody/${word}`] as [string, string],
    ),
  ])('answers 404 to %s %s', async (method, path) => {
    const answer = await call(method, path, method === 'PUT' ? { proxy: null } : undefined)
    expect([answer.status, answer.json]).toEqual([
      404,
      { error: expect.objectContaining({ param: 'id', code: 'account_not_found' }) },
    ])
  })

  it.each([
    ['GET', '/api/cookies', 'POST'],
    ['DELETE', '/api/accounts', 'GET, POST'],
    ['POST', '/api/accounts/ada', 'GET, DELETE'],
    ['GET', '/api/accounts/ada/renew', 'POST'],
    ['POST', '/api/accounts/ada/proxy', 'PUT'],
  ])('answers 405 to %s %s, and what is allowed', async (method, path, allowed) => {
    const { status, json } = await call(method, path)
    expect([status, json]).toEqual([
      405,
      { error: expect.objectContaining({ message: `${method} does nothing here. Use ${allowed}.` }) },
    ])
  })

  it('takes empty fields for cookies that somebody does not have', async () => {
    const body = { ...GRACE, SECURE_1PSIDCC: '', SECURE_1PSIDRTS: null }
    expect((await call('POST', '/api/cookies', body)).json).toMatchObject({
      results: [{ outcome: 'added', found: { names: ['__Secure-1PSID', '__Secure-1PSIDTS'] } }],
    })
  })

  it('answers a renewal over a way that is gone with 503, and what to look at', async () => {
    stack.emulator.emulator.controls.fail({ kind: 'reset', on: 'rotate', afterBytes: 0 })
    const answer = await call('POST', '/api/accounts/ada/renew')
    expect([answer.status, answer.json]).toEqual([
      503,
      { error: expect.objectContaining({ message: expect.stringMatching(/Check the connection or the proxy/) }) },
    ])
  })

  it('says in the state what the check found, also when the account is taken in', async () => {
    stack.emulator.emulator.controls.set({ sorry: ['*'] })
    const added = await call('POST', '/api/cookies', GRACE)
    expect(added.json).toMatchObject({
      accounts: [{ id: 'account-2', state: 'address-blocked', cause: 'address blocked' }],
      results: [
        {
          check: [
            { name: 'connect', outcome: 'ok' },
            { name: 'page', outcome: 'failed' },
          ],
        },
      ],
    })
  })

  it('sets a proxy that works, and keeps the account when it does not', async () => {
    const bad = await call('PUT', '/api/accounts/ada/proxy', { proxy: 'http://127.0.0.1:9' })
    expect([bad.status, bad.json]).toEqual([400, { error: expect.objectContaining({ param: 'proxy' }) }])
    expect((await call('PUT', '/api/accounts/ada/proxy', { proxy: null })).json).toMatchObject({
      account: { egress: 'direct' },
    })
    expect((await chat()).status).toBe(200)
  })
})

describe('the webhook', () => {
  let server: Server
  const events: Record<string, unknown>[] = []
  beforeAll(async () => {
    let first = true
    server = createServer((request, response) => {
      let text = ''
      request.on('data', (piece: Buffer) => (text += piece.toString()))
      request.on('end', () => {
        // The first try fails: it comes again.
        if (first) response.statusCode = 503
        else events.push(JSON.parse(text) as Record<string, unknown>)
        first = false
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

  it('hears of a dead session with its cause and without a secret', async () => {
    await stack.close()
    const { port } = server.address() as AddressInfo
    stack = await startStack({ config: { webhookUrl: `http://127.0.0.1:${port}/hook` } })
    stack.emulator.emulator.controls.revoke('ada')
    expect((await chat()).status).toBeGreaterThanOrEqual(500)
    await expect.poll(() => events.length, { timeout: 10_000 }).toBeGreaterThan(0)
    expect(events[0]).toMatchObject({
      source: 'castor',
      type: 'account.rested',
      account: 'ada',
      state: 'signed-out',
      message: expect.stringMatching(/Sign in again|copy new cookies/),
    })
    answers.push(JSON.stringify(events))
  })
})
