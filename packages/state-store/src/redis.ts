import { checkCount, checkKey, checkTtl, toJson } from './checks.ts'
import { isStateError, StateError } from './error.ts'
import { createLease } from './lease.ts'
import { connectRedis } from './redis/connection.ts'
import type { RedisClientOptions } from './redis/client.ts'
import { FOREIGN_VERSION } from './redis/scripts.ts'
import type { StateRecord, StateStore } from './state-store.ts'
import { createUnreadableRecords } from './unreadable.ts'

export interface RedisStateStoreOptions extends RedisClientOptions {
  /** Before each key. On a cluster it must hold a hash tag, such as `{castor}:`. Default `castor:`. */
  prefix?: string
}

/** Records asked for in one round trip of `list`. */
const PAGE = 200

/**
 * State in Redis, for any number of processes. Each step is one round trip. How durable an acknowledged write is
 * depends on Redis: with `appendfsync always` as much as on disk, with the default up to a second may be lost.
 *
 * @throws {StateError} `invalid`, `denied`, `unsupported` or `unavailable`, when Redis cannot be used from the start.
 */
export async function openRedisStateStore({
  prefix = 'castor:',
  ...options
}: RedisStateStoreOptions): Promise<StateStore> {
  const redis = connectRedis(options, `${prefix}c:castor/probe`)
  const unreadable = createUnreadableRecords()
  const index = `${prefix}index`
  const sequence = `${prefix}sequence`
  const recordName = (key: string): string => `${prefix}r:${key}`
  const counterName = (key: string): string => `${prefix}c:${key}`
  const lockName = (name: string): string => `${prefix}l:${name}`

  async function write(
    key: string,
    version: string,
    value: unknown,
    ttlMs: number | undefined,
  ): Promise<number | undefined> {
    checkKey(key)
    checkTtl(ttlMs)
    const keys = [recordName(key), index, sequence]
    const args = [key, version, toJson(key, value), ttlMs === undefined ? '' : String(ttlMs), recordName('')]
    const written = await redis.run('castorSet', keys, args)
    if (written === '') return undefined
    unreadable.forget(key)
    return Number(written)
  }

  /** @param asked Somebody needs just this one. */
  function read(key: string, text: string, asked: boolean): StateRecord {
    try {
      const record = readRecord(key, text)
      unreadable.forget(key)
      return record
    } catch (error) {
      if (isStateError(error)) unreadable.note(key, error, { asked })
      throw error
    }
  }

  function tryRead(key: string, text: string): StateRecord | undefined {
    try {
      return read(key, text, false)
    } catch (error) {
      if (!isStateError(error)) throw error
      return undefined
    }
  }

  const store: StateStore = {
    shared: true,
    async get(key) {
      checkKey(key)
      const text = await redis.get(recordName(key))
      if (text === null) unreadable.forget(key)
      return text === null ? undefined : read(key, text, true)
    },
    set: async (key, value, { ttlMs } = {}) => (await write(key, '', value, ttlMs)) ?? 0,
    compareAndSet: (key, version, value, { ttlMs } = {}) => write(key, String(version), value, ttlMs),
    async delete(key, version) {
      checkKey(key)
      const args = [key, version === undefined ? '' : String(version)]
      const deleted = (await redis.run('castorDelete', [recordName(key), index], args)) === 1
      if (deleted) unreadable.forget(key)
      return deleted
    },
    async *list(keyPrefix) {
      let from = keyPrefix === '' ? '-' : `[${keyPrefix}`
      for (;;) {
        const page = (await redis.run('castorList', [index], [recordName(''), from, '+', String(PAGE)])) as string[]
        for (let at = 0; at < page.length; at += 2) {
          const [key = '', text = ''] = page.slice(at, at + 2)
          if (!key.startsWith(keyPrefix)) return
          if (text === '') continue
          const record = tryRead(key, text)
          if (record !== undefined) yield record
        }
        if (page.length < PAGE * 2) return
        from = `(${page.at(-2)}`
      }
    },
    async count(key, { by = 1, ttlMs, max } = {}) {
      checkKey(key)
      checkTtl(ttlMs)
      checkCount({ by, max })
      const args = [String(by), ttlMs === undefined ? '' : String(ttlMs), max === undefined ? '' : String(max)]
      const [counted, value, ttl, now] = (await redis.run('castorCount', [counterName(key)], args)) as [
        number,
        number,
        number,
        number,
      ]
      return ttl < 0 ? { counted: counted === 1, value } : { counted: counted === 1, value, expiresAt: now + ttl }
    },
    async resetCount(key) {
      checkKey(key)
      await redis.del(counterName(key))
    },
    async tryLock(name, ttlMs) {
      checkKey(name)
      checkTtl(ttlMs)
      const key = lockName(name)
      const [token, expiresAt] = (await redis.run('castorLock', [key, sequence], [String(ttlMs)])) as string[]
      if (token === undefined) return undefined
      return createLease(
        { name, token: Number(token), ttlMs, expiresAt: Number(expiresAt) },
        {
          async renew(ttl) {
            const renewed = await redis.run('castorRenew', [key], [token, String(ttl)])
            return renewed === '' ? undefined : Number(renewed)
          },
          release: async () => (await redis.run('castorUnlock', [key], [token])) === 1,
        },
      )
    },
    // Redis writes its own log anew when it pleases; BGREWRITEAOF makes it.
    compact: () => Promise.resolve(),
    status: () => unreadable.addTo(redis.status()),
    close: () => redis.close(),
  }
  try {
    await redis.check()
    await tryOut(store)
  } catch (error) {
    await redis.close()
    throw error
  }
  return store
}

/**
 * Every kind of step once, so that a missing right is told at the start and not by the first renewal.
 *
 * @throws {StateError} `denied` or `unsupported`. A Redis that takes no writes just now is no reason not to start.
 */
async function tryOut(store: StateStore): Promise<void> {
  const key = `castor/try-out/${crypto.randomUUID()}`
  try {
    await store.set(key, null, { ttlMs: 10_000 })
    for await (const _ of store.list(key)) break
    await store.get(key)
    await store.delete(key)
    await store.count(key, { ttlMs: 10_000 })
    await store.resetCount(key)
    const lease = await store.tryLock(key, 10_000)
    await lease?.renew()
    await lease?.release()
  } catch (error) {
    if (!isStateError(error) || error.code !== 'unavailable') throw error
  }
}

/**
 * `version:expiry:json`
 *
 * @throws {StateError} `unreadable`, without a word of what is there.
 */
function readRecord(key: string, text: string): StateRecord {
  const [, version, expiry, json = ''] = /^(\d+):(\d*):(.*)$/s.exec(text) ?? []
  try {
    const record = { key, value: JSON.parse(json) as unknown, version: Number(version) }
    return expiry === '' ? record : { ...record, expiresAt: Number(expiry) }
  } catch {
    throw new StateError(
      'unreadable',
      `The record "${key}" in Redis is damaged, or something else wrote it. Write it anew, or delete it`,
      { version: Number(/^(\d+):/.exec(text)?.[1] ?? FOREIGN_VERSION) },
    )
  }
}

export { createRedisClient } from './redis/client.ts'
export type { RedisClientOptions } from './redis/client.ts'
export { NO_WRITES, readReplyCode } from './redis/reply-code.ts'
export { readRedisUrl } from './redis/redis-url.ts'
export type { RedisUrl } from './redis/redis-url.ts'
