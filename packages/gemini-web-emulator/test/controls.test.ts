import {
  findResult,
  HOSTS,
  readChatTurns,
  readPrompt,
  readReply,
  RPC,
  statusPayload,
} from '@castorjs/gemini-web-protocol'
import { describe, expect, it } from 'vitest'
import { ControlError, type Fault } from '../src/index.ts'
import { createVisitor, quietEmulator, signedIn } from './visitor.ts'

describe('faults', () => {
  it.each([
    [
      'instead of the answer',
      { kind: 'code', code: 1037 },
      { text: '', complete: false, refusals: [{ status: 8, code: 1037 }], ended: true },
    ],
    ['a bare status', { kind: 'code', code: 0, status: 7 }, { complete: false, refusals: [{ status: 7 }] }],
    [
      'after part of the answer',
      { kind: 'code', code: 1155, when: 'partial' },
      { complete: false, refusals: [{ status: 13, code: 1155 }] },
    ],
    [
      'after all of it',
      { kind: 'code', code: 1096, when: 'after' },
      {
        text: '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15',
        complete: true,
        refusals: [{ status: 13, code: 1096 }],
      },
    ],
    ['no answer at all', { kind: 'empty' }, { text: '', complete: false, refusals: [], ended: true }],
  ] satisfies Array<[string, Fault, object]>)('put a code %s', async (_, fault, expected) => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail(fault)
    expect(await ada.ask('Count to 15')).toMatchObject(expected)
    expect((await ada.ask('Count to 15')).refusals).toEqual([])
  })

  it('answers like a guest', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'downgrade' })
    const small = await ada.ask('Count to 15')
    expect([small.servedModelName, small.contextToken]).toEqual(['3.5 Flash-Lite', undefined])
    const proper = await ada.ask('Count to 15')
    expect(proper.servedModelName).not.toBe('3.5 Flash-Lite')
    expect(proper.contextToken).toBeDefined()
  })

  it('gives part of the answer before the code', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'code', code: 1155, when: 'partial' })
    const { text } = await ada.ask('Count to 100')
    expect(text.startsWith('1, 2, 3')).toBe(true)
    expect(text.length).toBeLessThan(300)
  })

  it.each([
    [{ kind: 'http', status: 401 }, 401, /"er",null,null,null,null,401,null,null,null,16/],
    [{ kind: 'http', status: 503 }, 503, /<title>Error 503/],
    [{ kind: 'http', status: 429 }, 429, /<title>Sorry/],
    [{ kind: 'http', status: 500, body: 'empty' }, 500, /^$/],
    [{ kind: 'html' }, 200, /Sign in/],
  ] satisfies Array<[Fault, number, RegExp]>)('answer %j', async (fault, status, body) => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail(fault)
    const response = await ada.send('hello')
    expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(body)])
  })

  it.each([
    ['sign-in', 'accounts.google.com'],
    ['consent', 'consent.google.com'],
    ['sorry', 'www.google.com'],
  ] as const)('redirect to %s', async (to, host) => {
    const emulator = quietEmulator()
    emulator.controls.fail({ kind: 'redirect', to, on: 'page' })
    const response = await createVisitor(emulator, 'ada').page()
    expect([response.status, new URL(response.headers.get('location') ?? '').host]).toEqual([302, host])
  })

  it('cuts the body at a byte or a frame, before the turn is stored', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'cut', afterBytes: 500 })
    expect((await (await ada.send('Count to 500')).arrayBuffer()).byteLength).toBe(500)
    emulator.controls.fail({ kind: 'cut', afterFrames: 3 })
    const body = await (await ada.send('Count to 500')).text()
    expect(body.split('\n').filter((line) => line.startsWith('['))).toHaveLength(3)
    expect(readReply(body)).toMatchObject({ complete: false, ended: false })
    expect(emulator.controls.accounts().map(({ name, chats }) => [name, chats])).toEqual([
      ['ada', 0],
      ['grace', 0],
      ['mary', 0],
    ])
    expect(emulator.open).toBe(0)
  })

  it('breaks the connection before or inside the body', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'reset', afterBytes: 0 })
    await expect(ada.send('hello')).rejects.toThrow(TypeError)
    emulator.controls.fail({ kind: 'reset', afterFrames: 2 })
    await expect((await ada.send('Count to 500')).text()).rejects.toThrow('terminated')
    expect(emulator.open).toBe(0)
  })

  it('puts garbage and wrong lengths between frames that can still be read', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'wrong-length', afterFrames: 2 })
    expect(await ada.ask('Count to 50')).toMatchObject({ complete: true, ended: true })
    emulator.controls.fail({ kind: 'garbage', afterFrames: 2, text: '[[ broken\n' })
    const body = await (await ada.send('Count to 50')).text()
    expect(body.split('\n')).toContain('[[ broken')
  })

  it('stalls until the caller leaves', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'stall', afterFrames: 1 })
    const leaving = new AbortController()
    const response = await ada.send('Count to 500', { signal: leaving.signal })
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    const next = reader?.read()
    leaving.abort()
    await expect(next).rejects.toThrow('aborted')
    expect(emulator.open).toBe(0)
  })

  it('strike only what they name, as often as they say', async () => {
    const emulator = quietEmulator()
    const [ada, grace] = [await signedIn(emulator), await signedIn(emulator, 'grace')]
    emulator.controls.fail({ kind: 'code', code: 1037, account: 'grace', times: 2, skip: 1 })
    emulator.controls.fail({ kind: 'code', code: 1013, model: '9d8ca3786ebdfbea' })
    const codes = async (visitor: typeof ada, model?: 'pro'): Promise<unknown> =>
      (await visitor.ask('hi', model === undefined ? {} : { model })).refusals[0]?.code
    expect([await codes(ada), await codes(grace), await codes(grace), await codes(grace), await codes(grace)]).toEqual([
      undefined,
      undefined,
      1037,
      1037,
      undefined,
    ])
    expect([await codes(ada, 'pro'), await codes(ada, 'pro')]).toEqual([1013, undefined])
    emulator.controls.fail({ kind: 'http', status: 500, times: 0 })
    expect([(await ada.send('a')).status, (await ada.send('a')).status]).toEqual([500, 500])
    emulator.controls.clearFaults()
    expect((await ada.send('a')).status).toBe(200)
  })

  it('refuse single calls of a batch', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'code', code: 7, on: 'batch', rpc: RPC.status })
    expect((await ada.call(RPC.usage, [])).results[0]?.refusal).toBeUndefined()
    expect(findResult(await ada.call(RPC.status, statusPayload()), RPC.status)?.refusal).toEqual({ status: 7 })
  })

  it('reach uploads, downloads and rotation', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'http', status: 502, on: 'upload' })
    emulator.controls.fail({ kind: 'http', status: 403, on: 'rotate', body: 'empty' })
    emulator.controls.fail({ kind: 'http', status: 503, on: 'download' })
    expect(await ada.upload('a.txt', 'text/plain', 'x')).toContain('Error 502')
    expect((await ada.rotate()).status).toBe(403)
    expect((await ada.request('https://lh3.googleusercontent.com/gg-dl/x')).status).toBe(503)
  })
})

