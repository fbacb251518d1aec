import { buildAppPage, RPC } from '@castorjs/gemini-web-protocol'
import { TransportError } from '@castorjs/http-transport'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cookiesOf, emulated, type Emulated, type EmulatedOptions } from '../test/emulated.ts'
import { accountStatus, answer, promptOf, scriptedApp } from '../test/scripted-app.ts'
import { createGeminiWebClient, type GeminiWebClient } from './client.ts'
import type { SessionState, SessionStore } from './session-state.ts'

const COOKIES = '__Secure-1PSID=g.a000test; __Secure-1PSIDTS=sidts-first'
const NEW_TICKET = '__Secure-1PSIDTS=sidts-renewed; Domain=.google.com; Path=/; Secure; HttpOnly'
/** Google's minute, and a second for the way there. */
const FLOOR = 61_000

const worlds: { close(): Promise<void> }[] = []

function create(options?: EmulatedOptions): Emulated {
  const world = emulated(options)
  worlds.push(world)
  return world
}

function client(options: Parameters<typeof createGeminiWebClient>[0]): GeminiWebClient {
  const made = createGeminiWebClient(options)
  worlds.push(made)
  return made
}

afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()))
})

/** A store in memory that remembers every state it was given. */
function memoryStore(first?: SessionState): SessionStore & { saved: SessionState[] } {
  const saved: SessionState[] = []
  return {
    saved,
    load: () => saved.at(-1) ?? first,
    save(state) {
      saved.push(structuredClone(state))
    },
  }
}

const ticketIn = (state: SessionState | undefined): string | undefined =>
  state?.cookies.find((cookie) => cookie.name === '__Secure-1PSIDTS')?.value

describe('an account whose credentials age in mid-run', () => {
  it('says that the ticket had expired, renews it, and answers the next time', async () => {
    const { emulator, client, count } = create()
    await client.start()
    emulator.controls.expireTicket('grace')
    await expect(client.generate('Hello')).rejects.toMatchObject({
      code: 'ticket_expired',
      fault: 'account',
      retry: true,
    })
    expect((await client.generate('Hello')).substituted).toBe(false)
    expect(count('/RotateCookies')).toBe(1)
  })

  it('does not pass a guest’s answer for the account’s when the session died', async () => {
    const { emulator, client } = create()
    await client.start()
    emulator.controls.revoke('grace')
    await expect(client.generate('Hello', { model: 'pro' })).rejects.toMatchObject({
      code: 'downgraded',
      fault: 'account',
    })
  })

  it('asks again with a new ticket when the first words already show a guest’s answer', async () => {
    const { emulator, client, count } = create()
    await client.start()
    emulator.controls.set({ chunkBytes: 'whole' })
    emulator.controls.expireTicket('grace')
    const texts: string[] = []
    let model: string | undefined
    for await (const event of client.stream('Repeat exactly: once', { model: 'pro', temporary: true })) {
      if (event.type === 'text-delta') texts.push(event.text)
      if (event.type === 'reply') model = event.reply.servedModelName
    }
    expect([texts.join(''), model]).toEqual(['once', '3.1 Pro'])
    expect([count('/RotateCookies'), count('/StreamGenerate')]).toEqual([1, 2])
  })

  it('puts nothing out when the first words show a guest’s answer and the session is dead', async () => {
    const { emulator, client } = create()
    await client.start()
    emulator.controls.set({ chunkBytes: 'whole' })
    emulator.controls.revoke('grace')
    const seen: unknown[] = []
    await expect(
      (async () => {
        for await (const event of client.stream('Hello', { model: 'pro' })) seen.push(event)
      })(),
    ).rejects.toMatchObject({ code: 'downgraded' })
    expect(seen).toEqual([])
  })

  it('knows a guest’s answer that began before another request renewed the ticket', async () => {
    const { emulator, client } = create()
    await client.start()
    emulator.controls.set({ latency: { snapshot: 10 } })
    emulator.controls.expireTicket('grace')
    const long = client.generate('Count to 300', { model: 'pro', temporary: true })
    const short = client.generate('Hello', { model: 'pro', temporary: true })
    const outcomes = await Promise.allSettled([long, short])
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'ticket_expired' } },
      { status: 'rejected', reason: { code: 'ticket_expired' } },
    ])
  })

  it('marks a smaller model’s answer when the account itself is trusted', async () => {
    const { emulator, client, count } = create()
    await client.start()
    emulator.controls.set({ chunkBytes: 'whole' })
    const checks = count('/batchexecute')
    emulator.controls.fail({ kind: 'downgrade' })
    expect(await client.generate('Hello', { model: 'pro', temporary: true })).toMatchObject({
      substituted: true,
      servedModelName: '3.5 Flash-Lite',
    })
    expect(count('/batchexecute') - checks).toBe(1)
    emulator.controls.fail({ kind: 'downgrade' })
    await expect(client.generate('Hello', { model: 'pro', strictModel: true })).rejects.toMatchObject({
      code: 'model_substituted',
    })
  })

  it('reports dead cookies at the start', async () => {
    const { emulator, client } = create()
    emulator.controls.revoke('grace')
    await expect(client.start()).rejects.toMatchObject({ code: 'signed_out', fault: 'account' })
  })

  it('believes nothing that it knew of an account before it was refused', async () => {
    const { emulator, client, count } = create()
    await client.start()
    for (const on of ['generate', 'batch', 'page'] as const) {
      emulator.controls.fail({ kind: 'http', status: 401, on, times: 0 })
    }
    await expect(client.generate('Hello')).rejects.toMatchObject({ code: 'signed_out' })
    const asked = count('/batchexecute')
    await expect(client.models()).rejects.toMatchObject({ code: 'signed_out' })
    expect(count('/batchexecute')).toBeGreaterThan(asked)
    emulator.controls.clearFaults()
    expect(await client.models()).not.toEqual([])
    const known = count('/batchexecute')
    await client.models()
    expect(count('/batchexecute')).toBe(known)
  })

  it('starts with an old ticket by renewing it', async () => {
    const { emulator, client, count } = create()
    emulator.controls.expireTicket('grace')
    expect((await client.generate('Hello')).text).toMatch(/\w/)
    expect(count('/RotateCookies')).toBe(1)
  })

  it('works when the page leaves the token out although the session is fine', async () => {
    const app = scriptedApp({
      page: () => ({ body: buildAppPage({ buildLabel: 'boq_test_p0', sessionId: '-1' }) }),
      rotate: () => ({ status: 429 }),
    })
    const one = client({ cookies: COOKIES, transport: app.transport })
    expect((await one.generate('Hello')).text).toBe('Hello')
  })

  it('tells a blocked account from a signed-out one', async () => {
    const { emulator, client } = create()
    emulator.controls.changeAccount('grace', { status: 1021 })
    await expect(client.start()).rejects.toMatchObject({ code: 'account_rejected', upstreamCode: '1021' })
  })

  it.each([
    { to: 'sorry', code: 'address_blocked' },
    { to: 'consent', code: 'consent_required' },
    { to: 'sign-in', code: 'signed_out' },
  ] as const)('reads a redirect of the page to $to as $code', async ({ to, code }) => {
    const { emulator, client } = create()
    emulator.controls.fail({ kind: 'redirect', to, on: 'page', times: 0 })
    emulator.controls.fail({ kind: 'http', status: 401, on: 'batch', times: 0 })
    await expect(client.start()).rejects.toMatchObject({ code })
  })
})

