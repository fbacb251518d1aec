import {
  HOSTS,
  readBatchReply,
  readPageTokens,
  readReply,
  readXsrfToken,
  RPC,
  statusPayload,
  readAccountStatus,
  findResult,
} from '@castorjs/gemini-web-protocol'
import { describe, expect, it } from 'vitest'
import { createVisitor, quietEmulator, signedIn } from './visitor.ts'

const GENERATE = `${HOSTS.app}/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate?rt=c`
const FORM = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8', 'user-agent': 'Test' }

/** The framework's status and code inside an `er` body. */
function errorOf(body: string): unknown[] {
  const entry = (JSON.parse(body.split('\n')[3] ?? '[]') as unknown[][])[0] ?? []
  return [entry[0], entry[5], entry[9]]
}

describe('form checks', () => {
  it('refuses GET with 405', async () => {
    const response = await createVisitor(quietEmulator()).request(GENERATE)
    expect([response.status, errorOf(await response.text())]).toEqual([405, ['er', 405, 9]])
  })

  it.each([
    ['another content type', { ...FORM, 'content-type': 'application/json' }, 'f.req=x'],
    ['no f.req', FORM, 'at=x'],
    ['f.req that is no JSON', FORM, 'f.req=%5Bnope'],
    ['a batch nesting', FORM, `f.req=${encodeURIComponent('[[["x","[]",null,"generic"]]]')}`],
  ])('answers 400 to %s', async (_, headers, body) => {
    const response = await createVisitor(quietEmulator()).request(GENERATE, { method: 'POST', headers, body })
    expect([response.status, errorOf(await response.text())]).toEqual([400, ['er', 400, 3]])
  })

  it('only warns about a missing user agent, unless told to refuse', async () => {
    const emulator = quietEmulator()
    const guest = createVisitor(emulator)
    expect((await guest.send('hi', { headers: { 'user-agent': '' } })).status).toBe(200)
    expect(emulator.controls.requests.at(-1)?.warnings).toEqual([
      'There is no User-Agent; guests without one got HTTP 400',
    ])
    emulator.controls.set({ checks: { userAgent: 'refuse' } })
    expect((await guest.send('hi', { headers: { 'user-agent': '' } })).status).toBe(400)
  })

  it('executes nothing when one RPC id is unknown', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const chat = await ada.ask('hello')
    const fReq = JSON.stringify([
      [
        [RPC.deleteChat, JSON.stringify([chat.chatId]), null, 'generic'],
        ['nOsuch', '[]', null, 'generic'],
      ],
    ])
    const body = new URLSearchParams({ 'f.req': fReq, at: ada.tokens.token ?? '' }).toString()
    const response = await ada.request(`${HOSTS.app}/_/BardChatUi/data/batchexecute?rt=c`, {
      method: 'POST',
      headers: FORM,
      body,
    })
    expect([response.status, errorOf(await response.text())]).toEqual([400, ['er', 400, 3]])
    expect(emulator.state.accounts.find('ada')?.profiles[0]?.chats.size).toBe(1)
  })

  it('refuses bad arguments of a call with status 3 and HTTP 200', async () => {
    const ada = await signedIn(quietEmulator())
    expect(findResult(await ada.call(RPC.job, ['no such job']), RPC.job)?.refusal).toEqual({ status: 3 })
  })

  it('answers several calls in another order, told apart by their slot', async () => {
    const ada = await signedIn(quietEmulator())
    const fReq = JSON.stringify([
      [
        [RPC.listGems, '[3,["en"],0]', null, 'system'],
        [RPC.listGems, '[2,["en"],0]', null, 'custom'],
      ],
    ])
    const response = await ada.request(`${HOSTS.app}/_/BardChatUi/data/batchexecute?rt=c`, {
      method: 'POST',
      headers: FORM,
      body: new URLSearchParams({ 'f.req': fReq, at: ada.tokens.token ?? '' }).toString(),
    })
    const reply = readBatchReply(await response.text())
    expect(reply.results.map((result) => result.slot)).toEqual(['custom', 'system'])
    expect(reply.complete).toBe(true)
  })

  it('writes one array without lengths when rt is missing', async () => {
    const ada = await signedIn(quietEmulator())
    const body = await (await ada.send('hello', { rt: false })).text()
    expect(body.startsWith(')]}\'\n\n[["wrb.fr"')).toBe(true)
    expect(body.endsWith(']]')).toBe(true)
    expect(readReply(body)).toMatchObject({ complete: true, ended: false })
  })
})

