import type { GenerateContentResponse } from '@castorjs/content-generator'
import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCountingProxy, type CountingProxy } from './counting-proxy.ts'
import { dataUrl, MEDIA_SAMPLES, sample } from './media-samples.ts'
import { startStack, type Stack } from './stack.ts'

const LARGE_BYTES = 60 * 1024 * 1024

let stack: Stack
let files: Server
let filesUrl = ''
let web: CountingProxy
let official: CountingProxy
/** Bytes of the large file handed out. */
let sent = 0
/** Called after each piece of the large file. */
let onSent: () => void = () => undefined
beforeAll(async () => {
  web = await startCountingProxy()
  official = await startCountingProxy()
  stack = await startStack({
    config: {
      remoteFiles: { allowPrivate: ['127.0.0.0/8'], maxBytes: 100 * 1024 * 1024 },
      geminiWeb: { baseUrls: emulatorBaseUrls(web.url) },
      geminiApi: { keys: [{ label: 'demo', key: 'emulator-key' }], baseUrl: official.url },
    },
  })
  web.target = stack.emulator.url
  official.target = stack.official.url
  files = createServer((request, response) => {
    const mimeType = decodeURIComponent(request.url?.slice(1) ?? '')
    // The label is wrong on purpose.
    response.setHeader('content-type', 'application/octet-stream')
    if (mimeType !== 'large') {
      response.end(sample(mimeType))
      return
    }
    response.setHeader('content-length', LARGE_BYTES)
    const filler = Buffer.alloc(64 * 1024, 1)
    const head = Buffer.concat([sample('video/mp4'), filler]).subarray(0, filler.length)
    sent = 0
    function more(): void {
      while (sent < LARGE_BYTES) {
        const goesOn = response.write(sent === 0 ? head : filler)
        sent += filler.length
        onSent()
        if (!goesOn) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  })
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
  filesUrl = `http://127.0.0.1:${(files.address() as AddressInfo).port}`
})
afterAll(async () => {
  await stack.close()
  await web.close()
  await official.close()
  files.closeAllConnections()
  await new Promise((resolve) => files.close(resolve))
})

/** The OpenAI dialect, everything in `image_url` as the reference clients do it. */
async function seenByChat(mount: string, model: string, url: string): Promise<string> {
  const openai = new OpenAI({ baseURL: `${stack.gateway.url}${mount}/v1`, apiKey: 'none', maxRetries: 0 })
  const { choices } = await openai.chat.completions.create({
    model,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image_url', image_url: { url } },
        ],
      },
    ],
  })
  return choices[0]?.message.content ?? ''
}

async function seenByNative(mount: string, model: string, part: object): Promise<string> {
  const response = await fetch(`${stack.gateway.url}${mount}/v1beta/models/${model}:generateContent`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ contents: [{ role: 'user', parts: [part, { text: 'look' }] }] }),
  })
  const body = (await response.json()) as GenerateContentResponse
  return body.candidates?.[0]?.content?.parts?.map(({ text }) => text ?? '').join('') ?? JSON.stringify(body)
}

const MOUNTS = [
  ['/gemini', 'gemini-2.5-flash'],
  ['/gemini_cli', 'gemini-2.5-pro'],
] as const
const TYPES = Object.keys(MEDIA_SAMPLES)

describe('files in a request, typed by their bytes', () => {
  describe.each(MOUNTS)('at %s', (mount, model) => {
    it.each(TYPES)('%s as a data URL labelled image/png', async (mimeType) => {
      expect(await seenByChat(mount, model, dataUrl(mimeType, 'image/png'))).toContain(`I see ${mimeType} of`)
    })

    it.each(TYPES)('%s by URL, in both dialects', async (mimeType) => {
      const url = `${filesUrl}/${encodeURIComponent(mimeType)}`
      expect(await seenByChat(mount, model, url)).toContain(`I see ${mimeType}`)
      expect(await seenByNative(mount, model, { fileData: { fileUri: url } })).toContain(`I see ${mimeType}`)
    })

    it.each(['image/heic', 'audio/mpeg', 'video/mp4', 'application/pdf'])(
      '%s inline in the native dialect',
      async (mimeType) => {
        const data = Buffer.from(sample(mimeType)).toString('base64')
        expect(await seenByNative(mount, model, { inlineData: { mimeType, data } })).toContain(`I see ${mimeType}`)
      },
    )
  })

  it.each(TYPES)('%s at the web app', async (mimeType) => {
    const before = uploads()
    expect(await seenByChat('/gemini_official', 'gemini-2.5-flash', dataUrl(mimeType, 'image/png'))).not.toBe('')
    expect(uploads()).toBeGreaterThan(before)
  })

  it.each([
    ['the web app', '/gemini_official', () => web],
    ['the Files API', '/gemini', () => official],
  ])('a large video by URL goes through to %s in pieces', async (_, mount, through) => {
    const proxy = through()
    const before = proxy.received
    let held = 0
    onSent = () => (held = Math.max(held, sent - (proxy.received - before)))
    expect(await seenByChat(mount, 'gemini-2.5-flash', `${filesUrl}/large`)).not.toBe('')
    expect(sent).toBe(LARGE_BYTES)
    expect(proxy.received - before).toBeGreaterThanOrEqual(LARGE_BYTES)
    // What left the file server and has not reached the upstream: two sockets and one piece of an upload.
    expect(held).toBeLessThan(LARGE_BYTES / 2)
  })
})

function uploads(): number {
  return stack.emulator.emulator.controls.requests.filter(({ host, path }) => /push|upload/.test(host + path)).length
}
