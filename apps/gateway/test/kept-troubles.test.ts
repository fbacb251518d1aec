import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { redisMissing, startRedis, type RedisServer } from '@castorjs/testkit/redis-server'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { callJson } from './call-json.ts'
import { UNLIMITED } from './unlimited.ts'

if (redisMissing !== undefined) console.log(redisMissing)

const ADA = { name: 'ada', session: 'g.a000ada', ticket: 'sidts-ada' }
const COOKIES = { label: 'ada', SECURE_1PSID: ADA.session, SECURE_1PSIDTS: ADA.ticket }
/** Longer than two looks of the background take. */
const PATIENCE = { timeout: 8_000, interval: 20 }
const HOURS = 3_600_000

let emulator: RunningEmulator
let dataDir: string
const open: Gateway[] = []
beforeAll(async () => {
  emulator = await startGeminiWebEmulator({ port: 0, accounts: [ADA] })
})
afterAll(() => emulator.close())
beforeEach(() => {
  emulator.emulator.controls.reset()
  dataDir = mkdtempSync(join(tmpdir(), 'castor-troubles-test-'))
})
afterEach(async () => {
  vi.useRealTimers()
  for (const gateway of open.splice(0)) await gateway.close(0)
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const written = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n')
  expect(written).not.toMatch(/g\.a000|sidts-|signed out|copy new cookies/)
  rmSync(dataDir, { recursive: true, force: true })
})

/** Signs in to nothing by itself, unless told to. */
async function start(more: object = {}): Promise<Gateway> {
  const config = parseConfig({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    ...UNLIMITED,
    geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) },
    renewal: { startAfterMs: HOURS, spreadMs: 0 },
    ...more,
  })
  const gateway = await startGateway(config, { log: pino({ level: 'silent' }) })
  open.push(gateway)
  return gateway
}

async function restart(more: object = {}): Promise<Gateway> {
  await open.pop()?.close(0)
  return start(more)
}

const call = async (gateway: Gateway, method: string, path: string, body?: unknown) =>
  (await callJson(method, gateway.url + path, { body })).json
const add = (gateway: Gateway) => call(gateway, 'POST', '/api/accounts', COOKIES)
const account = (gateway: Gateway) => call(gateway, 'GET', '/api/accounts/ada')
const chat = (gateway: Gateway) =>
  call(gateway, 'POST', '/v1/chat/completions', {
    model: 'gemini-2.5-flash',
    messages: [{ role: 'user', content: 'Repeat exactly: fine' }],
  })
const controls = () => emulator.emulator.controls

const DEAD = { state: 'signed-out', cause: 'signed out', notes: [expect.stringMatching(/[Cc]opy new cookies/)] }
const WELL = { state: 'ready', cause: undefined, notes: [] }

