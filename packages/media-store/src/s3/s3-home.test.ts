import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from '@20minutes/s3rver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { broken, gather, inPieces, png } from '../../test/pictures.ts'
import { describeEviction, describeMediaStore } from '../../test/store-behaviour.ts'
import { createS3MediaStore } from '../s3.ts'
import type { S3MediaStoreOptions } from '../s3.ts'
import { PART_BYTES } from './upload.ts'

let directory: string
let server: S3rver
let port: number
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'castor-s3-'))
  server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: 'pictures' }],
  })
  port = (await server.run()).port
})
afterAll(async () => {
  await server.close()
  await rm(directory, { recursive: true, force: true })
})

function open(options: Partial<S3MediaStoreOptions> = {}): ReturnType<typeof createS3MediaStore> {
  return createS3MediaStore({
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'pictures',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    region: 'us-east-1',
    retryDelayMs: 1,
    ...options,
  })
}

let next = 0
async function setUp() {
  const prefix = `set-${++next}/`
  return {
    create: (options: Partial<S3MediaStoreOptions> = {}) => open({ prefix, ...options }),
    close: async () => undefined,
  }
}

describeMediaStore('a store in a bucket', setUp)
describeEviction('a store in a bucket', async () => {
  const setup = await setUp()
  return {
    ...setup,
    create: (options = {}) => {
      const store = setup.create(options)
      // The server dates objects by its own clock: a pause makes the order plain.
      return {
        ...store,
        put: async (...args) => {
          await new Promise((resolve) => setTimeout(resolve, 20))
          return store.put(...args)
        },
      }
    },
  }
})

