import { DEMO_ACCOUNTS, emulatorBaseUrls, type Fault } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { startConnectProxy, type ConnectProxy } from './connect-proxy.ts'

const HOUR = 3_600_000
const MODEL = 'gemini-2.5-flash'
const free = { egressPerMinute: false, perHour: false, perDay: false, waitMs: 0 }

let dataDir: string
let emulator: RunningEmulator
let gateway: Gateway
const proxies: ConnectProxy[] = []
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'castor-rests-'))
  emulator = await startGeminiWebEmulator({ port: 0 })
})
afterEach(async () => {
  await gateway.close(0)
  await emulator.close()
  for (const proxy of proxies.splice(0)) await proxy.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const person = (index: number, more: object = {}) => ({
  label: DEMO_ACCOUNTS[index]?.name,
  secure1psid: DEMO_ACCOUNTS[index]?.session,
  secure1psidts: DEMO_ACCOUNTS[index]?.ticket,
  ...more,
})
const [ada = '', grace = '', third = ''] = DEMO_ACCOUNTS.map(({ name }) => name)

async function start(accounts: object[], pacing: object = {}) {
  gateway = await startGateway(
    parseConfig({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      accounts,
      limits: { perHour: false, modelSpacingMs: false },
      pacing: { ...free, ...pacing },
      delivery: { enabled: false },
      geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) },
    }),
    { log: pino({ level: 'silent' }) },
  )
}

async function restart(accounts: object[], pacing: object = {}) {
  await gateway.close(0)
  await start(accounts, pacing)
}

interface ChatAnswer {
  status: number
  /** Seconds. */
  retryAfter: number
  text: string
  message: string | undefined
}

async function chat(content: string, more: object = {}): Promise<ChatAnswer> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content }], ...more }),
  })
  const text = await response.text()
  return {
    status: response.status,
    retryAfter: Number(response.headers.get('retry-after')),
    text,
    message: /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1],
  }
}

interface View {
  id: string
  state: string
  text: string
  egress: string
  until?: number
  hour: { used: number }
}

async function views(): Promise<Record<string, View>> {
  const response = await fetch(`${gateway.url}/api/accounts`)
  const { accounts } = (await response.json()) as { accounts: View[] }
  return Object.fromEntries(accounts.map((account) => [account.id, account]))
}

const states = async () => Object.fromEntries(Object.values(await views()).map(({ id, state }) => [id, state]))
const fail = (fault: Fault) => emulator.emulator.controls.fail(fault)

describe('a blocked address', () => {
  it('rests all accounts behind it and nobody else, the guest too, and is still blocked after a restart', async () => {
    const shared = await startConnectProxy()
    proxies.push(shared)
    const accounts = [person(0, { proxy: shared.url }), person(1, { proxy: shared.url }), person(2)]
    await start(accounts)
    fail({ kind: 'redirect', to: 'sorry', account: ada, times: 0 })
    fail({ kind: 'redirect', to: 'sorry', account: grace, times: 0 })
    const before = Date.now()
    for (const question of ['One', 'Two', 'Three']) expect((await chat(question)).status).toBe(200)
    expect(shared.tunnels).toBeGreaterThan(0)
    const blocked = { [ada]: 'address-blocked', [grace]: 'address-blocked', [third]: 'ready' }
    expect(await states()).toEqual(blocked)
    const view = (await views())[grace]
    expect(view?.text).toMatch(/^address blocked until .* \(proxy 127\.0\.0\.1:\d+\)$/)
    expect(view?.until).toBeGreaterThanOrEqual(before + 2 * HOUR)
    expect(view?.until).toBeLessThanOrEqual(Date.now() + 2.4 * HOUR)

    await restart(accounts)
    expect(await states()).toEqual(blocked)
    expect((await views())[grace]?.until).toBe(view?.until)

    // A guest leaves by the same address as an account without a proxy: what blocks one blocks the other.
    fail({ kind: 'redirect', to: 'sorry', account: 'guest', times: 0 })
    expect((await chat('Four', { model: `${MODEL}-free` })).status).toBe(502)
    expect(await states()).toEqual({ [ada]: 'address-blocked', [grace]: 'address-blocked', [third]: 'address-blocked' })

    // Everybody rests: the wait is that of whoever is back first, for streams and plain calls alike.
    for (const stream of [false, true]) {
      const refused = await chat('Five', { stream })
      const first = Math.min(...Object.values(await views()).map(({ until }) => until ?? Infinity))
      expect(refused.status).toBe(503)
      expect(refused.message).toMatch(/3 behind a blocked address\. Try again in \d+ seconds\./)
      expect(Math.abs(refused.retryAfter - (first - Date.now()) / 1_000)).toBeLessThanOrEqual(2)
    }

    // By hand it ends at once, for all behind it.
    emulator.emulator.controls.clearFaults()
    await fetch(`${gateway.url}/api/accounts/${ada}/reset`, { method: 'POST' })
    expect(await states()).toEqual({ [ada]: 'ready', [grace]: 'ready', [third]: 'address-blocked' })
    expect((await chat('Six')).status).toBe(200)
  })
})

