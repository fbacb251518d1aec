import { createMemoryStateStore } from '@castorjs/state-store'
import { describe, expect, it } from 'vitest'
import { allowsModel, createCallerKeys, permit, type CallerKey, type CallerKeySettings } from './index.ts'

const START = Date.parse('2026-11-20T18:00:00.000Z')

function setUp(more: { cacheMs?: number; maxKeys?: number } = {}) {
  const clock = { now: START }
  const store = createMemoryStateStore({ now: () => clock.now })
  return { clock, store, keys: createCallerKeys({ store, now: () => clock.now, ...more }) }
}

describe('createCallerKeys', () => {
  it('makes a key of 256 random bits, shows it once and keeps only a hash', async () => {
    const { keys, store } = setUp()
    const { key, record } = await keys.create({ name: 'Notebook' })
    expect(key).toMatch(/^sk-castor-[a-z2-7]{12}-[\w-]{43}$/)
    expect(record).toEqual({ id: key.slice(10, 22), name: 'Notebook', enabled: true, createdAt: START })
    expect((await keys.create({ name: 'Notebook' })).key).not.toBe(key)
    const kept: unknown[] = []
    for await (const entry of store.list('')) kept.push(entry)
    const text = JSON.stringify([kept, await keys.list(), await keys.get(record.id)])
    expect(text).not.toContain(key)
    expect(text).not.toContain(key.slice(23))
  })

  it('knows the holder of a key and nobody else', async () => {
    const { keys } = setUp()
    const { key, record } = await keys.create({ name: 'a' })
    expect(await keys.check(key)).toEqual(record)
    const last = key.endsWith('A') ? 'B' : 'A'
    for (const other of [`${key.slice(0, -1)}${last}`, `${key}x`, key.slice(0, -1), 'sk-other', key.toUpperCase()]) {
      await expect(keys.check(other)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    await expect(keys.check(undefined)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('No API key was sent') as string,
    })
  })

  it.each([
    ['authorization', (key: string) => `Bearer ${key}`],
    ['x-api-key', (key: string) => key],
    ['x-goog-api-key', (key: string) => key],
  ])('reads the key from %s', async (header, value) => {
    const { keys } = setUp()
    const { key, record } = await keys.create({ name: 'a' })
    const request = new Request('http://localhost/v1', { headers: { [header]: value(key) } })
    expect(await keys.authorize(request)).toEqual({ id: record.id })
  })

  it('refuses a key that is switched off, expired or removed, and says which', async () => {
    const { keys, clock } = setUp()
    const { key, record } = await keys.create({ name: 'Notebook', expiresAt: START + 60_000 })
    await keys.check(key)
    await keys.update(record.id, { enabled: false })
    await expect(keys.check(key)).rejects.toThrow('The API key "Notebook" is switched off.')
    await keys.update(record.id, { enabled: true })
    clock.now += 60_000
    await expect(keys.check(key)).rejects.toThrow('expired at 2026-11-20T18:01:00.000Z')
    await keys.update(record.id, { expiresAt: undefined })
    expect((await keys.check(key)).expiresAt).toBeUndefined()
    expect(await keys.remove(record.id)).toBe(true)
    await expect(keys.check(key)).rejects.toThrow('not one of this server')
    expect(await keys.remove(record.id)).toBe(false)
    expect(await keys.update(record.id, { enabled: true })).toBeUndefined()
  })

  it('looks again at a caller that was let in a moment ago', async () => {
    const { keys, clock } = setUp()
    const { record } = await keys.create({ name: 'Notebook', expiresAt: START + 60_000 })
    expect(await keys.checkId(record.id)).toEqual(record)
    await keys.update(record.id, { enabled: false })
    await expect(keys.checkId(record.id)).rejects.toMatchObject({ code: 'unauthenticated' })
    await keys.update(record.id, { enabled: true })
    clock.now += 60_000
    await expect(keys.checkId(record.id)).rejects.toThrow('The API key "Notebook" expired')
    await keys.remove(record.id)
    await expect(keys.checkId(record.id)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it("sees another process's change once its memory of the key is over", async () => {
    const { keys, store, clock } = setUp({ cacheMs: 5_000 })
    const { key, record } = await keys.create({ name: 'a' })
    await keys.check(key)
    await createCallerKeys({ store }).update(record.id, { enabled: false })
    expect((await keys.check(key)).enabled).toBe(true)
    clock.now += 5_000
    await expect(keys.check(key)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('lets a change count at once, also for a check that was under way', async () => {
    const { store, clock } = setUp()
    let letGo = (): void => {}
    let slow = false
    const slowly = {
      ...store,
      async get(key: string) {
        const record = await store.get(key)
        if (slow) await new Promise<void>((resolve) => (letGo = resolve))
        return record
      },
    }
    const keys = createCallerKeys({ store: slowly, now: () => clock.now })
    const { key, record } = await keys.create({ name: 'a' })
    slow = true
    const underWay = keys.check(key)
    await new Promise((resolve) => setImmediate(resolve))
    slow = false
    await keys.remove(record.id)
    letGo()
    await underWay
    await expect(keys.check(key)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('gives a key a new secret, and nothing else', async () => {
    const { keys } = setUp()
    const { key, record } = await keys.create({ name: 'Notebook', models: ['m'] })
    await keys.check(key)
    const rotated = await keys.rotate(record.id)
    expect(rotated?.record).toEqual(record)
    expect(rotated?.key).toMatch(new RegExp(`^sk-castor-${record.id}-[\\w-]{43}$`))
    await expect(keys.check(key)).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(await keys.check(rotated?.key)).toEqual(record)
    expect(await keys.rotate('nothere')).toBeUndefined()
  })

  it('makes no key that is expired already, but lets one end now', async () => {
    const { keys } = setUp()
    // Seconds in place of milliseconds: the likely mistake.
    await expect(keys.create({ name: 'a', expiresAt: START / 1_000 })).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'expiresAt',
      message:
        '`expiresAt` is 1970-01-21T18:39:57.600Z, which is over; give a time to come, in milliseconds since 1970.',
    })
    const { key, record } = await keys.create({ name: 'a' })
    await keys.update(record.id, { expiresAt: START })
    await expect(keys.check(key)).rejects.toThrow('expired')
  })

  it.each(['', '\0', '../x', 'x'.repeat(2_000), 'ABCDEFGHIJKL'])(
    'has no key of the id %j, and asks no store for it',
    async (id) => {
      const { keys } = setUp()
      expect([await keys.get(id), await keys.update(id, { name: 'b' }), await keys.rotate(id)]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
      expect(await keys.remove(id)).toBe(false)
    },
  )

  it('loses no change when two people edit a key at once', async () => {
    const { keys } = setUp()
    const { record } = await keys.create({ name: 'a' })
    await Promise.all([keys.update(record.id, { name: 'b' }), keys.update(record.id, { models: ['m'] })])
    expect(await keys.get(record.id)).toMatchObject({ name: 'b', models: ['m'] })
  })

  it('keeps what it knows of a form, lists by age, and stops at the most keys', async () => {
    const { keys, clock } = setUp({ maxKeys: 2 })
    const limits = { perHour: 10, modelSpacingMs: false } as const
    const form = { name: 'a', upstreams: ['gemini-web'], models: ['gemini-3-*'], limits, hash: 'mine', id: 'mine' }
    const { record } = await keys.create(form)
    clock.now += 1
    await keys.create({ name: 'b', enabled: false })
    const { upstreams, models } = form
    const first: CallerKey = { id: record.id, name: 'a', upstreams, models, limits, enabled: true, createdAt: START }
    expect((await keys.list())[0]).toEqual(first)
    expect((await keys.list()).map(({ name }) => name)).toEqual(['a', 'b'])
    await expect(keys.create({ name: 'c' })).rejects.toThrow('There are 2 keys already')
  })

  it.each([
    [{ name: '' }, 'name', /must be text of 1 to 100 characters/],
    [{ name: 'x'.repeat(101) }, 'name', /must be text of 1 to 100 characters/],
    [{ name: 'a', upstreams: [] }, 'upstreams', /is an empty list, so nothing could pass; leave it out/],
    [{ name: 'a', models: [''] }, 'models', /must be a list of at most 200 names/],
    [{ name: 'a', models: ['m', ' \t'] }, 'models', /must be a list of at most 200 names/],
    [{ name: 'a', models: ['a*b'] }, 'models', /may have `\*` at the end/],
    [{ name: 'a', limits: { perHour: 0 } }, 'limits.perHour', /is 0, so nothing could pass/],
    [{ name: 'a', limits: { modelSpacingMs: -1 } }, 'limits.modelSpacingMs', /whole number of at least 1/],
    [{ name: 'a', limits: { modelSpacingMs: 3_600_001 } }, 'limits.modelSpacingMs', /at most 3600000 milliseconds/],
    [{ name: 'a', limits: { perhour: 5 } }, 'limits', /may hold perHour and modelSpacingMs only/],
    [{ name: 'a', expiresAt: 1e300 }, 'expiresAt', /milliseconds since 1970/],
    [{ name: 'a', expiresAt: Number.NaN }, 'expiresAt', /milliseconds since 1970/],
  ])('refuses %o by field', async (settings, field, message) => {
    const { keys } = setUp()
    const error = await keys.create(settings as CallerKeySettings).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'invalid_request', field, message: expect.stringMatching(message) as string })
  })
})

describe('permit', () => {
  const key: CallerKey = { id: 'k', name: 'Notebook', enabled: true, createdAt: 0 }

  it('lets an unrestricted key use everything', () => {
    expect(() => permit(key, { upstream: 'gemini-api', model: 'm' })).not.toThrow()
  })

  it('forbids other upstreams and models, and names some that would do', () => {
    const narrow = { ...key, upstreams: ['gemini-web'], models: ['gemini-3-*', 'gemini-2.5-flash'] }
    expect(() => permit(narrow, { upstream: 'gemini-web', model: 'gemini-3-pro' })).not.toThrow()
    expect(() => permit(narrow, { model: 'gemini-2.5-flash' })).not.toThrow()
    expect(() => permit(narrow, { upstream: 'gemini-api' })).toThrow(/may not use the upstream gemini-api/)
    let error: unknown
    try {
      permit(narrow, { model: 'gemini-2.5-pro' })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'forbidden', suggestions: ['gemini-2.5-flash'] })
    expect(allowsModel(narrow, 'gemini-2.5-flash-lite')).toBe(false)
  })
})