describe('the repair of the request token', () => {
  it('never loops when the server refuses its own token', async () => {
    const token = '["er",null,null,null,null,400,null,null,null,3,[{"48448350":["xsrf","ADsame:1",["1"]]}]]'
    const app = scriptedApp({ generate: () => ({ status: 400, body: `)]}'\n\n[${token}]` }) })
    const one = client({ cookies: COOKIES, transport: app.transport })
    await expect(one.generate('Hello')).rejects.toMatchObject({ code: 'signed_out' })
    expect(app.to('StreamGenerate')).toHaveLength(2)
  })
})

describe('rotation', () => {
  it('sends only the pair, once for all who ask at the same time, and not again within a minute', async () => {
    let now = 1_000_000
    const app = scriptedApp({ rotate: () => ({ cookies: [NEW_TICKET] }) })
    const one = client({ cookies: `${COOKIES}; SIDCC=AK; NID=525`, transport: app.transport, now: () => now })
    await one.start()
    expect(await Promise.all([one.rotate(), one.rotate()])).toEqual(['renewed', 'renewed'])
    expect(app.to('RotateCookies')).toHaveLength(1)
    expect(app.to('RotateCookies')[0]?.headers.cookie).toBe('__Secure-1PSID=g.a000test; __Secure-1PSIDTS=sidts-first')
    now += FLOOR - 1
    expect(await one.rotate()).toBe('too-soon')
    now += 1
    expect(await one.rotate()).toBe('still-good')
    expect(app.to('RotateCookies')[1]?.headers.cookie).toContain('sidts-renewed')
  })

  it('keeps its distance across a restart', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    let now = 1_000_000
    const first = client({ cookies: COOKIES, transport: app.transport, store, now: () => now })
    await first.start()
    await first.rotate()
    await first.close()
    now += 30_000
    const second = client({ cookies: COOKIES, transport: app.transport, store, now: () => now })
    await second.start()
    expect(await second.rotate()).toBe('too-soon')
  })

  it('renews a stored ticket older than ten minutes before anything else', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    let now = 1_000_000
    const first = client({ cookies: COOKIES, transport: app.transport, store, now: () => now })
    await first.start()
    await first.close()
    now += 11 * 60_000
    app.requests.length = 0
    await client({ cookies: COOKIES, transport: app.transport, store, now: () => now }).start()
    expect(app.requests[0]?.url.href).toBe('https://accounts.google.com/RotateCookies')
    expect(app.requests[1]?.headers.cookie).toContain('sidts-renewed')
  })

  it('does not use a renewed ticket before it is saved', async () => {
    let release: (() => void) | undefined
    const app = scriptedApp()
    const one = client({
      cookies: COOKIES,
      transport: app.transport,
      onCookies: (state) =>
        ticketIn(state) === 'sidts-renewed' ? new Promise<void>((resolve) => (release = resolve)) : undefined,
    })
    await one.start()
    const rotating = one.rotate()
    await expect.poll(() => release !== undefined).toBe(true)
    expect(await Promise.race([rotating, Promise.resolve('waiting')])).toBe('waiting')
    release?.()
    expect(await rotating).toBe('renewed')
  })

  it('saves a renewed ticket that the store refused as soon as it takes it, although nobody asks for anything', async () => {
    const store = memoryStore()
    let away = false
    const app = scriptedApp({
      rotate() {
        // In the moment in which Google answers.
        away = true
        return { cookies: [NEW_TICKET] }
      },
    })
    const save = (state: SessionState) => (away ? Promise.reject(new Error('away')) : store.save(state))
    const one = client({ cookies: COOKIES, transport: app.transport, store: { ...store, save } })
    await one.start()
    await expect(one.rotate()).rejects.toThrow('away')
    expect(ticketIn(store.saved.at(-1))).toBe('sidts-first')
    away = false
    await expect.poll(() => ticketIn(store.saved.at(-1)), { timeout: 20_000 }).toBe('sidts-renewed')
    expect(one.status()).not.toMatchObject({ saveFailed: true })
  })

  it('takes over what another process renewed instead of rotating too', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    const one = client({
      cookies: COOKIES,
      transport: app.transport,
      store: { ...store, exclusive: (work) => work() },
    })
    await one.start()
    const state = one.export()
    const cookies = state.cookies.map((cookie) =>
      cookie.name === '__Secure-1PSIDTS' ? { ...cookie, value: 'sidts-other' } : cookie,
    )
    store.saved.push({ ...state, cookies, ticketAtMs: Date.now() + 1_000 })
    expect(await one.rotate()).toBe('renewed')
    expect(app.to('RotateCookies')).toHaveLength(0)
    expect(ticketIn(one.export())).toBe('sidts-other')
  })

  it('renews what it took over when that is old by then, too', async () => {
    let now = 1_000_000
    const store = { ...memoryStore(), exclusive: <Result>(work: () => Promise<Result>) => work() }
    const shared = { store, now: () => now }
    const world = create({ now: () => now, settings: { ticketLifeMs: 60_000 }, client: shared })
    const cookies = cookiesOf(world.emulator, 'grace')
    const other = client({ cookies, transport: world.transport, ...shared })
    await world.client.start()
    await other.start()
    now += FLOOR
    expect(await other.rotate()).toBe('renewed')
    now += FLOOR
    world.client.recheck()
    await world.client.start()
    expect(world.client.status()).toMatchObject({ code: 1000, lastRotation: 'renewed' })
    expect(world.count('/RotateCookies')).toBe(2)
  })

  it.each([3_600_000, -3_600_000])('knows the newest ticket by no clock: one is %i ms off', async (offMs) => {
    let now = 10_000_000
    const store = { ...memoryStore(), exclusive: <Result>(work: () => Promise<Result>) => work() }
    const world = create({ now: () => now, client: { store, now: () => now } })
    const cookies = cookiesOf(world.emulator, 'grace')
    const off = client({ cookies, transport: world.transport, store, now: () => now + offMs })
    await off.start()
    await world.client.start()
    const renew = (one: GeminiWebClient) => {
      now += FLOOR
      return one.rotate()
    }
    expect(await renew(off)).toBe('renewed')
    // Takes that over, and then asks itself.
    expect([await renew(world.client), await renew(world.client)]).toEqual(['renewed', 'renewed'])
    const asked = world.count('/RotateCookies')
    expect(await renew(off)).toBe('renewed')
    expect(world.count('/RotateCookies')).toBe(asked)
    expect(ticketIn(off.export())).toBe(ticketIn(world.client.export()))
    const stamps = store.saved.map(({ ticketAtMs = 0 }) => ticketAtMs)
    expect(stamps).toEqual(stamps.toSorted((one, other) => one - other))
  })

  it('keeps its distance when a process with a clock ahead of this one asked last', async () => {
    let now = 1_000_000
    const kept = memoryStore()
    const store: SessionStore = {
      load: kept.load,
      // As a store for several processes does: the last request of all of them stays known.
      save: ({ rotatedAtMs = 0, ...state }) => kept.save({ ...state, rotatedAtMs: Math.max(rotatedAtMs, 4_600_000) }),
      exclusive: (work) => work(),
    }
    const app = scriptedApp()
    const one = client({ cookies: COOKIES, transport: app.transport, store, now: () => now })
    await one.start()
    expect(await one.rotate()).not.toBe('too-soon')
    now += FLOOR - 1
    expect(await one.rotate()).toBe('too-soon')
    now += 1
    expect(await one.rotate()).not.toBe('too-soon')
    expect(app.to('RotateCookies')).toHaveLength(2)
  })

  it('says refused for a device-bound session and keeps the cookies', async () => {
    const { client } = create({ settings: { deviceBound: true } })
    await client.start()
    expect(await client.rotate()).toBe('refused')
    expect((await client.generate('Hello')).text).toMatch(/\w/)
  })

  it('gives the outcome of the one that signing in needed, and remembers a refusal', async () => {
    let status = 401
    let now = 1_000_000
    const app = scriptedApp({
      page: () => ({ body: buildAppPage({ buildLabel: 'boq_test_p0', sessionId: '-1' }) }),
      rotate: () => ({ status }),
    })
    const one = client({ cookies: COOKIES, transport: app.transport, now: () => now })
    expect(await one.rotate()).toBe('refused')
    expect(app.to('RotateCookies')).toHaveLength(1)
    expect([await one.rotate(), one.status().renewalRefused]).toEqual(['too-soon', true])
    status = 200
    now += FLOOR
    expect([await one.rotate(), one.status().renewalRefused]).toEqual(['still-good', false])
  })

  it('asks anew how the account is after a refusal, and when somebody saw it fail', async () => {
    const app = scriptedApp({ rotate: () => ({ status: 401 }) })
    const one = client({ cookies: COOKIES, transport: app.transport })
    const asked = async () => {
      await one.models()
      return app.to('batchexecute').length
    }
    expect([await asked(), await asked()]).toEqual([1, 1])
    expect(await one.rotate()).toBe('refused')
    expect([await asked(), await asked()]).toEqual([2, 2])
    one.recheck()
    expect([await asked(), await asked()]).toEqual([3, 3])
  })

  it('runs on its clock and stops with the client', async () => {
    const app = scriptedApp({ rotate: () => ({ status: 429 }) })
    const one = client({ cookies: COOKIES, transport: app.transport, rotationIntervalMs: 20, random: () => 0.5 })
    await one.start()
    await expect.poll(() => app.to('RotateCookies').length).toBeGreaterThan(0)
    await one.close()
    const before = app.requests.length
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(app.requests.length).toBe(before)
  })
})

