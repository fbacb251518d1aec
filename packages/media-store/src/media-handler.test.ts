import { describe, expect, it } from 'vitest'
import { png } from '../test/pictures.ts'
import { createMediaHandler, createMemoryMediaStore, createUrlSigner, MediaStoreError } from './index.ts'
import type { MediaEntry, MediaStore, PutOptions } from './index.ts'

const KEY = 'k'.repeat(32)

interface Served {
  store: MediaStore
  entry: MediaEntry
  url: string
  handle: (request: Request) => Promise<Response>
  /** Moves the clock. */
  pass: (ms: number) => void
}

async function serve(body: Uint8Array, options: PutOptions = {}): Promise<Served> {
  let time = 1_800_000_000_000
  const now = (): number => time
  const signer = createUrlSigner({ publicBaseUrl: 'https://gw.test/media', key: KEY, now })
  const store = createMemoryMediaStore({ signer, now })
  const entry = await store.put(body, options)
  return {
    store,
    entry,
    url: await store.url(entry.id),
    handle: createMediaHandler({ store, signer, now }),
    pass: (ms) => void (time += ms),
  }
}

describe('createMediaHandler', () => {
  it('serves a picture so that nothing in it can run', async () => {
    const { entry, url, handle } = await serve(png(100), { name: "it's.png" })
    const response = await handle(new Request(url))
    expect([response.status, Object.fromEntries(response.headers)]).toEqual([
      200,
      {
        'accept-ranges': 'bytes',
        'access-control-allow-origin': '*',
        'cache-control': 'private, max-age=86400, immutable',
        'content-disposition': "inline; filename*=UTF-8''it%27s.png",
        'content-length': '100',
        'content-security-policy':
          "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
        'content-type': 'image/png',
        'cross-origin-resource-policy': 'cross-origin',
        etag: entry.etag,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      },
    ])
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(png(100))
  })

  it.each([
    ['text/html', '<script>alert(1)</script>', 'text/html'],
    ['image/svg+xml', '<?xml version="1.0"?><svg onload="alert(1)"/>', 'image/svg+xml'],
    ['image/png', '<script>alert(1)</script>', 'application/octet-stream'],
  ])('has a browser save what is called %s and is %s', async (mimeType, text, served) => {
    const { url, handle } = await serve(new TextEncoder().encode(text), { mimeType })
    const response = await handle(new Request(url))
    expect([response.headers.get('content-type'), response.headers.get('content-disposition')]).toEqual([
      served,
      'attachment',
    ])
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
  })

  it.each([
    ['bytes=0-9', 206, 'bytes 0-9/100', 10],
    ['bytes=90-', 206, 'bytes 90-99/100', 10],
    ['bytes=90-500', 206, 'bytes 90-99/100', 10],
    ['bytes=-10', 206, 'bytes 90-99/100', 10],
    ['bytes=-500', 206, 'bytes 0-99/100', 100],
    ['bytes=100-', 416, 'bytes */100', undefined],
    ['bytes=-0', 416, 'bytes */100', undefined],
    ['bytes=9-5', 200, null, 100],
    ['bytes=0-1,5-6', 200, null, 100],
    ['lines=1-2', 200, null, 100],
    ['bytes=-', 200, null, 100],
  ])('answers the range %s with %i', async (range, status, contentRange, length) => {
    const { url, handle } = await serve(png(100))
    const response = await handle(new Request(url, { headers: { range } }))
    expect([response.status, response.headers.get('content-range')]).toEqual([status, contentRange])
    if (length !== undefined) expect((await response.arrayBuffer()).byteLength).toBe(length)
  })

  it('does not send again what the client has', async () => {
    const { entry, url, handle } = await serve(png(100))
    for (const tag of [entry.etag, `W/${entry.etag}`, `"other", ${entry.etag}`, '*']) {
      const response = await handle(new Request(url, { headers: { 'if-none-match': tag } }))
      expect([response.status, response.headers.get('etag'), response.body]).toEqual([304, entry.etag, null])
    }
    expect((await handle(new Request(url, { headers: { 'if-none-match': '"other"' } }))).status).toBe(200)
    const old = await handle(new Request(url, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } }))
    expect(old.status).toBe(200)
    const same = await handle(new Request(url, { headers: { range: 'bytes=0-9', 'if-range': entry.etag } }))
    expect(same.status).toBe(206)
  })

  it('answers HEAD like GET, without the body', async () => {
    const { url, handle } = await serve(png(100))
    const response = await handle(new Request(url, { method: 'HEAD', headers: { range: 'bytes=0-9' } }))
    expect([response.status, response.headers.get('content-length'), response.body]).toEqual([200, '100', null])
    expect((await handle(new Request(url, { method: 'DELETE' }))).status).toBe(405)
  })

  it('refuses links that were changed, and says when one is over', async () => {
    const { store, entry, url, handle, pass } = await serve(png(100))
    const status = async (changed: string): Promise<number> => (await handle(new Request(changed))).status
    const other = (await store.put(png(10))).id
    expect(await status(url.replace(entry.id, other))).toBe(403)
    expect(await status(url.replace(/expires=(\d)/, 'expires=9$1'))).toBe(403)
    expect(await status(url.replace(/signature=./, 'signature=~'))).toBe(403)
    expect(await status(`https://gw.test/media/${entry.id}`)).toBe(403)
    expect(await status(`https://gw.test/media/..%2f..%2fetc%2fpasswd?expires=9999999999&signature=x`)).toBe(403)
    const short = await store.url(entry.id, { ttlMs: 5000, baseUrl: 'http://127.0.0.1:8080' })
    expect(short).toMatch(/^http:\/\/127\.0\.0\.1:8080\//)
    expect(await status(short)).toBe(200)
    pass(5000)
    expect(await status(short)).toBe(410)
    expect(await status(url)).toBe(200)
    await store.delete(entry.id)
    expect(await status(url)).toBe(404)
  })

  it('does not tell what is wrong with the home', async () => {
    const { store, url } = await serve(png(100))
    const signer = createUrlSigner({ key: KEY, now: () => 1_800_000_000_000 })
    const failing = {
      ...store,
      head: async () => Promise.reject(new MediaStoreError('denied', '/var/secret cannot be read')),
    }
    const response = await createMediaHandler({ store: failing, signer })(new Request(url))
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
      503,
      '5',
      'The file cannot be read right now.\n',
    ])
  })
})

describe('createUrlSigner', () => {
  it('refuses a short key and a base that is no URL', () => {
    expect(() => createUrlSigner({ key: 'short' })).toThrow(new TypeError('The signing key is shorter than 32 bytes'))
    expect(() => createUrlSigner({ key: KEY, publicBaseUrl: 'gw.test/media' })).toThrow(
      /^The public base URL must be an http or https URL/,
    )
  })

  it('needs a base for URLs, and a store needs a signer', async () => {
    await expect(createMemoryMediaStore().url('x-AAAAAAAAAAAAAAAAAAAAAA')).rejects.toMatchObject({
      code: 'not_configured',
    })
    await expect(createUrlSigner({ key: KEY }).sign('id', 0)).rejects.toThrow(
      'No public base URL is set (PUBLIC_BASE_URL)',
    )
  })
})
