import { describe, expect, it } from 'vitest'
import {
  appPageUrl,
  batchExecuteUrl,
  buildAuthorization,
  chatSourcePath,
  formHeaders,
  hostNameOf,
  HOSTS,
  readAppPath,
  rotatePageUrl,
  streamGenerateUrl,
} from './endpoints.ts'
import { buildAppPage, buildErrorPage, buildSorryPage, readPageState, readPageTokens } from './page-tokens.ts'
import { describeRefusal, REFUSALS } from './refusals.ts'
import {
  buildRotatePage,
  buildRotatePageBody,
  buildRotateReply,
  readRotateBody,
  readRotatePage,
  readRotateReply,
  ROTATE_BODY,
} from './rotation.ts'
import { IGNORED_RPC_IDS, KNOWN_RPC_IDS, RPC } from './rpc-ids.ts'

const tokens = {
  token: 'AD_x:1790000000000',
  buildLabel: 'boq_assistant-bard-web-server_20260919.05_p2',
  sessionId: '-1234567890123456789',
  language: 'en',
  pushId: 'feeds/x',
  pctx: 'C=',
}

describe('app page', () => {
  it('reads the page it wrote, however long', () => {
    expect(readPageTokens(buildAppPage(tokens, { padding: 5_000 }))).toEqual(tokens)
  })

  it.each([
    ['spaces', '"SNlM0e" : "AD:1"'],
    ['a pair', '["SNlM0e","AD:1"]'],
    ['hex escapes', String.raw`\x22SNlM0e\x22:\x22AD:1\x22`],
    ['unicode escapes', String.raw`"SNlM0e":"AD\u003a1"`],
  ])('reads a key written with %s', (_, html) => {
    expect(readPageTokens(html)).toEqual({ token: 'AD:1' })
  })

  it('finds a build label anywhere, and reduces the language', () => {
    expect(readPageTokens('x boq_assistant-bard-web-server_20260919.05_p2 y "TuX5cc":"en-US"')).toEqual({
      buildLabel: 'boq_assistant-bard-web-server_20260919.05_p2',
      language: 'en',
    })
  })

  const { token: _, ...guest } = tokens
  it.each([
    [{ status: 200, body: buildAppPage(tokens) }, 'signed-in'],
    [{ status: 200, body: buildAppPage(guest) }, 'guest'],
    [{ status: 302, location: 'https://accounts.google.com/ServiceLogin?x' }, 'sign-in'],
    [{ status: 302, location: '/v3/signin/identifier' }, 'sign-in'],
    [{ status: 302, location: 'https://consent.google.com/ml?continue=x' }, 'consent'],
    [{ status: 302, location: 'https://www.google.com/sorry/index?q=x' }, 'sorry'],
    [{ status: 302, location: '/u/1/app' }, 'error'],
    [{ status: 429, body: buildSorryPage() }, 'sorry'],
    [{ status: 503, body: '<title>Sorry...</title>' }, 'sorry'],
    [{ status: 200, body: '<html></html>' }, 'small-body'],
    [{ status: 502, body: buildErrorPage(502, 'Server Error') }, 'error'],
    [{ status: 200, body: 'x'.repeat(2_000) }, 'error'],
  ])('%j is %s', (page, state) => {
    expect(readPageState(page)).toBe(state)
  })
})

describe('rotation', () => {
  it('has the body byte for byte', () => {
    expect(ROTATE_BODY).toBe('[000,"-0000000000000000000"]')
    expect(readRotateBody(ROTATE_BODY)).toEqual({ route: 'ticket' })
    expect(readRotateBody(buildRotatePageBody('4000'))).toEqual({ route: 'page', session: '4000' })
    expect(readRotateBody('[0,"-0000000000000000000"]')).toBeUndefined()
  })

  it('reads what it wrote, and nothing from nonsense', () => {
    expect(readRotateReply(buildRotateReply({ nextSeconds: 500, ms: 4 }))).toEqual({ nextSeconds: 500, ms: 4 })
    expect(readRotateReply('<html>')).toEqual({})
    expect(readRotatePage(buildRotatePage({ session: '4000000000000000001' }))).toEqual({
      session: '4000000000000000001',
      intervalSeconds: 600,
    })
    expect(readRotatePage('<html>')).toBeUndefined()
  })
})

