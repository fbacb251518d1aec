import { Server as ProxyServer } from 'proxy-chain'
import { afterEach, describe, expect, it } from 'vitest'
import { closedPort, startHttp, startHttps, startSocks, startTcp } from '../../test/servers.ts'
import { describeTransport } from '../../test/transport-behaviour.ts'
import type { TestServer } from '../../test/servers.ts'
import { createNodeTransport } from '../node.ts'
import type { NodeTransportOptions } from '../node.ts'

describeTransport('createNodeTransport', () => createNodeTransport())

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

function keep<T extends { close(): Promise<unknown> }>(thing: T): T {
  closing.push(() => thing.close())
  return thing
}

const open = (options: NodeTransportOptions) => keep(createNodeTransport(options))
const trust = (server: { ca?: string }): { ca?: string } => (server.ca === undefined ? {} : { ca: server.ca })
const hello = async (): Promise<TestServer & { ca?: string }> =>
  keep(await startHttp((_, response) => void response.end('hello')))
const secureHello = async () => keep(await startHttps((_, response) => void response.end('hello')))

async function startProxy(): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const proxy = new ProxyServer({
    port: 0,
    host: '127.0.0.1',
    prepareRequestFunction: ({ username, password, hostname, port }) => {
      asked.push(`${hostname}:${port}`)
      return { requestAuthentication: username !== 'me' || password !== 'p@ss' }
    },
  })
  await proxy.listen()
  closing.push(() => proxy.close(true))
  return { port: proxy.port, asked }
}

