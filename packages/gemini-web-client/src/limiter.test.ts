import { describe, expect, it } from 'vitest'
import { createLimiter } from './limiter.ts'

const { signal } = new AbortController()

describe('createLimiter', () => {
  it('lets two run at a time, in order', async () => {
    const limiter = createLimiter({ max: 2, serialChats: true })
    const first = await limiter.acquire(signal)
    await limiter.acquire(signal)
    const started: string[] = []
    const third = limiter.acquire(signal).then(() => started.push('third'))
    const fourth = limiter.acquire(signal).then(() => started.push('fourth'))
    expect([limiter.running, limiter.waiting]).toEqual([2, 2])
    first()
    first()
    await third
    expect(started).toEqual(['third'])
    expect([limiter.running, limiter.waiting]).toEqual([2, 1])
    void fourth
  })

  it('lets turns of one chat wait for each other, and others pass', async () => {
    const limiter = createLimiter({ max: 5, serialChats: true })
    const release = await limiter.acquire(signal, 'c_1')
    let second = false
    const waiting = limiter.acquire(signal, 'c_1').then(() => (second = true))
    await limiter.acquire(signal, 'c_2')
    expect(second).toBe(false)
    release()
    await waiting
    expect(second).toBe(true)
  })

  it('lets go of a place in the queue when its caller leaves', async () => {
    const limiter = createLimiter({ max: 1, serialChats: true })
    const release = await limiter.acquire(signal)
    const controller = new AbortController()
    const left = limiter.acquire(controller.signal)
    controller.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    expect(limiter.waiting).toBe(0)
    release()
    expect(limiter.running).toBe(0)
  })
})
