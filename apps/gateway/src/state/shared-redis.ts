import { createFallbackPoolState, type PoolState } from '@castorjs/account-pool'
import { createRedisPoolState, createScriptRunner } from '@castorjs/account-pool/redis'
import { Redis } from 'ioredis'
import type { Config } from '../config-schema.ts'

/** What processes share besides records: the pools' states and the callers' limits. */
export interface SharedRedis {
  client: Redis
  /** A pool's state, with the process's own memory in its place while Redis is away. */
  poolState(name: string): PoolState
  /** Pools that go on alone for now. */
  readonly alone: readonly string[]
  close(): Promise<void>
}

/** How long a step may take. A lease waits for one; better alone than late. */
const COMMAND_MS = 1_000

export interface SharedRedisOptions {
  config: Pick<Config, 'state'>
  /** A pool went on alone, or came back. */
  onSwitch: (pool: string, alone: boolean) => void
}

/** One connection for the scripts of all pools and limits; nothing is queued while it is down. Undefined without Redis. */
export function openSharedRedis({ config: { state }, onSwitch }: SharedRedisOptions): SharedRedis | undefined {
  if (state.redisUrl === undefined) return undefined
  const client = new Redis(state.redisUrl, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  })
  // The state's own connection says what is wrong; here it would end the process if nobody listened.
  client.on('error', () => undefined)
  const alone = new Set<string>()
  const prefix = state.redisPrefix.replace(/[{}]|:$/g, '')
  return {
    client,
    poolState: (name) =>
      createFallbackPoolState({
        shared: createRedisPoolState({ runScript: createScriptRunner(client), name, prefix: `${prefix}:pool` }),
        onSwitch(away) {
          if (away) alone.add(name)
          else alone.delete(name)
          onSwitch(name, away)
        },
      }),
    get alone() {
      return [...alone].sort()
    },
    async close() {
      client.disconnect()
    },
  }
}

/** Waits until the connection can be used, or for `ms`. */
export async function untilReady({ client }: SharedRedis, ms = 2_000): Promise<void> {
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
