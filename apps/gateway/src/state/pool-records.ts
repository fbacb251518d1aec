import {
  createDurablePoolState,
  type AccountMemory,
  type EgressMemory,
  type PoolRecords,
  type PoolState,
} from '@castorjs/account-pool'
import type { StateStore } from '@castorjs/state-store'

/** After this nothing in a record matters any more: the longest rest is over, and so is its memory of failures in a row. */
const KEPT_MS = 9 * 86_400_000
const VERSION = 1

interface PoolRecord {
  version: typeof VERSION
  account?: AccountMemory
  egress?: EgressMemory
}

/** A pool's memory as records of the state, one for each account and each address. */
function createPoolRecords(state: StateStore, pool: string): PoolRecords {
  const accountKey = (id: string): string => keyOf(pool, 'account', id)
  const save = async (key: string, record: Omit<PoolRecord, 'version'>): Promise<void> =>
    void (await state.set(key, { version: VERSION, ...record }, { ttlMs: KEPT_MS }))
  return {
    async load() {
      const accounts: AccountMemory[] = []
      const egresses: EgressMemory[] = []
      for await (const { value } of state.list(`pool/${pool}/`)) {
        const { version, account, egress } = value as PoolRecord
        if (version !== VERSION) continue
        if (account !== undefined) accounts.push(account)
        if (egress !== undefined) egresses.push(egress)
      }
      return { accounts, egresses }
    },
    saveAccount: (account) => save(accountKey(account.limits.id), { account }),
    saveEgress: (egress) => save(keyOf(pool, 'egress', egress.egress), { egress }),
    removeAccount: async (id) => void (await state.delete(accountKey(id))),
  }
}

/** The state of a pool that only this process has: it knows after a restart what rested and what was used. */
export function keptPoolState(state: StateStore, pool: string, onError?: (error: unknown) => void): PoolState {
  return createDurablePoolState({
    records: createPoolRecords(state, pool),
    ...(onError === undefined ? {} : { onError }),
  })
}

/** Keys of the state are short and have no control characters; labels may be anything. */
function keyOf(pool: string, kind: 'account' | 'egress', name: string): string {
  return `pool/${pool}/${kind}/${encodeURIComponent(name).slice(0, 400)}`
}