describe('createS3MediaStore', () => {
  it('uploads in parts what does not fit one', async () => {
    const bytes = png(PART_BYTES * 2 + 1000)
    const store = open()
    const entry = await store.put(inPieces(bytes, 1_000_003))
    expect([entry.sizeBytes, entry.mimeType]).toEqual([bytes.byteLength, 'image/png'])
    expect(Buffer.compare(await gather((await store.get(entry.id))!.body), bytes)).toBe(0)
  })

  it('gives presigned URLs that work without our key, with ranges, and not when they are changed', async () => {
    const store = open()
    const { id } = await store.put(png(1000), { name: 'ä.png' })
    const url = await store.url(id)
    expect(url).not.toContain('S3RVER&X-Amz-Secret')
    const response = await fetch(url, { headers: { range: 'bytes=10-19' } })
    expect(response.status).toBe(206)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(png(1000).slice(10, 20))
    const whole = await fetch(url)
    expect([whole.headers.get('content-type'), whole.headers.get('content-disposition')]).toEqual([
      'image/png',
      "inline; filename*=UTF-8''%C3%A4.png",
    ])
    await whole.body?.cancel()
    for (const wrong of [url.replace('X-Amz-Expires=', 'X-Amz-Expires=1'), url.replace(id, `${id}x`)]) {
      const refused = await fetch(wrong)
      expect(refused.status).toBe(403)
      await refused.body?.cancel()
    }
  })

  it('gives presigned URLs that expire', async () => {
    const store = open()
    const { id } = await store.put(png(10))
    const url = await store.url(id, { ttlMs: 1 })
    await new Promise((resolve) => setTimeout(resolve, 2100))
    const response = await fetch(url)
    expect(response.status).toBe(403)
    await response.body?.cancel()
  })

  it.each([
    [
      { secretAccessKey: 'wrong' },
      'denied',
      /^The bucket pictures refuses us \(SignatureDoesNotMatch\)\. Check the access key/,
    ],
    [{ accessKeyId: 'nobody' }, 'denied', /^The bucket pictures refuses us \(InvalidAccessKeyId\)/],
    [{ bucket: 'missing' }, 'not_configured', /^The bucket missing does not exist$/],
  ])('says what is wrong with %o', async (options, code, message) => {
    const error = await open(options)
      .put(png(10))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'MediaStoreError', code, message: expect.stringMatching(message) })
    expect(String(error)).not.toMatch(/wrong|nobody/)
  })

  it('says that the bucket cannot be reached', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`
    await new Promise((resolve) => closed.close(resolve))
    const put = open({ endpoint }).put(png(10))
    await expect(put).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The bucket pictures cannot be reached (ECONNREFUSED)',
    })
  })

  it.each([
    [{ endpoint: 'pictures.test' }, 'The S3 endpoint must be an http or https URL'],
    [{ bucket: 'Not/A/Bucket' }, 'The bucket name must be 3 to 63 lower-case letters, digits, dots or dashes'],
  ])('refuses the configuration %o', (options, message) => {
    expect(() => open(options)).toThrow(new TypeError(message))
  })

  it('puts the bucket into the host name where that is wanted', async () => {
    const asked: string[] = []
    const store = open({
      endpoint: 'https://oss.test',
      style: 'virtual',
      fetch: async (input) => {
        asked.push((input as Request).url)
        return new Response(null, { status: 200 })
      },
    })
    const { id } = await store.put(png(10))
    expect(asked).toEqual([`https://pictures.oss.test/castor/${id}`])
    expect(await store.url(id)).toMatch(new RegExp(`^https://pictures\\.oss\\.test/castor/${id}\\?X-Amz-`))
  })

  it('drops the parts when the body breaks off in the middle of an upload', async () => {
    const calls: string[] = []
    const prefix = 'broken/'
    const store = open({
      prefix,
      fetch: async (input) => {
        const request = input as Request
        const { searchParams } = new URL(request.url)
        calls.push(`${request.method} ${[...searchParams.keys()].join()}`)
        return fetch(request)
      },
    })
    await expect(store.put(broken(png(PART_BYTES + 1), new RangeError('mine')))).rejects.toEqual(new RangeError('mine'))
    expect(calls).toEqual(['POST uploads', 'PUT partNumber,uploadId', 'DELETE uploadId'])
    expect((await store.sweep()).totalBytes).toBe(0)
    expect(
      await readdir(join(directory, 'pictures')).then((names) => names.filter((name) => name.startsWith('broken'))),
    ).toEqual([])
  })

  it('keeps nothing when the bucket dies in the middle of an upload', async () => {
    // Everything passes through until the second part begins; from then on every line is dead.
    let dead = false
    const lines = new Set<Socket>()
    const proxy = createServer((socket) => {
      if (dead) return void socket.destroy()
      const upstream = connect(port, '127.0.0.1')
      lines.add(socket).add(upstream)
      for (const end of [socket, upstream]) end.on('error', () => undefined)
      socket.on('data', (chunk) => {
        dead ||= chunk.includes('partNumber=2')
        if (!dead) upstream.write(chunk)
        else for (const line of lines) line.destroy()
      })
      upstream.pipe(socket)
      socket.on('close', () => upstream.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const dying = open({ endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, prefix: 'dying/' })
    const error = await dying.put(inPieces(png(PART_BYTES * 3), 1_000_000)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'MediaStoreError', code: 'unavailable' })
    expect(dead).toBe(true)
    expect((await open({ prefix: 'dying/' }).sweep()).totalBytes).toBe(0)
    await new Promise((resolve) => proxy.close(resolve))
  })

  it('drops uploads that their process left behind a day ago, and no others', async () => {
    const calls: string[] = []
    const upload = (key: string, id: string, begun: string): string =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun}</Initiated></Upload>`
    const store = open({
      now: () => Date.parse('2026-03-02T00:00:00Z'),
      fetch: async (input) => {
        const { method, url } = input as Request
        const { pathname, searchParams } = new URL(url)
        if (searchParams.has('list-type')) return new Response('<ListBucketResult/>')
        calls.push(`${method} ${pathname} ${searchParams.get('uploadId') ?? ''}`)
        return method === 'DELETE'
          ? new Response(null, { status: 204 })
          : new Response(
              `<ListMultipartUploadsResult>${upload('castor/a', 'old', '2026-02-28T00:00:00Z')}${upload('castor/b', 'young', '2026-03-01T12:00:00Z')}${upload('other/c', 'foreign', '2026-02-01T00:00:00Z')}</ListMultipartUploadsResult>`,
            )
      },
    })
    await store.sweep()
    expect(calls).toEqual(['GET /pictures ', 'DELETE /pictures/castor/a old'])
  })

  it('tries again when the bucket fails for a moment', async () => {
    let failures = 2
    const store = open({
      prefix: 'again/',
      fetch: async (input) =>
        failures-- > 0 ? new Response('<Error><Code>SlowDown</Code></Error>', { status: 503 }) : fetch(input),
    })
    const { id } = await store.put(png(10))
    expect(await store.head(id)).toBeDefined()
    failures = 10
    await expect(store.put(png(10))).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The bucket pictures failed (SlowDown)',
    })
  })
})
