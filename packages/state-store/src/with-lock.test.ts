import { describe, expect, it } from 'vitest'
import { createMemoryStateStore, withLock } from './index.ts'

describe('withLock', () => {
  it('holds on to the lock for as long as the work takes', async () => {
    const store = createMemoryStateStore()
    await withLock(
      store,
      'long',
      async (_, signal) => {
        await new Promise((resolve) => setTimeout(resolve, 900))
        expect(signal.aborted).toBe(false)
        expect(await store.tryLock('long', 1000)).toBeUndefined()
      },
      { ttlMs: 750 },
    )
    expect(await store.tryLock('long', 1000)).toBeDefined()
  })

  it('tells the work that the lock was lost', async () => {
    let time = 0
    const store = createMemoryStateStore({ now: () => time })
    const lost = withLock(
      store,
      'lost',
      (_, signal) => {
        time += 1000
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
      { ttlMs: 30 },
    )
    await expect(lost).rejects.toMatchObject({
      name: 'StateError',
      code: 'conflict',
      message: 'The lock "lost" was lost',
    })
  })

  it('tells the work that the caller left', async () => {
    const controller = new AbortController()
    const left = withLock(
      createMemoryStateStore(),
      'left',
      (_, signal) => {
        const end = new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        )
        controller.abort(new Error('left'))
        return end
      },
      { signal: controller.signal },
    )
    await expect(left).rejects.toEqual(new Error('left'))
  })
})