describe('settings', () => {
  it.each([1, 7, 'whole'] as const)('cut the body into pieces of %s', async (chunkBytes) => {
    const emulator = quietEmulator({ settings: { chunkBytes, pageBytes: 0 } })
    const ada = await signedIn(emulator)
    const response = await ada.send('Repeat exactly: 漢字 😀')
    const sizes: number[] = []
    const parts: Uint8Array[] = []
    for await (const part of response.body ?? []) {
      sizes.push(part.byteLength)
      parts.push(part)
    }
    expect(Math.max(...sizes.slice(0, -1), 0)).toBe(chunkBytes === 'whole' ? 0 : chunkBytes)
    expect(readReply(await new Blob(parts as BlobPart[]).text()).text).toBe('漢字 😀')
  })

  it('choose how much a snapshot adds', async () => {
    const emulator = quietEmulator({ settings: { snapshotChars: 4 } })
    const ada = await signedIn(emulator)
    const few = await ada.ask('Repeat exactly: 123456789012')
    emulator.controls.set({ snapshotChars: 1 })
    expect((await ada.ask('Repeat exactly: 123456789012')).messages - few.messages).toBe(9)
  })

  it('meet the interstitial by address', async () => {
    const emulator = quietEmulator({ settings: { sorry: ['10.0.0.7'] } })
    const ada = createVisitor(emulator, 'ada')
    expect((await ada.page()).status).toBe(200)
    const response = await emulator.fetch(new Request(`${HOSTS.app}/app`), { address: '10.0.0.7' })
    expect([response.status, response.headers.get('location')?.startsWith('https://www.google.com/sorry')]).toEqual([
      302,
      true,
    ])
    emulator.controls.set({ sorryStyle: 'direct', sorry: ['*'] })
    expect((await ada.page()).status).toBe(429)
  })

  it('show the consent page', async () => {
    const ada = createVisitor(quietEmulator({ settings: { consent: true } }), 'ada')
    expect((await ada.page()).headers.get('location')).toContain('consent.google.com')
  })

  it('make the page and its headers as large as the real ones', async () => {
    const ada = createVisitor(quietEmulator({ settings: { pageHeaderBytes: 17_000, pageBytes: 1_300_000 } }), 'ada')
    const response = await ada.page()
    expect(response.headers.get('content-security-policy')?.length).toBeGreaterThan(17_000)
    expect((await response.text()).length).toBe(1_300_000)
  })

  it('leave a guest with an open end', async () => {
    const emulator = quietEmulator({ settings: { guestTail: 'open' } })
    const response = await createVisitor(emulator).send('hello')
    const reader = response.body?.getReader()
    let body = ''
    while (!body.includes('[{\\"37\\":[0]}]')) body += new TextDecoder().decode((await reader?.read())?.value)
    expect(readReply(body)).toMatchObject({ complete: true, progress: 0, finished: true, ended: false })
    expect(emulator.open).toBe(1)
    await reader?.cancel()
    expect(emulator.open).toBe(0)
  })

  it('send the context token first and show the turn unfinished in history', async () => {
    const emulator = quietEmulator({ settings: { contextToken: 'first', unfinishedMs: 5_000 } })
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'cut', afterFrames: 3 })
    const cut = await ada.ask('Count to 500')
    expect([cut.complete, cut.contextToken !== undefined]).toEqual([false, true])
    const turn = async () =>
      readChatTurns(
        findResult(await ada.call(RPC.readChat, [cut.chatId, 1, null, 1, [1], [4], null, 1]), RPC.readChat)?.payload,
      )[0]?.candidates[0]
    expect(await turn()).toMatchObject({ working: true, complete: false, text: '' })
    emulator.controls.advance(5_000)
    expect(await turn()).toMatchObject({ working: false, complete: true, text: expect.stringMatching(/499, 500$/) })
  })

  it('break off long answers', async () => {
    const ada = await signedIn(quietEmulator({ settings: { limits: { answerChars: 100 } } }))
    expect(await ada.ask('Count to 500')).toMatchObject({
      complete: false,
      refusals: [{ code: 1155 }],
      text: expect.stringMatching(/^1, 2.{96}$/),
    })
  })

  it('put a job id into the plan for clients that look for one', async () => {
    const ada = await signedIn(quietEmulator({ settings: { planJobId: true } }))
    expect((await ada.ask('tides', { tool: 'research' })).candidates[0]?.researchJob).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('wait where they are told to', async () => {
    const emulator = quietEmulator({
      settings: {
        latency: {
          page: 5,
          firstByte: 5,
          ack: 5,
          thought: 1,
          snapshot: 1,
          trailer: 5,
          rpc: 5,
          rotate: 5,
          upload: 5,
          download: 5,
        },
        durations: { image: 5, music: 5 },
      },
    })
    const ada = await signedIn(emulator)
    expect((await ada.ask('Draw a boat', { model: 'pro' })).complete).toBe(true)
    expect((await ada.rotate()).status).toBe(200)
    expect(await ada.upload('a.txt', 'text/plain', 'x')).toMatch(/^\//)
  })

  it.each([
    [{ nonsense: 1 }, 'nonsense'],
    [{ latency: { page: -1 } }, 'latency.page'],
    [{ latency: 5 }, 'latency'],
    [{ layout: 'loose' }, 'layout'],
    [{ chunkBytes: 0 }, 'chunkBytes'],
    [{ sorry: 'all' }, 'sorry'],
    [{ consent: 'yes' }, 'consent'],
    [{ servedModel: 5 }, 'servedModel'],
  ])('refuse %j by name and change nothing', (patch, field) => {
    const emulator = quietEmulator()
    const before = structuredClone(emulator.controls.settings)
    let caught: unknown
    try {
      emulator.controls.set({ consent: true, ...patch } as never)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(ControlError)
    expect((caught as ControlError).field).toBe(field)
    expect(emulator.controls.settings).toEqual(before)
  })
})

describe('scripted answers', () => {
  it('take the place of the emulator’s own, once each', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.answer({ text: 'scripted', thoughts: 'hm', title: 'A title', match: 'weather' })
    emulator.controls.answer('anything')
    expect(await ada.ask('How is the weather?')).toMatchObject({ text: 'scripted', thoughts: 'hm', title: 'A title' })
    expect((await ada.ask('How is the weather?')).text).toBe('anything')
    expect((await ada.ask('How is the weather?')).text).toContain('How is the weather?')
  })

  it('can contradict what they said before', async () => {
    const emulator = quietEmulator()
    emulator.controls.answer({ snapshots: ['The **ans', 'The answer is', 'The answer is 42.'] })
    const body = await (await (await signedIn(emulator)).send('?')).text()
    expect(['The **ans\\', 'The answer is\\', 'The answer is 42.\\'].every((text) => body.includes(text))).toBe(true)
    expect(readReply(body).text).toBe('The answer is 42.')
  })
})

describe('request log', () => {
  it('shows the decoded inner array and no secrets', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    await ada.ask('hello', { model: 'pro' })
    const entry = emulator.controls.requests.at(-1)
    expect(entry).toMatchObject({
      method: 'POST',
      host: 'gemini.google.com',
      caller: 'ada',
      status: 200,
      address: 'local',
      warnings: [],
      headers: { cookie: '(hidden)' },
      query: { rt: 'c' },
    })
    expect(readPrompt(entry?.inner)?.prompt).toBe('hello')
    expect(entry?.modelHeader).toContain('9d8ca3786ebdfbea')
    const text = JSON.stringify(emulator.controls.requests)
    for (const secret of [ada.cookies.get('__Secure-1PSID'), ada.cookies.get('__Secure-1PSIDTS'), ada.tokens.token])
      expect(text).not.toContain(secret)
    emulator.controls.set({ log: { secrets: true } })
    await ada.ask('hello')
    expect(emulator.controls.requests.at(-1)).toMatchObject({
      token: ada.tokens.token,
      headers: { cookie: expect.stringContaining('g.a000castor-demo-ada') },
    })
  })

  it('tells when an answer was over', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const response = await ada.send('hello')
    const last = (): number | undefined => emulator.controls.requests.at(-1)?.endedAtMs
    expect(last()).toBeUndefined()
    await response.text()
    expect(last()).toBeGreaterThanOrEqual(emulator.controls.requests.at(-1)?.atMs ?? Infinity)
  })

  it('keeps only the newest', async () => {
    const emulator = quietEmulator({ settings: { log: { size: 3 } } })
    const guest = createVisitor(emulator)
    for (let index = 0; index < 10; index++) await guest.request('https://www.google.com/')
    expect(emulator.controls.requests.map((entry) => entry.id)).toEqual([8, 9, 10])
  })
})