describe('the clock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
  afterEach(() => void vi.useRealTimers())
  const minutes = (count: number) => vi.advanceTimersByTimeAsync(count * 60_000)
  /** The middle of the jitter: eight minutes. */
  const random = () => 0.5

  it('counts on from the last renewal across a restart', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    const first = client({ cookies: COOKIES, transport: app.transport, store, random })
    await first.start()
    await minutes(8.1)
    expect(app.to('RotateCookies')).toHaveLength(1)
    await first.close()
    await minutes(5)
    const second = client({ cookies: COOKIES, transport: app.transport, store, random })
    await second.start()
    await minutes(2)
    expect(app.to('RotateCookies')).toHaveLength(1)
    await minutes(1.1)
    expect(app.to('RotateCookies')).toHaveLength(2)
  })

  it('starts anew from a renewal that another process made', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    const shared = { ...store, exclusive: <Result>(work: () => Promise<Result>) => work() }
    const one = client({ cookies: COOKIES, transport: app.transport, store: shared, random })
    await one.start()
    await minutes(5)
    store.saved.push({ ...one.export(), ticketAtMs: Date.now(), rotatedAtMs: Date.now() })
    expect(await one.rotate()).toBe('renewed')
    await minutes(7.9)
    expect(app.to('RotateCookies')).toEqual([])
    await minutes(0.2)
    expect(app.to('RotateCookies')).toHaveLength(1)
  })

  it('asks again after a minute or so when Google could not be reached', async () => {
    let reachable = false
    const app = scriptedApp()
    const one = client({
      cookies: COOKIES,
      transport: (url, request) =>
        reachable || !url.includes('RotateCookies')
          ? app.transport(url, request)
          : Promise.reject(new TransportError('network', 'refused')),
      random,
    })
    await one.start()
    await minutes(8.1)
    reachable = true
    await minutes(1)
    expect(app.to('RotateCookies')).toHaveLength(0)
    await minutes(0.4)
    expect(app.to('RotateCookies')).toHaveLength(1)
  })
})

