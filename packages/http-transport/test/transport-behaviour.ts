import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gzipSync } from 'node:zlib'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { startHttp } from './servers.ts'
import type { TestServer } from './servers.ts'
import type { Transport } from '../src/index.ts'

const BIG = new Uint8Array(1_000_000).fill(97)

function answer(request: IncomingMessage, response: ServerResponse): void {
  switch (new URL(request.url ?? '/', 'http://x').pathname) {
    case '/echo': {
      const { method, headers } = request
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () =>
        response.end(JSON.stringify({ method, test: headers['x-test'], body: Buffer.concat(chunks).toString() })),
      )
      return
    }
    case '/redirect':
      return void response.writeHead(302, { location: '/echo' }).end()
    case '/cookies':
      response.setHeader('set-cookie', ['a=1; Path=/', 'b=2'])
      response.setHeader('vary', ['x', 'y'])
      return void response.end()
    case '/big':
      return void response.writeHead(200, { 'content-length': BIG.length }).end(BIG)
    case '/big-chunked':
      response.write(BIG.subarray(1))
      return void response.end('a')
    case '/gzip':
      return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('squeezed'))
    case '/stall':
      return void response.write('first')
    case '/cut':
      response.writeHead(200, { 'content-length': 10 }).write('half')
      return void setImmediate(() => request.socket.destroy())
    case '/silent':
      return
    default:
      return void response.writeHead(404).end('{"not": json')
  }
}

async function* chunked(text: string): AsyncGenerator<Uint8Array> {
  for (const letter of text) yield new TextEncoder().encode(letter)
}

/** What every transport does, whatever it is built on. */
export function describeTransport(name: string, create: () => Transport & { close?: () => Promise<void> }): void {
  describe(`${name} behaves like every transport`, () => {
    let server: TestServer
    let transport: ReturnType<typeof create>
    beforeAll(async () => {
      server = await startHttp(answer)
      transport = create()
    })
    afterAll(async () => {
      await transport.close?.()
      await server.close()
    })

    it.each([
      ['a string', () => 'café 🌊'],
      ['bytes', () => new TextEncoder().encode('café 🌊')],
      ['a stream', () => chunked('café 🌊')],
    ])('sends method, headers and %s as the body', async (_, body) => {
      const response = await transport(`${server.origin}/echo`, {
        method: 'POST',
        headers: { 'x-test': 'yes' },
        body: body(),
      })
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual({ method: 'POST', test: 'yes', body: 'café 🌊' })
    })

    it('throws on what the body of the caller threw', async () => {
      const own = new RangeError('mine')
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(1)
        throw own
      }
      await expect(transport(`${server.origin}/echo`, { method: 'POST', body: failing() })).rejects.toBe(own)
    })

    it('does not follow a redirect', async () => {
      const response = await transport(`${server.origin}/redirect`)
      expect([response.status, response.header('location')]).toEqual([302, '/echo'])
      await response.discard()
    })

    it('gives each cookie line by itself and joins other repeated headers', async () => {
      const response = await transport(`${server.origin}/cookies`)
      expect(response.setCookies()).toEqual(['a=1; Path=/', 'b=2'])
      expect([response.header('vary'), response.header('x-none')]).toEqual(['x, y', undefined])
      expect(await response.text()).toBe('')
    })

    it('reads a body piece by piece', async () => {
      let size = 0
      for await (const chunk of (await transport(`${server.origin}/big`)).body) size += chunk.byteLength
      expect(size).toBe(1_000_000)
    })

    it.each(['/big', '/big-chunked'])('reads %s whole, or refuses it over a limit', async (path) => {
      expect((await (await transport(server.origin + path)).bytes(1_000_000)).byteLength).toBe(1_000_000)
      await expect((await transport(server.origin + path)).text(999_999)).rejects.toMatchObject({
        name: 'TransportError',
        code: 'too_large',
        message: 'The reply is longer than the limit of 999999 bytes',
      })
    })

    it('undoes gzip', async () => {
      const response = await transport(`${server.origin}/gzip`, { headers: { 'accept-encoding': 'gzip' } })
      expect(await response.text()).toBe('squeezed')
    })

    it('does not quote a reply that is not JSON', async () => {
      await expect((await transport(`${server.origin}/none`)).json()).rejects.toEqual(
        new SyntaxError('The reply is not JSON (12 characters)'),
      )
    })

    it('reports a body that is cut short', async () => {
      const response = await transport(`${server.origin}/cut`)
      await expect(response.text()).rejects.toMatchObject({ name: 'TransportError', code: 'network' })
    })

    it('rejects with the reason of a signal, before, during and after the head', async () => {
      const reason = new Error('enough')
      await expect(transport(`${server.origin}/echo`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)

      const early = new AbortController()
      const waiting = transport(`${server.origin}/silent`, { signal: early.signal })
      setTimeout(() => early.abort(reason), 20)
      await expect(waiting).rejects.toBe(reason)

      const late = new AbortController()
      const { body } = await transport(`${server.origin}/stall`, { signal: late.signal })
      const read: string[] = []
      const loop = (async () => {
        for await (const chunk of body) {
          read.push(new TextDecoder().decode(chunk))
          setImmediate(() => late.abort(reason))
        }
      })()
      await expect(loop).rejects.toBe(reason)
      expect(read).toEqual(['first'])
    })

    it('names the host and nothing else of the URL in an error', async () => {
      const error = await transport('http://user:hunter2@127.0.0.1:1/secret-path?key=secret').catch(
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({ name: 'TransportError', code: 'network' })
      expect(JSON.stringify([String(error), (error as Error).stack, error])).not.toMatch(/secret|hunter2/)
      await expect(transport('http://[?key=secret')).rejects.toEqual(new TypeError('The URL to call is not valid'))
    })

    it('leaves no socket behind after 200 exchanges that end at random places', async () => {
      const signals: AbortController[] = []
      await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const controller = new AbortController()
          signals.push(controller)
          const path = ['/stall', '/silent', '/big', '/big-chunked', '/stall'][index % 5]
          setTimeout(() => controller.abort(new Error('left')), (index * 7919) % 60)
          try {
            const response = await transport(server.origin + path, { signal: controller.signal })
            if (index % 3 === 0) return await response.discard()
            for await (const chunk of response.body) if (chunk.byteLength > 0 && index % 2 === 0) break
          } catch (error) {
            expect(error).toEqual(new Error('left'))
          }
        }),
      )
      await transport.close?.()
      await server.empty()
      transport = create()
      expect(server.sockets.size).toBe(0)
    })
  })
}
