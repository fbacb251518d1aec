import S3rver from '@20minutes/s3rver'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { startGateway } from '../src/gateway.ts'
import { open } from './pictures.ts'
import { startStack, type Stack, type StackOptions } from './stack.ts'

async function using<T>(options: StackOptions, body: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack(options)
  try {
    return await body(stack)
  } finally {
    await stack.close()
  }
}

async function draw(
  { gateway }: Stack,
  wishes: object = { response_format: 'url' },
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${gateway.url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt: 'Draw a 640x480 lighthouse', model: 'gemini-2.5-flash-image', ...wishes }),
  })
  const body = (await response.json()) as { data?: { url?: string; b64_json?: string }[]; error?: { message: string } }
  return {
    status: response.status,
    url: body.data?.[0]?.url,
    base64: body.data?.[0]?.b64_json,
    warnings: response.headers.get('x-castor-warnings'),
  }
}

const isPicture = async (bytes: Uint8Array): Promise<void> => {
  const { width, height } = await open(bytes)
  expect([width, height]).toEqual([640, 480])
}

const s3 = (port: number, more: object = {}) => ({
  mediaStore: {
    kind: 's3',
    s3: {
      endpoint: `http://127.0.0.1:${port}`,
      bucket: 'pictures',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
      region: 'us-east-1',
      ...more,
    },
  },
})

/** A bucket that takes so many bytes of every connection and then breaks it. */
async function dyingBucket(afterBytes: number) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let taken = 0
    socket.on('error', () => undefined)
    socket.on('data', (piece) => {
      taken += piece.length
      if (taken >= afterBytes) socket.resetAndDestroy()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const KEPT_INSIDE = 'media.delivery: The media store did not take the file, so it is inside the answer'

describe('a bucket', () => {
  it('serves through the gateway, in part too, or by its own links', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'castor-s3-'))
    const server = new S3rver({
      address: '127.0.0.1',
      port: 0,
      silent: true,
      directory,
      configureBuckets: [{ name: 'pictures' }],
    })
    const { port } = await server.run()
    try {
      await using({ config: s3(port) }, async (stack) => {
        const { url = '', warnings } = await draw(stack)
        expect([url.startsWith(`${stack.gateway.url}/media/`), warnings]).toEqual([true, null])
        const whole = new Uint8Array(await (await fetch(url)).arrayBuffer())
        await isPicture(whole)
        const part = await fetch(url, { headers: { range: 'bytes=-10' } })
        expect([part.status, new Uint8Array(await part.arrayBuffer())]).toEqual([206, whole.slice(-10)])
      })
      await using({ config: s3(port, { links: 'bucket' }) }, async (stack) => {
        const { url = '' } = await draw(stack)
        expect(new URL(url).port).toBe(String(port))
        await isPicture(new Uint8Array(await (await fetch(url)).arrayBuffer()))
      })
      // Refused for its key: the picture is not lost.
      await using({ config: s3(port, { secretAccessKey: 'wrong' }) }, async (stack) => {
        const { status, base64 = '', warnings } = await draw(stack)
        expect([status, warnings]).toEqual([200, expect.stringContaining(KEPT_INSIDE)])
        await isPicture(Buffer.from(base64, 'base64'))
        expect(stack.logLines.join('')).toContain('the media store did not take a file')
        expect(stack.logLines.join('')).not.toContain('"wrong"')
      })
    } finally {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    }
  })

  it.each([
    ['that is not there', 0],
    ['that dies half way', 20_000],
  ])('%s: the picture comes inside the answer, with a warning', async (_, afterBytes) => {
    const bucket = await dyingBucket(afterBytes === 0 ? 1 : afterBytes)
    if (afterBytes === 0) await bucket.close()
    try {
      await using({ config: s3(bucket.port) }, async (stack) => {
        const { status, base64 = '', warnings } = await draw(stack)
        expect([status, warnings]).toEqual([200, expect.stringContaining(KEPT_INSIDE)])
        await isPicture(Buffer.from(base64, 'base64'))
        // Chat says it in its own shape.
        const chat = await fetch(`${stack.gateway.url}/v1/chat/completions?response_type=url`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'gemini-2.5-flash-imagen',
            messages: [{ role: 'user', content: 'Draw a 640x480 boat' }],
          }),
        })
        expect(chat.headers.get('x-castor-warnings')).toContain(KEPT_INSIDE)
        expect(await chat.text()).toContain('data:image/jpeg;base64,')
      })
    } finally {
      if (afterBytes > 0) await bucket.close()
    }
  })

  it('without its settings is refused at the start, with what to write', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'castor-media-'))
    const config = (): ReturnType<typeof parseConfig> =>
      parseConfig({ host: '127.0.0.1', port: 0, dataDir, mediaStore: { kind: 's3' } })
    await expect(async () => startGateway(config())).rejects.toThrow(/mediaStore\.s3/)
    await rm(dataDir, { recursive: true, force: true })
  })
})

describe('links', () => {
  it('begin with the public address where one is set', async () => {
    await using({ config: { publicBaseUrl: 'https://pictures.example/castor/' } }, async (stack) => {
      const { url = '' } = await draw(stack)
      expect(url.startsWith('https://pictures.example/castor/media/')).toBe(true)
      // A proxy in front takes its own part of the path away.
      await isPicture(
        new Uint8Array(
          await (await fetch(url.replace('https://pictures.example/castor', stack.gateway.url))).arrayBuffer(),
        ),
      )
    })
  })

  it('need no key, and end when their time is over', async () => {
    const key = 'a-key-of-a-caller'
    const config = { apiKeys: [{ id: 'ada', key }], mediaStore: { kind: 'memory', ttlMs: 1_000 } }
    await using({ config }, async (stack) => {
      const { url = '' } = await draw(stack, { response_format: 'url' }, { authorization: `Bearer ${key}` })
      expect((await fetch(url)).status).toBe(200)
      const late = new URL(url)
      await expect
        .poll(async () => (await fetch(late)).status, { timeout: 10_000, interval: 200 })
        .toSatisfy((status: number) => status === 403 || status === 404 || status === 410)
    })
  })

  it('the folder keeps whole files only', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'castor-media-'))
    await using({ config: { dataDir } }, async (stack) => {
      const { url = '' } = await draw(stack)
      expect((await fetch(url)).status).toBe(200)
      const names = await readdir(join(dataDir, 'media'))
      expect(names.filter((name) => name.includes('tmp'))).toEqual([])
      expect(names.length).toBeGreaterThan(0)
    })
    await rm(dataDir, { recursive: true, force: true })
  })
})

describe('the operator’s defaults', () => {
  it('hold unless the caller says otherwise', async () => {
    await using({ config: { media: { removeWatermark: true, original: true } } }, async (stack) => {
      const wishes = { response_format: 'b64_json', prompt: 'Draw a 800x600 lighthouse' }
      const removed = Buffer.from((await draw(stack, wishes)).base64 ?? '', 'base64').toString('latin1')
      expect(removed).toContain('trainedAlgorithmicMedia')
      const kept = await draw(stack, { ...wishes, remove_watermark: false, return_origin_image: false })
      expect(
        Buffer.from(kept.base64 ?? '', 'base64')
          .subarray(0, 2)
          .toString('hex'),
      ).toBe('ffd8')
    })
  })
})