describe('what is kept between runs', () => {
  it('never lets an old export overwrite newer cookies', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    const first = client({ cookies: COOKIES, transport: app.transport, store })
    await first.start()
    await first.rotate()
    await first.close()
    const second = client({ cookies: COOKIES, transport: app.transport, store })
    await second.start()
    expect(ticketIn(second.export())).toBe('sidts-renewed')
  })

  it('takes an export that was never seen', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    await client({ cookies: COOKIES, transport: app.transport, store }).start()
    const second = client({
      cookies: '__Secure-1PSID=g.a000other; __Secure-1PSIDTS=sidts-9',
      transport: app.transport,
      store,
    })
    await second.start()
    expect(ticketIn(second.export())).toBe('sidts-9')
  })

  describe('beside other cookies of the same session, of which nobody knows whether they are newer', () => {
    const header = (ticket: string): string => `__Secure-1PSID=g.a000castor-demo-grace; __Secure-1PSIDTS=${ticket}`

    /** A session that was in use, and a client that finds it stored and is given another ticket. */
    async function restart(given: (world: Emulated) => string) {
      const store = memoryStore()
      const world = create({ client: { store } })
      await world.client.start()
      await world.client.close()
      const ticket = given(world)
      const { transport } = world
      const { now } = world.emulator.state.clock
      return { ...world, store, again: client({ cookies: header(ticket), transport, store, now }) }
    }

    it('keeps using its own while they work, and forgets the others with the next renewal', async () => {
      const { again, store, emulator } = await restart(() => 'sidts-of-an-old-backup')
      expect((await again.generate('Repeat exactly: fine')).text).toBe('fine')
      expect(store.saved.at(-1)?.spare).toContainEqual(
        expect.objectContaining({ name: '__Secure-1PSIDTS', value: 'sidts-of-an-old-backup' }),
      )
      emulator.controls.advance(70_000)
      expect(await again.rotate()).toBe('renewed')
      expect(store.saved.at(-1)?.spare).toBe(undefined)
    })

    it('goes over to them when its own are refused, and keeps that', async () => {
      const { again, store, count } = await restart(({ emulator }) => {
        // A browser renewed the ticket; half a minute later the one before is worth nothing.
        emulator.controls.addAccount({
          name: 'grace',
          session: 'g.a000castor-demo-grace',
          ticket: 'sidts-of-the-browser',
        })
        emulator.controls.advance(70_000)
        return 'sidts-of-the-browser'
      })
      expect((await again.generate('Repeat exactly: fine')).text).toBe('fine')
      expect(count('/RotateCookies')).toBe(1)
      expect(ticketIn(store.saved.at(-1))).toBe('sidts-of-the-browser')
    })

    it('goes over to them when the refusal takes the ticket away', async () => {
      const gone = '__Secure-1PSIDTS=EXPIRED; Domain=.google.com; Path=/; Secure; Expires=Thu, 01-Jan-1970 00:00:00 GMT'
      const signedOut = buildAppPage({ buildLabel: 'boq_test_p0', sessionId: '-1' })
      const store = memoryStore()
      const first = client({ cookies: COOKIES, transport: scriptedApp().transport, store })
      await first.start()
      await first.close()
      const app = scriptedApp({ page: () => ({ body: signedOut }), rotate: () => ({ status: 401, cookies: [gone] }) })
      const again = client({ cookies: COOKIES.replace('first', 'other'), transport: app.transport, store })
      await again.start()
      expect(ticketIn(again.export())).toBe('sidts-other')
    })

    it('loses neither when both are refused for now', async () => {
      const { again, store, emulator } = await restart(({ emulator }) => {
        emulator.controls.revoke('grace')
        return 'sidts-of-an-old-backup'
      })
      await expect(again.start()).rejects.toMatchObject({ code: 'signed_out' })
      const kept = store.saved.at(-1)
      const spare = kept?.spare?.find(({ name }) => name === '__Secure-1PSIDTS')?.value
      expect(new Set([ticketIn(kept), spare])).toEqual(new Set(['sidts-castor-demo-grace', 'sidts-of-an-old-backup']))
      emulator.controls.addAccount({
        name: 'grace',
        session: 'g.a000castor-demo-grace',
        ticket: 'sidts-castor-demo-grace',
      })
      emulator.controls.advance(70_000)
      expect((await again.generate('Repeat exactly: fine')).text).toBe('fine')
    })
  })

  it('merges every Set-Cookie of every host', async () => {
    const store = memoryStore()
    const app = scriptedApp({
      generate: () => ({ body: answer('Hi'), cookies: ['SIDCC=AKnew; Domain=.google.com; Path=/'] }),
    })
    const one = client({ cookies: `${COOKIES}; SIDCC=AKold`, transport: app.transport, store })
    await one.generate('Hello')
    await one.close()
    expect(store.saved.at(-1)?.cookies.find((cookie) => cookie.name === 'SIDCC')?.value).toBe('AKnew')
  })
})

