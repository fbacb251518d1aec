import type { ExportedCookie } from '@castorjs/cookie-import'
import type { StateStore } from '@castorjs/state-store'

/** An account that was added at run time, or what was changed of a configured one. Holds secrets; kept sealed. */
export interface AccountRecord {
  version: 1
  id: string
  /** The import it came from, should the session's own record be lost. */
  cookies?: ExportedCookie[]
  accountIndex?: number
  /** Null takes away the proxy of the configuration. */
  proxy?: string | null
  paused?: boolean
  deviceBound?: boolean
  /** Google's number of the account. */
  accountNumber?: string
  addedAt: number
  /** Counts the changes after which a session must be opened anew, in every process. */
  revision: number
  /** Left behind by a removal, so that other processes hear of it. */
  removed?: true
}

const PREFIX = 'web-account/'
/** How long a removal is remembered; every process reads it within seconds. */
const TOMBSTONE_MS = 86_400_000

export interface AccountRecords {
  get(id: string): Promise<AccountRecord | undefined>
  put(record: AccountRecord): Promise<void>
  bury(record: AccountRecord): Promise<void>
  list(): Promise<AccountRecord[]>
}

export function createAccountRecords(state: StateStore): AccountRecords {
  return {
    get: async (id) => (await state.get(PREFIX + id))?.value as AccountRecord | undefined,
    put: async (record) => void (await state.set(PREFIX + record.id, record)),
    async bury({ id, addedAt, revision }) {
      const grave: AccountRecord = { version: 1, id, addedAt, revision: revision + 1, removed: true }
      await state.set(PREFIX + id, grave, { ttlMs: TOMBSTONE_MS })
    },
    async list() {
      const records: AccountRecord[] = []
      for await (const { value } of state.list(PREFIX)) records.push(value as AccountRecord)
      return records
    },
  }
}