describe('connections', () => {
  it('uses one connection again and closes it with the transport', async () => {
    const server = await hello()
    const transport = createNodeTransport()
    for (let index = 0; index < 3; index++) expect(await (await transport(server.origin)).text()).toBe('hello')
    expect(server.sockets.size).toBe(1)
    await transport.close()
    await server.empty()
    await expect(transport(server.origin)).rejects.toMatchObject({ code: 'network', systemCode: 'UND_ERR_DESTROYED' })
  })

  it('frees the socket of each of 200 exchanges that are left at random moments, without being closed', async () => {
    const server = keep(
      await startHttp((request, response) => {
        if (request.url === '/head') response.write('first')
        if (request.url === '/flood') response.write(Buffer.alloc(1_000_000))
      }),
    )
    const transport = open({})
    const ends: string[] = []
    async function exchange(index: number): Promise<string> {
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(new Error('left')), Math.random() * 60)
      try {
        const path = ['/silent', '/head', '/flood'][index % 3] ?? ''
        const response = await transport(server.origin + path, { signal: controller.signal })
        if (index % 4 === 0) await response.discard()
        for await (const _chunk of response.body) if (index % 2 === 0) break
        return 'left the loop'
      } catch (error) {
        return (error as Error).message
      } finally {
        clearTimeout(timer)
      }
    }
    for (let round = 0; round < 10; round++) {
      ends.push(...(await Promise.all(Array.from({ length: 20 }, (_, index) => exchange(index)))))
    }
    expect(new Set(ends)).toEqual(new Set(['left', 'left the loop']))
    await server.empty()
    expect(server.sockets.size).toBe(0)
  })

  it('stops reading from the socket while nobody reads the body', async () => {
    let written = 0
    const server = keep(
      await startHttp((_, response) => {
        const chunk = Buffer.alloc(65_536)
        const write = (): void => {
          while (!response.destroyed && written < 200 * chunk.length) {
            written += chunk.length
            if (!response.write(chunk)) return void response.once('drain', write)
          }
          response.end()
        }
        write()
      }),
    )
    const response = await open({})(server.origin)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const before = written
    expect(before).toBeLessThan(200 * 65_536)
    expect((await response.bytes()).byteLength).toBe(200 * 65_536)
  })

  it('reads 200 KB of headers, and names the option when they are over the limit', async () => {
    const server = keep(
      await startHttp((_, response) => void response.writeHead(200, { 'x-large': 'a'.repeat(200_000) }).end('ok')),
    )
    expect((await open({})(server.origin)).header('x-large')).toHaveLength(200_000)
    await expect(open({ maxHeaderBytes: 16_384 })(server.origin)).rejects.toThrow(
      'its headers are larger than `maxHeaderBytes`',
    )
  })

  it('asks the given lookup where to connect', async () => {
    const server = await hello()
    const asked: string[] = []
    const transport = open({
      lookup(hostname, _, callback) {
        asked.push(hostname)
        callback(null, [{ address: '127.0.0.1', family: 4 }])
      },
    })
    expect(await (await transport(`http://pinned.test:${server.port}`)).text()).toBe('hello')
    expect(asked).toEqual(['pinned.test'])
  })

  it('trusts the certificate it is given and no other', async () => {
    const server = await secureHello()
    expect(await (await open({ ca: server.ca })(server.origin)).text()).toBe('hello')
    await expect(open({})(server.origin)).rejects.toMatchObject({
      code: 'network',
      systemCode: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
  })

  it('gives up on a server that does not finish the handshake', async () => {
    const mute = keep(await startTcp(() => undefined))
    await expect(open({ connectTimeoutMs: 50 })(`https://127.0.0.1:${mute.port}`)).rejects.toMatchObject({
      code: 'network',
      message: `Cannot reach 127.0.0.1:${mute.port}: no answer in time`,
    })
  })

  it('rejects at once when the signal aborts while it still connects', async () => {
    const mute = keep(await startTcp(() => undefined))
    const controller = new AbortController()
    const call = open({})(`https://127.0.0.1:${mute.port}`, { signal: controller.signal })
    setTimeout(() => controller.abort(new Error('left')), 20)
    await expect(call).rejects.toEqual(new Error('left'))
  })

  it('refuses a header that HTTP does not allow without quoting it', async () => {
    const server = await hello()
    await expect(open({})(server.origin, { headers: { cookie: 'a=\nsecret' } })).rejects.toEqual(
      new TypeError('invalid cookie header'),
    )
  })
})

describe('an HTTP proxy', () => {
  it.each(['http', 'https'])('carries %s', async (scheme) => {
    const server = scheme === 'https' ? await secureHello() : await hello()
    const proxy = await startProxy()
    const transport = open({
      proxy: `http://me:p%40ss@127.0.0.1:${proxy.port}`,
      ...trust(server),
    })
    const headers = { 'x-mine': '1' }
    expect(await (await transport(server.origin, { headers })).text()).toBe('hello')
    expect(await (await transport(server.origin, { headers })).text()).toBe('hello')
    expect(proxy.asked).toEqual([new URL(server.origin).host])
    expect(headers).toEqual({ 'x-mine': '1' })
  })

  it('says that it refused the password, without the password', async () => {
    const server = await hello()
    const proxy = await startProxy()
    const error = await open({ proxy: `http://me:hunter2@127.0.0.1:${proxy.port}` })(server.origin).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      code: 'proxy',
      message: `The proxy cannot be used to reach 127.0.0.1:${server.port}: it refused the user name or password (407)`,
    })
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toContain('hunter2')
  })

  it('is named when it is not there, says nothing or hangs up', async () => {
    const server = await hello()
    const mute = keep(await startTcp(() => undefined))
    const rude = keep(await startTcp((socket) => void socket.once('data', () => socket.destroy())))
    const call = (port: number, options = {}) => open({ proxy: `http://127.0.0.1:${port}`, ...options })(server.origin)
    await expect(call(await closedPort())).rejects.toMatchObject({ code: 'proxy', systemCode: 'ECONNREFUSED' })
    await expect(call(mute.port, { connectTimeoutMs: 300 })).rejects.toMatchObject({ code: 'proxy' })
    await expect(call(rude.port)).rejects.toMatchObject({ code: 'proxy' })
  })

  it('is not blamed for the certificate of the server', async () => {
    const server = await secureHello()
    const proxy = await startProxy()
    await expect(open({ proxy: `http://me:p%40ss@127.0.0.1:${proxy.port}` })(server.origin)).rejects.toMatchObject({
      code: 'network',
      systemCode: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
  })
})

describe('a SOCKS5 proxy', () => {
  it.each(['http', 'https'])('carries %s and resolves the name itself', async (scheme) => {
    const server = scheme === 'https' ? await secureHello() : await hello()
    const proxy = keep(await startSocks({ user: 'me', password: 'p@ss' }))
    const transport = open({
      proxy: `socks5://me:p%40ss@127.0.0.1:${proxy.port}`,
      ...trust(server),
    })
    expect(await (await transport(`${scheme}://localhost:${server.port}/`)).text()).toBe('hello')
    expect(proxy.asked).toEqual([`localhost:${server.port}`])
  })

  it('frees the socket when the loop is left', async () => {
    const server = keep(await startHttp((_, response) => void response.write('first')))
    const proxy = keep(await startSocks())
    const transport = open({ proxy: `socks5://127.0.0.1:${proxy.port}` })
    for await (const _ of (await transport(server.origin)).body) break
    await proxy.empty()
    await server.empty()
    expect([proxy.sockets.size, server.sockets.size]).toEqual([0, 0])
  })

  it('is named when it refuses, cannot reach the server or is not there', async () => {
    const proxy = keep(await startSocks({ user: 'me', password: 'right' }))
    const wrong = open({ proxy: `socks5://me:hunter2@127.0.0.1:${proxy.port}` })
    const error = await wrong('http://127.0.0.1:1/').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'proxy',
      message: 'The proxy cannot be used to reach 127.0.0.1:1: it refused the user name or password',
    })
    expect(JSON.stringify([error, (error as Error).stack])).not.toContain('hunter2')

    const closed = await closedPort()
    const right = open({ proxy: `socks5://me:right@127.0.0.1:${proxy.port}` })
    await expect(right(`http://127.0.0.1:${closed}`)).rejects.toMatchObject({
      code: 'proxy',
      message: `The proxy cannot be used to reach 127.0.0.1:${closed}: it answered ConnectionRefused`,
    })
    await expect(open({ proxy: `socks5://127.0.0.1:${closed}` })('http://127.0.0.1:1/')).rejects.toMatchObject({
      code: 'proxy',
    })
  })
})

it.each([
  [
    'http://me:hunter2%ff@127.0.0.1:1',
    '`proxy` has a % in its user or password that begins no percent-encoding; write it as %25',
  ],
  ['not a url hunter2', '`proxy` is not a URL; write http://user:pass@host:port or socks5://user:pass@host:port'],
  ['ftp://me:hunter2@host', '`proxy` has the scheme ftp: but only http, https and socks5 are supported'],
])('refuses the proxy %s', (proxy, message) => {
  expect(() => createNodeTransport({ proxy })).toThrow(new TypeError(message))
})
