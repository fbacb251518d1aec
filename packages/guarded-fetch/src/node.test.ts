import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGuardedFetch } from './index.ts'
import type { GuardedFetch } from './index.ts'
import { createNodeGuardedFetch } from './node.ts'
import type { NodeGuardedFetchOptions } from './node.ts'

const PUBLIC = '203.0.114.7'
const sockets = new Set<Socket>()
const seen: IncomingMessage[] = []
const server = createServer((request, response) => {
  seen.push(request)
  answer(new URL(request.url ?? '/', 'http://x'), response)
})
let port: number

function answer({ pathname, searchParams }: URL, response: ServerResponse): void {
  switch (pathname) {
    case '/file':
      return void response.writeHead(200, { 'content-type': 'Image/PNG; name=x', 'content-length': 5 }).end('12345')
    case '/chunked':
      response.write('123')
      return void response.end('45')
    case '/to':
      return void response.writeHead(302, { location: searchParams.get('url') ?? '' }).end()
    case '/hops': {
      const left = Number(searchParams.get('left'))
      return void response.writeHead(307, { location: left === 0 ? '/file' : `/hops?left=${left - 1}` }).end()
    }
    case '/bomb':
      return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(3_000_000)))
    case '/loris': {
      const timer = setInterval(() => response.write('.'), 10)
      return void response.on('close', () => clearInterval(timer))
    }
    case '/quiet':
      return void response.write('first')
    case '/silent':
      return
    case '/cut':
      response.writeHead(200, { 'content-length': 9 }).write('half')
      return void setImmediate(() => response.destroy())
    default:
      return void response.writeHead(404).end()
  }
}

