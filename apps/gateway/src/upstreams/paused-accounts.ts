import type { StateStore } from '@castorjs/state-store'

/** Accounts of one upstream that the operator took out of use: for the next start. */
export interface PausedAccounts {
  ids(): Promise<ReadonlySet<string>>
  set(id: string, paused: boolean): Promise<void>
}

interface PauseRecord {
  version: 1
  id: string
}

export function createPausedAccounts(state: StateStore, upstream: string): PausedAccounts {
  const prefix = `paused/${upstream}/`
  return {
    async ids() {
      const ids = new Set<string>()
      for await (const { value } of state.list(prefix)) ids.add((value as PauseRecord).id)
      return ids
    },
    async set(id, paused) {
      const key = prefix + encodeURIComponent(id).slice(0, 400)
      if (paused) await state.set(key, { version: 1, id } satisfies PauseRecord)
      else await state.delete(key)
    },
  }
}
