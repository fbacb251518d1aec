import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { callJson } from './call-json.ts'
import { UNLIMITED } from './unlimited.ts'
import { startConnectProxy } from './connect-proxy.ts'

const LAPTOP = { name: 'laptop', session: 'g.a000laptop', ticket: 'sidts-laptop' }
const OTHER = { name: 'other', session: 'g.a000other', ticket: 'sidts-other', profiles: 2 }

let emulator: RunningEmulator
let dataDir: string
let gateway: Gateway
beforeAll(async () => {
  emulator = await startGeminiWebEmulator({ port: 0, accounts: [LAPTOP, OTHER] })
})
afterAll(() => emulator.close())
beforeEach(() => {
  emulator.emulator.controls.reset()
  dataDir = mkdtempSync(join(tmpdir(), 'castor-newer-cookies-'))
})
afterEach(async () => {
  await gateway.close(0)
  rmSync(dataDir, { recursive: true, force: true })
})

async function start(accounts: object[] = []): Promise<void> {
  const config = parseConfig({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    accounts,
    ...UNLIMITED,
    geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url), guest: false },
    defaultUpstream: 'gemini-web',
    // A stored account is enough, but a configuration without any wants a guest.
    ...(accounts.length === 0 ? { geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) } } : {}),
  })
  gateway = await startGateway(config, { log: pino({ level: 'silent' }) })
}

async function restart(accounts: object[] = []): Promise<void> {
  await gateway.close(0)
  await start(accounts)
}

const call = (method: string, path: string, body?: unknown) => callJson(method, gateway.url + path, { body })

const configured = (label: string, { session, ticket }: typeof LAPTOP, more: object = {}) => ({
  label,
  secure1psid: session,
  secure1psidts: ticket,
  ...more,
})
const pair = ({ session, ticket }: { session: string; ticket: string }) => ({
  SECURE_1PSID: session,
  SECURE_1PSIDTS: ticket,
})
const ids = async () => ((await call('GET', '/api/accounts')).json['accounts'] as { id: string }[]).map(({ id }) => id)
const renew = async (id: string) => (await call('POST', `/api/accounts/${id}/renew`)).json['outcome']
/** Half a minute after a renewal the ticket before is worth nothing. */
const age = () => void emulator.emulator.controls.advance(40_000)
const rotations = () => emulator.emulator.controls.requests.filter(({ path }) => path === '/RotateCookies').length

/** Who answered, as the web app saw it last. */
async function chat(): Promise<unknown[]> {
  emulator.emulator.controls.clearRequests()
  const { status } = await call('POST', '/v1/chat/completions', {
    model: 'gemini-2.5-flash',
    messages: [{ role: 'user', content: 'Repeat exactly: fine' }],
  })
  const asked = emulator.emulator.controls.requests.filter(({ path }) => path.endsWith('/StreamGenerate'))
  return [status, asked.at(-1)?.caller]
}

describe('a renewed ticket', () => {
  it('is not given up for an .env with another one of the same session', async () => {
    await start([configured('default', LAPTOP)])
    expect([await chat(), await renew('default')]).toEqual([[200, 'laptop'], 'renewed'])
    await restart([configured('default', { ...LAPTOP, ticket: 'sidts-of-a-backup' })])
    age()
    expect(await chat()).toEqual([200, 'laptop'])
  })

  it('gives way to an .env whose ticket works when its own does not', async () => {
    await start([configured('default', LAPTOP)])
    expect(await chat()).toEqual([200, 'laptop'])
    // The browser renewed it; the one before ends.
    emulator.emulator.controls.addAccount({ ...LAPTOP, ticket: 'sidts-of-the-browser' })
    await restart([configured('default', { ...LAPTOP, ticket: 'sidts-of-the-browser' })])
    age()
    expect(await chat()).toEqual([200, 'laptop'])
    expect(await call('POST', '/api/accounts/default/check')).toMatchObject({ json: { ok: true } })
  })

  it('goes with its account when that gets another name in the configuration', async () => {
    await start([configured('default', LAPTOP)])
    expect([await chat(), await renew('default')]).toEqual([[200, 'laptop'], 'renewed'])
    await restart([configured('personal', LAPTOP)])
    age()
    expect([await ids(), await chat()]).toEqual([['personal'], [200, 'laptop']])
  })

  it('stays with the second account of a cookie set when the first is taken out of the configuration', async () => {
    const [first, second] = [configured('first', OTHER), configured('second', OTHER, { accountIndex: 1 })]
    await start([first, second])
    expect((await call('POST', '/api/accounts/second/check')).json['ok']).toBe(true)
    expect(await renew('first')).toBe('renewed')
    await restart([second])
    age()
    expect([await ids(), await chat()]).toEqual([['second'], [200, 'other/1']])
  })

  it('is shared when an account that was added comes into the configuration as well', async () => {
    await start()
    await call('POST', '/api/accounts', { label: 'added', ...pair(LAPTOP) })
    expect(await renew('added')).toBe('renewed')
    await restart([configured('default', LAPTOP)])
    age()
    expect([await ids(), await chat(), rotations()]).toEqual([['default'], [200, 'laptop'], 0])
    // It is there again when it is taken out of the configuration.
    await restart()
    expect([await ids(), await chat()]).toEqual([['added'], [200, 'laptop']])
  })

  it('is kept when it comes in the moment in which the proxy of its account is changed', async () => {
    const proxy = await startConnectProxy()
    try {
      await start([configured('me', LAPTOP)])
      expect(await chat()).toEqual([200, 'laptop'])
      emulator.emulator.controls.set({ latency: { rotate: 400 } })
      const renewal = renew('me')
      await expect.poll(rotations).toBe(1)
      expect((await call('PUT', '/api/accounts/me/proxy', { proxy: proxy.url })).status).toBe(200)
      expect(await renewal).toBe('renewed')
      age()
      emulator.emulator.controls.set({ latency: { rotate: 0 } })
      expect(await chat()).toEqual([200, 'laptop'])
      await restart([configured('me', LAPTOP)])
      expect(await chat()).toEqual([200, 'laptop'])
    } finally {
      await proxy.close()
    }
  })
})

describe('cookies that come while Google cannot be asked', () => {
  it.each([{ kind: 'http', status: 503 } as const, { kind: 'reset' } as const])(
    'replace nobody’s that work: $kind',
    async (fault) => {
      await start()
      await call('POST', '/api/accounts', { label: 'me', ...pair(LAPTOP) })
      expect(await chat()).toEqual([200, 'laptop'])
      emulator.emulator.controls.fail({ ...fault, on: 'any', times: 0 })
      for (const body of [
        { label: 'me', ...pair({ session: 'g.a000garbage', ticket: 'sidts-garbage' }) },
        pair({ ...LAPTOP, ticket: 'sidts-of-a-backup' }),
      ]) {
        const answer = await call('POST', '/api/accounts', body)
        expect([answer.status, answer.json]).toEqual([
          503,
          { error: expect.objectContaining({ message: expect.stringMatching(/What was stored of "me" was kept/) }) },
        ])
      }
      emulator.emulator.controls.clearFaults()
      await call('POST', '/api/accounts/me/reset')
      expect(await chat()).toEqual([200, 'laptop'])
      await restart()
      expect(await chat()).toEqual([200, 'laptop'])
    },
  )
})
