import type { AccountOptions, AccountPool, AccountStatus } from '@castorjs/account-pool'
import { GenerationError } from '@castorjs/content-generator'
import type { StateStore } from '@castorjs/state-store'
import type { WebAccount } from '../config-schema.ts'
import { createSessionStore, sessionKey, type AccountSessionStore } from '../state/session-store.ts'
import type { SessionCredentials, WebSession } from '../upstreams/web-session.ts'
import { createAccountRecords, type AccountRecord } from './account-record.ts'
import { toAccountView, type AccountView } from './account-view.ts'

/** One account as this process holds it. */
export interface WebAccountEntry {
  id: string
  configured: WebAccount | undefined
  record: AccountRecord | undefined
  session: WebSession
  store: AccountSessionStore
}

export interface AccountRosterOptions {
  pool: AccountPool<WebSession>
  state: StateStore
  configured: readonly WebAccount[]
  open: (id: string, credentials: SessionCredentials, store: AccountSessionStore) => WebSession
  maxConcurrent: number
  /** A session came into use: it wants background renewal from now on. */
  onOpened?: (entry: WebAccountEntry) => void
  now?: () => number
}

/** Who is there: the open sessions, what is kept of them, and how one takes the place of another. */
export interface AccountRoster {
  readonly entries: ReadonlyMap<string, WebAccountEntry>
  /** @throws {GenerationError} when there is none of this name. */
  entryOf(id: string): WebAccountEntry
  /** What the session of an account is opened with. */
  credentialsOf(account: WebAccount | undefined, record: AccountRecord | undefined): SessionCredentials
  /** Opens a session for what is known and puts it in the place of the one before. */
  install(id: string, account: WebAccount | undefined, record: AccountRecord | undefined): Promise<void>
  /** Puts an open session in the place of the one before. */
  use(entry: WebAccountEntry): Promise<void>
  /** Changes what is kept of an account, after which other processes open it anew. */
  changeRecord(entry: Pick<WebAccountEntry, 'id' | 'record'>, change: Partial<AccountRecord>): Promise<AccountRecord>
  /** Forgets an account and its session. */
  drop(entry: WebAccountEntry): Promise<void>
  view(entry: WebAccountEntry, statuses?: readonly AccountStatus[]): Promise<AccountView>
  /** Takes over what other processes changed. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A session that was replaced ends when its answers have, and after this time in any case. */
const RETIRE_MS = 600_000
const RETIRE_LOOK_MS = 200

/** Opens every known account. */
export async function openAccountRoster(options: AccountRosterOptions): Promise<AccountRoster> {
  const { pool, state, configured, maxConcurrent, onOpened = () => {}, now = Date.now } = options
  const records = createAccountRecords(state)
  const entries = new Map<string, WebAccountEntry>()
  const retiring = new Set<Promise<void>>()
  const closing = new AbortController()

  function credentialsOf(account: WebAccount | undefined, record: AccountRecord | undefined): SessionCredentials {
    const proxy = record?.proxy === null ? undefined : (record?.proxy ?? account?.proxy)
    const stored = record?.cookies
    return {
      // What was added at run time is in the session's own record and wins there; the configuration may be newer still.
      ...(account === undefined ? { cookies: stored } : account),
      accountIndex: record?.accountIndex ?? account?.accountIndex ?? 0,
      proxy,
      deviceBound: record?.deviceBound,
    }
  }

  function poolOptions({ id, configured: account, record, session }: WebAccountEntry): AccountOptions<WebSession> {
    return {
      id,
      egress: session.egress,
      maxConcurrent: account?.maxConcurrent ?? maxConcurrent,
      value: session,
      ...(account?.weight === undefined ? {} : { weight: account.weight }),
      ...(record?.paused === undefined ? {} : { paused: record.paused }),
    }
  }

  /** Opens a session for what is known and puts it in the place of the one before. */
  async function install(
    id: string,
    account: WebAccount | undefined,
    record: AccountRecord | undefined,
  ): Promise<void> {
    const store = createSessionStore(state, id)
    await use({
      id,
      configured: account,
      record,
      store,
      session: options.open(id, credentialsOf(account, record), store),
    })
  }

  async function use(entry: WebAccountEntry): Promise<void> {
    const before = entries.get(entry.id)
    entries.set(entry.id, entry)
    await pool.add(poolOptions(entry))
    if (before !== undefined && before.session !== entry.session) retire(before)
    onOpened(entry)
  }

  /** Lets a session's answers finish, then closes it. It writes nothing any more. */
  function retire({ session, store }: WebAccountEntry): void {
    store.retire()
    const done = (async () => {
      const until = performance.now() + RETIRE_MS
      while (performance.now() < until && !closing.signal.aborted) {
        const { running, waiting } = session.client.status()
        if (running + waiting === 0) break
        await pause(RETIRE_LOOK_MS)
      }
      await session.close()
    })().finally(() => retiring.delete(done))
    retiring.add(done)
  }

  function entryOf(id: string): WebAccountEntry {
    const entry = entries.get(id)
    if (entry !== undefined) return entry
    throw new GenerationError('invalid_request', 'There is no account of this name. GET /api/accounts lists them.', {
      field: 'id',
    })
  }

  /** Changes what is kept of an account, after which other processes open it anew. */
  async function changeRecord(entry: WebAccountEntry, change: Partial<AccountRecord>): Promise<AccountRecord> {
    const known = (await records.get(entry.id)) ?? entry.record
    const record: AccountRecord = {
      version: 1,
      id: entry.id,
      addedAt: now(),
      ...known,
      ...change,
      revision: (known?.revision ?? 0) + 1,
    }
    await records.put(record)
    return record
  }

  async function view(entry: WebAccountEntry, statuses?: readonly AccountStatus[]): Promise<AccountView> {
    const status = (statuses ?? (await pool.status())).find(({ id }) => id === entry.id)
    return toAccountView(entry, status)
  }

  async function drop(entry: WebAccountEntry): Promise<void> {
    if (entry.record !== undefined) await records.bury(entry.record)
    entries.delete(entry.id)
    await pool.remove(entry.id)
    retire(entry)
    await state.delete(sessionKey(entry.id))
  }

  async function sync(): Promise<void> {
    const listed = new Map((await records.list()).map((record) => [record.id, record]))
    for (const record of listed.values()) {
      const entry = entries.get(record.id)
      if (record.removed === true) {
        if (entry === undefined || entry.configured !== undefined) continue
        entries.delete(record.id)
        await pool.remove(record.id)
        retire(entry)
        await state.delete(sessionKey(record.id))
      } else if (entry === undefined || (entry.record?.revision ?? 0) < record.revision) {
        if (entry === undefined || !opensAlike(entry.record, record))
          await install(record.id, entry?.configured, record)
        else await use({ ...entry, record })
      }
    }
    // A state that lost its records is told them again.
    for (const { id, record } of entries.values())
      if (record !== undefined && !listed.has(id)) await records.put(record)
  }

  const known = new Map((await records.list()).map((record) => [record.id, record]))
  for (const account of configured) {
    const record = known.get(account.label)
    await install(account.label, account, record?.removed === true ? undefined : record)
  }
  for (const record of known.values()) {
    if (record.removed !== true && !entries.has(record.id)) await install(record.id, undefined, record)
  }

  return {
    entries,
    entryOf,
    credentialsOf,
    install,
    use,
    changeRecord,
    drop,
    view,
    sync,
    async close() {
      closing.abort()
      await Promise.all(retiring)
      await Promise.all([...entries.values()].map(({ session }) => session.close()))
    },
  }
}

/** True when a session opened by one record is as good for the other. */
function opensAlike(one: AccountRecord | undefined, other: AccountRecord): boolean {
  const facts = (record: AccountRecord | undefined): string =>
    JSON.stringify([record?.cookies, record?.accountIndex, record?.proxy, record?.deviceBound])
  return facts(one) === facts(other)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
