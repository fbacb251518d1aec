import { createMemoryStateStore, StateError, type StateStore } from '@castorjs/state-store'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AccountEvent, Matter, News } from './account-events.ts'
import { readWebhookAddress, type WebhookAddress } from './webhook-address.ts'
import { createWebhook, type Webhook, type WebhookOptions } from './webhook.ts'

let server: Server
let address: WebhookAddress
/** What the receiver answers next; 204 after them. Zero answers never. */
let answers: number[] = []
let heard: (AccountEvent & { at: string })[] = []
let tries = 0
let headers: IncomingHttpHeaders = {}
let failed: string[] = []
const open: Webhook[] = []
let state: StateStore

beforeEach(async () => {
  answers = []
  heard = []
  failed = []
  tries = 0
  state = createMemoryStateStore()
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece: Buffer) => (text += piece.toString()))
    request.on('end', () => {
      tries++
      headers = request.headers
      const status = answers.shift() ?? 204
      if (status === 0) return
      if (status < 300) heard.push(JSON.parse(text) as AccountEvent & { at: string })
      response.writeHead(status, status === 301 ? { location: '/elsewhere' } : {}).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = addressOf()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((webhook) => webhook.close()))
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

function addressOf(user = ''): WebhookAddress {
  const { port } = server.address() as AddressInfo
  const found = readWebhookAddress(`http://${user}127.0.0.1:${port}/hook?token=hook-token`)
  if (found === undefined) throw new Error('This is an address')
  return found
}

function create(options: Partial<WebhookOptions> = {}): Webhook {
  const onFailed = (reason: string) => void failed.push(reason)
  const webhook = createWebhook({ address, state, onFailed, pausesMs: [10, 10], laterMs: [100], ...options })
  open.push(webhook)
  return webhook
}

const event = (type: AccountEvent['type'], more: Partial<AccountEvent> = {}): AccountEvent => ({
  type,
  upstream: 'gemini-web',
  account: 'ada',
  egress: null,
  model: null,
  state: type === 'account.recovered' ? 'ready' : 'signed-out',
  cause: type === 'account.recovered' ? null : 'signed out',
  message: 'words',
  until: null,
  link: null,
  ...more,
})
const dead = (more?: Partial<AccountEvent>): News => ({ event: event('account.rested', more), matters: ['session'] })
const well = (more?: Partial<AccountEvent>, matters: Matter[] = ['session', 'rest', 'sign-in']): News => ({
  event: event('account.recovered', more),
  matters,
})
const limited = (model: string): News => ({
  event: event('account.rested', { model, state: 'limited', cause: 'usage limit' }),
  matters: [`rest ${model}`],
})
const words = () => heard.map(({ type, account, cause }) => `${type.slice(8)} ${account} ${cause}`)
const soon = { timeout: 5_000, interval: 5 }

describe('news of an account', () => {
  it('are told once, until it recovers or the cause is another', async () => {
    const webhook = create()
    webhook.send([
      dead(),
      dead(),
      dead({ cause: 'expired ticket' }),
      well(),
      well(),
      dead(),
      dead({ account: 'grace' }),
    ])
    await expect.poll(() => heard.length, soon).toBe(5)
    const ofAda = words().filter((line) => line.includes('ada'))
    expect(ofAda).toEqual([
      'rested ada signed out',
      'rested ada expired ticket',
      'recovered ada null',
      'rested ada signed out',
    ])
    expect(heard[0]).toMatchObject({ source: 'castor', at: expect.stringMatching(/^\d{4}-.*Z$/) as string })
  })

  it('that are older than what was told are none', async () => {
    const webhook = create()
    const before = Date.now() - 1_000
    webhook.send([dead()])
    await expect.poll(words, soon).toEqual(['rested ada signed out'])
    // Another process asked while it still worked, and looks only now.
    webhook.send([{ ...well(), at: before }, limited('pro')])
    await expect.poll(words, soon).toEqual(['rested ada signed out', 'rested ada usage limit'])
    webhook.send([well()])
    await expect.poll(words, soon).toContain('recovered ada null')
  })

  it('arrive in order, whatever has to be tried again', async () => {
    answers = [503, 503]
    const webhook = create()
    webhook.send([dead()])
    await expect.poll(() => tries, soon).toBeGreaterThan(0)
    webhook.send([well()])
    await expect.poll(words, soon).toEqual(['rested ada signed out', 'recovered ada null'])
    expect(failed).toEqual([])
  })

  it('that nobody heard are told when somebody does: what is true then', async () => {
    answers = Array(9).fill(500) as number[]
    const webhook = create()
    webhook.send([dead(), limited('pro'), dead({ account: 'grace' })])
    await expect.poll(() => failed, soon).toEqual(['it answered 500'])
    webhook.send([well(), dead({ cause: 'expired ticket' }), well({ account: 'grace' })])
    await expect.poll(words, soon).toEqual(['rested ada usage limit', 'rested ada expired ticket'])
    expect(failed).toEqual(['it answered 500'])
    // Grace died and came back unheard: there is nothing to tell.
    webhook.send([well(), well({ account: 'grace' })])
    await expect.poll(words, soon).toContain('recovered ada null')
    expect(words()).not.toContain('recovered grace null')
  })

  it('hold up those of no other account', async () => {
    answers = [0]
    const webhook = create()
    webhook.send([dead(), dead({ account: 'grace' })])
    await expect.poll(words, soon).toEqual(['rested grace signed out'])
  })

  it('end for one upstream or model without ending for another', async () => {
    const webhook = create()
    webhook.send([limited('pro'), limited('flash')])
    webhook.send([dead(), dead({ upstream: 'gemini-api' })])
    webhook.send([well({ model: 'pro' }, ['rest pro']), well()])
    await expect.poll(() => heard.length, soon).toBe(6)
    webhook.send([limited('flash'), dead({ upstream: 'gemini-api' }), dead()])
    await expect.poll(() => heard.length, soon).toBe(7)
    expect(heard.at(-1)).toMatchObject({ type: 'account.rested', upstream: 'gemini-web', cause: 'signed out' })
  })
})

describe('over processes', () => {
  it('news are told by the first, and their end by whoever sees it', async () => {
    const [one, two] = [create(), create()]
    one.send([dead()])
    two.send([dead()])
    await expect.poll(() => heard.length, soon).toBe(1)
    two.send([well()])
    one.send([well()])
    await expect.poll(() => heard.length, soon).toBe(2)
    one.send([dead({ account: 'last' })])
    await expect.poll(() => heard.length, soon).toBe(3)
    expect(words()).toEqual(['rested ada signed out', 'recovered ada null', 'rested last signed out'])
  })

  it('a restart forgets nothing that was told', async () => {
    const first = create()
    first.send([dead()])
    await expect.poll(() => heard.length, soon).toBe(1)
    await first.close()
    const second = create()
    second.send([dead(), well()])
    await expect.poll(() => heard.length, soon).toBe(2)
    expect(words()).toEqual(['rested ada signed out', 'recovered ada null'])
  })

  it('a state that is away is done without', async () => {
    let isAway = false
    const refuse = () => Promise.reject(new StateError('unavailable', 'away'))
    const fragile: StateStore = {
      ...state,
      get: (key) => (isAway ? refuse() : state.get(key)),
      set: (...args) => (isAway ? refuse() : state.set(...args)),
      delete: (...args) => (isAway ? refuse() : state.delete(...args)),
      tryLock: (...args) => (isAway ? refuse() : state.tryLock(...args)),
    }
    const webhook = create({ state: fragile })
    isAway = true
    webhook.send([dead(), dead(), well()])
    await expect.poll(words, soon).toEqual(['rested ada signed out', 'recovered ada null'])
  })
})

describe('the receiver', () => {
  it('gets a user and password of the address as Authorization', async () => {
    create({ address: addressOf('me:p%40ss:%@') }).send([dead()])
    await expect.poll(() => heard.length, soon).toBe(1)
    expect(headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss:%').toString('base64')}`)
  })

  it('that leads elsewhere is named as such, and is not followed', async () => {
    answers = [301, 301, 301, 301]
    create({ laterMs: [60_000] }).send([dead()])
    await expect.poll(() => failed, soon).toEqual([expect.stringMatching(/answered 301.*not followed.*WEBHOOK_URL/)])
    expect([tries, heard]).toEqual([1, []])
  })

  it('that is not there is said once', async () => {
    const webhook = create({ address: { url: 'http://127.0.0.1:9/hook', authorization: undefined }, laterMs: [20] })
    webhook.send([dead(), dead({ account: 'grace' })])
    await expect.poll(() => failed, soon).toEqual(['it could not be reached'])
    await webhook.close()
    expect(failed).toEqual(['it could not be reached'])
  })
})

describe('readWebhookAddress', () => {
  it.each(['ftp://127.0.0.1/x', 'hook', '', 'mailto:me@example.com'])('takes %j for none', (text) => {
    expect(readWebhookAddress(text)).toBeUndefined()
  })

  it('takes user and password out', () => {
    expect(readWebhookAddress('https://me:p%40ss@example.com/hook?a=b')).toEqual({
      url: 'https://example.com/hook?a=b',
      authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    })
    expect(readWebhookAddress('http://example.com')).toEqual({ url: 'http://example.com/', authorization: undefined })
  })
})
