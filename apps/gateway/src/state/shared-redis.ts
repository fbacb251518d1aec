import { createFallbackPoolState, type PoolState } from '@castorjs/account-pool'
import { createRedisPoolState, createScriptRunner, type RunScript } from '@castorjs/account-pool/redis'
import { isStateError, StateError } from '@castorjs/state-store'
import { createRedisClient, NO_WRITES, readReplyCode } from '@castorjs/state-store/redis'
import type { Redis } from 'ioredis'
import type { Config } from '../config-schema.ts'

/** What processes share besides records: the pools' states and the callers' limits. */
export interface SharedRedis {
  client: Redis
  /** A pool's state, with the process's own memory in its place while Redis is away. */
  poolState(name: string): PoolState
  /** Begins the keys of the callers' limits. */
  limitsPrefix: string
  /** Pools that go on alone for now. */
  readonly alone: readonly string[]
  /** Why they do; undefined while none does. */
  readonly reason: string | undefined
  close(): Promise<void>
}

/** How long a step may take. A lease waits for one; better alone than late. */
const COMMAND_MS = 1_000

export interface SharedRedisOptions {
  config: Pick<Config, 'state'>
  /** A pool went on alone, with the reason, or came back. */
  onSwitch: (pool: string, reason: string | undefined) => void
}

/** How long the first connection may take. */
const CONNECT_MS = 2_000

/**
 * One connection for the scripts of all pools and limits; nothing is queued while it is down. Undefined without Redis.
 *
 * @throws {StateError} `denied` when the user may not use the keys of pools and limits, naming what it must be allowed.
 */
export async function openSharedRedis({
  config: { state },
  onSwitch,
}: SharedRedisOptions): Promise<SharedRedis | undefined> {
  if (state.redisUrl === undefined) return undefined
  const client = createRedisClient({ url: state.redisUrl, commandTimeoutMs: COMMAND_MS })
  // The state's own connection says what is wrong; here it would end the process if nobody listened.
  client.on('error', () => undefined)
  const alone = new Map<string, string>()
  const prefix = state.redisPrefix.replace(/[{}]|:$/g, '')
  const limitsPrefix = `${prefix}:limits`
  const run = createScriptRunner(client)
  const runScript: RunScript = (...call) => run(...call).catch((error: unknown) => toStateError(error, prefix))
  await untilReady(client, CONNECT_MS)
  for (const key of [`{${prefix}:pool:try-out}`, `${limitsPrefix}:try-out`]) {
    await runScript(TRY_OUT, [key], []).catch((error: unknown) => {
      if (!isStateError(error) || error.code !== 'denied') return
      client.disconnect()
      throw error
    })
  }
  return {
    client,
    poolState: (name) =>
      createFallbackPoolState({
        shared: createRedisPoolState({ runScript, name, prefix: `${prefix}:pool` }),
        onSwitch(away, error) {
          const reason = isStateError(error) ? error.message : 'Redis cannot be reached'
          if (away) alone.set(name, reason)
          else alone.delete(name)
          onSwitch(name, away ? reason : undefined)
        },
      }),
    limitsPrefix,
    get alone() {
      return [...alone.keys()].sort()
    },
    get reason() {
      return alone.values().next().value
    },
    async close() {
      client.disconnect()
    },
  }
}

/** Writes as pools and limits do, and leaves nothing. */
const TRY_OUT = `redis.call('SET', KEYS[1], '1', 'PX', 1000); return redis.call('DEL', KEYS[1])`

/** In our words: theirs may quote a command with its values. */
function toStateError(error: unknown, prefix: string): never {
  const text = error instanceof Error ? error.message : ''
  const code = readReplyCode(error)
  if (code === 'NOPERM' || /user executing the script|ACL failure in script/i.test(text)) {
    const rights = `~${prefix}:* ~{${prefix}:pool:* +@read +@write +@scripting +time +info`
    throw new StateError('denied', `Redis does not let this user do what Castor needs; it needs ${rights}`)
  }
  if (code === 'OOM') throw new StateError('unavailable', 'Redis is out of memory')
  if (NO_WRITES.has(code) || code === 'LOADING')
    throw new StateError('unavailable', `Redis does not take writes (${code})`)
  throw new StateError('unavailable', 'Redis cannot be reached', { cause: error })
}

async function untilReady(client: Redis, ms: number): Promise<void> {
  if (client.status === 'ready') return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms)
    client.once('ready', done)
    function done(): void {
      clearTimeout(timer)
      client.off('ready', done)
      resolve()
    }
  })
}
