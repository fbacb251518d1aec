import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startStack, type Stack } from './stack.ts'

vi.setConfig({ testTimeout: 20_000 })
/** Longer than the first sign-in and a second try of the webhook take. */
const PATIENCE = { timeout: 8_000, interval: 20 }

const SECRETS = /g\.a000|sidts-|sidrts-|SNlM0e|AKEy|hook-token/

interface Event extends Record<string, unknown> {
  type: string
  account: string | null
}

/** Listens for events; `answers` are the statuses of the first tries, 204 after them. Zero answers never. */
async function listen(
  answers: number[] = [],
): Promise<{ url: string; server: Server; tries: Event[]; events: Event[] }> {
  const tries: Event[] = []
  const events: Event[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece: Buffer) => (text += piece.toString()))
    request.on('end', () => {
      const event = JSON.parse(text) as Event
      tries.push(event)
      const status = answers.shift() ?? 204
      if (status === 0) return
      if (status < 300) events.push(event)
      response.statusCode = status
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook?token=hook-token`, server, tries, events }
}

let stack: Stack
let hook: Awaited<ReturnType<typeof listen>>
const seen: string[] = []
async function start(config: Record<string, unknown> = {}, answers: number[] = []): Promise<void> {
  hook = await listen(answers)
  // The first sign-in comes after the test has said what is wrong.
  stack = await startStack({ config: { webhookUrl: hook.url, renewal: { startAfterMs: 600, spreadMs: 0 }, ...config } })
}
afterEach(async () => {
  await stack.close()
  hook.server.closeAllConnections()
  await new Promise<void>((resolve) => hook.server.close(() => resolve()))
  const all = [...seen.splice(0), ...stack.logLines, ...hook.tries.map((event) => JSON.stringify(event))].join('\n')
  expect(all).not.toMatch(SECRETS)
})

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(stack.gateway.url + path, {
    method,
    headers: typeof body === 'object' ? { 'content-type': 'application/json' } : {},
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  seen.push(text)
  return { status: response.status, json: JSON.parse(text) as Record<string, unknown> }
}
const chat = async () =>
  (
    await call('POST', '/v1/chat/completions', {
      model: 'gemini-2.5-flash',
      messages: [{ role: 'user', content: 'Hi' }],
    })
  ).status
const account = async (id = 'ada') => (await call('GET', `/api/accounts/${id}`)).json
const typesOf = (id = 'ada') => hook.events.filter((event) => event.account === id).map(({ type }) => type)
const controls = () => stack.emulator.emulator.controls

describe('a dead session is named with its cause, and the webhook hears of it once', () => {
  it.each<[string, number, string, string]>([
    ['region', 1014, 'needs-attention', 'no access to the web app at the moment'],
    ['verification wanted', 1021, 'needs-attention', 'settle what it asks for'],
    ['verification wanted', 1054, 'needs-attention', 'settle what it asks for'],
    ['verification wanted', 1057, 'needs-attention', 'settle what it asks for'],
  ])('%s, status %i', async (cause, status, state, words) => {
    await start()
    controls().changeAccount('ada', { status })
    expect(await chat()).toBeGreaterThanOrEqual(500)
    const reason = expect.stringMatching(/^The upstream wants a person to settle something first \(10\d\d\)/)
    expect(await account()).toMatchObject({ state, cause, reason, link: 'https://gemini.google.com/app' })
    await expect.poll(() => hook.events.length, PATIENCE).toBeGreaterThan(0)
    expect(hook.events).toEqual([
      expect.objectContaining({
        source: 'castor',
        type: 'account.rested',
        account: 'ada',
        state,
        cause,
        message: expect.stringContaining(words),
        link: 'https://gemini.google.com/app',
      }),
    ])
  })

  it('region, where it is the address: every account behind it rests', async () => {
    await start()
    controls().changeAccount('ada', { status: 1060 })
    expect(await chat()).toBeGreaterThanOrEqual(500)
    expect(await account()).toMatchObject({ state: 'address-blocked', cause: 'region' })
    await expect.poll(() => hook.events.length, PATIENCE).toBe(1)
    expect(hook.events[0]).toMatchObject({ account: null, egress: 'direct', state: 'address-blocked', cause: 'region' })
  })

  it('signed out, found by nobody but the background, tried again and told once; recovery is told too', async () => {
    await start()
    controls().revoke('ada')
    await expect.poll(() => typesOf(), PATIENCE).toEqual(['account.rested'])
    expect(hook.events[0]).toMatchObject({
      state: 'signed-out',
      cause: 'signed out',
      message: expect.stringMatching(/Sign in again/),
    })
    for (let count = 0; count < 3; count++) await call('POST', '/api/accounts/ada/check')
    controls().changeAccount('ada', { revoked: false })
    await call('POST', '/api/accounts/ada/check')
    expect(await account()).toMatchObject({ state: 'ready', notes: [] })
    await expect.poll(() => typesOf(), PATIENCE).toEqual(['account.rested', 'account.recovered'])
    // Each check is in the log, step by step.
    const checks = stack.logLines.filter((line) => line.includes('account checked'))
    expect(checks).toHaveLength(4)
    expect(checks[0]).toMatch(/"steps":\["connect ok: .*token failed: .*"level":40|"level":40.*token failed/)
  })

  it('a ticket that ran out after a refused renewal: the reasons in order, none of them claimed', async () => {
    await start()
    expect(await chat()).toBe(200)
    controls().changeAccount('ada', { deviceBound: true })
    expect((await call('POST', '/api/accounts/ada/renew')).json).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(
        /still answers.*no reason.*Most often another program or browser.*bound.*signed out/,
      ),
    })
    await expect.poll(() => typesOf(), PATIENCE).toEqual(['account.renewal-refused'])
    expect(hook.events[0]).toMatchObject({ cause: null, message: expect.stringMatching(/^Google refuses to renew/) })
    expect(await account()).toMatchObject({ state: 'ready', notes: [expect.stringMatching(/gives no reason/)] })

    controls().expireTicket('ada')
    expect(await chat()).toBeGreaterThanOrEqual(500)
    expect(await account()).toMatchObject({
      state: 'signed-out',
      cause: 'expired ticket',
      notes: [expect.stringMatching(/^The ticket ran out, and Google had refused to renew it/)],
    })
    await expect.poll(() => typesOf(), PATIENCE).toEqual(['account.renewal-refused', 'account.rested'])
    expect(hook.events[1]).toMatchObject({ cause: 'expired ticket' })
  })

  it('device-bound, when the cookies bear the mark of it', async () => {
    await start({ accounts: [] })
    const cookies = `__Secure-1PSID=g.a000castor-demo-grace; __Secure-1PSIDTS=sidts-castor-demo-grace; __Secure-1PSIDRTS=sidrts-x`
    expect((await call('POST', '/api/cookies', cookies)).json).toMatchObject({
      results: [{ found: { deviceBound: true, advice: [expect.stringMatching(/bear the mark.*Firefox/)] } }],
      accounts: [{ session: { deviceBound: true }, notes: [expect.stringMatching(/bear the mark/)] }],
    })
    controls().changeAccount('grace', { deviceBound: true })
    expect((await call('POST', '/api/accounts/default/renew')).json).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/still answers.*bear the mark.*Firefox/),
    })
    await expect.poll(() => typesOf('default'), PATIENCE).toEqual(['account.renewal-refused'])
    expect(hook.events[0]).toMatchObject({ cause: 'device-bound' })
    controls().expireTicket('grace')
    expect(await chat()).toBeGreaterThanOrEqual(500)
    expect(await account('default')).toMatchObject({ state: 'signed-out', cause: 'device-bound' })
    await expect
      .poll(() => hook.events.at(-1), PATIENCE)
      .toMatchObject({ type: 'account.rested', cause: 'device-bound' })
  })

  it('terms to accept: the account serves, and a person hears of it before it no longer does', async () => {
    await start()
    controls().changeAccount('ada', { status: 1042 })
    expect(await chat()).toBe(200)
    expect(await account()).toMatchObject({
      state: 'ready',
      cause: 'terms to accept',
      notes: [expect.stringMatching(/terms to be accepted: https:\/\/gemini\.google\.com\/app/)],
    })
    await expect.poll(() => typesOf(), PATIENCE).toEqual(['account.terms-wanted'])
    expect(hook.events[0]).toMatchObject({ cause: 'terms to accept', link: 'https://gemini.google.com/app' })
    controls().revoke('ada')
    expect(await chat()).toBeGreaterThanOrEqual(500)
    expect((await account())['cause']).toBe('signed out')
  })

  it('a consent page, with the link', async () => {
    await start()
    controls().set({ consent: true })
    expect(await chat()).toBeGreaterThanOrEqual(500)
    expect(await account()).toMatchObject({ state: 'needs-attention', cause: 'consent wanted' })
  })
})

describe('the webhook', () => {
  it('hears of a first sign-in that fails for the network, which rests nothing', async () => {
    await start()
    controls().fail({ kind: 'reset', on: 'page', times: 0, afterBytes: 0 })
    await expect.poll(() => typesOf(), PATIENCE).toEqual(['account.sign-in-failed'])
    expect(hook.events[0]).toMatchObject({
      cause: 'network',
      state: null,
      message: expect.stringMatching(/connection/),
    })
    controls().clearFaults()
    expect(await chat()).toBe(200)
  })

  it('is told again after 503, not after 400, and its address is in no log', async () => {
    await start({}, [503, 400])
    controls().changeAccount('ada', { status: 1021 })
    await chat()
    await expect.poll(() => hook.tries.length, PATIENCE).toBe(2)
    await expect
      .poll(() => stack.logLines.filter((line) => line.includes('the webhook got no event')).length, PATIENCE)
      .toBe(1)
    expect(hook.events).toEqual([])
  })

  it('holds up nothing when it never answers', async () => {
    await start({}, [0, 0, 0, 0])
    controls().revoke('ada')
    await chat()
    await expect.poll(() => hook.tries.length, PATIENCE).toBe(1)
    controls().changeAccount('ada', { revoked: false })
    expect((await call('POST', '/api/accounts/ada/check')).json['ok']).toBe(true)
    expect(await chat()).toBe(200)
  })
})
