import type { GenerateContentResponse } from '@castorjs/content-generator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readChatStream, type ReadChat } from './chat-stream.ts'
import { dataUrl, sample } from './media-samples.ts'
import {
  API_REQUESTS,
  CLI_REQUESTS,
  COOKIE_SERVER_REQUESTS,
  FILE,
  LICENCE,
  WEB_REQUESTS,
  type ReferenceRequest,
} from './reference-requests.ts'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
/** The same server without a key for the official API, as most start: `/gemini` is the web app. */
let keyless: Stack
beforeAll(async () => {
  const apiKeys = [{ id: 'reader', key: 'a-licence-key' }]
  ;[stack, keyless] = await Promise.all([
    startStack({ config: { apiKeys } }),
    startStack({ config: { geminiApi: { keys: [] } } }),
  ])
})
afterAll(() => Promise.all([stack.close(), keyless.close()]))

interface Sent {
  status: number
  upstream: string | null
  type: string | null
  text: string
}

/** Sends a request of the documents with the reader's own address, key and files put in, and nothing else changed. */
async function send(
  { path, headers, body, method = 'POST' }: ReferenceRequest,
  { file, to = stack, model }: { file?: string; to?: Stack; model?: string } = {},
): Promise<Sent> {
  const own = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace(LICENCE, 'a-licence-key')]),
  )
  const response = await fetch(to.gateway.url + path, {
    method,
    headers: own,
    ...(body === undefined ? {} : { body: fillIn(body, file, model) }),
  })
  return {
    status: response.status,
    upstream: response.headers.get('x-castor-upstream'),
    type: response.headers.get('content-type'),
    text: await response.text(),
  }
}

function fillIn(body: string | Record<string, string>, file = '', model?: string): BodyInit {
  if (typeof body === 'string') {
    const base64 = Buffer.from(sample('image/png')).toString('base64')
    const filled = body.replace(FILE, file).replace('${IMAGE_BASE64}', base64)
    return model === undefined ? filled : filled.replace(/"model": "[^"]+"/, `"model": "${model}"`)
  }
  const form = new FormData()
  for (const [name, value] of Object.entries(body)) {
    if (value.startsWith('@')) form.append(name, new Blob([sample('image/png').slice()]), value.slice(1))
    else form.append(name, value)
  }
  return form
}

async function chat(request: ReferenceRequest, options: Parameters<typeof send>[1] = {}): Promise<ReadChat> {
  const { status, type, text } = await send(request, options)
  expect({ status, type }).toEqual({ status: 200, type: 'text/event-stream; charset=utf-8' })
  const read = readChatStream(text)
  expect(read.done).toBe(true)
  return read
}

async function error(request: ReferenceRequest, options: Parameters<typeof send>[1] = {}): Promise<unknown> {
  const { status, text } = await send(request, options)
  return { status, ...(JSON.parse(text) as object) }
}

function pictureType(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.subarray(0, 3).toString('hex') === 'ffd8ff') return 'jpeg'
  return bytes.subarray(1, 4).toString() === 'PNG' ? 'png' : bytes.subarray(0, 8).toString('hex')
}

async function fetchPicture(url: string): Promise<string> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return pictureType(Buffer.from(await response.arrayBuffer()).toString('base64'))
}

describe('documents 000 and 001: the web app under /gemini_official', () => {
  it.each([
    [WEB_REQUESTS.chat, 'gemini-2.5-flash'],
    [WEB_REQUESTS.laterChat, 'gemini-3-fast'],
  ])('$name streams an answer under the name asked for', async (request, model) => {
    const { content, finish, ...read } = await chat(request)
    expect(content).toContain('Gemini')
    expect({ finish, model: read.model }).toEqual({ finish: 'stop', model })
  })

  it('000: a picture in chat comes as Markdown', async () => {
    const { content, finish } = await chat(WEB_REQUESTS.picture)
    const [, base64 = ''] = /!\[.*?\]\(data:image\/(?:png|jpeg);base64,([^)]+)\)/.exec(content) ?? []
    expect(pictureType(base64)).toMatch(/^(png|jpeg)$/)
    expect(finish).toBe('stop')
  })

  it.each([WEB_REQUESTS.generations, WEB_REQUESTS.edits, WEB_REQUESTS.laterGenerations, WEB_REQUESTS.laterEdits])(
    '$name answers a form with one picture',
    async (request) => {
      const { status, upstream, text } = await send(request)
      expect(status).toBe(200)
      expect(upstream).toBe('gemini-web')
      const { created, data } = JSON.parse(text) as { created: number; data: { b64_json: string }[] }
      expect(created).toBeGreaterThan(1_700_000_000)
      expect(data).toHaveLength(1)
      expect(pictureType(data[0]?.b64_json ?? '')).toMatch(/^(png|jpeg)$/)
    },
  )

  it.each(['gemini-3-pro-canvas', 'gemini-2.5-flash-storybook', 'gemini-3-thinking', 'gemini-2.5-flash-free'])(
    'serves %s by name',
    async (model) => {
      expect((await chat(WEB_REQUESTS.chat, { model })).content.length).toBeGreaterThan(0)
    },
  )
})

