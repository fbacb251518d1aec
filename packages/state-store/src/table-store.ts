import { checkCount, checkKey, checkTtl, toJson } from './checks.ts'
import { StateError } from './error.ts'
import { createLease } from './lease.ts'
import type { StateStatus, StateStore } from './state-store.ts'
import type { Change, Table } from './table.ts'

export interface TableStoreOptions {
  table: Table
  /** Makes a change durable. */
  commit(this: void, change: Change): Promise<void>
  /** Writes everything anew. */
  compact(this: void): Promise<void>
  /** Called before each step; throws when the store cannot be used. */
  ensure(this: void): Promise<void> | void
  status(this: void): StateStatus
  close(this: void): Promise<void>
}

/** A store over a table of this process, made durable by `commit`. */
export function createTableStore({ table, commit, compact, ensure, status, close }: TableStoreOptions): StateStore {
  let closed = false

  async function begin(): Promise<void> {
    if (closed) throw new StateError('closed', 'The state store is closed')
    await ensure()
  }

  async function write(
    key: string,
    value: unknown,
    version: number | undefined,
    ttlMs: number | undefined,
  ): Promise<number | undefined> {
    checkKey(key)
    checkTtl(ttlMs)
    const text = toJson(key, value)
    await begin()
    const change = table.set(key, text, version, ttlMs)
    if (change === undefined) return undefined
    await commit(change)
    return change.n
  }

  return {
    shared: false,
    async get(key) {
      checkKey(key)
      await begin()
      return table.get(key)
    },
    set: async (key, value, { ttlMs } = {}) => (await write(key, value, undefined, ttlMs)) ?? 0,
    compareAndSet: (key, version, value, { ttlMs } = {}) => write(key, value, version, ttlMs),
    async delete(key, version) {
      checkKey(key)
      await begin()
      const change = table.delete(key, version)
      if (change === undefined) return false
      await commit(change)
      return true
    },
    async *list(prefix) {
      await begin()
      for (const key of table.keys(prefix)) {
        const record = table.get(key)
        if (record !== undefined) yield record
      }
    },
    async count(key, options = {}) {
      checkKey(key)
      checkTtl(options.ttlMs)
      checkCount(options)
      await begin()
      const { count, change } = table.count(key, options)
      if (change !== undefined) await commit(change)
      return count
    },
    async resetCount(key) {
      checkKey(key)
      await begin()
      const change = table.resetCount(key)
      if (change !== undefined) await commit(change)
    },
    async tryLock(name, ttlMs) {
      checkKey(name)
      checkTtl(ttlMs)
      await begin()
      const lock = table.lock(name, ttlMs)
      if (lock === undefined) return undefined
      return createLease(
        { name, ttlMs, ...lock },
        {
          renew: async (ttl) => table.renew(name, lock.token, ttl),
          release: async () => table.unlock(name, lock.token),
        },
      )
    },
    async compact() {
      await begin()
      table.purge()
      await compact()
    },
    status,
    async close() {
      if (closed) return
      closed = true
      await close()
    },
  }
}
