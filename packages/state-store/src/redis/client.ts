import { Redis, ReplyError } from 'ioredis'
import { readRedisUrl } from './redis-url.ts'
import { readReplyCode } from './reply-code.ts'

export interface RedisClientOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://…` for TLS. */
  url: string
  /** How long a step may take, waiting for the connection included. Default 2 000. */
  commandTimeoutMs?: number
  /** Default 5 000. */
  connectTimeoutMs?: number
  /** PEM certificates to trust for `rediss://`, in place of the built-in ones. */
  ca?: string
}

export const COMMAND_TIMEOUT_MS = 2000

/**
 * One write for all commands of a turn of the event loop. Under load the system's calls are most of what a step costs.
 * The driver's own auto-pipelining would keep every command waiting for the ones before, each for its full time while
 * Redis hangs.
 */
class CorkedRedis extends Redis {
  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const { stream } = this
    // There is none before the first connection.
    if ((stream as typeof stream | undefined)?.writableCorked === 0) {
      stream.cork()
      setImmediate(() => stream.uncork())
    }
    return super.sendCommand(...command)
  }
}

/** Answers of a node that is no longer the one to write to: its address may lead to another one by now. */
const DEMOTED: ReadonlySet<string> = new Set(['READONLY', 'MASTERDOWN'])
/** It may as well go on leading to this one: it is asked again no sooner than this. */
const LOOK_AGAIN_MS = 2000

/**
 * A client that finds its way back by itself and sends nothing twice: a count that is sent again after a cut may count
 * twice, so the caller decides, not the driver. While the connection is away every step fails.
 *
 * One on which nothing at all came for 2.5 times as long as a step may take is replaced: its way is dead. A Redis that is
 * slow but answers keeps its connections. After a failover, which a node tells by taking no writes, the address is asked
 * anew where it leads.
 *
 * Listen to `error`: it tells why there is no connection.
 *
 * @throws {StateError} `invalid` for a URL that cannot be meant.
 */
export function createRedisClient({
  url,
  commandTimeoutMs = COMMAND_TIMEOUT_MS,
  connectTimeoutMs = 5000,
  ca,
}: RedisClientOptions): Redis {
  readRedisUrl(url)
  let lookedAt = -Infinity
  const client = new CorkedRedis(url, {
    protocol: 2,
    connectTimeout: connectTimeoutMs,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    socketTimeout: commandTimeoutMs * 2.5,
    // Also for one that hangs and lets connections in: less than one a second from each process.
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 1600) * (0.75 + Math.random() / 2),
    reconnectOnError(error) {
      if (!DEMOTED.has(readReplyCode(error)) || performance.now() - lookedAt < LOOK_AGAIN_MS) return false
      lookedAt = performance.now()
      return true
    },
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
  // The driver would go on, in database 0.
  client.on('error', (error) => isRefusedDatabase(error) && client.disconnect(true))
  return client
}

/** What the driver reports when Redis did not take the database of the URL. */
export function isRefusedDatabase(error: unknown): boolean {
  const { command } = error as { command?: { name?: unknown } }
  return error instanceof ReplyError && command?.name === 'select'
}