describe('rests of several kinds', () => {
  it('add up to the earliest return, which the answer names', async () => {
    await start([person(0), person(1), person(2)])
    await gateway.accounts.report(ada, { code: 'quota_exhausted', retryAfterMs: 900_000 }, { model: MODEL })
    await gateway.accounts.report(grace, { code: 'rate_limited', retryAfterMs: 300_000 })
    await gateway.accounts.report(third, { code: 'upstream_auth' })
    expect(await states()).toEqual({ [ada]: 'limited', [grace]: 'cooling', [third]: 'signed-out' })
    const refused = await chat('One')
    const back = (await views())[grace]?.until ?? 0
    expect(refused).toMatchObject({ status: 503 })
    expect(Math.abs(refused.retryAfter - (back - Date.now()) / 1_000)).toBeLessThanOrEqual(2)
    expect(refused.message).toContain('1 limited for this model, 1 cooling down, 1 signed out')
    // The rest of ada is for one model.
    expect((await chat('Two', { model: 'gemini-2.5-pro' })).status).toBe(200)
    await restart([person(0), person(1), person(2)])
    expect(await states()).toEqual({ [ada]: 'limited', [grace]: 'cooling', [third]: 'signed-out' })
  })

  it('end with one request that tries, while the others wait for what it finds', async () => {
    await start([person(0)])
    await gateway.accounts.report(ada, { code: 'rate_limited', retryAfterMs: 1 })
    await expect.poll(async () => ((await views())[ada]?.until ?? 0) <= Date.now()).toBe(true)
    fail({ kind: 'stall', ms: 400 })
    const answers = await Promise.all([chat('One'), chat('Two'), chat('Three')])
    expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([200, 503, 503])
    expect((await chat('Four')).status).toBe(200)
  })
})

describe('what an account may be used', () => {
  it('is not given back by a restart: hours, days and the pace go on', async () => {
    await start([person(0, { label: 'only' })], { perHour: 2 })
    for (const question of ['One', 'Two']) expect((await chat(question)).status).toBe(200)
    await restart([person(0, { label: 'only' })], { perHour: 2 })
    expect((await views())['only']?.hour.used).toBe(2)
    const refused = await chat('Three')
    expect(refused).toMatchObject({ status: 503 })
    expect(refused.message).toContain('1 at its own ceiling of requests')
    expect(refused.retryAfter).toBeGreaterThan(3_500)
    expect(refused.retryAfter).toBeLessThanOrEqual(3_600)

    await restart([person(1, { label: 'paced' })], { egressPerMinute: 3 })
    for (const question of ['Four', 'Five', 'Six']) expect((await chat(question)).status).toBe(200)
    await restart([person(1, { label: 'paced' })], { egressPerMinute: 3 })
    const paced = await chat('Seven')
    expect(paced).toMatchObject({ status: 503 })
    expect(paced.message).toContain('1 held back by the pace of its address')
    expect(paced.retryAfter).toBeLessThanOrEqual(20)
    // The guest has no pace of its own to spend on the same address.
    expect((await chat('Eight', { model: `${MODEL}-free` })).status).toBe(503)
  })
})

describe('a conversation', () => {
  it('stays with its account without a session id, and moves on when that rests', async () => {
    await start([person(0), person(1), person(2)])
    const used = async () =>
      Object.values(await views())
        .map(({ hour }) => hour.used)
        .sort((left, right) => left - right)
    const turn = (opening: string) => [
      { role: 'user', content: opening },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'Repeat exactly: more' },
    ]
    for (const opening of ['Apples', 'Pears', 'Plums']) expect((await chat(opening)).status).toBe(200)
    expect(await used()).toEqual([1, 1, 1])
    for (let round = 0; round < 3; round++) await chat('', { messages: turn('Pears') })
    expect(await used()).toEqual([1, 1, 4])
    const holder = Object.values(await views()).find(({ hour }) => hour.used === 4)?.id ?? ''
    await gateway.accounts.report(holder, { code: 'rate_limited' })
    expect((await chat('', { messages: turn('Pears') })).status).toBe(200)
    expect(await used()).toEqual([1, 2, 4])
  })
})
