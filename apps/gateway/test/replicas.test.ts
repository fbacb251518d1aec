import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { callJson } from './call-json.ts'
import { redisMissing, startRedis, type RedisServer } from '@castorjs/testkit/redis-server'

if (redisMissing !== undefined) console.log(redisMissing)

const [ada, grace] = DEMO_ACCOUNTS
const STATE_KEY = Buffer.alloc(32, 'k').toString('base64')

describe.skipIf(redisMissing !== undefined)('two gateways on one Redis', () => {
  let redis: RedisServer
  let emulator: RunningEmulator
  let dataDir: string
  let one: Gateway
  let two: Gateway
  const said: string[] = []
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void said.push(line) })

  const start = (name: string) =>
    startGateway(
      parseConfig({
        host: '127.0.0.1',
        port: 0,
        dataDir: join(dataDir, name),
        state: { redisUrl: redis.url, keys: [{ id: 'test', key: STATE_KEY }] },
        limits: { perHour: 12, modelSpacingMs: false },
        pacing: { egressPerMinute: false },
        geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) },
      }),
      { log },
    )

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'castor-replicas-'))
    redis = await startRedis({ durable: true })
    emulator = await startGeminiWebEmulator({ port: 0 })
    one = await start('one')
    two = await start('two')
  })
  afterAll(async () => {
    await one.close(0)
    await two.close(0)
    await emulator.close()
    await redis.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  async function call(gateway: Gateway, method: string, path: string, body?: unknown) {
    const answer = await callJson(method, gateway.url + path, { body })
    said.push(answer.text)
    return answer
  }
  const add = (gateway: Gateway, label: string, account: typeof ada) =>
    call(gateway, 'POST', '/api/accounts', { label, SECURE_1PSID: account?.session, SECURE_1PSIDTS: account?.ticket })
  const chat = (gateway: Gateway) =>
    call(gateway, 'POST', '/v1/chat/completions', {
      model: 'gemini-2.5-flash',
      messages: [{ role: 'user', content: 'Repeat exactly: fine' }],
    })
  const ids = async (gateway: Gateway) =>
    ((await call(gateway, 'GET', '/api/accounts')).json as unknown as { accounts: { id: string }[] }).accounts
      .map(({ id }) => id)
      .sort()
  const state = async (gateway: Gateway, id: string) =>
    (await call(gateway, 'GET', `/api/accounts/${id}`)).json['state']

  it('share accounts, states, limits and renewals', async () => {
    await add(one, 'ada', ada)
    await expect.poll(() => ids(two), { timeout: 10_000 }).toEqual(['ada'])
    expect((await chat(two)).status).toBe(200)

    await call(one, 'POST', '/api/accounts/ada/pause')
    expect(await state(two, 'ada')).toBe('disabled')
    await call(two, 'POST', '/api/accounts/ada/resume')
    expect(await state(one, 'ada')).toBe('ready')

    // A rest that one has seen is a rest for the other.
    emulator.emulator.controls.fail({ kind: 'code', code: 1037, times: 0 })
    expect((await chat(one)).status).toBe(429)
    emulator.emulator.controls.clearFaults()
    expect(await state(two, 'ada')).toBe('limited')
    await call(one, 'POST', '/api/accounts/ada/reset')

    const left = Number((await chat(one)).headers.get('x-ratelimit-remaining-requests'))
    expect(Number((await chat(two)).headers.get('x-ratelimit-remaining-requests'))).toBe(left - 1)

    // One renews; the other takes it over without asking Google again.
    expect((await call(one, 'POST', '/api/accounts/ada/renew')).json['outcome']).toBe('renewed')
    expect((await call(two, 'POST', '/api/accounts/ada/renew')).json['outcome']).toBe('renewed')
    expect(emulator.emulator.controls.accounts()[0]?.rotations).toBe(1)
    expect((await chat(two)).status).toBe(200)

    await add(two, 'grace', grace)
    await expect.poll(() => ids(one), { timeout: 10_000 }).toEqual(['ada', 'grace'])
  })

  it('go on while Redis is away, say so, and come back by themselves', async () => {
    await redis.stop()
    const alone = await chat(one)
    expect([alone.status, alone.json['error']]).toEqual([200, undefined])
    const { json } = await call(one, 'GET', '/health')
    expect(json).toMatchObject({ status: 'degraded', alone: ['gemini-web'] })
    await redis.start()
    await expect.poll(async () => (await call(one, 'GET', '/health')).json['status'], { timeout: 15_000 }).toBe('ok')
    expect(await ids(two)).toEqual(['ada', 'grace'])
  })

  it('lose an account together', async () => {
    await call(one, 'DELETE', '/api/accounts/grace')
    await expect.poll(() => ids(two), { timeout: 10_000 }).toEqual(['ada'])
    expect(await ids(one)).toEqual(['ada'])
  })

  it('keep nothing in clear', async () => {
    expect(await redis.dump()).not.toMatch(/g\.a000|sidts-/)
    expect(said.join('\n')).not.toMatch(/g\.a000|sidts-/)
  })
})