describe('counters, which come with every reply', () => {
  const counter = (value: string) => `SIDCC=${value}; Domain=.google.com; Path=/; Secure`
  const sent = (requests: readonly { headers: Record<string, string> }[]) =>
    requests.map(({ headers }) => /SIDCC=(\w+)/.exec(headers['cookie'] ?? '')?.[1])

  /** A store whose disk stands still on demand, and an app that counts the answers in `SIDCC`. */
  function slowDisk() {
    const saved: SessionState[] = []
    let stands: Promise<void> | undefined
    let go = (): void => undefined
    let count = 0
    const app = scriptedApp({
      generate: (request) => ({ body: answer(promptOf(request).prompt), cookies: [counter(`n${++count}`)] }),
    })
    const store: SessionStore = {
      load: () => saved.at(-1),
      async save(state) {
        await stands
        saved.push(structuredClone(state))
      },
    }
    return {
      app,
      store,
      kept: () => saved.at(-1)?.cookies.find(({ name }) => name === 'SIDCC')?.value,
      stop: () => void (stands = new Promise((resolve) => (go = resolve))),
      go: () => go(),
    }
  }

  it('are sent only once they are kept, and no answer waits for that', async () => {
    const { app, store, kept, stop, go } = slowDisk()
    const one = client({ cookies: `${COOKIES}; SIDCC=n0`, transport: app.transport, store })
    await one.start()
    stop()
    for (let turn = 0; turn < 3; turn++) expect((await one.generate('Hello')).text).toBe('Hello')
    expect([sent(app.to('StreamGenerate')), kept()]).toEqual([['n0', 'n0', 'n0'], 'n0'])
    go()
    await expect.poll(kept, { timeout: 5_000 }).toBe('n3')
    await one.generate('Hello')
    expect(sent(app.to('StreamGenerate')).at(-1)).toBe('n3')
  })

  it('are those that were sent last, or newer ones, after a crash', async () => {
    const { app, store } = slowDisk()
    const one = client({ cookies: `${COOKIES}; SIDCC=n0`, transport: app.transport, store })
    const number = (value = '') => Number(value.slice(1))
    for (let turn = 0; turn < 5; turn++) {
      await one.generate('Hello')
      const before = number(sent(app.requests).at(-1))
      // What a process has that begins now, from what is on the disk.
      const next = client({ transport: app.transport, store })
      await next.start()
      expect(number(sent(app.requests).at(-1))).toBeGreaterThanOrEqual(before)
    }
  })

  it('go on as they were when the disk refuses', async () => {
    const { app, store } = slowDisk()
    let full = false
    const one = client({
      cookies: `${COOKIES}; SIDCC=n0`,
      transport: app.transport,
      store: {
        load: () => store.load(),
        save: (state) => (full ? Promise.reject(new Error('full')) : store.save(state)),
      },
    })
    await one.start()
    full = true
    for (let turn = 0; turn < 3; turn++) expect((await one.generate('Hello')).text).toBe('Hello')
    expect(sent(app.to('StreamGenerate'))).toEqual(['n0', 'n0', 'n0'])
  })
})

