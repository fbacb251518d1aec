import type { ExportedCookie } from '@castorjs/cookie-import'
import { updateRecord, type StateStore } from '@castorjs/state-store'

/** An account that was added at run time, or what was changed of a configured one. Holds secrets; kept sealed. */
export interface AccountRecord {
  version: 1
  id: string
  /** It belongs to the configuration: without its entry there it is not opened. */
  configured?: boolean
  /** The last import, should the session's own record be lost. */
  cookies?: ExportedCookie[]
  /** Fingerprint of the configured cookies that `cookies` came after: those never take their place again. */
  instead?: string | undefined
  /** Name of the session's record. Default: `id`. Accounts of one cookie set share it, as they share the ticket. */
  home?: string
  /** Fingerprints of the sessions it had before, oldest first. */
  past?: string[]
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
  put(record: AccountRecord): Promise<void>
  /** Reads, changes and writes in one step. The last record is given, also when it tells of a removal. */
  change(id: string, change: (stored: AccountRecord | undefined) => AccountRecord): Promise<AccountRecord>
  bury(record: AccountRecord): Promise<void>
  list(): Promise<AccountRecord[]>
}

export function createAccountRecords(state: StateStore): AccountRecords {
  return {
    put: async (record) => void (await state.set(PREFIX + record.id, record)),
    async change(id, change) {
      const record = await updateRecord(state, PREFIX + id, (stored) => change(stored as AccountRecord | undefined))
      return record ?? change(undefined)
    },
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