beforeAll(async () => {
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
beforeEach(() => void seen.splice(0))
afterAll(async () => {
  const closed = new Promise((resolve) => server.close(resolve))
  for (const socket of sockets) socket.destroy()
  await closed
})

const never = (): AbortSignal => new AbortController().signal

/** Knows `files.test` (allowed, on loopback) and what a test adds. */
function open(options: NodeGuardedFetchOptions = {}, names: Record<string, readonly string[]> = {}): GuardedFetch {
  return createNodeGuardedFetch({
    allowPrivate: [`files.test:${port}`],
    resolve: async (name) => ({ 'files.test': ['127.0.0.1'], ...names })[name] ?? [],
    ...options,
  })
}

const at = (path: string): string => `http://files.test:${port}${path}`

async function failure(
  promise: Promise<unknown>,
): Promise<{ code: unknown; message: unknown; fileUri: unknown; name: unknown }> {
  const error: unknown = await promise.then(
    () => new Error('it was fetched'),
    (thrown: unknown) => thrown,
  )
  const { code, message, fileUri, name } = error as Record<string, unknown>
  return { code, message, fileUri, name }
}

describe('createNodeGuardedFetch', () => {
  it('fetches a file', async () => {
    const response = await open()(at('/file?sig=1'), { signal: never(), accept: 'image/*' })
    expect(response).toMatchObject({ url: at('/file?sig=1'), status: 200, mimeType: 'image/png', sizeBytes: 5 })
    expect(new TextDecoder().decode(await response.bytes())).toBe('12345')
    expect(seen[0]?.headers).toEqual({
      host: `files.test:${port}`,
      accept: 'image/*',
      'accept-encoding': 'identity',
      connection: 'close',
    })
  })

  it.each([
    'http://127.0.0.1:PORT/file',
    'http://2130706433:PORT/file',
    'http://0177.0.0.1:PORT/file',
    'http://0x7f.1:PORT/file',
    'http://127.1:PORT/file',
    'http://１２７.0.0.1:PORT/file',
    'http://127.0.0.1.:PORT/file',
    'http://0.0.0.0:PORT/file',
    'http://[::1]:PORT/file',
    'http://[::ffff:127.0.0.1]:PORT/file',
    'http://[::ffff:7f00:1]:PORT/file',
    'http://[64:ff9b::127.0.0.1]:PORT/file',
    'http://169.254.169.254/latest/meta-data/',
    'http://private.test:PORT/file',
    'http://mixed.test:PORT/file',
  ])('refuses %s without connecting', async (template) => {
    const url = `${template.replace('PORT', String(port))}?key=secret`
    const guarded = open({}, { 'private.test': ['127.0.0.1'], 'mixed.test': [PUBLIC, '127.0.0.1'] })
    const error = await failure(guarded(url, { signal: never() }))
    expect(error).toMatchObject({ name: 'GenerationError', code: 'invalid_request', fileUri: url })
    expect(error.message).toMatch(/^\S+ is not a public address, so the file is not fetched\. Use a public URL/)
    expect(error.message).not.toContain('secret')
    expect(seen).toEqual([])
  })

  it('refuses the loopback name by the real resolver', async () => {
    const guarded = createNodeGuardedFetch()
    expect(await failure(guarded(`http://localhost:${port}/file`, { signal: never() }))).toMatchObject({
      code: 'invalid_request',
    })
    expect(seen).toEqual([])
  })

  it('connects to the address that was checked, even if the name means another one a moment later', async () => {
    let asked = 0
    const resolve = async (): Promise<string[]> => (asked++ === 0 ? ['127.0.0.1'] : [PUBLIC])
    const guarded = open({ resolve, allowPrivate: ['127.0.0.0/8'] })
    expect((await (await guarded(`http://rebind.test:${port}/file`, { signal: never() })).bytes()).byteLength).toBe(5)
    expect(asked).toBe(1)
  })

  it('refuses a name that turns private for the next hop', async () => {
    let asked = 0
    const resolve = async (): Promise<string[]> => (asked++ === 0 ? ['127.0.0.2'] : ['127.0.0.1'])
    const guarded = open({ resolve, allowPrivate: ['127.0.0.2/32'] })
    const error = await failure(
      guarded(`http://rebind.test:${port}/to?url=${encodeURIComponent(`http://rebind.test:${port}/file`)}`, {
        signal: never(),
      }),
    )
    expect(error.code).toBe('invalid_request')
    expect(seen.map(({ url }) => url)).not.toContain('/file')
  })

  it.each([
    ['a private host', `http://127.0.0.1:1/`, '127.0.0.1:1 is not a public address'],
    ['another scheme', 'file:///etc/passwd', 'has the scheme file: but only https and http are fetched'],
    ['a password', 'http://a:b@files.test/', 'holds a user name or password'],
    ['nonsense', 'http://[', 'is not a valid URL'],
  ])('refuses a redirect to %s', async (_, target, message) => {
    const url = at(`/to?url=${encodeURIComponent(target)}`)
    const error = await failure(open()(url, { signal: never() }))
    expect(error).toMatchObject({ code: 'invalid_request', fileUri: url })
    expect(error.message).toContain(message)
  })

  it('follows three redirects and not a fourth', async () => {
    const response = await open()(at('/hops?left=2'), { signal: never() })
    expect([response.url, (await response.bytes()).byteLength]).toEqual([at('/file'), 5])
    expect(await failure(open()(at('/hops?left=3'), { signal: never() }))).toMatchObject({
      code: 'invalid_request',
      message: `files.test:${port} redirects more than 3 times. Use the URL of the file itself.`,
    })
  })

  it.each([
    ['ftp://files.test/x', 'The file URL has the scheme ftp: but only https and http are fetched.'],
    [
      'http://me:hunter2@files.test/',
      'The file URL holds a user name or password. Use a URL that works without them, or send the data itself.',
    ],
    ['not a url', 'The file URL is not a valid URL. Use an https URL or a data: URL.'],
    ['http://unknown.test/', 'The host unknown.test cannot be found. Check the URL, or send the data itself.'],
  ])('refuses %s', async (url, message) => {
    expect(await failure(open()(url, { signal: never() }))).toEqual({
      name: 'GenerationError',
      code: 'invalid_request',
      message,
      fileUri: url,
    })
  })

  it('refuses http where only https is allowed', async () => {
    const error = await failure(open({ allowHttp: false })(at('/file'), { signal: never() }))
    expect(error.message).toBe('The file URL has the scheme http: but only https is fetched.')
  })

  it.each(['/file', '/chunked'])('stops at the limit for %s', async (path) => {
    const guarded = open({ maxBytes: 4 })
    const fetched = async (maxBytes?: number): Promise<Uint8Array> =>
      (await guarded(at(path), { signal: never(), ...(maxBytes === undefined ? {} : { maxBytes }) })).bytes()
    expect((await fetched(5)).byteLength).toBe(5)
    expect(await failure(fetched())).toEqual({
      name: 'GenerationError',
      code: 'too_large',
      message: `The file on files.test:${port} is larger than the limit of 4 bytes. Send a smaller file, or upload it and pass its file id.`,
      fileUri: at(path),
    })
  })

  it('counts what a compressed reply unpacks to', async () => {
    const response = await open({ maxBytes: 1_048_576 })(at('/bomb'), { signal: never() })
    expect(response.sizeBytes).toBeUndefined()
    expect(await failure(response.bytes())).toMatchObject({ code: 'too_large' })
  })

  it('gives up on a reply that drips', async () => {
    const call = async (): Promise<Uint8Array> =>
      (await open({ timeoutMs: 100 })(at('/loris'), { signal: never() })).bytes()
    expect(await failure(call())).toMatchObject({
      code: 'invalid_request',
      message:
        'The file was not downloaded within 0.1 seconds. Use a faster host or a smaller file, or send the data itself.',
      fileUri: at('/loris'),
    })
  })

  it.each(['/silent', '/quiet'])('gives up on silence (%s)', async (path) => {
    const call = async (): Promise<Uint8Array> => (await open({ idleMs: 50 })(at(path), { signal: never() })).bytes()
    expect(await failure(call())).toMatchObject({
      code: 'invalid_request',
      message:
        'The host of the file said nothing for 0.05 seconds. Use a faster host or a smaller file, or send the data itself.',
    })
  })

  it('gives up on a resolver that does not answer', async () => {
    const guarded = open({ timeoutMs: 50, resolve: () => new Promise(() => undefined) })
    expect(await failure(guarded(at('/file'), { signal: never() }))).toMatchObject({ code: 'invalid_request' })
  })

  it('says what the host answered', async () => {
    expect(await failure(open()(at('/none?sig=secret'), { signal: never() }))).toEqual({
      name: 'GenerationError',
      code: 'invalid_request',
      message: `files.test:${port} answered 404 for this file. Check that the URL opens without signing in.`,
      fileUri: at('/none?sig=secret'),
    })
  })

  it('reports a download that breaks off', async () => {
    const response = await open()(at('/cut'), { signal: never() })
    expect(await failure(response.bytes())).toMatchObject({ code: 'invalid_request', fileUri: at('/cut') })
  })

  it('stops when the caller leaves, and leaves no socket behind', async () => {
    const controller = new AbortController()
    const response = await open()(at('/quiet'), { signal: controller.signal })
    setTimeout(() => controller.abort(), 10)
    expect(await failure(response.bytes())).toMatchObject({ code: 'aborted' })
    expect(await failure(open()(at('/file'), { signal: controller.signal }))).toMatchObject({ code: 'aborted' })
    for await (const _ of (await open()(at('/loris'), { signal: never() })).body) break
    while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  })
})

describe('createGuardedFetch without a resolver', () => {
  it('refuses private addresses and names of private networks by their form', async () => {
    const asked: string[] = []
    const guarded = createGuardedFetch({
      transport: async (url) => {
        asked.push(url)
        throw new TypeError('unreachable')
      },
    })
    for (const url of [
      'http://10.0.0.1/',
      'http://localhost/',
      'http://printer/',
      'http://nas.local/',
      'http://metadata.google.internal./',
    ]) {
      expect(await failure(guarded(url, { signal: never() }))).toMatchObject({ code: 'invalid_request' })
    }
    expect(asked).toEqual([])
    await failure(guarded('https://example.test/#part', { signal: never() }))
    expect(asked).toEqual(['https://example.test/'])
  })
})
