import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
let files: Server
let filesPort: number
beforeAll(async () => {
  files = createServer((request, response) => {
    if (request.url?.startsWith('/missing.png') === true) response.writeHead(404).end()
    else if (request.url?.startsWith('/large.bin') === true)
      response.writeHead(200, { 'content-length': 999_999_999 }).end()
    else response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([0, 1, 2, 3, 254, 255, 0, 9]))
  })
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
  filesPort = (files.address() as AddressInfo).port
  stack = await startStack({
    config: { maxBodyBytes: 20_000, remoteFiles: { allowPrivate: [`127.0.0.1:${filesPort}`] } },
  })
})
afterAll(async () => {
  await stack.close()
  files.close()
})

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(stack.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const { error } = (await response.json()) as {
    error: { message: string; type: string; param: string | null; code: string | null }
  }
  return { status: response.status, error }
}

const chat = (messages: unknown, more: object = {}) => ({ model: 'gemini-2.5-flash', messages, ...more })
const image = (url: unknown) =>
  chat([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look.' },
        { type: 'image_url', image_url: { url } },
      ],
    },
  ])
const IMAGE_PARAM = 'messages[0].content[1].image_url.url'

describe('bad input is a clear 4xx in OpenAI’s shape', () => {
  it.each([
    ['a body that is not JSON', '{"model":', 400, null, /JSON/],
    ['a body over the limit', chat([{ role: 'user', content: 'x'.repeat(30_000) }]), 413, null, /20000 bytes/],
    ['no messages', { model: 'gemini-2.5-flash' }, 400, 'messages', /messages/],
    ['empty messages', chat([]), 400, 'messages', /at least one/],
    ['messages of the wrong type', chat('hi'), 400, 'messages', /array/],
    ['an unknown role', chat([{ role: 'robot', content: 'hi' }]), 400, 'messages[0].role', /role/],
    [
      'a temperature that is text',
      chat([{ role: 'user', content: 'hi' }], { temperature: 'hot' }),
      400,
      'temperature',
      /number/,
    ],
    ['n above 1', chat([{ role: 'user', content: 'hi' }], { n: 2 }), 400, 'n', /1/],
    ['an unknown model', chat([{ role: 'user', content: 'hi' }], { model: 'gpt-4' }), 404, 'model', /model list/],
    ['a data URL that does not decode', image('data:image/png;base64,@@@'), 400, IMAGE_PARAM, /base64/],
    [
      'an unsupported media type',
      image(`data:application/x-tar;base64,${Buffer.from([0, 1, 2, 3]).toString('base64')}`),
      400,
      IMAGE_PARAM,
      /support|type/,
    ],
    [
      'a private remote file',
      image('http://169.254.169.254/latest/meta-data'),
      400,
      IMAGE_PARAM,
      /private|public|address/,
    ],
    ['a remote file on this machine', image('http://localhost:1/x.png'), 400, IMAGE_PARAM, /private|public|address/],
  ])('%s', async (_, body, status, param, message) => {
    const answer = await post('/v1/chat/completions', body)
    expect({ status: answer.status, param: answer.error.param }).toEqual({ status, param })
    expect(answer.error.message).toMatch(message)
    expect(Object.keys(answer.error).toSorted()).toEqual(['code', 'message', 'param', 'type'])
  })

  it.each([
    ['missing', 'missing.png', 400, /404|missing|not found/i],
    ['too large', 'large.bin', 413, /bytes|large/i],
    ['not what it claims to be', 'fake.png', 400, /type|support|bytes/i],
  ])('a remote file that is %s', async (_, name, status, message) => {
    const answer = await post('/v1/chat/completions', image(`http://127.0.0.1:${filesPort}/${name}?secret=1`))
    expect({ status: answer.status, param: answer.error.param }).toEqual({ status, param: IMAGE_PARAM })
    expect(answer.error.message).toMatch(message)
    expect(answer.error.message).not.toContain('secret')
  })

  it('a doubled path names the right base URL', async () => {
    const answer = await post('/v1/v1/chat/completions', chat([{ role: 'user', content: 'hi' }]))
    expect(answer.status).toBe(404)
    expect(answer.error.message).toContain(`${stack.gateway.url}/v1`)
    expect(answer.error.message).not.toContain('/v1/v1')
  })

  it('an unknown path', async () => {
    expect((await post('/v1/nothing', {})).status).toBe(404)
  })
})
