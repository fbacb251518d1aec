import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMediaHandler, createUrlSigner } from '../src/index.ts'
import type { MediaStore, MediaStoreOptions } from '../src/index.ts'
import { broken, gather, inPieces, png } from './pictures.ts'

export interface StoreSetup {
  /** Every store made sees the same bytes. */
  create(options?: MediaStoreOptions): MediaStore
  /** Removes all bytes. */
  close(): Promise<void>
}

const DAY = 86_400_000

/** What every store does, wherever the bytes live. */
export function describeMediaStore(name: string, setUp: () => Promise<StoreSetup>): void {
  describe(`${name} keeps bytes`, () => {
    let setup: StoreSetup
    let time = Date.now()
    const now = (): number => time
    const create = (options: MediaStoreOptions = {}): MediaStore => setup.create({ now, ...options })
    beforeAll(async () => {
      setup = await setUp()
    })
    afterAll(() => setup.close())

    it('gives back what was put, bytes or stream', async () => {
      const store = create()
      for (const body of [png(100), inPieces(png(100), 7)]) {
        const entry = await store.put(body, { name: 'a "cat" 🐈.png' })
        expect(entry).toMatchObject({
          sizeBytes: 100,
          mimeType: 'image/png',
          etag: `"${entry.id}"`,
          storedAt: time,
          name: 'a "cat" 🐈.png',
        })
        expect(entry.id).toMatch(/^[0-9a-z]+-[A-Za-z0-9_-]{22}\.png$/)
        expect(entry.expiresAt - time - DAY).toBeLessThan(1000)
        const { body: stored, ...object } = (await store.get(entry.id))!
        expect(object).toEqual(entry)
        expect(await gather(stored)).toEqual(png(100))
      }
    })

    it('keeps an empty item', async () => {
      const store = create()
      for (const body of [new Uint8Array(0), inPieces(new Uint8Array(0), 1)]) {
        const { id, mimeType, sizeBytes } = await store.put(body)
        expect([mimeType, sizeBytes]).toEqual(['application/octet-stream', 0])
        expect(await gather((await store.get(id))!.body)).toEqual(new Uint8Array(0))
      }
    })

    it.each([
      [{ start: 10, end: 19 }, 10, 19],
      [{ start: 90 }, 90, 99],
      [{ start: 0, end: 1000 }, 0, 99],
    ])('reads the range %o', async (range, start, end) => {
      const store = create()
      const bytes = png(100)
      const { id } = await store.put(bytes)
      const object = (await store.get(id, { range }))!
      expect(object.range).toEqual({ start, end })
      expect(await gather(object.body)).toEqual(bytes.slice(start, end + 1))
      expect(await store.get(id, { range: { start: 100 } })).toBeUndefined()
    })

    it('stores nothing when the body breaks off, and throws what it threw', async () => {
      const store = create()
      const before = (await store.sweep()).totalBytes
      const mine = new RangeError('mine')
      await expect(store.put(broken(png(3_000_000), mine))).rejects.toBe(mine)
      expect((await store.sweep()).totalBytes).toBe(before)
    })

    it('refuses an item over the limit, whether its size is known or not', async () => {
      const store = create({ maxBytes: 5000 })
      const message = 'The item is larger than the limit of 5000 bytes'
      await expect(store.put(png(5001))).rejects.toMatchObject({ name: 'MediaStoreError', code: 'too_large', message })
      await expect(store.put(inPieces(png(6000), 100))).rejects.toMatchObject({ code: 'too_large', message })
      expect((await store.put(inPieces(png(5000), 100))).sizeBytes).toBe(5000)
    })

    it('stops when the signal aborts', async () => {
      const store = create()
      const controller = new AbortController()
      async function* leaving(): AsyncGenerator<Uint8Array> {
        yield png(8000)
        controller.abort(new Error('left'))
        yield png(8000)
      }
      await expect(store.put(leaving(), { signal: controller.signal })).rejects.toEqual(new Error('left'))
    })

    it('knows nothing of ids that were never given out', async () => {
      const store = create()
      const { id } = await store.put(png(10))
      const other = id.replace(/-./, (text) => (text === '-A' ? '-B' : '-A'))
      for (const unknown of [other, '', '../secret', 'x/../y', `${id}/..`, `${id}.entry.json`]) {
        expect(await store.get(unknown)).toBeUndefined()
        expect(await store.head(unknown)).toBeUndefined()
      }
      expect(await store.delete('../secret')).toBe(false)
    })

    it('forgets an item that is deleted', async () => {
      const store = create()
      const { id } = await store.put(png(10))
      expect(await store.delete(id)).toBe(true)
      expect(await store.get(id)).toBeUndefined()
    })

    it('forgets an item when its time is over, and sweeps it away', async () => {
      const store = create()
      await store.sweep()
      const short = await store.put(png(10), { ttlMs: 60_000 })
      const long = await store.put(png(20))
      time += 61_001
      expect(await store.get(short.id)).toBeUndefined()
      expect(await store.get(long.id)).toBeDefined()
      expect((await store.sweep()).expired).toBe(1)
      expect((await store.sweep()).expired).toBe(0)
      expect(await store.head(long.id)).toBeDefined()
    })

    it('serves its signed URLs', async () => {
      const signer = createUrlSigner({ publicBaseUrl: 'https://gw.test/media/', key: 'k'.repeat(32), now })
      const store = create({ signer })
      const handle = createMediaHandler({ store, signer, now })
      const { id, etag } = await store.put(inPieces(png(1000), 100), { name: 'x.png' })
      const url = await store.url(id)
      const response = await handle(new Request(url, { headers: { range: 'bytes=-10' } }))
      expect([response.status, response.headers.get('content-range'), response.headers.get('etag')]).toEqual([
        206,
        'bytes 990-999/1000',
        etag,
      ])
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(png(1000).slice(990))
    })
  })
}

/** Homes that count what they hold also make room. */
export function describeEviction(name: string, setUp: () => Promise<StoreSetup>): void {
  describe(`${name}: total limit`, () => {
    it('removes the oldest first', async () => {
      const setup = await setUp()
      let time = Date.now()
      const store = setup.create({ maxTotalBytes: 2500, now: () => time })
      const ids: string[] = []
      for (let index = 0; index < 4; index++) {
        time += 2000
        ids.push((await store.put(png(1000))).id)
      }
      const alive = await Promise.all(ids.map(async (id) => (await store.head(id)) !== undefined))
      expect(alive).toEqual([false, false, true, true])
      expect((await store.sweep()).totalBytes).toBe(2000)
      await expect(store.put(png(2501))).rejects.toMatchObject({ code: 'too_large' })
      await setup.close()
    })
  })
}
