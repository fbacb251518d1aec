import { readImport } from '@castorjs/cookie-import'
import { startGeminiApiEmulator } from '@castorjs/gemini-api-emulator/node'
import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { openAccountDesk } from '../src/accounts/account-desk.ts'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'
import { bundleCli, killCli, startCli, type Cli } from './cli-process.ts'

// Who answers when there is no account: a guest, or nobody.

const [ada] = DEMO_ACCOUNTS
const AS_GUEST = 'Gemini web app as a guest: the smallest model, text only'
const ONE_ACCOUNT = 'Gemini web app, one account'

let cli: Cli
let web: Awaited<ReturnType<typeof startGeminiWebEmulator>>
let official: Awaited<ReturnType<typeof startGeminiApiEmulator>>
let folder: string
let gateway: Gateway | undefined
beforeAll(async () => {
  cli = await bundleCli()
  web = await startGeminiWebEmulator({ port: 0 })
  official = await startGeminiApiEmulator()
})
afterAll(async () => {
  await official.close()
  await web.close()
  cli.remove()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'castor-guest-'))
})
afterEach(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

const settings = (guest: boolean, more: object = {}) => ({
  host: '127.0.0.1',
  port: 0,
  dataDir: join(folder, 'data'),
  geminiWeb: { baseUrls: emulatorBaseUrls(web.url), guest },
  limits: { perHour: false, modelSpacingMs: false },
  pacing: { waitMs: 0 },
  ...more,
})

async function start(guest: boolean, more: object = {}): Promise<Gateway> {
  gateway = await startGateway(parseConfig(settings(guest, more)), { log: pino({ level: 'silent' }) })
  return gateway
}

async function stop(): Promise<void> {
  await gateway?.close(0)
  gateway = undefined
}

async function call(path: string, body?: object): Promise<{ status: number; text: string }> {
  const response = await fetch(`${gateway?.url}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
  })
  return { status: response.status, text: await response.text() }
}

const chat = (mount: string) =>
  call(`${mount}/v1/chat/completions`, {
    model: 'gemini-2.5-flash',
    messages: [{ role: 'user', content: 'Repeat exactly: fine' }],
  })
const addAda = () => call('/api/cookies', { SECURE_1PSID: ada?.session, SECURE_1PSIDTS: ada?.ticket })

async function described(): Promise<(string | undefined)[]> {
  const info = JSON.parse((await call('/api/info')).text) as { mounts: { path: string; description: string }[] }
  const page = (await call('/')).text
  const shown = [AS_GUEST, ONE_ACCOUNT].find((text) => page.includes(`<td>${text}</td>`))
  return [info.mounts.find(({ path }) => path === '/')?.description, shown]
}

it('an official key alone is served with the guest off, and nobody answers in the place of an account', async () => {
  await start(false, { geminiApi: { keys: [{ label: 'mine', key: 'emulator-key' }], baseUrl: official.url } })
  expect((await chat('/gemini')).status).toBe(200)
  const refused = await chat('')
  expect(refused).toMatchObject({ status: 503, text: expect.stringContaining('No account is set up') as string })
  expect((await described())[0]).toBe('Gemini web app, no account yet')
})

it('an account that lives in the state is one, for the start and for what is said of it', async () => {
  const { isGuest } = await start(true)
  expect([isGuest, await described()]).toEqual([true, [AS_GUEST, AS_GUEST]])
  expect((await addAda()).status).toBe(200)
  expect(await described()).toEqual([ONE_ACCOUNT, ONE_ACCOUNT])
  await stop()

  await start(false)
  expect(await described()).toEqual([ONE_ACCOUNT, ONE_ACCOUNT])
  expect((await chat('')).status).toBe(200)
  await stop()

  writeFileSync(join(folder, 'castor.config.json'), JSON.stringify(settings(false)))
  const process = startCli(cli, ['serve'], folder, {})
  await process.said(/\/v1 {2}Gemini web app, one account/)
  await process.said(/There is no API_KEY/)
  expect(process.text).not.toMatch(/guest|There is no account/)
  await killCli(process)
})

it('without anybody the guest cannot be off, and the variable is named', async () => {
  await expect(start(false)).rejects.toThrow(/^The configuration has a mistake:\n {2}- GEMINI_GUEST: is off/)
  // The state was let go.
  expect((await start(true)).isGuest).toBe(true)
  await stop()

  writeFileSync(join(folder, 'castor.config.json'), JSON.stringify(settings(true)))
  const env = { GEMINI_GUEST: 'false', LOG_LEVEL: 'silent' }
  const { code, text } = await startCli(cli, ['serve'], folder, env).ended
  expect([code, text]).toEqual([2, expect.stringMatching(/^The configuration has a mistake:\n {2}- GEMINI_GUEST: /)])
  // Adding one is how it is put right.
  const desk = await openAccountDesk(parseConfig(settings(false)))
  const { outcome } = await desk.add(readImport(`__Secure-1PSID=${ada?.session}; __Secure-1PSIDTS=${ada?.ticket}`), {})
  await desk.close()
  expect(outcome).toBe('added')
  await start(false)
  expect((await chat('')).status).toBe(200)
})