describe('over HTTP', () => {
  const at = (path: string, method = 'GET', body?: unknown): Request =>
    new Request(`http://127.0.0.1:8765/__emulator${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })

  it('does everything that code can do', async () => {
    const emulator = quietEmulator()
    const call = async (path: string, method?: string, body?: unknown): Promise<unknown> =>
      (await emulator.fetch(at(path, method, body))).json()
    expect(await call('')).toMatchObject({
      name: 'castor-emulator',
      baseUrls: { app: 'http://127.0.0.1:8765/gemini.google.com' },
      paths: expect.arrayContaining(['POST /__emulator/faults']),
    })
    expect(await call('/settings', 'PATCH', { layout: 'dense', latency: { rpc: 1 } })).toMatchObject({
      layout: 'dense',
      latency: { rpc: 1, page: 0 },
    })
    await call('/scenario', 'POST', {
      settings: { consent: true },
      faults: [{ kind: 'empty' }],
      answers: [{ text: 'a' }],
      accounts: [{ name: 'eve', session: 'g.a000eve', ticket: null }],
    })
    await call('/faults', 'POST', [{ kind: 'html' }, { kind: 'code', code: 1 }])
    expect(await call('/faults')).toHaveLength(3)
    expect(await call('/answers')).toEqual([{ text: 'a' }])
    expect(await call('/accounts')).toHaveLength(4)
    expect(await call('/clock', 'POST', { advanceMs: 5 })).toEqual({ nowMs: 1_790_000_000_005 })
    for (const action of ['expire-ticket', 'expire-token', 'revoke'])
      expect(await call(`/accounts/ada/${action}`, 'POST')).toEqual({ ok: true })
    await call('/accounts/ada', 'PATCH', { status: 1060 })
    expect((await call('/accounts')) as object[]).toContainEqual(
      expect.objectContaining({ name: 'ada', revoked: true, status: 1060 }),
    )
    expect(await call('/faults', 'DELETE')).toEqual({ ok: true })
    expect(await call('/answers', 'DELETE')).toEqual({ ok: true })
    await createVisitor(emulator).request('https://www.google.com/')
    expect(await call('/requests')).toMatchObject([{ host: 'www.google.com', status: 200 }])
    await call('/requests', 'DELETE')
    expect(await call('/requests')).toEqual([])
    await call('/reset', 'POST')
    expect([emulator.controls.settings.consent, emulator.controls.accounts().length, emulator.controls.faults]).toEqual(
      [false, 3, []],
    )
  })

  it.each([
    ['/settings', 'PATCH', { lattency: {} }, 'lattency'],
    ['/faults', 'POST', { kind: 'boom' }, 'kind'],
    ['/faults', 'POST', { kind: 'code' }, 'code'],
    ['/faults', 'POST', { kind: 'cut', code: 4 }, 'code'],
    ['/faults', 'POST', { kind: 'cut', afterBytes: '4' }, 'afterBytes'],
    ['/answers', 'POST', {}, 'text'],
    ['/answers', 'POST', { snapshots: [] }, 'snapshots'],
    ['/accounts', 'POST', { name: 'eve', ticket: 'x' }, 'session'],
    ['/accounts/nobody/revoke', 'POST', undefined, 'account'],
    ['/clock', 'POST', { advanceMs: -1 }, 'ms'],
    ['/scenario', 'POST', 5, 'body'],
  ])('answers 400 to a mistake at %s %s %j', async (path, method, body, field) => {
    const response = await quietEmulator().fetch(at(path, method, body))
    expect([response.status, ((await response.json()) as { error: { field: string } }).error.field]).toEqual([
      400,
      field,
    ])
  })

  it('answers 404 for what is not there, also outside of the controls', async () => {
    expect((await quietEmulator().fetch(at('/nothing'))).status).toBe(404)
    expect((await quietEmulator().fetch(new Request('http://127.0.0.1:8765/app'))).status).toBe(404)
  })
})

describe('lifetime', () => {
  it('ends open bodies and refuses later requests when it is closed', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    emulator.controls.fail({ kind: 'stall', afterFrames: 1 })
    const body = (await ada.send('Count to 500')).text()
    expect(emulator.open).toBe(1)
    emulator.close()
    await expect(body).rejects.toThrow('closed')
    await expect(ada.send('hello')).rejects.toThrow('closed')
    expect(emulator.open).toBe(0)
  })

  it('leaves nothing behind when callers leave anywhere', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    for (let frames = 0; frames < 12; frames++) {
      const reader = (await ada.send('Count to 100', { model: 'pro' })).body?.getReader()
      for (let index = 0; index < frames; index++) await reader?.read()
      await reader?.cancel()
    }
    expect(emulator.open).toBe(0)
  })
})