describe('accounts side by side', () => {
  it('puts the index of /u/N into path, source and header', async () => {
    const { client, emulator } = create({ account: 'ada', client: { accountIndex: 1 } })
    await client.generate('Hello')
    expect(emulator.controls.requests.map((request) => request.path)).toEqual([
      '/u/1/app',
      '/u/1/_/BardChatUi/data/batchexecute',
      '/u/1/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate',
    ])
    expect(emulator.controls.requests[1]).toMatchObject({ query: { 'source-path': '/u/1/app' } })
  })

  it('keeps a guest a guest, and ends its half-open reply', async () => {
    const { client, emulator } = create({
      account: 'guest',
      settings: { guestTail: 'open' },
      client: { patience: { tailMs: 20 } },
    })
    const reply = await client.generate('Hello')
    expect(reply.text).toMatch(/\w/)
    expect(client.status()).toMatchObject({ kind: 'guest' })
    await expect.poll(() => emulator.open).toBe(0)
  })

  it('refuses for a guest what needs an account, before asking', async () => {
    const { client } = create({ account: 'guest' })
    await expect(client.generate('Draw', { tool: 'image' })).rejects.toMatchObject({ code: 'needs_account' })
    await expect(client.upload(new Uint8Array([1]), { name: 'x' })).rejects.toMatchObject({ code: 'needs_account' })
    await expect(client.generate('Hello', { model: 'pro' })).rejects.toMatchObject({ code: 'unknown_model' })
  })

  it('chooses the model by mode, name and id, and reports a substitute', async () => {
    const { client, emulator } = create({ settings: { servedModel: 'free-lite' } })
    const reply = await client.generate('Hello', { model: 'pro' })
    expect(reply).toMatchObject({ substituted: true, servedModelName: '3.5 Flash-Lite' })
    await expect(client.generate('Hello', { model: 'pro', strictModel: true })).rejects.toMatchObject({
      code: 'model_substituted',
      fault: 'model',
    })
    const models = await client.models()
    const pro = models.find((model) => model.mode === 'pro')
    emulator.controls.set({ servedModel: null })
    expect((await client.generate('Hello', { model: pro?.displayName ?? '' })).servedModelId).toBe(pro?.id)
  })
})

