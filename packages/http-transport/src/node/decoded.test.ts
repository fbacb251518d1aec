import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHttp } from '../../test/servers.ts'
import type { TestServer } from '../../test/servers.ts'
import { createNodeTransport } from '../node.ts'

const TEXT = 'café 🌊 '.repeat(10_000)
const BODIES: Record<string, [encoding: string, body: Uint8Array]> = {
  '/gzip': ['gzip', gzipSync(TEXT)],
  '/deflate': ['deflate', deflateSync(TEXT)],
  '/br': ['br', brotliCompressSync(TEXT)],
  '/identity': ['identity', Buffer.from(TEXT)],
  '/garbage': ['gzip', Buffer.from('this is not gzip')],
  '/bomb': ['gzip', gzipSync(Buffer.alloc(50_000_000))],
}

describe('compressed replies', () => {
  let server: TestServer
  const transport = createNodeTransport()
  beforeAll(async () => {
    server = await startHttp((request, response) => {
      if (request.url === '/empty') return void response.writeHead(204, { 'content-encoding': 'gzip' }).end()
      if (request.url === '/slow') {
        response.writeHead(200, { 'content-encoding': 'gzip' })
        const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH })
        gzip.pipe(response)
        return void gzip.write('first')
      }
      const [encoding, body] = BODIES[request.url ?? ''] ?? ['identity', new Uint8Array(0)]
      response.writeHead(200, { 'content-encoding': encoding }).end(body)
    })
  })
  afterAll(async () => {
    await transport.close()
    await server.close()
  })

  it.each(['/gzip', '/deflate', '/br', '/identity'])('are read as what they were (%s)', async (path) => {
    expect(await (await transport(server.origin + path)).text()).toBe(TEXT)
  })

  it('may be empty', async () => {
    expect(await (await transport(`${server.origin}/empty`)).text()).toBe('')
    expect(await (await transport(`${server.origin}/gzip`, { method: 'HEAD' })).text()).toBe('')
  })

  it('are an error when they are something else', async () => {
    await expect((await transport(`${server.origin}/garbage`)).text()).rejects.toMatchObject({
      name: 'TransportError',
      code: 'network',
      systemCode: 'Z_DATA_ERROR',
    })
  })

  it('are limited by what they unpack to', async () => {
    await expect((await transport(`${server.origin}/bomb`)).bytes(1_000_000)).rejects.toMatchObject({
      code: 'too_large',
    })
  })

  it('arrive as they are flushed, and end with the signal', async () => {
    const controller = new AbortController()
    const { body } = await transport(`${server.origin}/slow`, { signal: controller.signal })
    const read: string[] = []
    const loop = async (): Promise<void> => {
      for await (const chunk of body) {
        read.push(new TextDecoder().decode(chunk))
        controller.abort(new Error('left'))
      }
    }
    await expect(loop()).rejects.toEqual(new Error('left'))
    expect(read).toEqual(['first'])
  })
})
