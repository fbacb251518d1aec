import { describe, expect, it } from 'vitest'
import { listAll } from '../test/store-behaviour.ts'
import { createMemoryStateStore, updateRecord, withEncryption } from './index.ts'
import type { StateKey, StateStore } from './index.ts'

const A: StateKey = { id: 'a', key: new Uint8Array(32).fill(1) }
const B: StateKey = { id: 'b', key: btoa('b'.repeat(32)) }
const C: StateKey = { id: 'c', key: btoa('c'.repeat(32)) }

describe('withEncryption', () => {
  it('leaves no value readable in the store', async () => {
    const plain = createMemoryStateStore()
    const store = withEncryption(plain, { keys: [A] })
    await store.set('account/1', { cookie: 'hunter2' })
    expect(await store.get('account/1')).toMatchObject({ value: { cookie: 'hunter2' } })
    const stored = JSON.stringify((await plain.get('account/1'))?.value)
    expect(stored).not.toMatch(/hunter2|cookie/)
    const again = JSON.stringify((await plain.get('account/1'))?.value)
    await store.set('account/1', { cookie: 'hunter2' })
    expect(JSON.stringify((await plain.get('account/1'))?.value)).not.toBe(again)
  })

  it('refuses another key, by name or by content', async () => {
    const plain = createMemoryStateStore()
    await withEncryption(plain, { keys: [A] }).set('x', 1)
    await expect(withEncryption(plain, { keys: [B] }).get('x')).rejects.toMatchObject({
      code: 'wrong_key',
      message: 'The record "x" was sealed with the key "a", which is not among the keys given (b)',
    })
    await expect(withEncryption(plain, { keys: [{ ...B, id: 'a' }] }).get('x')).rejects.toMatchObject({
      code: 'wrong_key',
      message:
        'The record "x" does not open with the key "a": it is another key of that name, or the record is damaged',
    })
  })

  it('refuses a value that was moved to another record', async () => {
    const plain = createMemoryStateStore()
    const store = withEncryption(plain, { keys: [A] })
    await store.set('mine', 'secret')
    await plain.set('yours', (await plain.get('mine'))?.value)
    await expect(store.get('yours')).rejects.toMatchObject({ code: 'wrong_key' })
  })

  it('tells at the start whether the keys belong to the store', async () => {
    const plain = createMemoryStateStore()
    const store = withEncryption(plain, { keys: [A] })
    expect([await store.checkKeys(), await store.checkKeys()]).toEqual([true, false])
    expect(await listAll(store, '')).toEqual([])
    await expect(withEncryption(plain, { keys: [B] }).checkKeys()).rejects.toMatchObject({ code: 'wrong_key' })
    await withEncryption(plain, { keys: [B, A] }).checkKeys()
  })

  it.each([B, { ...B, id: 'a' }])('lets one of two keys have a new store when both come at once', async (other) => {
    const plain = createMemoryStateStore()
    const stores = [A, other].map((key) => withEncryption(plain, { keys: [key] }))
    const starts = await Promise.allSettled(stores.map((store) => store.checkKeys()))
    const refused = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason as unknown] : []))
    expect(refused).toMatchObject([{ code: 'wrong_key', message: expect.stringMatching(/^The state is sealed with/) }])
    // Who was let in is told of nothing that others left behind.
    const [own] = stores.filter((_, index) => starts[index]?.status === 'fulfilled')
    expect(await own?.checkKeys()).toBe(false)
  })

  it('still tells it when the record for that was lost to damage', async () => {
    const plain = createMemoryStateStore()
    const store = withEncryption(plain, { keys: [A] })
    await store.checkKeys()
    await store.set('x', 1)
    expect(await plain.delete('castor/key-check/a')).toBe(true)
    await expect(withEncryption(plain, { keys: [B] }).checkKeys()).rejects.toMatchObject({ code: 'wrong_key' })
    expect(await plain.get('castor/key-check/a')).toBeUndefined()
    await store.checkKeys()
    expect(await plain.get('castor/key-check/a')).toBeDefined()
  })

  it('changes to a new key while the old one still opens', async () => {
    const plain = createMemoryStateStore()
    const old = withEncryption(plain, { keys: [A] })
    await old.checkKeys()
    await old.set('x', 1)
    await old.set('y', 2, { ttlMs: 60_000 })
    const both = withEncryption(plain, { keys: [B, A] })
    expect((await both.get('x'))?.value).toBe(1)
    expect([await both.reseal(), await both.reseal()]).toEqual([2, 0])
    const next = withEncryption(plain, { keys: [B] })
    await next.checkKeys()
    expect((await listAll(next, '')).map(({ key, value }) => [key, value])).toEqual([
      ['x', 1],
      ['y', 2],
    ])
    expect((await next.get('y'))?.expiresAt).toBeDefined()
    await expect(old.get('x')).rejects.toMatchObject({ code: 'wrong_key' })
  })

  it('takes over records that were never sealed only when told so', async () => {
    const plain = createMemoryStateStore()
    await plain.set('x', 1)
    await expect(withEncryption(plain, { keys: [A] }).get('x')).rejects.toMatchObject({ code: 'wrong_key' })
    const store = withEncryption(plain, { keys: [A], acceptPlain: true })
    expect((await store.get('x'))?.value).toBe(1)
    expect(await store.reseal()).toBe(1)
    expect((await withEncryption(plain, { keys: [A] }).get('x'))?.value).toBe(1)
  })

  describe('finds a record that does not open although its key is right, and', () => {
    /** Sealed with a key that is not in use, and damaged. */
    const damages: [string, (plain: StateStore) => Promise<unknown>, string][] = [
      [
        'sealed with a key that is out of use',
        async (plain) => withEncryption(plain, { keys: [B] }).set('bad', 'lost'),
        'The record "bad" was sealed with the key "b", which is not in use any more (a). Write it anew, or delete it',
      ],
      [
        'damaged',
        async (plain) => plain.set('bad', { k: 'a', i: btoa('i'.repeat(12)), d: btoa('d'.repeat(40)) }),
        'The record "bad" does not open with the key "a": it is damaged. Write it anew, or delete it',
      ],
      [
        'not sealed at all',
        async (plain) => plain.set('bad', { cookie: 'hunter2' }),
        'The record "bad" is not sealed, so nobody who has the key wrote it. Write it anew, or delete it',
      ],
    ]

    async function setUp(damage: (plain: StateStore) => Promise<unknown>) {
      const plain = createMemoryStateStore()
      const heard: string[] = []
      const store = withEncryption(plain, { keys: [A], onTrouble: ({ message }) => heard.push(message) })
      await store.checkKeys()
      await store.set('a', 1)
      await store.set('c', 3)
      await damage(plain)
      return { plain, store, heard }
    }

    it.each(damages)('passes it over in lists, with a warning: %s', async (_, damage, message) => {
      const { store, heard } = await setUp(damage)
      for (let times = 0; times < 2; times++)
        expect((await listAll(store, '')).map(({ key }) => key)).toEqual(['a', 'c'])
      expect(store.status()).toMatchObject({ ok: true, warnings: [message] })
      expect(heard).toEqual([message])
      // The same keys still start.
      expect(await store.checkKeys()).toBe(false)
      await store.set('bad', 'anew')
      expect(store.status()).toMatchObject({ ok: true, warnings: [] })
      expect(await listAll(store, '')).toHaveLength(3)
    })

    it.each(damages)('is not well when just that one is needed: %s', async (_, damage, message) => {
      const { plain, store } = await setUp(damage)
      const version = (await plain.get('bad'))?.version
      await expect(store.get('bad')).rejects.toMatchObject({ name: 'StateError', code: 'unreadable', message, version })
      expect(store.status()).toMatchObject({ ok: false, reason: message, warnings: [message] })
      expect((await store.get('a'))?.value).toBe(1)
      await store.delete('bad')
      expect(store.status()).toMatchObject({ ok: true, warnings: [] })
    })

    it.each(damages)('lets it be written over, knowing it: %s', async (_, damage, message) => {
      const { store } = await setUp(damage)
      const seen: unknown[] = []
      const written = await updateRecord(store, 'bad', (value, unreadable) => {
        seen.push([value, unreadable?.message])
        return 'healed'
      })
      expect([written, seen]).toEqual(['healed', [[undefined, message]]])
      expect((await store.get('bad'))?.value).toBe('healed')
      expect(store.status().ok).toBe(true)
      // A version from before does not write over what came since.
      expect(await store.compareAndSet('bad', 1, 'late')).toBeUndefined()
    })

    it('seals everything else anew', async () => {
      const { plain, store } = await setUp((own) => own.set('bad', { k: 'gone', i: '', d: '' }))
      const fresh = withEncryption(plain, { keys: [C, A] })
      expect(await fresh.reseal()).toBe(2)
      expect(fresh.status().warnings).toEqual([
        'The record "bad" was sealed with the key "gone", which is not in use any more (a, c). Write it anew, or delete it',
      ])
      await store.close()
    })

    it('counts what it does not name', async () => {
      const { plain, store } = await setUp(async () => undefined)
      for (let index = 0; index < 8; index++) await plain.set(`bad/${index}`, index, { ttlMs: 60_000 })
      expect(await listAll(store, '')).toHaveLength(2)
      expect(store.status().warnings.slice(4)).toEqual([
        expect.stringMatching(/^The record "bad\/4" is not sealed/),
        '3 more records do not open',
      ])
      for (let index = 0; index < 8; index++) await plain.delete(`bad/${index}`)
      // What others put right, it sees when it looks after its keys.
      await store.checkKeys()
      expect(store.status().warnings).toEqual([])
    })
  })

  describe('beside a process with other keys', () => {
    it('is not well when it lacks one that is in use, and takes no record for a bad one', async () => {
      const plain = createMemoryStateStore()
      const heard: string[] = []
      const behind = withEncryption(plain, { keys: [A], onTrouble: ({ message }) => heard.push(message) })
      await behind.checkKeys()
      await behind.set('x', 1)
      const ahead = withEncryption(plain, { keys: [B, A] })
      await ahead.checkKeys()
      await ahead.set('x', 2)
      const message = 'The record "x" was sealed with the key "b", which is not among the keys given (a)'
      await expect(behind.get('x')).rejects.toMatchObject({ code: 'wrong_key', message })
      await expect(listAll(behind, '')).rejects.toMatchObject({ code: 'wrong_key', message })
      await expect(updateRecord(behind, 'x', () => 3)).rejects.toMatchObject({ code: 'wrong_key', message })
      const reason = 'The state is sealed with the key "b", which is not among the keys given (a)'
      expect(behind.status()).toMatchObject({ ok: false, reason: `${reason}; seen at the record "x"`, warnings: [] })
      expect(heard).toEqual([reason])
      // It does not start again with that; and what it writes the other one reads.
      await expect(behind.checkKeys()).rejects.toMatchObject({ code: 'wrong_key' })
      await behind.set('y', 4)
      expect((await ahead.get('y'))?.value).toBe(4)
    })

    it('seals nothing more with a key that was taken out of use', async () => {
      const plain = createMemoryStateStore()
      const behind = withEncryption(plain, { keys: [A] })
      await behind.checkKeys()
      await withEncryption(plain, { keys: [B, A] }).reseal()
      await expect(behind.checkKeys()).rejects.toMatchObject({ code: 'wrong_key' })
      const both = withEncryption(plain, { keys: [A, B] })
      await expect(behind.set('x', 1)).rejects.toMatchObject({
        code: 'wrong_key',
        message: 'The state is sealed with the key "b", which is not among the keys given (a)',
      })
      expect(await plain.get('x')).toBeUndefined()
      // One that starts with both may bring it back into use.
      await both.checkKeys()
      await both.set('x', 2)
      await withEncryption(plain, { keys: [B, A] }).reseal()
      await expect(both.checkKeys()).rejects.toMatchObject({
        code: 'wrong_key',
        message:
          'The key "a", with which this process seals, was taken out of use by another one: now it is b. Start it again with that',
      })
      await expect(both.set('x', 3)).rejects.toMatchObject({ code: 'wrong_key' })
      expect((await both.get('x'))?.value).toBe(2)
    })

    it('tells its key to a store that lost everything', async () => {
      const plain = createMemoryStateStore()
      const store = withEncryption(plain, { keys: [A] })
      await store.checkKeys()
      await plain.delete('castor/key-check/a')
      await store.set('x', 1)
      expect(await store.checkKeys()).toBe(false)
      await plain.delete('castor/key-check/a')
      await plain.delete('x')
      expect(await store.checkKeys()).toBe(true)
      await expect(withEncryption(plain, { keys: [B] }).checkKeys()).rejects.toMatchObject({ code: 'wrong_key' })
    })
  })

  it.each([
    [[], 'withEncryption needs at least one key'],
    [[{ id: 'a', key: 'short' }], 'An encryption key must be 32 bytes, or their base64 (44 characters)'],
    [[{ id: 'a', key: new Uint8Array(16) }], 'An encryption key must be 32 bytes, or their base64 (44 characters)'],
    [[A, A], 'Each key needs an id of its own: letters, digits, "-", "_" or "."'],
  ])('refuses the keys %#', (keys, message) => {
    expect(() => withEncryption(createMemoryStateStore(), { keys })).toThrow(new TypeError(message))
  })
})