describe('document 002: the official API under /gemini', () => {
  it.each(Object.values(API_REQUESTS))(
    '$name as written names a model Google has shut, and says so',
    async (request) => {
      const file = dataUrl('image/png')
      expect(await error(request, { file })).toEqual({
        status: 404,
        error: {
          message: expect.stringMatching(/^Google shut gemini-2\.0-flash\S* down on 2026-06-01\. Ask for /) as string,
          type: 'invalid_request_error',
          param: 'model',
          code: 'model_not_found',
        },
      })
    },
  )

  const model = 'gemini-2.5-flash'

  it('chat, with a model that lives', async () => {
    expect(await chat(API_REQUESTS.chat, { model })).toMatchObject({
      content: 'You said: 你是什么模型',
      finish: 'stop',
      model,
    })
  })

  it('a picture, with a model that lives', async () => {
    const { images } = await chat(API_REQUESTS.draw, { model: 'gemini-nano-banana-2.1' })
    expect(images).toHaveLength(1)
  })

  it.each([
    ['image', 'image/png'],
    ['audio', 'audio/mpeg'],
    ['video', 'video/mp4'],
  ] as const)('%s understood, with a model that lives, although all come as image_url', async (kind, mimeType) => {
    const { content } = await chat(API_REQUESTS[kind], { model, file: dataUrl(mimeType, 'image/png') })
    expect(content).toContain(`I see ${mimeType} of ${sample(mimeType).length} bytes`)
  })

  it('tools, with a model that lives', async () => {
    const { calls, finish } = await chat(API_REQUESTS.tools, { model })
    expect({
      finish,
      name: calls[0]?.name,
      arguments: Object.keys(JSON.parse(calls[0]?.arguments ?? '{}') as object),
    }).toEqual({
      finish: 'tool_calls',
      name: 'get_current_weather',
      arguments: ['location'],
    })
  })

  it('code execution, called as a function, with a model that lives', async () => {
    const { content, calls } = await chat(API_REQUESTS.code, { model })
    expect(content).toContain('5117')
    expect(calls).toEqual([])
  })
})

describe('document 003: Code Assist under /gemini_cli', () => {
  it('chat', async () => {
    expect(await chat(CLI_REQUESTS.chat)).toMatchObject({
      content: 'You said: 你是什么模型',
      finish: 'stop',
      model: 'gemini-2.5-pro',
    })
  })

  it.each([
    [CLI_REQUESTS.image, 'image/png'],
    [CLI_REQUESTS.audio, 'audio/wav'],
  ])('$name', async (request, mimeType) => {
    const { content } = await chat(request, { file: dataUrl(mimeType) })
    expect(content).toContain(`I see ${mimeType} of ${sample(mimeType).length} bytes`)
  })

  it('video in: gemini-2.0-pro is not offered there, and the answer says so; gemini-2.5-pro sees it', async () => {
    const file = dataUrl('video/mp4')
    expect(await error(CLI_REQUESTS.video, { file })).toMatchObject({
      status: 404,
      error: { code: 'model_not_found', param: 'model', message: expect.stringContaining('gemini-2.0-pro') as string },
    })
    expect((await chat(CLI_REQUESTS.video, { file, model: 'gemini-2.5-pro' })).content).toContain('I see video/mp4')
  })

  it('tools', async () => {
    const { calls, finish } = await chat(CLI_REQUESTS.tools)
    expect([finish, calls[0]?.name]).toEqual(['tool_calls', 'get_current_weather'])
  })

  it('code execution', async () => {
    expect((await chat(CLI_REQUESTS.code)).content).toContain('5117')
  })

  it('generateContent', async () => {
    const { status, text } = await send(CLI_REQUESTS.native)
    expect([status, JSON.parse(text)]).toMatchObject([
      200,
      { candidates: [{ content: { parts: [{ text: 'You said: 你是什么模型?' }] }, finishReason: 'STOP' }] },
    ])
  })

  it('streamGenerateContent without alt=sse is a JSON array', async () => {
    const { status, type, text } = await send(CLI_REQUESTS.nativeStream)
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8'])
    const chunks = JSON.parse(text) as { candidates: { content: { parts: { text: string }[] } }[] }[]
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.map(({ candidates }) => candidates[0]?.content.parts[0]?.text).join('')).toBe(
      'You said: 你是什么模型?',
    )
  })

  it.each([
    ['authorization', 'KEY'],
    ['authorization', 'Bearer KEY'],
    ['x-goog-api-key', 'KEY'],
    ['?key=', 'KEY'],
  ])('takes the right key, and no other, as %s %s', async (place, value) => {
    for (const [key, status] of [
      ['a-licence-key', 200],
      ['wrong', 400],
    ] as const) {
      const sent = value.replace('KEY', key)
      const headers: Record<string, string> = { 'content-type': 'application/json' }
      if (place !== '?key=') headers[place] = sent
      const path = CLI_REQUESTS.native.path + (place === '?key=' ? place + sent : '')
      expect((await send({ ...CLI_REQUESTS.native, path, headers })).status).toBe(status)
    }
  })
})