describe('endpoints', () => {
  it('builds URLs on any base', () => {
    expect(appPageUrl('http://127.0.0.1:8765/', { accountIndex: 2, language: 'en' })).toBe(
      'http://127.0.0.1:8765/u/2/app?hl=en',
    )
    expect(streamGenerateUrl(HOSTS.app, { sessionId: '-12', requestNumber: 100_000 })).toBe(
      'https://gemini.google.com/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate?f.sid=-12&_reqid=100000&rt=c',
    )
    expect(batchExecuteUrl(HOSTS.app, { rpcIds: ['a', 'b'], accountIndex: 1, framed: false })).toBe(
      'https://gemini.google.com/u/1/_/BardChatUi/data/batchexecute?rpcids=a%2Cb&source-path=%2Fu%2F1%2Fapp',
    )
    expect(chatSourcePath('c_12ab')).toBe('/app/12ab')
    expect(rotatePageUrl(HOSTS.accounts)).toBe(
      'https://accounts.google.com/RotateCookiesPage?og_pid=658&rot=3&origin=https%3A%2F%2Fgemini.google.com&exp_id=0',
    )
  })

  it('reads paths and hosts', () => {
    expect(readAppPath('/u/3/_/BardChatUi/data/batchexecute')).toEqual({ accountIndex: 3, route: 'batch-execute' })
    expect(readAppPath('/app/12ab')).toEqual({ accountIndex: 0, route: 'app' })
    expect(readAppPath('/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate')).toEqual({
      accountIndex: 0,
      route: 'stream-generate',
    })
    expect(readAppPath('/apple')).toBeUndefined()
    expect(hostNameOf('LH3.googleusercontent.com:443')).toBe('images')
    expect(hostNameOf('example.com')).toBeUndefined()
  })

  it('signs as the browser does', async () => {
    // printf '1700000000 abc https://gemini.google.com' | sha1sum
    expect(await buildAuthorization({ sapisid: 'abc', seconds: 1_700_000_000 })).toBe(
      'SAPISIDHASH 1700000000_9f7ae0683cf3b5b1611ae104e4faa87d05069434',
    )
    const all = await buildAuthorization({ sapisid: 'abc', sapisid1p: 'abc', sapisid3p: 'abc', seconds: 1 })
    const [first, second, third] = all.split(/ (?=SAPISID)/).map((part) => part.split(' ')[1])
    expect(new Set([first, second, third]).size).toBe(1)
    expect(formHeaders({ accountIndex: 1, authorization: all })).toMatchObject({
      'x-same-domain': '1',
      'x-goog-authuser': '1',
      authorization: all,
      origin: 'https://gemini.google.com',
    })
  })

  it('knows its calls', () => {
    expect(KNOWN_RPC_IDS.has(RPC.status)).toBe(true)
    expect([...IGNORED_RPC_IDS].every((id) => KNOWN_RPC_IDS.has(id))).toBe(true)
    expect(KNOWN_RPC_IDS.size).toBe(Object.keys(RPC).length + IGNORED_RPC_IDS.size)
  })
})

describe('refusals', () => {
  it.each([
    [{ status: 8, code: 1037 }, 'quota', 'account', 'no'],
    [{ status: 3, code: 1003 }, 'reference', 'caller', 'no'],
    [{ status: 7, code: 1060 }, 'blocked', 'egress', 'no'],
    [{ status: 13, code: 1013 }, 'transient', 'upstream', 'backoff'],
    [{ status: 3, code: 1052 }, 'model', 'model', 'after-repair'],
    [{ status: 7 }, 'auth', 'account', 'after-repair'],
    [{ status: 13 }, 'transient', 'upstream', 'once'],
    [{ status: 8, code: 9_999 }, 'quota', 'account', 'no'],
    [{ status: 77 }, 'unknown', 'upstream', 'once'],
  ] as const)('%j is %s, fault of %s, retry %s', (refusal, kind, fault, retry) => {
    expect(describeRefusal(refusal)).toMatchObject({
      kind,
      fault,
      retry,
      code: 'code' in refusal ? refusal.code : refusal.status,
    })
  })

  it('has a sentence of advice for every code', () => {
    for (const row of Object.values(REFUSALS)) expect(row.advice).toMatch(/^[A-Z].*\.$/)
  })
})
