import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Count, Counter, Counts } from './counts.ts'

/** Counts in the memory of this process. */
export interface MemoryCounts extends Counts {
  /** Takes over what was counted elsewhere. */
  put(counter: Counter, count: Count): Promise<void>
}

/** Never reached: what is too many is decided here, because it may change while it counts. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER

export function createMemoryCounts(prefix: string): MemoryCounts {
  const limiters = new Map<number, RateLimiterMemory>()

  function limiterOf({ windowMs }: Counter): RateLimiterMemory {
    let limiter = limiters.get(windowMs)
    if (limiter === undefined) {
      const duration = windowMs / 1_000
      limiter = new RateLimiterMemory({ points: NO_LIMIT, duration, keyPrefix: `${prefix}:${duration}` })
      limiters.set(windowMs, limiter)
    }
    return limiter
  }

  return {
    async add(counter) {
      const limiter = limiterOf(counter)
      const { consumedPoints: count, msBeforeNext: resetMs } = await limiter.penalty(counter.key)
      // In the last moment of a window it does not matter, and the next one must not begin below zero.
      if (count > counter.points && resetMs > SAFE_MS) await limiter.reward(counter.key)
      return { count, resetMs }
    },
    async read(counter) {
      const known = await limiterOf(counter).get(counter.key)
      // One that is over may still lie there for a moment.
      if (known === null || known.msBeforeNext <= 0) return undefined
      return { count: known.consumedPoints, resetMs: known.msBeforeNext }
    },
    async giveBack(counter, leftMs) {
      if (leftMs <= SAFE_MS) return undefined
      const { consumedPoints, msBeforeNext } = await limiterOf(counter).reward(counter.key)
      return { count: consumedPoints, resetMs: msBeforeNext }
    },
    async put(counter, { count, resetMs }) {
      await limiterOf(counter).set(counter.key, count, Math.max(1, Math.ceil(resetMs / 1_000)))
    },
  }
}

/** A window that lives for longer than this, in milliseconds, is still there a line of code later. */
const SAFE_MS = 50
