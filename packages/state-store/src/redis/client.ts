import { Redis } from 'ioredis'

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
 * A client that finds its way back by itself and sends nothing twice: a count that is sent again after a cut may count
 * twice, so the caller decides, not the driver. While the connection is away every step fails.
 *
 * One on which nothing at all came for 2.5 times as long as a step may take is replaced: its way is dead. A Redis that is
 * slow but answers keeps its connections.
 *
 * Listen to `error`: without a listener the driver prints what goes wrong.
 */
export function createRedisClient({
  url,
  commandTimeoutMs = COMMAND_TIMEOUT_MS,
  connectTimeoutMs = 5000,
  ca,
}: RedisClientOptions): Redis {
  return new Redis(url, {
    protocol: 2,
    connectTimeout: connectTimeoutMs,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    socketTimeout: commandTimeoutMs * 2.5,
    // Also for one that hangs and lets connections in: less than one a second from each process.
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 1600) * (0.75 + Math.random() / 2),
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(ca === undefined ? {} : { tls: { ca } }),
  })
}
