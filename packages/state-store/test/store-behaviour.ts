import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { updateRecord, withLock } from '../src/index.ts'
import type { Lease, StateRecord, StateStore } from '../src/index.ts'

export interface StoreSetup {
  /** An empty store. */
  store: StateStore
  /** Lets the time of the store pass. */
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

export async function listAll(store: StateStore, prefix: string): Promise<StateRecord[]> {
  const records: StateRecord[] = []
  for await (const record of store.list(prefix)) records.push(record)
  return records
}

/** What every state store does, wherever the state lives. */
export function describeStateStore(name: string, setUp: () => Promise<StoreSetup>): void {
  describe(`${name} behaves like every state store`, () => {
    let setup: StoreSetup
    let store: StateStore
    beforeAll(async () => {
      setup = await setUp()
      store = setup.store
    })
    afterAll(() => setup.close())

    it.each([[{ a: [1, 'ü 🐈', null, true], b: { c: '' } }], ['text:with:colons'], [0], [null], [[]]])(
      'gives back %j',
      async (value) => {
        const version = await store.set('value', value)
        expect(await store.get('value')).toEqual({ key: 'value', value, version })
      },
    )

    it('gives copies', async () => {
      const value = { list: [1] }
      await store.set('copy', value)
      value.list.push(2)
      const read = (await store.get('copy'))?.value as { list: number[] }
      read.list.push(3)
      expect((await store.get('copy'))?.value).toEqual({ list: [1] })
    })

    it('knows nothing of what was never written', async () => {
      expect(await store.get('nothing')).toBeUndefined()
      expect(await store.delete('nothing')).toBe(false)
      expect(await listAll(store, 'nothing/')).toEqual([])
      expect(await store.count('nothing', { by: 0 })).toEqual({ counted: true, value: 0 })
    })

    it('never gives a version twice, not even after a delete', async () => {
      const versions: number[] = []
      for (let round = 0; round < 5; round++) {
        versions.push(await store.set('version', round), await store.set('version', round))
        expect(await store.delete('version')).toBe(true)
      }
      expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b))
      expect(versions.every(Number.isSafeInteger)).toBe(true)
    })

    it('writes over what was read, and over nothing else', async () => {
      const first = await store.compareAndSet('cas', 0, 'first')
      expect(first).toBeDefined()
      expect(await store.compareAndSet('cas', 0, 'again')).toBeUndefined()
      const second = await store.compareAndSet('cas', first!, 'second')
      expect(await store.compareAndSet('cas', first!, 'late')).toBeUndefined()
      expect(await store.get('cas')).toEqual({ key: 'cas', value: 'second', version: second })
      expect(await store.delete('cas', first)).toBe(false)
      expect(await store.delete('cas', second)).toBe(true)
      expect(await store.compareAndSet('cas', second!, 'gone')).toBeUndefined()
    })

    it('loses no update of many at once', async () => {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          updateRecord(store, 'sum', (value) => ((value as number | undefined) ?? 0) + 1),
        ),
      )
      expect((await store.get('sum'))?.value).toBe(20)
      expect(await updateRecord(store, 'sum', () => undefined)).toBeUndefined()
    })

    it('lists by prefix, by key, and only what is there', async () => {
      const keys = ['list/b', 'list/a', 'list/ä', 'list/🐈', 'list/a/1', 'lisu', 'list']
      for (const key of keys) await store.set(key, key)
      await store.set('list/deleted', 1)
      await store.delete('list/deleted')
      expect((await listAll(store, 'list/')).map(({ key, value }) => [key, value])).toEqual(
        ['list/a', 'list/a/1', 'list/b', 'list/ä', 'list/🐈'].map((key) => [key, key]),
      )
      expect((await listAll(store, '')).length).toBeGreaterThan(7)
    })

    it('lists many', async () => {
      const keys = Array.from({ length: 450 }, (_, index) => `many/${String(index).padStart(3, '0')}`)
      await Promise.all(keys.map((key) => store.set(key, key)))
      expect((await listAll(store, 'many/')).map(({ key }) => key)).toEqual(keys)
    })

    // Real clocks are used where the home has its own, so nothing short-lived is expected to be still there.
    it('forgets a record when its time is over', async () => {
      await store.set('timed', 1, { ttlMs: 60_000 })
      expect((await store.get('timed'))?.expiresAt).toBeGreaterThan(1_700_000_000_000)
      await store.set('short', 1, { ttlMs: 20 })
      await store.compareAndSet('short/too', 0, 1, { ttlMs: 20 })
      await store.set('prolonged', 1, { ttlMs: 20 })
      await store.set('prolonged', 2)
      await setup.pass(60)
      expect(await store.get('short')).toBeUndefined()
      expect(await listAll(store, 'short')).toEqual([])
      expect(await store.compareAndSet('short', 0, 2)).toBeDefined()
      expect((await store.get('prolonged'))?.value).toBe(2)
      expect((await store.get('timed'))?.value).toBe(1)
    })

    it('counts, all at once too', async () => {
      expect(await store.count('hits')).toEqual({ counted: true, value: 1 })
      await Promise.all(Array.from({ length: 50 }, () => store.count('hits', { by: 2 })))
      expect(await store.count('hits', { by: -1 })).toEqual({ counted: true, value: 100 })
      await store.resetCount('hits')
      expect(await store.count('hits', { by: 0 })).toEqual({ counted: true, value: 0 })
    })

    it('does not count past a limit', async () => {
      const counts = await Promise.all(Array.from({ length: 20 }, () => store.count('limit', { max: 5 })))
      expect(counts.filter(({ counted }) => counted)).toHaveLength(5)
      expect(await store.count('limit', { max: 5 })).toEqual({ counted: false, value: 5 })
    })

    it('counts within a window that begins with the first count', async () => {
      const first = await store.count('window', { ttlMs: 60_000 })
      await setup.pass(20)
      const second = await store.count('window', { ttlMs: 120_000 })
      expect([second.value, Math.abs(second.expiresAt! - first.expiresAt!) <= 2]).toEqual([2, true])
      await store.count('short', { by: 5, ttlMs: 20 })
      await setup.pass(60)
      expect((await store.count('short', { ttlMs: 60_000 })).value).toBe(1)
    })

    it('gives a lock to one at a time, with growing tokens', async () => {
      const lease = (await store.tryLock('door', 60_000))!
      expect(await store.tryLock('door', 60_000)).toBeUndefined()
      expect(await lease.release()).toBe(true)
      expect(await lease.release()).toBe(false)
      const next = (await store.tryLock('door', 60_000))!
      expect(next.token).toBeGreaterThan(lease.token)
      expect(await lease.renew()).toBe(false)
      expect(await next.release()).toBe(true)
    })

    it('gives a lock that ran out to the next one', async () => {
      const lease = (await store.tryLock('late', 60_000))!
      const before = lease.expiresAt
      expect(await lease.renew(90_000)).toBe(true)
      expect(lease.expiresAt).toBeGreaterThan(before)
      expect(await lease.renew(20)).toBe(true)
      await setup.pass(60)
      const next = (await store.tryLock('late', 60_000))!
      expect(await lease.renew()).toBe(false)
      expect(await lease.release()).toBe(false)
      expect(await store.tryLock('late', 1000)).toBeUndefined()
      expect(await next.release()).toBe(true)
    })

    it('does work under a lock, one at a time', async () => {
      let inside = 0
      let done = 0
      const work = async (): Promise<void> => {
        expect(++inside).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 2))
        inside--
        done++
      }
      await Promise.all(Array.from({ length: 5 }, () => withLock(store, 'work', work, { waitMs: 20_000 })))
      expect(done).toBe(5)
      const lease: Lease = (await store.tryLock('work', 60_000))!
      expect(await withLock(store, 'work', work)).toBeUndefined()
      await lease.release()
      await expect(withLock(store, 'work', () => Promise.reject(new RangeError('mine')))).rejects.toEqual(
        new RangeError('mine'),
      )
      expect(await withLock(store, 'work', async () => 'free')).toEqual({ value: 'free' })
    })

    it('keeps records, counters and locks apart', async () => {
      await store.set('same', 'record')
      await store.count('same')
      const lease = (await store.tryLock('same', 60_000))!
      expect([(await store.get('same'))?.value, (await store.count('same', { by: 0 })).value]).toEqual(['record', 1])
      await lease.release()
    })

    it.each([
      ['an empty key', () => store.get(''), 'invalid', 'A key must be 1 to 512 characters without control characters'],
      [
        'a key with a line break',
        () => store.set('a\nb', 1),
        'invalid',
        'A key must be 1 to 512 characters without control characters',
      ],
      [
        'a key that is too long',
        () => store.count('k'.repeat(513)),
        'invalid',
        'A key must be 1 to 512 characters without control characters',
      ],
      [
        'a life of nothing',
        () => store.set('k', 1, { ttlMs: 0 }),
        'invalid',
        'ttlMs must be a whole number of milliseconds above 0, not 0',
      ],
      ['half a count', () => store.count('k', { by: 0.5 }), 'invalid', 'by and max must be whole numbers'],
      ['a value that is not JSON', () => store.set('k', undefined), 'invalid', 'The value of "k" is not JSON'],
      [
        'a value that is too large',
        () => store.set('k', 'x'.repeat(1_048_576)),
        'too_large',
        'The value of "k" is larger than 1048576 bytes; split it into several records',
      ],
    ])('refuses %s', async (_, call, code, message) => {
      await expect(call()).rejects.toMatchObject({ name: 'StateError', code, message })
    })

    it('says that it is well, and after closing that it is closed', async () => {
      expect(store.status()).toMatchObject({ ok: true, warnings: [] })
      await store.close()
      await store.close()
      await expect(store.get('value')).rejects.toMatchObject({ name: 'StateError', code: 'closed' })
    })
  })
}
