import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible'

/** Where one counter stands after a request. */
interface Counted {
  allowed: boolean
  /** Requests left in the running window. */
  remaining: number
  /** End of the window, in milliseconds from now. */
  resetMs: number
}

export interface LimitersOptions {
  /** An ioredis client. Default: the memory of this process. */
  redis?: object | undefined
  prefix: string
}

export interface Limiters {
  /** Counts one request under `key`: at most `points` in `windowMs`, from the first one on. */
  count(key: string, points: number, windowMs: number): Promise<Counted>
  /** Where it stands, without counting. */
  peek(key: string, points: number, windowMs: number): Promise<Counted>
  /** Forgets what was counted under `key`. */
  clear(key: string, points: number, windowMs: number): Promise<void>
}

/**
 * Counting by `rate-limiter-flexible`. One limiter for each pair of points and window; with Redis each has a limiter
 * in memory behind it, which counts while Redis cannot be reached. It is told what Redis last said, so that a limit
 * that is used up stays used up.
 */
export function createLimiters({ redis, prefix }: LimitersOptions): Limiters {
  const limiters = new Map<string, Limiter>()
  const connected = redis === undefined ? undefined : firstConnection(redis)

  function limiterOf(points: number, windowMs: number): Limiter {
    const name = `${points}:${windowMs}`
    let limiter = limiters.get(name)
    if (limiter === undefined) {
      // The library counts in whole seconds in Redis; a fraction there would never end.
      const options = { points, duration: Math.ceil(windowMs / 1_000), keyPrefix: `${prefix}:${name}` }
      const memory = new RateLimiterMemory(options)
      limiter =
        redis === undefined
          ? { counting: memory, standIn: undefined }
          : {
              counting: new RateLimiterRedis({
                ...options,
                storeClient: redis,
                rejectIfRedisNotReady: true,
                insuranceLimiter: memory,
              }),
              standIn: memory,
            }
      limiters.set(name, limiter)
    }
    return limiter
  }

  return {
    async count(key, points, windowMs) {
      await connected
      const { counting, standIn } = limiterOf(points, windowMs)
      try {
        const passed = await counting.consume(key)
        await remember(standIn, key, passed)
        return toCounted(true, passed)
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        await remember(standIn, key, refused)
        return toCounted(false, refused)
      }
    },
    async peek(key, points, windowMs) {
      await connected
      const known = await limiterOf(points, windowMs).counting.get(key)
      if (known === null) return { allowed: true, remaining: points, resetMs: 0 }
      return toCounted(known.remainingPoints > 0, known)
    },
    async clear(key, points, windowMs) {
      const { counting, standIn } = limiterOf(points, windowMs)
      await counting.delete(key)
      await standIn?.delete(key)
    },
  }
}

interface Limiter {
  counting: RateLimiterAbstract
  /** Counts in memory while Redis is away. */
  standIn: RateLimiterMemory | undefined
}

async function remember(standIn: RateLimiterMemory | undefined, key: string, said: RateLimiterRes): Promise<void> {
  await standIn?.set(key, said.consumedPoints, Math.max(1, Math.ceil(said.msBeforeNext / 1_000)))
}

function toCounted(allowed: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): Counted {
  return { allowed, remaining: Math.max(0, remainingPoints), resetMs: Math.max(0, msBeforeNext) }
}

/** How long the first requests wait for a client that still connects, in milliseconds. */
const CONNECT_MS = 2_000

/** Waits for a client that was only just made, so that its first requests are not counted in memory. */
function firstConnection(redis: object): Promise<void> | undefined {
  const { status, once } = redis as { status?: unknown; once?: unknown }
  if (typeof status !== 'string' || status === 'ready' || typeof once !== 'function') return undefined
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CONNECT_MS)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    for (const event of ['ready', 'end', 'error']) once.call(redis, event, done)
  })
}
