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

/** One person, signed in on two devices; and somebody else. */
const accountNumber = '104567890123456789012'
const LAPTOP = { name: 'laptop', session: 'g.a000laptop', ticket: 'sidts-laptop', accountNumber }
const PHONE = { name: 'phone', session: 'g.a000phone', ticket: 'sidts-phone', accountNumber }
const OTHER = { name: 'other', session: 'g.a000other', ticket: 'sidts-other', profiles: 2 }

let emulator: RunningEmulator
let dataDir: string
let gateway: Gateway
beforeAll(async () => {
  emulator = await startGeminiWebEmulator({ port: 0, accounts: [LAPTOP, PHONE, OTHER] })
})
afterAll(() => emulator.close())
beforeEach(async () => {
  emulator.emulator.controls.reset()
  dataDir = mkdtempSync(join(tmpdir(), 'castor-person-test-'))
  gateway = await start()
})
afterEach(async () => {
  await gateway.close(0)
  rmSync(dataDir, { recursive: true, force: true })
})

function start(more: object = {}): Promise<Gateway> {
  const config = parseConfig({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    ...UNLIMITED,
    geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) },
    ...more,
  })
  return startGateway(config, { log: pino({ level: 'silent' }) })
}

async function restart(more: object = {}): Promise<void> {
  await gateway.close(0)
  gateway = await start(more)
}

const call = (method: string, path: string, body?: unknown) => callJson(method, gateway.url + path, { body })

const pair = ({ session, ticket }: { session: string; ticket: string }) => ({
  SECURE_1PSID: session,
  SECURE_1PSIDTS: ticket,
})
const ids = async () =>
  ((await call('GET', '/api/accounts')).json as { accounts: { id: string }[] }).accounts.map(({ id }) => id)
const chat = async () => {
  emulator.emulator.controls.clearRequests()
  const { status } = await call('POST', '/v1/chat/completions', {
    model: 'gemini-2.5-flash',
    messages: [{ role: 'user', content: 'Repeat exactly: fine' }],
  })
  const asked = emulator.emulator.controls.requests.filter(({ path }) => path.endsWith('/StreamGenerate'))
  return [status, ...new Set(asked.map(({ caller }) => caller))]
}

describe('two sessions of one person', () => {
  it('are one account: the second takes the place of the first, now and after a restart', async () => {
    expect((await call('POST', '/api/accounts', { label: 'me', ...pair(LAPTOP) })).json).toMatchObject({
      outcome: 'added',
    })
    const second = await call('POST', '/api/cookies', pair(PHONE))
    expect([second.status, second.json]).toEqual([
      200,
      expect.objectContaining({
        message: 'The account "me" was there already; it has the newer cookies now.',
        results: [expect.objectContaining({ outcome: 'updated', account: expect.objectContaining({ id: 'me' }) })],
      }),
    ])
    expect([await ids(), await chat()]).toEqual([['me'], [200, 'phone']])
    await restart()
    expect([await ids(), await chat()]).toEqual([['me'], [200, 'phone']])
  })

  it('go back to none of the old cookies that were taken in before, unless the newer session is dead', async () => {
    await call('POST', '/api/accounts', { label: 'me', ...pair(LAPTOP) })
    await call('POST', '/api/accounts', pair(PHONE))
    const old = await call('POST', '/api/accounts', pair(LAPTOP))
    expect(old.json).toMatchObject({ outcome: 'kept', account: { id: 'me' } })
    expect([await ids(), await chat()]).toEqual([['me'], [200, 'phone']])

    emulator.emulator.controls.revoke('phone')
    expect((await chat())[0]).toBe(502)
    const back = await call('POST', '/api/accounts', pair(LAPTOP))
    expect(back.json).toMatchObject({ outcome: 'updated', account: { id: 'me', state: 'ready' } })
    expect([await ids(), await chat()]).toEqual([['me'], [200, 'laptop']])
    await restart()
    expect(await chat()).toEqual([200, 'laptop'])
  })

  it('are one account also when the first is of the configuration, and was never used', async () => {
    const configured = { accounts: [{ label: 'env', secure1psid: LAPTOP.session, secure1psidts: LAPTOP.ticket }] }
    await restart(configured)
    expect((await call('POST', '/api/cookies', pair(PHONE))).json).toMatchObject({
      accounts: [{ id: 'env', source: 'configuration' }],
    })
    expect(await chat()).toEqual([200, 'phone'])
    await restart(configured)
    expect([await ids(), await chat()]).toEqual([['env'], [200, 'phone']])
  })

  it('cannot be put under the name of somebody else, who keeps what he has', async () => {
    await call('POST', '/api/accounts', { label: 'me', ...pair(LAPTOP) })
    await call('POST', '/api/accounts', { label: 'other', ...pair(OTHER) })
    for (const one of [LAPTOP, PHONE]) {
      const wrong = await call('POST', '/api/accounts', { label: 'other', ...pair(one) })
      expect([wrong.status, wrong.json]).toEqual([
        400,
        { error: expect.objectContaining({ param: 'label', message: expect.stringMatching(/of "me".*"other"/) }) },
      ])
    }
    expect(await ids()).toEqual(['me', 'other'])
    await call('POST', '/api/accounts/me/pause')
    expect(await chat()).toEqual([200, 'other'])
  })

  it('are one account when they come at the same moment', async () => {
    const answers = await Promise.all([LAPTOP, PHONE, LAPTOP].map((one) => call('POST', '/api/accounts', pair(one))))
    expect(answers.map(({ json }) => String(json['outcome'])).toSorted()).toEqual(['added', 'kept', 'updated'])
    expect(await ids()).toHaveLength(1)
  })
})

