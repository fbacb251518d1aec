import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { afterEach, describe, expect, it } from 'vitest'
import { cookiesOf, emulated, type Emulated, type EmulatedOptions } from '../test/emulated.ts'
import { createGeminiWebNodeClient } from './node.ts'

const PNG = [0x89, 0x50, 0x4e, 0x47]
let world: Emulated | undefined

function create(options: EmulatedOptions = {}): Emulated {
  const polling = { videoMs: 2, musicMs: 2, notReadyMs: 2, researchMs: 2, totalMs: 5_000, researchTotalMs: 5_000 }
  world = emulated({ ...options, client: { polling, ...options.client } })
  return world
}

afterEach(async () => {
  await world?.close()
  world = undefined
})

describe('pictures', () => {
  it('downloads preview and original through their hops, with the account’s cookies on each', async () => {
    const { client, emulator } = create()
    const reply = await client.generate('Draw a lighthouse at dusk', { tool: 'image' })
    const [image] = reply.images
    if (image === undefined) throw new Error('There is no picture')
    const preview = await client.media.image(image, reply)
    expect(preview).toMatchObject({ original: false, mimeType: expect.stringMatching(/^image\//) as string })
    const original = await client.media.image(image, reply, { size: 'original' })
    expect(original).toMatchObject({ original: true, mimeType: 'image/png' })
    expect([...original.data.subarray(0, 4)]).toEqual(PNG)
    expect(original.data.length).toBeGreaterThan(1_000)
    const hosts = emulator.controls.requests.map((request) => request.host)
    expect(hosts.filter((host) => host === 'work.fife.usercontent.google.com').length).toBeGreaterThan(0)
    expect(emulator.controls.requests.flatMap((request) => request.warnings)).toEqual([])
  })

  it('falls back to the stored size when the original cannot be had', async () => {
    const { client, emulator } = create()
    const reply = await client.generate('Draw a lighthouse at dusk', { tool: 'image' })
    emulator.controls.fail({ kind: 'code', code: 1003, on: 'batch', rpc: 'c8o8Fe', times: 0 })
    const [image] = reply.images
    if (image === undefined) throw new Error('There is no picture')
    expect(await client.media.image(image, reply, { size: 'original' })).toMatchObject({ original: false })
  })

  it('says who is at fault when a download is refused', async () => {
    const { client, emulator } = create()
    const reply = await client.generate('Draw a lighthouse at dusk', { tool: 'image' })
    emulator.controls.fail({ kind: 'http', status: 403, on: 'download', times: 0 })
    const [image] = reply.images
    if (image === undefined) throw new Error('There is no picture')
    await expect(client.media.image(image, reply)).rejects.toMatchObject({ code: 'media_refused', fault: 'account' })
    emulator.controls.clearFaults()
    await expect(client.media.image(image, reply, { maxBytes: 100 })).rejects.toMatchObject({ code: 'file_too_large' })
  })
})

describe('video and music', () => {
  it.each([false, true])('waits for a video and downloads it, in an envelope: %s', async (videoEnvelope) => {
    const { client, emulator } = create({
      settings: { videoEnvelope, durations: { videoListed: 10_000, videoReady: 20_000 } },
    })
    const reply = await client.generate('A paper boat', { tool: 'video', media: { orientation: 'portrait' } })
    expect(reply.videoJob).toMatch(/\w/)
    const states: string[] = []
    for await (const status of client.media.watch(reply)) {
      states.push(status.state)
      emulator.controls.advance(6_000)
      if (status.state !== 'done') continue
      const [video] = status.videos
      if (video === undefined) throw new Error('There is no video')
      const downloading = client.media.file(video)
      await expect.poll(() => emulator.controls.requests.some((request) => request.status === 206)).toBe(true)
      emulator.controls.advance(20_000)
      const { data, mimeType } = await downloading
      expect(mimeType).toBe('video/mp4')
      expect(new TextDecoder().decode(data.subarray(4, 8))).toBe('ftyp')
    }
    expect(states.length).toBeGreaterThan(1)
  })

  it('reads music with its clip', async () => {
    const { client } = create()
    const reply = await client.generate('A calm song about rain', { tool: 'music' })
    for await (const status of client.media.watch(reply)) {
      if (status.state !== 'done') continue
      if (status.music?.audio === undefined) throw new Error('There is no audio')
      expect((await client.media.file(status.music.audio)).mimeType).toMatch(/^audio\//)
    }
  })
})

describe('research', () => {
  it('plans, starts, waits and reports with sources', async () => {
    const { client, emulator } = create({ settings: { durations: { research: 60_000 } } })
    const planned = await client.research.plan('Compare tidal and wave power')
    expect(planned.plan.steps.length).toBeGreaterThan(0)
    const running = await client.research.start(planned)
    expect(await client.research.poll(running)).toMatchObject({ state: 'running' })
    emulator.controls.advance(120_000)
    const report = await client.research.result(running)
    expect(report.text.length).toBeGreaterThan(200)
    expect(report.citations.length).toBeGreaterThan(0)
  })
})

describe('what is kept in the account', () => {
  it('lists, reads and deletes chats', async () => {
    const { client } = create()
    const { chat } = await client.generate('My name is Ada')
    if (chat === undefined) throw new Error('There is no chat')
    expect((await client.chats.list()).chats.map((one) => one.id)).toEqual([chat.chatId])
    expect(await client.chats.read(chat.chatId)).toMatchObject([{ prompt: 'My name is Ada' }])
    await client.chats.delete(chat.chatId)
    expect((await client.chats.list()).chats).toEqual([])
    await expect(client.chats.read(chat.chatId)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('leaves no trace of a temporary chat, and goes on in it', async () => {
    const { client } = create()
    const chat = client.chat({ temporary: true })
    await chat.send('My name is Ada.')
    expect((await chat.send('What is my name?')).text).toContain('Ada')
    expect((await client.chats.list()).chats).toEqual([])
  })

  it('creates, lists, changes, uses and deletes gems', async () => {
    const { client } = create()
    const gem = { name: 'Pirate', description: 'Talks like one', prompt: 'Talk like a pirate' }
    const id = await client.gems.create(gem)
    expect(await client.gems.list()).toEqual([{ id, ...gem }])
    await client.gems.update({ id, ...gem, name: 'Captain' })
    expect((await client.gems.list())[0]?.name).toBe('Captain')
    expect((await client.generate('Hello', { gemId: id })).text).toMatch(/\w/)
    expect((await client.gems.list({ list: 'withHidden' })).map((one) => one.id)).toContain('storybook')
    await client.gems.delete(id)
    expect(await client.gems.list()).toEqual([])
  })

  it('reads the quotas', async () => {
    const { client } = create()
    const { usage, features } = await client.quota()
    expect(usage).toMatchObject({ blocked: false })
    expect(features.length).toBeGreaterThan(0)
  })
})

it('finds its way over a port whose replies name the port itself', async () => {
  const running = await startGeminiWebEmulator({
    port: 0,
    settings: { links: 'loopback', durations: { videoListed: 0, videoReady: 0 } },
  })
  const client = createGeminiWebNodeClient({
    cookies: cookiesOf(running.emulator, 'grace'),
    baseUrls: running.hosts,
    polling: { videoMs: 5, notReadyMs: 5 },
  })
  const note = await client.upload(new TextEncoder().encode('The secret word is heliotrope.'), { name: 'note.txt' })
  expect((await client.generate('Quote the file', { files: [note] })).text).toContain('heliotrope')
  const reply = await client.generate('Draw a lighthouse', { tool: 'image' })
  const [image] = reply.images
  if (image === undefined) throw new Error('There is no picture')
  expect(new URL(image.url).hostname).toBe('127.0.0.1')
  expect(await client.media.image(image, reply, { size: 'original' })).toMatchObject({ original: true })
  for await (const status of client.media.watch(await client.generate('A paper boat', { tool: 'video' }))) {
    if (status.state !== 'done') continue
    const [video] = status.videos
    if (video === undefined) throw new Error('There is no video')
    expect((await client.media.file(video)).mimeType).toBe('video/mp4')
  }
  await client.close()
  await running.close()
})
