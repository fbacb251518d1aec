import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { Count, Counter, Counts } from './counts.ts'

/** What is asked of an ioredis client. */
interface RedisClient {
  defineCommand(name: string, definition: { lua: string; numberOfKeys: number }): void
  giveBack(key: string, mostLifeMs: string): Promise<[count: number, resetMs: number] | null>
}

/**
 * Arguments as the library sends them: the key, 1, the window in seconds, the limit. Over the limit it answers as if it
 * had counted, and does not: a counter that grew with every refusal would keep a raised limit shut.
 */
const COUNT = `
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count >= tonumber(ARGV[3]) then return {count + 1, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], '0', 'EX', ARGV[2], 'NX')
return {redis.call('INCR', KEYS[1]), redis.call('PTTL', KEYS[1])}`

/** Takes the key and the longest life its window can have. A window that still lives for longer than the one that was counted in is another one. */
const GIVE_BACK = `
local life = redis.call('PTTL', KEYS[1])
if life <= 0 or life > tonumber(ARGV[1]) or tonumber(redis.call('GET', KEYS[1])) < 1 then return false end
return {redis.call('DECR', KEYS[1]), life}`

/** How much our clock and that of Redis may differ about the end of a window, in milliseconds. */
const SLACK_MS = 50

/** Counts for all processes that use the same Redis. Rejects while it cannot be reached. */
export function createRedisCounts(redis: object, prefix: string): Counts {
  // Commands are defined on what stands before the client, so that others who use it keep theirs.
  const client = Object.create(redis) as RedisClient
  client.defineCommand('giveBack', { lua: GIVE_BACK, numberOfKeys: 1 })
  const limiters = new Map<string, RateLimiterRedis>()

  /** The limit is not in the names of the counters: it may change while they count. */
  function limiterOf({ points, windowMs }: Counter): RateLimiterRedis {
    const name = `${points}:${windowMs}`
    let limiter = limiters.get(name)
    if (limiter === undefined) {
      const duration = windowMs / 1_000
      limiter = new RateLimiterRedis({
        storeClient: client,
        customIncrTtlLuaScript: COUNT,
        points,
        duration,
        keyPrefix: `${prefix}:${duration}`,
        rejectIfRedisNotReady: true,
      })
      limiters.set(name, limiter)
    }
    return limiter
  }

  return {
    async add(counter) {
      return toCount(await limiterOf(counter).penalty(counter.key))
    },
    async read(counter) {
      const known = await limiterOf(counter).get(counter.key)
      return known === null ? undefined : toCount(known)
    },
    async giveBack(counter, leftMs) {
      const key = limiterOf(counter).getKey(counter.key)
      const life = String(Math.ceil(leftMs) + SLACK_MS)
      const [count, resetMs] = (await client.giveBack(key, life)) ?? []
      return count === undefined || resetMs === undefined ? undefined : { count, resetMs }
    },
  }
}

function toCount({ consumedPoints, msBeforeNext }: { consumedPoints: number; msBeforeNext: number }): Count {
  return { count: consumedPoints, resetMs: Math.max(0, msBeforeNext) }
}
