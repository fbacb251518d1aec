import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { redisMissing, startRedis } from '@castorjs/testkit/redis-server'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { callJson } from './call-json.ts'
import { UNLIMITED } from './unlimited.ts'

if (redisMissing !== undefined) console.log(redisMissing)

const ADA = { name: 'ada', session: 'g.a000ada', ticket: 'sidts-ada' }
const COOKIES = { label: 'ada', SECURE_1PSID: ADA.session, SECURE_1PSIDTS: ADA.ticket }
const SECRETS = /g\.a000|sidts-|hook-password|aG9vay/
/** Longer than two looks of the background take. */
const PATIENCE = { timeout: 20_000, interval: 20 }

let emulator: RunningEmulator
let receiver: Server
let heard: string[] = []
let authorization: string | undefined
let dataDir: string
let logLines: string[] = []
const open: Gateway[] = []
beforeAll(async () => {
  emulator = await startGeminiWebEmulator({ port: 0, accounts: [ADA] })
  receiver = createServer((request, response) => {
    let text = ''
    request.on('data', (piece: Buffer) => (text += piece.toString()))
    request.on('end', () => {
      const { type, upstream, account, state, cause } = JSON.parse(text) as Record<string, string | null>
      heard.push([type, upstream, account, state, cause].join(' '))
      authorization = request.headers.authorization
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await emulator.close()
  receiver.closeAllConnections()
  await new Promise<void>((resolve) => receiver.close(() => resolve()))
})
beforeEach(() => {
  emulator.emulator.controls.reset()
  heard = []
  logLines = []
  dataDir = mkdtempSync(join(tmpdir(), 'castor-webhook-test-'))
})
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close(0)
  rmSync(dataDir, { recursive: true, force: true })
  expect([...heard, ...logLines].join('\n')).not.toMatch(SECRETS)
})

async function start(more: object = {}): Promise<Gateway> {
  const { port } = receiver.address() as AddressInfo
  const config = parseConfig({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    ...UNLIMITED,
    geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) },
    renewal: { startAfterMs: 300, spreadMs: 0 },
    webhookUrl: `http://hook:hook-password@127.0.0.1:${port}/`,
    ...more,
  })
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void logLines.push(line) })
  const gateway = await startGateway(config, { log })
  open.push(gateway)
  return gateway
}

const call = async (gateway: Gateway, method: string, path: string, body?: unknown) =>
  (await callJson(method, gateway.url + path, { body })).json
const add = (gateway: Gateway) => call(gateway, 'POST', '/api/accounts', COOKIES)
const chat = (gateway: Gateway) =>
  call(gateway, 'POST', '/v1/chat/completions', {
    model: 'gemini-2.5-flash',
    messages: [{ role: 'user', content: 'Repeat exactly: fine' }],
  })
const controls = () => emulator.emulator.controls

const DIED = 'account.rested gemini-web ada signed-out signed out'
const CAME_BACK = 'account.recovered gemini-web ada ready '

describe('the webhook', () => {
  it('is told once that an account died and once that it is back, with a restart after each', async () => {
    const first = await start()
    await add(first)
    controls().revoke('ada')
    await chat(first)
    await expect.poll(() => heard, PATIENCE).toEqual([DIED])
    expect(authorization).toBe(`Basic ${Buffer.from('hook:hook-password').toString('base64')}`)
    await open.pop()?.close(0)

    // It signs in, and finds what was told already.
    const second = await start()
    const tried = () => controls().requests.some(({ path }) => path === '/app')
    controls().clearRequests()
    await expect.poll(tried, PATIENCE).toBe(true)
    await chat(second)
    await open.pop()?.close(0)
    expect(heard).toEqual([DIED])

    controls().changeAccount('ada', { revoked: false })
    await start()
    await expect.poll(() => heard, PATIENCE).toEqual([DIED, CAME_BACK])
    await open.pop()?.close(0)

    const fourth = await start()
    await call(fourth, 'POST', '/api/accounts/ada/check')
    expect(heard).toEqual([DIED, CAME_BACK])
  }, 60_000)

  it('hears that newer cookies brought an account back', async () => {
    const gateway = await start()
    await add(gateway)
    controls().revoke('ada')
    await chat(gateway)
    await expect.poll(() => heard, PATIENCE).toEqual([DIED])
    controls().addAccount({ name: 'anew', session: 'g.a000anew', ticket: 'sidts-anew' })
    const anew = { label: 'ada', SECURE_1PSID: 'g.a000anew', SECURE_1PSIDTS: 'sidts-anew' }
    await call(gateway, 'POST', '/api/accounts', anew)
    await expect.poll(() => heard, PATIENCE).toEqual([DIED, CAME_BACK])
  })

  it('hears when a block that it was told of is ended by hand', async () => {
    const gateway = await start()
    await add(gateway)
    controls().set({ sorry: ['*'] })
    await call(gateway, 'POST', '/api/accounts/ada/check')
    await expect
      .poll(() => heard, PATIENCE)
      .toEqual([expect.stringMatching(/^account.rested gemini-web  address-blocked/)])
    controls().set({ sorry: [] })
    await call(gateway, 'POST', '/api/accounts/ada/reset')
    await expect.poll(() => heard.slice(1), PATIENCE).toEqual(['account.recovered gemini-web  ready '])
  })

  it('hears that an address is no longer blocked when a check was answered there', async () => {
    const gateway = await start()
    await add(gateway)
    controls().set({ sorry: ['*'] })
    await chat(gateway)
    await expect.poll(() => heard.length, PATIENCE).toBe(1)
    const account = () => call(gateway, 'GET', '/api/accounts/ada')
    expect(await account()).toMatchObject({ state: 'address-blocked' })
    controls().set({ sorry: [] })
    expect(await call(gateway, 'POST', '/api/accounts/ada/check')).toMatchObject({ ok: true })
    expect(await account()).toMatchObject({ state: 'ready' })
    await expect.poll(() => heard.slice(1), PATIENCE).toEqual(['account.recovered gemini-web  ready '])
  })

  it.skipIf(redisMissing !== undefined)(
    'of two gateways is told each thing once, whoever finds out',
    async () => {
      const redis = await startRedis()
      try {
        const keys = [{ id: 'test', key: Buffer.alloc(32, 'k').toString('base64') }]
        const one = await start({ state: { redisUrl: redis.url, keys } })
        const two = await start({ state: { redisUrl: redis.url, keys } })
        await add(one)
        const found = async () => ((await call(two, 'GET', '/api/accounts'))['accounts'] as unknown[]).length
        await expect.poll(found, PATIENCE).toBe(1)
        await chat(one)
        await chat(two)

        controls().revoke('ada')
        await chat(one)
        await expect.poll(() => heard, PATIENCE).toEqual([DIED])
        controls().changeAccount('ada', { revoked: false })
        await call(two, 'POST', '/api/accounts/ada/check')
        await expect.poll(() => heard, PATIENCE).toEqual([DIED, CAME_BACK])
        const cause = async () => (await call(one, 'GET', '/api/accounts/ada'))['cause']
        await expect.poll(cause, PATIENCE).toBeUndefined()
        expect(heard).toEqual([DIED, CAME_BACK])
      } finally {
        for (const gateway of open.splice(0)) await gateway.close(0)
        await redis.close()
      }
    },
    60_000,
  )
})