describe('cookies go nowhere else', () => {
  it('refuses a download that leads to a stranger', async () => {
    const app = scriptedApp({ other: () => ({ status: 302, headers: { location: 'https://evil.example/steal' } }) })
    const one = client({ cookies: COOKIES, transport: app.transport })
    await one.start()
    await expect(one.media.download('https://lh3.googleusercontent.com/gg-dl/x')).rejects.toMatchObject({
      code: 'media_refused',
    })
    expect(app.requests.every(({ url }) => /\.google(usercontent)?\.com$/.test(url.hostname))).toBe(true)
  })

  it('keeps no cookie of another site', async () => {
    const app = scriptedApp({
      page: () => ({ body: buildAppPage({ token: 'ADx:1' }), cookies: ['evil=1; Domain=.example.com; Path=/'] }),
      rpc: (id) => (id === RPC.status ? accountStatus() : []),
    })
    const one = client({ cookies: COOKIES, transport: app.transport })
    await one.start()
    expect(one.export().cookies.map((cookie) => cookie.name)).toEqual(['__Secure-1PSID', '__Secure-1PSIDTS'])
  })
})

describe('what a self-hoster can set', () => {
  it('calls a remote call by its new id, and reads the page by new keys', async () => {
    const seen: string[] = []
    const app = scriptedApp({
      page: () => ({ body: '<script>{"NEWkey":"ADnew:1","cfb2h":"boq_x"}</script>' }),
      rpc: (id) => {
        seen.push(id)
        return accountStatus()
      },
    })
    const one = client({
      cookies: COOKIES,
      transport: app.transport,
      protocol: {
        rpcIds: { status: 'neWid1' },
        pageKeys: { token: 'NEWkey' },
        slots: { 98: 2 },
        modelHeader: { era: 'late-2025' },
      },
    })
    await one.generate('Hello', { model: 'pro' })
    expect(new Set(seen)).toEqual(new Set(['neWid1']))
    const [request] = app.to('StreamGenerate')
    expect(new URLSearchParams(request?.body).get('at')).toBe('ADnew:1')
    expect(request?.headers['x-goog-ext-525001261-jspb']).toBe('[1,null,null,null,"e6fa609c3fa255c0",null,null,0,[4]]')
    expect(request && promptOf(request).slots[98]).toBe(2)
  })

  it('shows that the store refuses, and goes on', async () => {
    const app = scriptedApp({
      generate: () => ({ body: answer('Hi'), cookies: ['SIDCC=AK; Domain=.google.com; Path=/'] }),
    })
    let broken = false
    const one = client({
      cookies: COOKIES,
      transport: app.transport,
      store: {
        load: () => undefined,
        save() {
          if (broken) throw new Error('disk full')
        },
      },
    })
    await one.start()
    broken = true
    expect((await one.generate('Hello')).text).toBe('Hi')
    await expect(one.rotate()).rejects.toThrow('disk full')
    expect(one.status()).toMatchObject({ saveFailed: true })
  })
})

