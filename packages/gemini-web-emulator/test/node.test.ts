import { connect, createServer } from 'node:net'
import { request } from 'node:http'
import {
  buildPromptForm,
  formHeaders,
  readPageTokens,
  readReply,
  streamGenerateUrl,
} from '@castorjs/gemini-web-protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { emulatorBaseUrls } from '../src/index.ts'
import { startGeminiWebEmulator, type RunningEmulator } from '../src/node.ts'
import { cookiesOf } from './visitor.ts'

let running: RunningEmulator | undefined
afterEach(async () => {
  await running?.close()
  running = undefined
})

const start = async (options: Parameters<typeof startGeminiWebEmulator>[0] = {}): Promise<RunningEmulator> =>
  (running = await startGeminiWebEmulator({ port: 0, ...options }))

function send(hosts: RunningEmulator['hosts'], prompt: string, signal?: AbortSignal): Promise<Response> {
  return fetch(streamGenerateUrl(hosts.app), {
    method: 'POST',
    headers: formHeaders(),
    body: buildPromptForm({ prompt, requestId: 'X' }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Waits until a condition holds, without a fixed pause. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('on a port', () => {
  it('stands for every host by path', async () => {
    const { url, port, hosts } = await start()
    expect(url).toBe(`http://127.0.0.1:${port}`)
    expect(hosts).toEqual(emulatorBaseUrls(`${url}/`))
    const cookie = [...cookiesOf('ada')].map((pair) => pair.join('=')).join('; ')
    const page = await fetch(`${hosts.app}/app`, { headers: { cookie } })
    expect(readPageTokens(await page.text())).toMatchObject({ email: 'ada@example.com' })
    expect(readReply(await (await send(hosts, 'Count to 3')).text())).toMatchObject({
      text: '1, 2, 3',
      complete: true,
      ended: true,
    })
    expect((await fetch(`${url}/__emulator/health`)).status).toBe(200)
  })

  it('stands for a host by its Host header', async () => {
    const { port } = await start()
    const status = await new Promise<string>((resolve, reject) => {
      request({ port, host: '127.0.0.1', path: '/app', headers: { host: 'gemini.google.com' } }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve(text))
      })
        .on('error', reject)
        .end()
    })
    expect(readPageTokens(status).buildLabel).toMatch(/^boq_assistant/)
  })

  it('sends answers piece by piece', async () => {
    const { hosts, emulator } = await start()
    emulator.controls.fail({ kind: 'stall', afterFrames: 3 })
    const leaving = new AbortController()
    const response = await send(hosts, 'Count to 500', leaving.signal)
    let text = ''
    const reader = response.body?.getReader()
    while (!text.includes('1, 2, 3')) text += new TextDecoder().decode((await reader?.read())?.value)
    expect(emulator.open).toBe(1)
    leaving.abort()
    await until(() => emulator.open === 0)
  })

  it('breaks the socket when told to', async () => {
    const { hosts, emulator } = await start()
    emulator.controls.fail({ kind: 'reset', afterBytes: 0 })
    await expect(send(hosts, 'hello')).rejects.toThrow('fetch failed')
    emulator.controls.fail({ kind: 'reset', afterFrames: 2 })
    await expect((await send(hosts, 'Count to 500')).text()).rejects.toThrow('terminated')
    expect((await send(hosts, 'hello')).status).toBe(200)
    expect(emulator.open).toBe(0)
  })

  it('closes with replies open and leaves the port free', async () => {
    const started = await start()
    const { hosts, port, emulator } = started
    emulator.controls.fail({ kind: 'stall', afterFrames: 1, times: 0 })
    const responses = await Promise.all([1, 2, 3].map(() => send(hosts, 'Count to 500')))
    const ends = responses.map((response) =>
      response.text().then(
        () => 'whole',
        (error: Error) => error.message,
      ),
    )
    await started.close()
    expect(await Promise.all(ends)).toEqual(['terminated', 'terminated', 'terminated'])
    await expect(
      new Promise((resolve, reject) => connect(port, '127.0.0.1', () => resolve('open')).on('error', reject)),
    ).rejects.toThrow('ECONNREFUSED')
  })

  it('says when the port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    await expect(startGeminiWebEmulator({ port })).rejects.toThrow('EADDRINUSE')
    await new Promise((resolve) => other.close(resolve))
  })

  it('leads links through itself when told to', async () => {
    const { hosts, url } = await start({ settings: { links: 'loopback' } })
    const cookie = [...cookiesOf('ada')].map((pair) => pair.join('=')).join('; ')
    const page = await fetch(`${hosts.app}/app`, { headers: { cookie } })
    const { token } = readPageTokens(await page.text())
    const response = await fetch(streamGenerateUrl(hosts.app), {
      method: 'POST',
      headers: { ...formHeaders(), cookie },
      body: buildPromptForm({ prompt: 'Draw a boat 64x48', requestId: 'X' }, token),
    })
    const image = readReply(await response.text()).candidates[0]?.images[0]?.url ?? ''
    expect(image.startsWith(`${url}/lh3.googleusercontent.com/gg-dl/`)).toBe(true)
    const file = await fetch(image, { headers: { cookie } })
    expect([file.status, file.redirected, file.headers.get('content-type')]).toEqual([200, true, 'image/jpeg'])
  })
})
