import Bard from 'bard-ai'
import { GeminiClient, MemoryStorageAdapter } from 'gemini-web-api'
import { Impit } from 'impit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startGeminiWebEmulator, type RunningEmulator, type StartOptions } from '../src/node.ts'
import { mapper } from './families/plain.ts'

const ADA = { '__Secure-1PSID': 'g.a000castor-demo-ada', '__Secure-1PSIDTS': 'sidts-castor-demo-ada' }
let running: RunningEmulator
const start = async (settings: StartOptions['settings']): Promise<void> => {
  running = await startGeminiWebEmulator({ port: 0, settings })
}
afterEach(() => running.close())

const addressOf = (input: URL | RequestInfo): string =>
  typeof input === 'string' ? input : 'url' in input ? input.url : input.href

/** gemini-web-api 0.0.2 from npm, unmodified; only the addresses that its HTTP client is asked for are led to the emulator. */
describe('gemini-web-api', () => {
  const sendToGoogle = Reflect.get(Impit.prototype, 'fetch') as (
    this: Impit,
    url: string,
    init?: RequestInit,
  ) => Promise<unknown>
  beforeEach(async () => {
    await start({ layout: 'dense', links: 'loopback', checks: { rotateDistanceMs: 0 } })
    const map = mapper(running.url)
    Reflect.set(Impit.prototype, 'fetch', function (this: Impit, url: string, init?: RequestInit) {
      return sendToGoogle.call(this, map(url), init)
    })
  })
  afterEach(() => {
    Reflect.set(Impit.prototype, 'fetch', sendToGoogle)
  })

  async function signedIn(): Promise<GeminiClient> {
    const client = new GeminiClient({ cookies: ADA, storage: new MemoryStorageAdapter() })
    await client.init(false)
    return client
  }

  it('signs in and answers', async () => {
    const client = await signedIn()
    expect((await client.generateContent('Count to 5')).text).toBe('1, 2, 3, 4, 5')
  })

  it('says when the cookies are dead', async () => {
    running.emulator.controls.revoke('ada')
    await expect(signedIn()).rejects.toThrow('Gemini rejected cookies')
  })

  it('streams a long answer', async () => {
    const client = await signedIn()
    const lengths: number[] = []
    let last = ''
    for await (const output of client.generateContentStream('Count to 2000')) {
      lengths.push(output.text.length)
      last = output.text
    }
    expect([lengths.length > 10, lengths.toSorted((a, b) => a - b), last.endsWith('1999, 2000')]).toEqual([
      true,
      lengths,
      true,
    ])
  })

  it('gets the thoughts of a thinking model', async () => {
    running.emulator.controls.set({ servedModel: 'free-thinking' })
    const client = await signedIn()
    expect((await client.generateContent('Why is the sky blue?')).thoughts).toContain('Why is the sky blue?')
  })

  it('remembers over the turns of a chat', async () => {
    const chat = (await signedIn()).startChat({ model: 'gemini-3-flash' })
    await chat.sendMessage('My name is Ada')
    expect((await chat.sendMessage('What is my name?')).text).toBe('Your name is Ada.')
  })

  it('uploads a file', async () => {
    const client = await signedIn()
    expect((await client.generateContent('Read it', [Buffer.from('hello from a buffer')])).text).toContain(
      '> hello from a buffer',
    )
  })

  it('finds pictures, and their bytes are there', async () => {
    const client = await signedIn()
    const [image] = (await client.generateContent('Draw a boat 64x48')).images
    const response = await fetch(image?.url ?? '', { headers: { cookie: `__Secure-1PSID=${ADA['__Secure-1PSID']}` } })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    expect((await client.generateContent('Show me pictures of red pandas')).images).toHaveLength(2)
  })

  it('rotates its cookies and goes on', async () => {
    const client = await signedIn()
    await client.rotateCookies()
    expect(client.getCookies()['__Secure-1PSIDTS']).toMatch(/^sidts-ada-1-/)
    expect((await client.generateContent('Count to 2')).text).toBe('1, 2')
  })
})

/** bard-ai 2.0.3 from npm, unmodified, of the time when a stream began with the answer. Its own `fetch` option leads it to the emulator. */
describe('bard-ai', () => {
  beforeEach(() => start({ acknowledgement: false, snapshotChars: 1_000_000 }))

  function client(): Bard {
    // It sends one cookie only, as accounts without a ticket can.
    running.emulator.controls.addAccount({ name: 'eve', session: 'g.a000eve', ticket: null })
    const map = mapper(running.url)
    return new Bard('g.a000eve', {
      fetch(input: URL | RequestInfo, init?: RequestInit) {
        // The service has moved since: bard.google.com leads to the app page of gemini.google.com.
        const target = new URL(addressOf(input).replace('//bard.google.com', '//gemini.google.com'))
        if (target.pathname === '/') target.pathname = '/app'
        return fetch(map(target.href), init)
      },
    })
  }

  it('answers, and remembers over the turns of a chat', async () => {
    const chat = client().createChat()
    await chat.ask('My name is Ada')
    expect(await chat.ask('What is my name?')).toBe('Your name is Ada.')
  })

  it('sends a picture', async () => {
    const png = Uint8Array.from(atob('iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAYAAACXtf2DAAAAAElFTkSuQmCC'), (character) =>
      character.charCodeAt(0),
    )
    expect(await client().ask('What is this?', { image: png.buffer })).toContain('10×20 pixels')
  })
})