describe('request token', () => {
  it.each(['', 'ADold:1780000000000'])('answers 400 with a token that works to %j', async (token) => {
    const ada = await signedIn(quietEmulator())
    ada.tokens.token = token
    const refused = await ada.send('hello')
    expect(refused.status).toBe(400)
    const fresh = readXsrfToken(await refused.text())
    ada.tokens.token = fresh ?? ''
    expect(readReply(await (await ada.send('hello')).text()).complete).toBe(true)
  })

  it('refuses tokens that are too old, of another account, or withdrawn', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const grace = await signedIn(emulator, 'grace')
    expect((await ada.send('hello')).status).toBe(200)
    const own = ada.tokens.token ?? ''
    ada.tokens.token = grace.tokens.token ?? ''
    expect((await ada.send('hello')).status).toBe(400)
    ada.tokens.token = own
    emulator.controls.expireToken('ada')
    expect((await ada.send('hello')).status).toBe(400)
    await ada.page()
    emulator.controls.set({ ticketLifeMs: 10_000_000 })
    emulator.controls.advance(3_600_000)
    expect((await ada.send('hello')).status).toBe(400)
  })

  it('asks guests for none', async () => {
    expect((await createVisitor(quietEmulator()).ask('hello')).complete).toBe(true)
  })

  it('can be left out of the page of a good session', async () => {
    const emulator = quietEmulator({ settings: { tokenOnPage: false } })
    const ada = await signedIn(emulator)
    expect(ada.tokens).toMatchObject({ email: 'ada@example.com', buildLabel: expect.any(String) })
    expect(ada.tokens.token).toBeUndefined()
    expect((await ada.ask('hello')).servedModelName).toBe('3.6 Flash')
  })
})

describe('session and ticket', () => {
  it('treats an unknown session like a guest', async () => {
    const emulator = quietEmulator()
    const stranger = createVisitor(emulator)
    stranger.cookies.set('__Secure-1PSID', 'g.a000nobody')
    expect(readPageTokens(await (await stranger.page()).text()).token).toBeUndefined()
    expect(
      readAccountStatus(findResult(await stranger.call(RPC.status, statusPayload()), RPC.status)?.payload),
    ).toMatchObject({ code: 1016, guest: true, models: [{ id: 'cf41b0e0dd7d53e5' }] })
    const reply = await stranger.ask('hello')
    expect([reply.servedModelName, reply.contextToken, reply.title]).toEqual(['3.5 Flash-Lite', undefined, undefined])
    expect(emulator.controls.requests.at(-1)?.caller).toBe('guest (unknown-session)')
    emulator.controls.set({ deadSession: 'sign-in' })
    const page = await stranger.page()
    expect([page.status, new URL(page.headers.get('location') ?? '').host]).toEqual([302, 'accounts.google.com'])
  })

  it('treats an old ticket like a guest until it is rotated', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.advance(1_200_000)
    expect(readPageTokens(await (await ada.page()).text()).token).toBeUndefined()
    expect((await ada.rotate()).status).toBe(200)
    expect(readPageTokens(await (await ada.page()).text()).token).toBeDefined()
  })

  it('accepts the ticket from before a rotation only for requests under way', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const twin = await signedIn(emulator)
    await ada.rotate()
    expect((await twin.ask('hello')).servedModelName).toBe('3.6 Flash')
    emulator.controls.advance(61_000)
    expect((await twin.ask('hello')).servedModelName).toBe('3.5 Flash-Lite')
  })

  it('does not take a ticket again that had run out before the rotation', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const twin = await signedIn(emulator)
    emulator.controls.expireTicket('ada')
    await ada.rotate()
    expect((await twin.ask('hello')).servedModelName).toBe('3.5 Flash-Lite')
  })

  it('signs a revoked account out', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.revoke('ada')
    expect((await ada.page()).status).toBe(200)
    expect(ada.tokens.token).toBeUndefined()
    expect((await ada.rotate()).status).toBe(401)
  })

  it('serves several accounts of one session by their index', async () => {
    const ada = createVisitor(quietEmulator(), 'ada')
    await ada.page('/u/1/app')
    expect(ada.tokens.email).toBe('1.ada@example.com')
    expect((await ada.page('/u/7/app')).headers.get('location')).toContain('accounts.google.com')
  })
})