describe('an account that was removed', () => {
  it('does not come back, neither by a renewal under way nor after a restart', async () => {
    await call('POST', '/api/accounts', { label: 'me', ...pair(LAPTOP) })
    emulator.emulator.controls.set({ latency: { rotate: 300 } })
    const renewal = call('POST', '/api/accounts/me/renew')
    await expect
      .poll(() => emulator.emulator.controls.requests.some(({ path }) => path === '/RotateCookies'))
      .toBe(true)
    expect((await call('DELETE', '/api/accounts/me')).json).toEqual({ deleted: true })
    await renewal
    expect(await ids()).toEqual([])
    await restart()
    expect(await ids()).toEqual([])
  })

  it('can be added again, and is there after a restart', async () => {
    await call('POST', '/api/accounts', { label: 'me', ...pair(LAPTOP) })
    await call('DELETE', '/api/accounts/me')
    await call('POST', '/api/accounts', { label: 'me', ...pair(LAPTOP) })
    await restart()
    expect([await ids(), await chat()]).toEqual([['me'], [200, 'laptop']])
  })
})

describe('an old .env', () => {
  it('never overwrites newer cookies, however many came since', async () => {
    const configured = { accounts: [{ label: 'env', secure1psid: LAPTOP.session, secure1psidts: LAPTOP.ticket }] }
    await restart(configured)
    // What an extension does that pushes cookies from a browser.
    for (let count = 0; count < 25; count++) {
      const form = { ...pair(LAPTOP), SECURE_1PSIDCC: `AKEy-${count}`, SECURE_1PSIDTS: rotated() }
      expect((await call('POST', '/api/cookies', form)).status).toBe(200)
    }
    expect(await chat()).toEqual([200, 'laptop'])
    emulator.emulator.controls.advance(120_000)
    await restart(configured)
    expect(await chat()).toEqual([200, 'laptop'])
    const rotations = emulator.emulator.controls.requests.filter(({ path }) => path === '/RotateCookies')
    expect(rotations).toEqual([])
  })

  /** The browser renews its ticket: the one before ends in half a minute. */
  function rotated(): string {
    const { controls } = emulator.emulator
    controls.advance(61_000)
    const ticket = `sidts-browser-${controls.advance(0)}`
    controls.addAccount({ ...LAPTOP, ticket })
    return ticket
  }
})

describe('two accounts of one cookie set, /u/0 and /u/1', () => {
  const rotations = () => emulator.emulator.controls.requests.filter(({ path }) => path === '/RotateCookies').length
  const renewed = (id: string) => call('POST', `/api/accounts/${id}/renew`)

  it.each<[string, object]>([
    ['added one by one', {}],
    [
      'of the configuration',
      {
        accounts: [0, 1].map((accountIndex) => ({
          label: ['first', 'second'][accountIndex],
          accountIndex,
          secure1psid: OTHER.session,
          secure1psidts: OTHER.ticket,
        })),
      },
    ],
  ])('share the ticket, %s: one renewal serves both', async (_, more) => {
    await restart({ renewal: { startAfterMs: 0, spreadMs: 0 }, ...more })
    if (!('accounts' in more)) {
      await call('POST', '/api/accounts', { label: 'first', ...pair(OTHER) })
      const second = await call('POST', '/api/accounts', { label: 'second', accountIndex: 1, ...pair(OTHER) })
      expect(second.json).toMatchObject({ outcome: 'added', account: { id: 'second', accountIndex: 1 } })
    }
    expect(await ids()).toEqual(['first', 'second'])
    for (const id of ['first', 'second'])
      expect((await call('POST', `/api/accounts/${id}/check`)).json['ok']).toBe(true)
    expect([(await renewed('first')).json['outcome'], rotations()]).toEqual(['renewed', 1])
    // The second takes it over; half a minute later the ticket before is worth nothing.
    const ticketOf = async (id: string) =>
      ((await call('GET', `/api/accounts/${id}`)).json['session'] as { ticketAt: number }).ticketAt
    await expect
      .poll(async () => (await ticketOf('second')) === (await ticketOf('first')), { timeout: 5_000 })
      .toBe(true)
    emulator.emulator.controls.advance(40_000)
    await call('POST', '/api/accounts/first/pause')
    expect(await chat()).toEqual([200, 'other/1'])
    expect(rotations()).toBe(0)
    // The first may go; the second lives on, also after a restart.
    if ('accounts' in more) return
    await call('DELETE', '/api/accounts/first')
    expect(await chat()).toEqual([200, 'other/1'])
    await call('POST', '/api/accounts', { label: 'first', ...pair(LAPTOP) })
    await restart()
    await call('POST', '/api/accounts/first/pause')
    expect(await chat()).toEqual([200, 'other/1'])
  })
})

describe('an account of the configuration', () => {
  it('goes with its entry there, whatever was changed of it at run time', async () => {
    await restart({ accounts: [{ label: 'env', secure1psid: LAPTOP.session, secure1psidts: LAPTOP.ticket }] })
    await call('POST', '/api/accounts/env/pause')
    await call('POST', '/api/accounts', pair(PHONE))
    expect((await call('DELETE', '/api/accounts/env')).json).toMatchObject({
      error: { message: expect.stringMatching(/Take it out there/) },
    })
    await restart()
    expect(await ids()).toEqual([])
  })
})