describe('a session cookie that comes to its end', () => {
  afterEach(() => void vi.useRealTimers())
  const ending = (expiresMs: number) => [
    { name: '__Secure-1PSID', value: 'g.a000test', domain: '.google.com', expiresMs },
    { name: '__Secure-1PSIDTS', value: 'sidts-first', domain: '.google.com' },
  ]
  const ended = (on: string) => ({
    code: 'signed_out',
    fault: 'account',
    message: expect.stringContaining(`The session cookie of this account ended on ${on}`) as string,
  })

  it('is not answered as a guest: every call says when it ended, and nothing is sent', async () => {
    const app = scriptedApp()
    const one = client({ cookies: ending(Date.UTC(2026, 0, 2)), transport: app.transport })
    await expect(one.generate('Hello')).rejects.toMatchObject(ended('2026-01-02'))
    await expect(one.models()).rejects.toMatchObject(ended('2026-01-02'))
    await expect(one.rotate()).rejects.toMatchObject(ended('2026-01-02'))
    await expect(one.media.download('https://lh3.googleusercontent.com/gg-dl/x')).rejects.toMatchObject({
      code: 'signed_out',
    })
    expect(app.requests).toEqual([])
    expect(one.status()).toMatchObject({ kind: 'account', sessionEnded: true })
  })

  it('says so after a restart on what was stored alone', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    const first = client({ cookies: ending(Date.UTC(2026, 0, 2)), transport: app.transport, store })
    await expect(first.start()).rejects.toMatchObject(ended('2026-01-02'))
    await first.close()
    const second = client({ transport: app.transport, store })
    await expect(second.generate('Hello')).rejects.toMatchObject({ code: 'signed_out' })
    expect(app.requests).toEqual([])
  })

  it('is noticed while it runs', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 20) })
    const app = scriptedApp()
    const one = client({ cookies: ending(Date.UTC(2026, 10, 20, 1)), transport: app.transport })
    expect((await one.generate('Hello')).text).toBe('Hello')
    vi.setSystemTime(Date.UTC(2026, 10, 21))
    await expect.poll(() => one.status().sessionEnded, { timeout: 5_000 }).toBe(true)
    const asked = app.requests.length
    await expect(one.generate('Hello')).rejects.toMatchObject(ended('2026-11-20'))
    expect(app.requests).toHaveLength(asked)
  })

  it('is noticed when Google takes the cookie away', async () => {
    const gone = '__Secure-1PSID=EXPIRED; Domain=.google.com; Path=/; Secure; Expires=Thu, 01-Jan-1970 00:00:00 GMT'
    const app = scriptedApp({ generate: (request) => ({ body: answer(promptOf(request).prompt), cookies: [gone] }) })
    const one = client({ cookies: COOKIES, transport: app.transport })
    expect((await one.generate('Hello')).text).toBe('Hello')
    await expect(one.generate('Hello')).rejects.toMatchObject(ended(new Date().toISOString().slice(0, 10)))
    expect(app.to('StreamGenerate')).toHaveLength(1)
  })

  it('takes over the session that another process has by then', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    const shared = { ...store, exclusive: <Result>(work: () => Promise<Result>) => work() }
    const one = client({ cookies: ending(Date.UTC(2026, 0, 2)), transport: app.transport, store: shared })
    await expect(one.start()).rejects.toMatchObject(ended('2026-01-02'))
    const cookies = ending(Date.now() + 60_000)
    store.saved.push({ ...one.export(), cookies, ticketAtMs: Date.now() + 1_000 })
    expect((await one.generate('Hello')).text).toBe('Hello')
  })

  it('does not take the place of a stored one that goes on', async () => {
    const store = memoryStore()
    const app = scriptedApp()
    const first = client({ cookies: COOKIES, transport: app.transport, store })
    await first.start()
    await first.close()
    const old = ending(Date.UTC(2026, 0, 2)).map((cookie) => ({ ...cookie, value: `${cookie.value}-old` }))
    const second = client({ cookies: old, transport: app.transport, store })
    expect((await second.generate('Hello')).text).toBe('Hello')
    expect(second.export().cookies.find(({ name }) => name === '__Secure-1PSID')?.value).toBe('g.a000test')
  })
})

describe('a renewed ticket that the store refuses', () => {
  it('is kept the next time by a store that throws at once', async () => {
    const store = memoryStore()
    const { save } = store
    let now = 1_000_000
    let full = false
    store.save = (state) => {
      if (full) throw new Error('full')
      return save(state)
    }
    const app = scriptedApp({ rotate: () => ({ cookies: [NEW_TICKET] }) })
    const one = client({ cookies: COOKIES, transport: app.transport, store, now: () => now })
    await one.start()
    full = true
    await expect(one.rotate()).rejects.toThrow('full')
    full = false
    now += FLOOR
    expect(await one.rotate()).toBe('renewed')
    expect(ticketIn(store.saved.at(-1))).toBe('sidts-renewed')
  })

  it('is kept when the client closes', async () => {
    const store = memoryStore()
    const { save } = store
    let full = false
    const app = scriptedApp({
      rotate: () => {
        full = true
        return { cookies: [NEW_TICKET] }
      },
    })
    store.save = async (state) => {
      if (full) throw new Error('full')
      await save(state)
    }
    const one = client({ cookies: COOKIES, transport: app.transport, store })
    await one.start()
    await expect(one.rotate()).rejects.toThrow('full')
    full = false
    await one.close()
    expect(ticketIn(store.saved.at(-1))).toBe('sidts-renewed')
  })
})