describe('document 004: the cookie server at /', () => {
  it('chat', async () => {
    const { status, upstream, text } = await send(COOKIE_SERVER_REQUESTS.chat, { to: keyless })
    expect([status, upstream]).toEqual([200, 'gemini-web'])
    expect(JSON.parse(text)).toMatchObject({
      object: 'chat.completion',
      model: 'gemini-3-flash-preview',
      choices: [
        { finish_reason: 'stop', message: { role: 'assistant', content: expect.stringContaining('你好') as string } },
      ],
    })
  })

  it.each([
    ['the web app while there is no API key', () => keyless, 'gemini-web'],
    ['the official API where there is one', () => stack, 'gemini-api'],
  ] as const)('generateContent under /gemini is answered by %s', async (_, to, upstream) => {
    const { headers, ...request } = COOKIE_SERVER_REQUESTS.native
    const sent = await send({ ...request, headers: { ...headers, 'x-goog-api-key': LICENCE } }, { to: to() })
    expect([sent.status, sent.upstream]).toEqual([200, upstream])
    const { candidates } = JSON.parse(sent.text) as GenerateContentResponse
    expect(candidates?.[0]).toMatchObject({ content: { role: 'model' }, finishReason: 'STOP' })
    expect(candidates?.[0]?.content?.parts?.[0]?.text).toContain('你好')
  })

  it('generate-images answers base64, and a URL when asked', async () => {
    const inline = await send(COOKIE_SERVER_REQUESTS.images, { to: keyless })
    const byUrl = await send(COOKIE_SERVER_REQUESTS.imagesByUrl, { to: keyless })
    expect([inline.status, byUrl.status]).toEqual([200, 200])
    const [picture = ''] = (JSON.parse(inline.text) as { images: string[] }).images
    expect(pictureType(picture)).toMatch(/^(png|jpeg)$/)
    const [url = ''] = (JSON.parse(byUrl.text) as { images: string[] }).images
    expect(await fetchPicture(url)).toMatch(/^(png|jpeg)$/)
  })

  it('images/edit answers in both shapes', async () => {
    const { status, text } = await send(COOKIE_SERVER_REQUESTS.edit, { to: keyless })
    expect(status).toBe(200)
    const { images, data } = JSON.parse(text) as { images: string[]; data: { url: string }[] }
    expect(images).toEqual([data[0]?.url])
    expect(await fetchPicture(images[0] ?? '')).toMatch(/^(png|jpeg)$/)
  })

  it.each([
    ['/health', { status: 'ok' }],
    ['/api/info', { name: 'castor' }],
    ['/api/models', { object: 'list' }],
    ['/v1/models', { object: 'list' }],
  ])('GET %s', async (path, body) => {
    const { status, text } = await send({ name: path, path, headers: {}, method: 'GET' }, { to: keyless })
    expect([status, JSON.parse(text)]).toMatchObject([200, body])
  })

  it('POST /v1/generate and the page at /', async () => {
    const headers = { 'content-type': 'application/json' }
    const generated = await send(
      { name: '', path: '/v1/generate', headers, body: '{"prompt": "你好"}' },
      { to: keyless },
    )
    expect(JSON.parse(generated.text)).toMatchObject({ text: expect.stringContaining('你好') as string })
    expect((await send({ name: '', path: '/', headers: {}, method: 'GET' }, { to: keyless })).type).toContain(
      'text/html',
    )
  })
})
