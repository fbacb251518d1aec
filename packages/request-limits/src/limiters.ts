import type { Count, Counter } from './counts.ts'
import { createMemoryCounts } from './memory-counts.ts'
import { createRedisCounts } from './redis-counts.ts'

/** Where a limit stands. */
export interface Standing {
  allowed: boolean
  /** Requests left in the running window. */
  remaining: number
  /** End of the window, in milliseconds from now. */
  resetMs: number
}

interface Counted extends Standing {
  /** Takes the request back, once, as long as its window runs. Never rejects. Gives where the limit stands then. */
  giveBack(): Promise<Standing>
}

export interface LimitersOptions {
  /** An ioredis client. Default: the memory of this process. */
  redis?: object | undefined
  prefix: string
}

export interface Limiters {
  /** Counts a request, unless it is one too many. */
  count(counter: Counter): Promise<Counted>
  /** Where it stands, without counting. */
  peek(counter: Counter): Promise<Standing>
}

/**
 * Counting by `rate-limiter-flexible`, in Redis where there is one. Memory counts while Redis cannot be reached; it is
 * told what Redis last said, so that a limit that is used up stays used up.
 */
export function createLimiters({ redis, prefix }: LimitersOptions): Limiters {
  const memory = createMemoryCounts(prefix)
  const shared = redis === undefined ? undefined : createRedisCounts(redis, prefix)
  const connected = redis === undefined ? undefined : firstConnection(redis)

  async function peek(counter: Counter): Promise<Standing> {
    await connected
    const found = shared === undefined ? memory.read(counter) : shared.read(counter).catch(() => memory.read(counter))
    return toStanding(counter, await found)
  }

  return {
    async count(counter) {
      await connected
      const inRedis = await shared?.add(counter).catch(() => undefined)
      const home = shared === undefined || inRedis === undefined ? memory : shared
      const counted = inRedis ?? (await memory.add(counter))
      const allowed = counted.count <= counter.points
      const { resetMs } = counted
      const countedAt = performance.now()
      if (home !== memory) await memory.put(counter, { count: counted.count - (allowed ? 0 : 1), resetMs })
      let given = !allowed
      return {
        ...toStanding(counter, counted),
        allowed,
        async giveBack() {
          if (given) return peek(counter)
          given = true
          const leftMs = resetMs - (performance.now() - countedAt)
          const left = await home.giveBack(counter, leftMs).catch(() => undefined)
          if (left === undefined) return peek(counter)
          if (home !== memory) await memory.put(counter, left)
          return toStanding(counter, left)
        },
      }
    },
    peek,
  }
}

function toStanding({ points }: Counter, { count, resetMs }: Count = { count: 0, resetMs: 0 }): Standing {
  return { allowed: count < points, remaining: Math.max(0, points - count), resetMs }
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
