import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startGeminiWebEmulator, type RunningEmulator, type StartOptions } from '../src/node.ts'
import { askAsGuest } from './families/guest.ts'
import { at, list, text } from './families/plain.ts'
import { createPositionsClient, newestTurn } from './families/positions.ts'
import { readSparse } from './families/sparse.ts'

// Nothing in this file or under families/ may import the protocol package: it judges it.

const ADA = { '__Secure-1PSID': 'g.a000castor-demo-ada', '__Secure-1PSIDTS': 'sidts-castor-demo-ada' }
let running: RunningEmulator
const start = async (settings: StartOptions['settings'] = {}): Promise<void> => {
  running = await startGeminiWebEmulator({
    port: 0,
    settings: { durations: { videoListed: 20, videoReady: 40, research: 20 }, ...settings },
  })
}
afterEach(() => running.close())

describe('a client that counts positions', () => {
  beforeEach(() => start({ layout: 'dense', planJobId: true }))
  const client = () => createPositionsClient(running.url, ADA)
  const signedIn = async () => {
    const made = client()
    await made.init()
    return made
  }

  it('starts, finds its models, and talks over several turns', async () => {
    const ada = client()
    expect(await ada.init()).toEqual({
      models: ['cf41b0e0dd7d53e5', 'fbb127bbb056c959', '5bf011840784117a', '9d8ca3786ebdfbea'],
      status: 1000,
    })
    const first = await ada.generate('My name is Ada')
    expect(first.metadata).toEqual([
      expect.stringMatching(/^c_[0-9a-f]{16}$/),
      expect.stringMatching(/^r_[0-9a-f]{16}$/),
      first.rcid,
    ])
    expect(first.context).toMatch(/^AwAAAAAAAAAQ/)
    const metadata = [...first.metadata, null, null, null, null, null, null, first.context]
    expect((await ada.generate('What is my name?', { metadata })).text).toBe('Your name is Ada.')
  })

  it('gets growing snapshots and thoughts', async () => {
    const ada = await signedIn()
    const reply = await ada.generate('Count to 400', {
      model: '[1,null,null,null,"9d8ca3786ebdfbea",null,null,0,[4],null,null,1]',
    })
    expect([reply.text.endsWith('399, 400'), reply.snapshots > 30, reply.thoughts.includes('Count to 400')]).toEqual([
      true,
      true,
      true,
    ])
  })

  it('uploads and refers to the file in its short form', async () => {
    const ada = await signedIn()
    const reference = await ada.upload('notes.txt', 'text/plain', 'hello world')
    expect(reference).toMatch(/^\/contrib_service\/ttl_1d\/\w+$/)
    expect((await ada.generate('Read it', { files: [reference] })).text).toContain('> hello world')
    await expect(ada.generate('Read it', { files: ['/contrib_service/ttl_1d/gone'] })).rejects.toThrow('error 1003')
  })

  it('gets pictures, their preview and their original', async () => {
    const ada = await signedIn()
    const reply = await ada.generate('Draw two images of a boat 64x48')
    expect(reply.images).toHaveLength(2)
    expect(reply.text).toContain('Here is a set of 2 pictures')
    const preview = await ada.download(`${reply.images[0]?.url}=s1024-rj`)
    expect([preview.status, preview.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    const original = await ada.original(reply)
    expect([original.status, original.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect((await ada.generate('Show me pictures of red pandas')).webImages).toHaveLength(2)
  })

  it('gets a video from history and waits for its file', async () => {
    const ada = await signedIn()
    const reply = await ada.generate('a paper boat', { tool: 11 })
    let turn = newestTurn(await ada.rpc('hNvQHb', JSON.stringify([reply.metadata[0], 10, null, 1, [1], [4], null, 1])))
    for (let polls = 0; turn.video === '' && polls < 1_000; polls++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      turn = newestTurn(await ada.rpc('hNvQHb', JSON.stringify([reply.metadata[0], 10, null, 1, [1], [4], null, 1])))
    }
    const file = await ada.download(turn.video)
    expect([file.status, file.headers.get('content-type')]).toEqual([200, 'video/mp4'])
    await file.body?.cancel()
  })

  it('gets music', async () => {
    const ada = await signedIn()
    const reply = await ada.generate('quiet harbour', { tool: 21 })
    expect(reply.musicUrls).toHaveLength(2)
    expect((await ada.download(reply.musicUrls[0] ?? '')).headers.get('content-type')).toBe('audio/mpeg')
  })

  it('plans and runs a research', async () => {
    const ada = await signedIn()
    const preflight: Array<[id: string, payload: string]> = [
      ['ku4Jyf', '["en",null,null,null,4,null,null,[2,4,7,15],null,[[5]]]'],
      ['qpEbW', '[[[1,4],[6,6],[1,15]]]'],
      ['aPya6c', '[]'],
      ['L5adhe', '[[],[["x"]]]'],
    ]
    for (const [id, payload] of preflight) await ada.rpc(id, payload)
    const plan = await ada.generate('tidal power', { research: true })
    expect(plan.plan).toEqual({
      title: 'tidal power',
      steps: ['Research websites', 'Analyze results', 'Create report'],
      confirm: 'Start research',
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    await ada.generate(plan.plan?.confirm ?? '', {
      research: true,
      metadata: [...plan.metadata, null, null, null, null, null, null, plan.context],
    })
    let status = await ada.researchStatus(plan.plan?.uuid ?? '')
    for (let polls = 0; !status.done && polls < 1_000; polls++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      status = await ada.researchStatus(plan.plan?.uuid ?? '')
    }
    expect(status).toEqual({ title: 'tidal power', chat: plan.metadata[0], done: true })
    expect(
      newestTurn(await ada.rpc('hNvQHb', JSON.stringify([plan.metadata[0], 10, null, 1, [1], [4], null, 1]))).report,
    ).toContain('# tidal power')
  })

  it('lists, reads and deletes chats, and keeps gems', async () => {
    const ada = await signedIn()
    const { metadata } = await ada.generate('Hello there')
    const rows = async (): Promise<unknown[]> => list(await ada.rpc('MaZiqc', '[13,null,[0,null,1]]'), 2)
    expect((await rows()).map((row) => [text(row, 0), text(row, 1)])).toEqual([[metadata[0], 'Hello there']])
    expect(await ada.rpc('GzXR5e', JSON.stringify([metadata[0]]))).toEqual([])
    expect(await ada.rpc('qWymEb', JSON.stringify([metadata[0], [1, null, 0, 1]]))).toEqual([])
    expect(await rows()).toEqual([])
    const fields = ['Poet', 'Writes', 'Use rhymes.', null, null, null, null, null, 0, null, 1, null, null, null, []]
    const gem = text(await ada.rpc('oMH3Zd', JSON.stringify([fields])), 0)
    expect((await ada.generate('Rain', { gem })).text).toContain('As Poet I follow my instruction: Use rhymes.')
    await ada.rpc('kHv0Vd', JSON.stringify([gem, [...fields, 0]]))
    expect(text(await ada.rpc('CNgdBe', `[2,["'en'"],0]`), 2, 0, 1, 0)).toBe('Poet')
    expect(list(await ada.rpc('CNgdBe', '[4,["en"],0]'), 2).length).toBeGreaterThan(6)
    expect(await ada.rpc('UXcSJb', JSON.stringify([gem]))).toEqual([])
  })

  it('rotates with the pair of cookies only', async () => {
    running.emulator.controls.set({ checks: { rotateCookies: true } })
    const ada = await signedIn()
    const before = ada.jar['__Secure-1PSIDTS']
    expect([await ada.rotate(), await ada.rotate()]).toEqual([200, 429])
    expect(ada.jar['__Secure-1PSIDTS']).not.toBe(before)
    expect((await ada.generate('Count to 3')).text).toBe('1, 2, 3')
  })
})

describe('a guest who reads lines', () => {
  beforeEach(() => start())

  it('needs no cookies and takes the last text', async () => {
    const reply = await askAsGuest(running.url, 'Count to 60', { model: '9d8ca3786ebdfbea' })
    expect(reply).toEqual({
      text: expect.stringMatching(/^1, 2, .*59, 60$/),
      model: '3.5 Flash-Lite',
      lines: expect.any(Number),
      ids: [expect.stringMatching(/^c_/), expect.stringMatching(/^r_/)],
    })
    expect(reply.lines).toBeGreaterThan(5)
  })

  it('has its messages long enough even for a single word', async () => {
    expect((await askAsGuest(running.url, 'Repeat exactly: a')).text).toBe('a')
  })

  it('can be signed in by a cookie header', async () => {
    running.emulator.controls.set({ checks: { token: false } })
    expect(
      (
        await askAsGuest(running.url, 'Count to 3', {
          cookie: `__Secure-1PSID=${ADA['__Secure-1PSID']}; __Secure-1PSIDTS=${ADA['__Secure-1PSIDTS']}`,
        })
      ).model,
    ).toBe('3.6 Flash')
  })
})

describe('a client that reads fields by number', () => {
  it.each(['sparse', 'dense'] as const)('finds the same in the %s layout', async (layout) => {
    await start({ layout })
    running.emulator.controls.set({ checks: { token: false } })
    const cookie = `__Secure-1PSID=${ADA['__Secure-1PSID']}; __Secure-1PSIDTS=${ADA['__Secure-1PSIDTS']}`
    const ask = async (prompt: string, slots: Record<number, unknown> = {}): Promise<ReturnType<typeof readSparse>> => {
      const inner = Object.assign(
        Array.from({ length: 81 }, () => null) as unknown[],
        {
          0: [prompt, 0, null, null, null, null, 0],
          1: ['en'],
          2: ['', '', '', null, null, null, null, null, null, ''],
          17: [[0]],
        },
        slots,
      )
      const response = await fetch(
        `${running.url}/gemini.google.com/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate?rt=c&pageId=none`,
        {
          method: 'POST',
          headers: { cookie, 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
          body: `f.req=${encodeURIComponent(JSON.stringify([null, JSON.stringify(inner)]))}&`,
        },
      )
      return readSparse(await response.text())
    }
    expect(await ask('Count to 3')).toMatchObject({
      text: '1, 2, 3',
      title: 'Count to 3',
      context: expect.stringMatching(/^Aw/),
      served: '3.6 Flash',
    })
    expect((await ask('a boat', { 49: 11, 54: [], 55: [[16]] })).video).toMatch(/^[0-9a-f-]{36}$/)
    expect((await ask('a song', { 49: 21 })).music).toContain('a_song.mp3')
    expect((await ask('tides', { 49: 1, 54: [[[[[1]]]]], 55: [[1]] })).plan).toBe('tides')
  })
})

it('gives a guest its cookies from the start call', async () => {
  await start()
  const response = await fetch(`${running.url}/gemini.google.com/_/BardChatUi/data/batchexecute?rt=c`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ 'f.req': '[[["maGuAc","[0]",null,"generic"]]]' }).toString(),
  })
  expect(response.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual(['NID', 'COMPASS'])
  expect(at(JSON.parse((await response.text()).split('\n')[3] ?? '[]'), 0, 1)).toBe('maGuAc')
})