describe('rotation', () => {
  it('gives out a new ticket, then asks to wait a minute', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const before = ada.cookies.get('__Secure-1PSIDTS')
    const first = await ada.rotate()
    expect([first.status, await first.text()]).toEqual([200, `)]}'\n\n[["identity.hfcr",600],["di",21]]`])
    expect(ada.cookies.get('__Secure-1PSIDTS')).not.toBe(before)
    expect(ada.cookies.get('__Secure-3PSIDTS')).toBe(ada.cookies.get('__Secure-1PSIDTS'))
    const second = await ada.rotate()
    expect([second.status, await second.text()]).toEqual([429, `)]}'\n\n[["identity.hfcr",600],["di",4]]`])
    emulator.controls.advance(60_000)
    expect((await ada.rotate()).status).toBe(200)
  })

  it.each(['[0,"-0000000000000000000"]', '[000,"-000000000000000000"]', ''])('refuses the body %j', async (body) => {
    expect((await (await signedIn(quietEmulator())).rotate(body)).status).toBe(400)
  })

  it('refuses bound devices, unknown sessions and lost tickets', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    expect((await ada.rotate(undefined, '__Secure-1PSID=g.a000nobody')).status).toBe(401)
    expect(
      (await ada.rotate(undefined, `__Secure-1PSID=${ada.cookies.get('__Secure-1PSID')}; __Secure-1PSIDTS=sidts-older`))
        .status,
    ).toBe(401)
    emulator.controls.changeAccount('ada', { deviceBound: true })
    expect((await ada.rotate()).status).toBe(401)
    const bound = await ada.request('https://accounts.google.com/RotateBoundCookies')
    expect([bound.status, bound.headers.get('sec-session-google-challenge')]).toEqual([401, '"castor"'])
  })

  it('refuses more cookies only when told to', async () => {
    const emulator = quietEmulator({ settings: { checks: { rotateDistanceMs: 0 } } })
    const ada = await signedIn(emulator)
    expect((await ada.rotate(undefined, ada.cookieHeader())).status).toBe(200)
    emulator.controls.set({ checks: { rotateCookies: true } })
    expect((await ada.rotate(undefined, ada.cookieHeader())).status).toBe(401)
    expect((await ada.rotate()).status).toBe(200)
  })

  it('may find the ticket still good', async () => {
    const ada = await signedIn(quietEmulator({ settings: { newTicketOnRotate: false } }))
    const response = await ada.rotate()
    expect(response.status).toBe(200)
    expect(response.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual([
      'SIDCC',
      '__Secure-1PSIDCC',
      '__Secure-3PSIDCC',
    ])
  })

  it('renews the counters over the hidden page', async () => {
    const ada = await signedIn(quietEmulator())
    const page = await ada.request(
      'https://accounts.google.com/RotateCookiesPage?og_pid=658&rot=3&origin=https%3A%2F%2Fgemini.google.com&exp_id=0',
    )
    const session = /init\('(\d+)', 658\.0, 0\.0, 0\.0, 600\.0\)/.exec(await page.text())?.[1]
    const response = await ada.rotate(`[658,"${session}"]`, ada.cookieHeader())
    expect(response.status).toBe(200)
    expect(response.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual([
      'SIDCC',
      '__Secure-1PSIDCC',
      '__Secure-3PSIDCC',
    ])
  })
})

