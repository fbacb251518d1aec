import { describe, expect, it } from 'vitest'
import { listAll } from '../test/store-behaviour.ts'
import { createMemoryStateStore, withEncryption } from './index.ts'
import type { StateKey } from './index.ts'

const A: StateKey = { id: 'a', key: new Uint8Array(32).fill(1) }
const B: StateKey = { id: 'b', key: btoa('b'.repeat(32)) }

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
    await store.checkKeys()
    await store.checkKeys()
    expect(await listAll(store, '')).toEqual([])
    await expect(withEncryption(plain, { keys: [B] }).checkKeys()).rejects.toMatchObject({ code: 'wrong_key' })
    await withEncryption(plain, { keys: [B, A] }).checkKeys()
  })

  it('still tells it when the record for that was lost to damage', async () => {
    const plain = createMemoryStateStore()
    const store = withEncryption(plain, { keys: [A] })
    await store.checkKeys()
    await store.set('x', 1)
    expect(await plain.delete('castor/key-check')).toBe(true)
    await expect(withEncryption(plain, { keys: [B] }).checkKeys()).rejects.toMatchObject({ code: 'wrong_key' })
    expect(await plain.get('castor/key-check')).toBeUndefined()
    await store.checkKeys()
    expect(await plain.get('castor/key-check')).toBeDefined()
  })

  it('changes to a new key while the old one still opens', async () => {
    const plain = createMemoryStateStore()
    const old = withEncryption(plain, { keys: [A] })
    await old.checkKeys()
    await old.set('x', 1)
    await old.set('y', 2, { ttlMs: 60_000 })
    const both = withEncryption(plain, { keys: [B, A] })
    expect((await both.get('x'))?.value).toBe(1)
    expect([await both.reseal(), await both.reseal()]).toEqual([3, 0])
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

  it.each([
    [[], 'withEncryption needs at least one key'],
    [[{ id: 'a', key: 'short' }], 'An encryption key must be 32 bytes, or their base64 (44 characters)'],
    [[{ id: 'a', key: new Uint8Array(16) }], 'An encryption key must be 32 bytes, or their base64 (44 characters)'],
    [[A, A], 'Each key needs an id of its own: letters, digits, "-", "_" or "."'],
  ])('refuses the keys %#', (keys, message) => {
    expect(() => withEncryption(createMemoryStateStore(), { keys })).toThrow(new TypeError(message))
  })
})