describe('what is known of an account that does not work', () => {
  it('is known after a restart before anybody signs in, until it works again', async () => {
    const first = await start()
    await add(first)
    controls().revoke('ada')
    await chat(first)
    expect(await account(first)).toMatchObject(DEAD)

    const second = await restart()
    controls().clearRequests()
    expect(await account(second)).toMatchObject(DEAD)
    expect(controls().requests).toEqual([])

    controls().changeAccount('ada', { revoked: false })
    await call(second, 'POST', '/api/accounts/ada/check')
    expect(await account(second)).toEqual(expect.objectContaining({ state: 'ready', notes: [] }))
    const third = await restart()
    expect(await account(third)).toEqual(expect.objectContaining({ state: 'ready', notes: [] }))
    expect(await account(third)).not.toHaveProperty('cause')
  })

  it('goes with the session: newer cookies begin without it', async () => {
    const first = await start()
    await add(first)
    controls().revoke('ada')
    await chat(first)
    const second = await restart()
    controls().addAccount({ name: 'anew', session: 'g.a000anew', ticket: 'sidts-anew' })
    await call(second, 'POST', '/api/accounts', {
      ...COOKIES,
      SECURE_1PSID: 'g.a000anew',
      SECURE_1PSIDTS: 'sidts-anew',
    })
    const third = await restart()
    expect(await account(third)).toEqual(expect.objectContaining({ state: 'ready', notes: [] }))
  })

  it('tells after a restart, too, that the ticket ran out because its renewal had been refused', async () => {
    const first = await start()
    await add(first)
    controls().changeAccount('ada', { deviceBound: true })
    controls().advance(120_000)
    expect(await call(first, 'POST', '/api/accounts/ada/renew')).toMatchObject({ outcome: 'refused' })

    const second = await restart()
    expect(await account(second)).toMatchObject({ state: 'ready', notes: [expect.stringMatching(/refuses to renew/)] })
    controls().expireTicket('ada')
    await chat(second)
    expect(await account(second)).toMatchObject({
      state: 'signed-out',
      cause: 'expired ticket',
      notes: [expect.stringMatching(/^The ticket ran out, and Google had refused to renew it/)],
    })
  })

  it('is a ticket that ran out, where it is older than any gets and Google refuses to renew it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const gateway = await start()
    await add(gateway)
    controls().changeAccount('ada', { deviceBound: true })
    controls().advance(HOURS)
    vi.setSystemTime(Date.now() + HOURS)
    await chat(gateway)
    expect(await account(gateway)).toMatchObject({
      cause: 'expired ticket',
      notes: [expect.stringMatching(/^The ticket ran out, and Google refuses to renew it/)],
    })
  })

  it('is not called so because it grows old when the session is dead', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const gateway = await start()
    await add(gateway)
    controls().revoke('ada')
    await chat(gateway)
    controls().advance(HOURS)
    vi.setSystemTime(Date.now() + HOURS)
    await call(gateway, 'POST', '/api/accounts/ada/check')
    expect(await account(gateway)).toMatchObject({ state: 'signed-out', cause: 'signed out' })
  })
})

describe('a renewal by hand', () => {
  it('tells of a dead session what signing in found out', async () => {
    const first = await start()
    await add(first)
    const second = await restart()
    controls().revoke('ada')
    expect(await call(second, 'POST', '/api/accounts/ada/renew')).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/^Google refuses to renew this session\. It answers no more\./),
      account: DEAD,
    })
  })

  it('tells what came of the last one when it comes too soon', async () => {
    const gateway = await start()
    await add(gateway)
    controls().changeAccount('ada', { deviceBound: true })
    await call(gateway, 'POST', '/api/accounts/ada/renew')
    expect(await call(gateway, 'POST', '/api/accounts/ada/renew')).toMatchObject({
      outcome: 'too-soon',
      message: expect.stringMatching(
        /less than a minute ago; nothing was asked\. Google refuses to renew.*still answers/,
      ),
      account: { state: 'ready' },
    })
  })
})

describe.skipIf(redisMissing !== undefined)('two gateways on one Redis', () => {
  let redis: RedisServer
  beforeEach(async () => {
    redis = await startRedis()
  })
  afterEach(() => redis.close())

  it('tell each other why an account does not work, and that it does again', async () => {
    const more = {
      state: { redisUrl: redis.url, keys: [{ id: 'test', key: Buffer.alloc(32, 'k').toString('base64') }] },
    }
    const one = await start(more)
    const two = await start(more)
    await add(one)
    const found = async () => ((await call(two, 'GET', '/api/accounts'))['accounts'] as unknown[]).length
    await expect.poll(found, PATIENCE).toBe(1)
    expect([await chat(one), await chat(two)]).toEqual(
      Array(2).fill(expect.objectContaining({ object: 'chat.completion' })),
    )

    controls().revoke('ada')
    await chat(one)
    await expect.poll(() => account(two), { timeout: 20_000 }).toMatchObject(DEAD)

    controls().changeAccount('ada', { revoked: false })
    await call(two, 'POST', '/api/accounts/ada/check')
    for (const gateway of [one, two])
      await expect
        .poll(async () => ({ cause: undefined, ...(await account(gateway)) }), { timeout: 20_000 })
        .toMatchObject(WELL)
    expect(await redis.dump()).not.toMatch(/g\.a000|sidts-|signed out/)
  }, 60_000)
})