describe('models', () => {
  it('takes the default without a header and refuses one it cannot read', async () => {
    const ada = await signedIn(quietEmulator())
    expect((await ada.ask('hello')).servedModelName).toBe('3.6 Flash')
    expect((await ada.ask('hello', { headers: { 'x-goog-ext-525001261-jspb': 'flash' } })).refusals).toEqual([
      { status: 3, code: 1052 },
    ])
    expect(
      (await ada.ask('hello', { headers: { 'x-goog-ext-525001261-jspb': '[1,null,null,null,"0000000000000000"]' } }))
        .refusals,
    ).toEqual([{ status: 3, code: 1052 }])
    expect(
      (await ada.ask('hello', { headers: { 'x-goog-ext-525001261-jspb': '[1,null,null,null,"9d8ca3786ebdfbea"]' } }))
        .servedModelName,
    ).toBe('3.1 Pro')
  })

  it('serves something else for what the tier does not have', async () => {
    const emulator = quietEmulator()
    const [ada, grace] = [await signedIn(emulator), await signedIn(emulator, 'grace')]
    expect((await ada.ask('hello', { model: 'paidPro' })).servedModelId).toBe('fbb127bbb056c959')
    expect((await grace.ask('hello', { model: 'paidPro' })).servedModelId).toBe('e6fa609c3fa255c0')
    emulator.controls.set({ servedModel: 'free-lite' })
    expect((await grace.ask('hello', { model: 'paidPro' })).servedModelName).toBe('3.5 Flash-Lite')
  })

  it('refuses another model inside a chat', async () => {
    const ada = await signedIn(quietEmulator())
    const first = await ada.ask('hello', { model: 'flash' })
    expect((await ada.ask('and now?', { model: 'pro', after: first })).refusals).toEqual([{ status: 9, code: 1050 }])
    expect((await ada.ask('and now?', { model: 'flash', after: first })).complete).toBe(true)
  })

  it('thinks longer only when both places ask for it', async () => {
    const ada = await signedIn(quietEmulator())
    const both = { extendedThinking: true, header: { extendedThinking: true } }
    expect((await ada.ask('hello', { model: 'flash', extendedThinking: true })).thoughts).toBe('')
    expect((await ada.ask('hello', { model: 'flash', header: { extendedThinking: true } })).thoughts).toBe('')
    expect((await ada.ask('hello', { model: 'flash', ...both })).thoughts).not.toBe('')
    expect((await createVisitor(quietEmulator()).ask('hello', { model: 'flash', ...both })).thoughts).toBe('')
  })
})

describe('files and chats', () => {
  it('refuses uploads without the Push-ID of the page or without the tenant', async () => {
    const ada = await signedIn(quietEmulator())
    const start = (headers: Record<string, string>): Promise<Response> =>
      ada.request('https://push.clients6.google.com/upload/', {
        method: 'POST',
        headers: { 'x-goog-upload-command': 'start', ...headers },
        body: 'File name: a.txt',
      })
    expect((await start({ 'push-id': 'feeds/wrong', 'x-tenant-id': 'bard-storage' })).status).toBe(400)
    expect((await start({ 'push-id': ada.tokens.pushId ?? '' })).status).toBe(400)
    expect((await start({ 'push-id': ada.tokens.pushId ?? '', 'x-tenant-id': 'bard-storage' })).status).toBe(200)
  })

  it('refuses unknown and old references, and any of a guest', async () => {
    const emulator = quietEmulator({ settings: { ticketLifeMs: 1e9, tokenLifeMs: 1e9 } })
    const ada = await signedIn(emulator)
    const reference = await ada.upload('a.txt', 'text/plain', 'hello world')
    expect((await ada.ask('read', { files: [{ reference }] })).complete).toBe(true)
    expect((await ada.ask('read', { files: [{ reference: '/contrib_service/ttl_1d/unknown' }] })).refusals).toEqual([
      { status: 3, code: 1003 },
    ])
    expect((await createVisitor(emulator).ask('read', { files: [{ reference }] })).refusals).toEqual([
      { status: 7, code: 1100 },
    ])
    emulator.controls.advance(86_400_000)
    expect((await ada.ask('read', { files: [{ reference }] })).refusals).toEqual([{ status: 3, code: 1003 }])
  })

  it('refuses a chat it does not know', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const chat = await ada.ask('hello')
    const unknown = { continuation: { chatId: 'c_0000000000000000', responseId: 'r_0', candidateId: 'rc_0' } }
    expect((await ada.ask('and?', unknown)).refusals).toEqual([{ status: 9, code: 1097 }])
    expect((await (await signedIn(emulator, 'grace')).ask('and?', { after: chat })).refusals).toEqual([
      { status: 9, code: 1097 },
    ])
  })

  it('knows a guest by the cookies of the page only', async () => {
    const emulator = quietEmulator()
    const guest = createVisitor(emulator)
    const alone = await guest.ask('My name is Ada')
    const lost = await guest.ask('What is my name?', { after: alone })
    expect([lost.text, lost.chatId === alone.chatId]).toEqual(['You have not told me your name yet.', false])
    await guest.page()
    expect([...guest.cookies.keys()]).toEqual(['NID', 'COMPASS'])
    const first = await guest.ask('My name is Ada')
    expect((await guest.ask('What is my name?', { after: first })).text).toBe('Your name is Ada.')
    guest.cookies.set('NID', '525=another')
    expect((await guest.ask('What is my name?', { after: first })).refusals).toEqual([{ status: 13, code: 1096 }])
  })
})
