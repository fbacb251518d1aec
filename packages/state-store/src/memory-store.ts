import type { StateStore } from './state-store.ts'
import { Table } from './table.ts'
import { createTableStore } from './table-store.ts'

export interface MemoryStateStoreOptions {
  /** Clock, for tests. */
  now?: () => number
}

/** State that ends with the process. */
export function createMemoryStateStore({ now = Date.now }: MemoryStateStoreOptions = {}): StateStore {
  const since = now()
  const table = new Table(now)
  let purgeAt = since + 60_000
  return createTableStore({
    table,
    commit: () => Promise.resolve(),
    compact: () => Promise.resolve(),
    ensure() {
      if (now() < purgeAt) return
      purgeAt = now() + 60_000
      table.purge()
    },
    status: () => ({ home: 'memory', ok: true, since, warnings: [] }),
    close: () => Promise.resolve(),
  })
}
