import { faults } from '@castorjs/gemini-api-emulator'
import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'
import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { callJson } from './call-json.ts'
import { UNLIMITED } from './unlimited.ts'
import { startConnectProxy, type ConnectProxy } from './connect-proxy.ts'

// The accounts of every upstream, as the operator sees and turns them.

const ADMIN = 'battery-staple'
const KEY = 'emulator-key'
const [ada, grace] = DEMO_ACCOUNTS

let dataDir: string
let web: Awaited<ReturnType<typeof startGeminiWebEmulator>>
let official: Awaited<ReturnType<typeof startGeminiApiEmulator>>
let proxy: ConnectProxy
let gateway: Gateway
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'castor-upstreams-'))
  writeFileSync(
    join(dataDir, 'login.json'),
    JSON.stringify({ access_token: 'emulator-access-token', refresh_token: 'emulator-refresh-token' }),
  )
  web = await startGeminiWebEmulator({ port: 0 })
  official = await startGeminiApiEmulator()
  proxy = await startConnectProxy()
  await start()
})
afterEach(async () => {
  await gateway.close(0)
  await proxy.close()
  await official.close()
  await web.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function start() {
  gateway = await startGateway(
    parseConfig({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      adminKey: ADMIN,
      accounts: [ada, grace].map((person) => ({
        label: person?.name,
        secure1psid: person?.session,
        secure1psidts: person?.ticket,
      })),
      geminiWeb: { baseUrls: emulatorBaseUrls(web.url) },
      geminiApi: { keys: [{ label: 'first/key', key: KEY, proxy: proxy.url }], baseUrl: official.url },
      codeAssist: {
        accounts: [{ label: 'login', credentialsFile: join(dataDir, 'login.json'), proxy: proxy.url }],
        clientId: 'demo',
        clientSecret: 'demo',
        baseUrl: official.url,
        tokenUrl: `${official.url}/token`,
      },
      ...UNLIMITED,
      pacing: { ...UNLIMITED.pacing, waitMs: 0 },
      delivery: { enabled: false },
    }),
    { log: pino({ level: 'silent' }) },
  )
}

async function restart() {
  await gateway.close(0)
  await start()
}

async function chat(mount: string): Promise<number> {
  const messages = [{ role: 'user', content: 'Repeat exactly: fine' }]
  const response = await fetch(`${gateway.url}${mount}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gemini-2.5-flash', messages }),
  })
  await response.text()
  return response.status
}

interface Account {
  id: string
  state: string
  until?: number
}

const call = (method: string, path: string, bearer = ADMIN) => callJson(method, gateway.url + path, { bearer })

async function accountsOf(upstream: string): Promise<Account[]> {
  const { upstreams } = (await call('GET', '/api/upstreams')).json as {
    upstreams: { name: string; accounts: Account[] }[]
  }
  return upstreams.find(({ name }) => name === upstream)?.accounts ?? []
}

const stateOf = async (upstream: string, id: string) =>
  (await accountsOf(upstream)).find((account) => account.id === id)?.state
const turn = (upstream: string, id: string, word: string) =>
  call('POST', `/api/upstreams/${upstream}/accounts/${encodeURIComponent(id)}/${word}`)

describe('a proxy that is away for a moment', () => {
  it.each([
    ['an API key', '/gemini', 'gemini-api', 'first/key'],
    ['a login', '/gemini_cli', 'code-assist', 'login'],
  ])('fails the requests of that moment and takes %s out no longer', async (_, mount, upstream, id) => {
    await proxy.close()
    expect(await chat(mount)).toBe(503)
    expect(await stateOf(upstream, id)).toBe('ready')
    proxy = await startConnectProxy(Number(new URL(proxy.url).port))
    expect(await chat(mount)).toBe(200)
  })
})

describe('the accounts of every upstream', () => {
  it('are listed with their states, and without a key', async () => {
    expect(await chat('/gemini')).toBe(200)
    const { status, json, text } = await call('GET', '/api/upstreams')
    expect(status).toBe(200)
    const known = { state: 'ready', text: 'ready', reason: 'Nothing is wrong', limits: [], active: 0 }
    const egress = `proxy ${new URL(proxy.url).host}`
    expect(json).toMatchObject({
      upstreams: [
        {
          name: 'gemini-web',
          accounts: [
            { ...known, id: '(guest)', label: 'guest', egress: 'direct' },
            { ...known, id: ada?.name, hour: { used: 0 }, day: { used: 0 } },
            { ...known, id: grace?.name },
          ],
        },
        {
          name: 'gemini-api',
          description: 'Gemini API, one key',
          accounts: [{ ...known, id: 'first/key', label: 'first/key', egress, hour: { used: 1 }, day: { used: 1 } }],
        },
        { name: 'code-assist', accounts: [{ ...known, id: 'login', egress }] },
      ],
    })
    expect(text).not.toMatch(/emulator-|g\.a000|sidts-/)
  })

  it('are brought back by hand, where the clock would take hours', async () => {
    official.controls.fail(faults.region())
    expect(await chat('/gemini')).toBe(502)
    expect(await chat('/gemini')).toBe(503)
    const resting = await accountsOf('gemini-api')
    expect(resting).toEqual([
      expect.objectContaining({ state: 'address-blocked', until: expect.any(Number) as number }),
    ])
    await restart()
    expect(await stateOf('gemini-api', 'first/key')).toBe('address-blocked')
    const { status, json } = await turn('gemini-api', 'first/key', 'reset')
    expect([status, json]).toEqual([200, expect.objectContaining({ id: 'first/key', state: 'ready' })])
    expect(await chat('/gemini')).toBe(200)
  })

  it.each([
    ['gemini-api', 'first/key', '/gemini'],
    ['code-assist', 'login', '/gemini_cli'],
  ])('of %s stay out of use while they are paused, over a restart too', async (upstream, id, mount) => {
    expect((await turn(upstream, id, 'pause')).json).toMatchObject({ id, state: 'disabled' })
    expect(await chat(mount)).toBe(503)
    await restart()
    expect(await stateOf(upstream, id)).toBe('disabled')
    expect((await turn(upstream, id, 'resume')).json).toMatchObject({ id, state: 'ready' })
    expect(await chat(mount)).toBe(200)
    await restart()
    expect(await stateOf(upstream, id)).toBe('ready')
  })

  it('of the web app are the same that /api/accounts has, and the guest', async () => {
    const name = ada?.name ?? ''
    expect((await turn('gemini-web', name, 'pause')).status).toBe(200)
    expect((await turn('gemini-web', '(guest)', 'pause')).json).toMatchObject({ label: 'guest', state: 'disabled' })
    await restart()
    expect((await call('GET', `/api/accounts/${name}`)).json).toMatchObject({ state: 'disabled' })
    expect(await stateOf('gemini-web', '(guest)')).toBe('disabled')
    expect((await call('POST', `/api/accounts/${name}/resume`)).status).toBe(200)
    expect((await turn('gemini-web', '(guest)', 'resume')).status).toBe(200)
    expect(await stateOf('gemini-web', name)).toBe('ready')
    await gateway.accounts.report(name, { code: 'upstream_auth' })
    expect(await stateOf('gemini-web', name)).toBe('signed-out')
    expect((await turn('gemini-web', name, 'reset')).json).toMatchObject({ state: 'ready' })
  })

  it.each([
    ['POST', '/api/upstreams/gemini-api/accounts/nobody/reset', 404, 'account_not_found'],
    ['POST', '/api/upstreams/gemini-web/accounts/nobody/pause', 404, 'account_not_found'],
    ['POST', '/api/upstreams/claude/accounts/login/reset', 404, 'upstream_not_found'],
    ['POST', '/api/upstreams', 405, 'method_not_allowed'],
    ['DELETE', '/api/upstreams/code-assist/accounts/login/pause', 405, 'method_not_allowed'],
  ])('%s %s is %i %s', async (method, path, status, code) => {
    const answer = await call(method, path)
    expect([answer.status, answer.json]).toEqual([status, { error: expect.objectContaining({ code }) as object }])
    if (status === 405) expect(answer.headers.get('allow')).toBe(path === '/api/upstreams' ? 'GET' : 'POST')
  })

  it('are nobody’s business but the operator’s', async () => {
    expect((await call('GET', '/api/upstreams', 'wrong-key')).status).toBe(401)
    const path = '/api/upstreams/gemini-api/accounts/first%2Fkey/pause'
    expect((await call('POST', path, 'wrong-key')).status).toBe(401)
    expect(await stateOf('gemini-api', 'first/key')).toBe('ready')
  })
})
