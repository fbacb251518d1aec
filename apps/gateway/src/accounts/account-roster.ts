import type { AccountOptions, AccountPool, AccountStatus } from '@castorjs/account-pool'
import { GenerationError } from '@castorjs/content-generator'
import { withLock, type StateStore } from '@castorjs/state-store'
import type { WebAccount } from '../config-schema.ts'
import { createSessionStore, sessionKey, type AccountSessionStore } from '../state/session-store.ts'
import type { SessionCredentials, WebSession } from '../upstreams/web-session.ts'
import { createAccountRecords, type AccountRecord } from './account-record.ts'
import { toAccountView, type AccountView } from './account-view.ts'
import type { CheckStep } from './check-web-session.ts'
import { markOf, sessionOf } from './fingerprints.ts'
import { dropLostTrials, homesOf, listSessions, trialHome } from './session-homes.ts'

/** One account as this process holds it. */
export interface WebAccountEntry {
  id: string
  configured: WebAccount | undefined
  record: AccountRecord | undefined
  session: WebSession
  store: AccountSessionStore
  /** Name of the session's record. */
  home: string
}

export interface AccountRosterOptions {
  pool: AccountPool<WebSession>
  state: StateStore
  configured: readonly WebAccount[]
  open: (id: string, credentials: SessionCredentials, store: AccountSessionStore) => WebSession
  maxConcurrent: number
  /** A session came into use: it wants background renewal from now on. */
  onOpened?: (entry: WebAccountEntry) => void
  /** An account was checked, for whatever reason. */
  onChecked?: (account: string, steps: readonly CheckStep[]) => void
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
  changeRecord(
    entry: Pick<WebAccountEntry, 'id' | 'record' | 'configured'>,
    change: Partial<AccountRecord>,
  ): Promise<AccountRecord>
  /** Forgets an account and its session. */
  drop(entry: WebAccountEntry): Promise<void>
  view(entry: WebAccountEntry, statuses?: readonly AccountStatus[]): Promise<AccountView>
  /** Takes over what other processes changed. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Adding changes several records; two at a time could take the same person for two. */
export const ACCOUNTS_LOCK = 'web-accounts'

/** A session that was replaced ends when its answers have, and after this time in any case. */
const RETIRE_MS = 600_000
const RETIRE_LOOK_MS = 200

/** Opens every known account. */
export async function openAccountRoster(options: AccountRosterOptions): Promise<AccountRoster> {
  const { pool, state, configured, maxConcurrent, onOpened = () => {}, now = Date.now } = options
  const records = createAccountRecords(state)
  const entries = new Map<string, WebAccountEntry>()
  const retiring = new Set<Promise<void>>()
  /** Counts what this process changed itself. */
  let changes = 0
  const closing = new AbortController()

  function credentialsOf(account: WebAccount | undefined, record: AccountRecord | undefined): SessionCredentials {
    const proxy = record?.proxy === null ? undefined : (record?.proxy ?? account?.proxy)
    // What came at run time is newer than the configuration that was there then, and older than one that was changed since.
    const added = record?.cookies !== undefined && (account === undefined || record.instead === markOf(account))
    return {
      ...account,
      ...(added ? { cookies: record.cookies } : {}),
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
    const credentials = credentialsOf(account, record)
    const home = await homeFor(id, record?.home ?? id, sessionOf(credentials))
    const store = createSessionStore(state, home)
    const session = options.open(id, credentials, store)
    await use({ id, configured: account, record, store, session, home })
  }

  /**
   * Where the session of an account is kept. Under whatever name it is there already: a label was changed, the account that
   * shared it went, or the configuration has one cookie set under two names, for `/u/0` and `/u/1`.
   */
  async function homeFor(id: string, usual: string, session: string | undefined): Promise<string> {
    const others = [...entries.values()].filter((entry) => entry.id !== id)
    if (session !== undefined) {
      const kept = homesOf(await listSessions(state), session)
      if (kept.includes(usual)) return usual
      const shared = others.find((entry) => sessionOf(credentialsOf(entry.configured, entry.record)) === session)
      const other = kept[0] ?? shared?.home
      if (other !== undefined) return other
    }
    return others.some(({ home }) => home === usual) ? trialHome(id) : usual
  }

  /** An account that was added is there as well by the configuration: the same cookies and number. */
  function isDouble(record: AccountRecord): boolean {
    const { accountIndex, ...credentials } = credentialsOf(undefined, record)
    const session = sessionOf({ accountIndex, ...credentials })
    return [...entries.values()].some((entry) => {
      const own = credentialsOf(entry.configured, entry.record)
      return entry.id !== record.id && own.accountIndex === accountIndex && sessionOf(own) === session
    })
  }

  /** Deletes a session's record, unless another account lives by it. */
  async function leaveHome(home: string): Promise<void> {
    if ([...entries.values()].some((entry) => entry.home === home)) return
    await state.delete(sessionKey(home))
  }

  async function use(entry: WebAccountEntry): Promise<void> {
    const before = entries.get(entry.id)
    entries.set(entry.id, entry)
    await pool.add(poolOptions(entry))
    if (before !== undefined && before.session !== entry.session) retire(before)
    if (before !== undefined && before.home !== entry.home) await leaveHome(before.home)
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
    throw unknownAccount()
  }

  function changeRecord(
    { id, record: ours, configured: account }: Pick<WebAccountEntry, 'id' | 'record' | 'configured'>,
    change: Partial<AccountRecord>,
  ): Promise<AccountRecord> {
    return records.change(id, (stored) => {
      // Another process has removed it a moment ago. Who adds it anew says so by knowing nothing of it.
      if (stored?.removed === true && ours !== undefined) throw unknownAccount()
      const known = stored?.removed === true ? undefined : (stored ?? ours)
      return {
        version: 1,
        id,
        addedAt: now(),
        ...known,
        ...change,
        configured: account !== undefined,
        revision: Math.max(stored?.revision ?? 0, ours?.revision ?? 0) + 1,
      }
    })
  }

  async function view(entry: WebAccountEntry, statuses?: readonly AccountStatus[]): Promise<AccountView> {
    const status = (statuses ?? (await pool.status())).find(({ id }) => id === entry.id)
    return toAccountView(entry, status)
  }

  async function drop(entry: WebAccountEntry): Promise<void> {
    changes++
    if (entry.record !== undefined) await records.bury(entry.record)
    await forget(entry)
  }

  async function forget(entry: WebAccountEntry): Promise<void> {
    changes++
    entries.delete(entry.id)
    await pool.remove(entry.id)
    retire(entry)
    await leaveHome(entry.home)
  }

  async function sync(): Promise<void> {
    const began = changes
    const listed = new Map((await records.list()).map((record) => [record.id, record]))
    for (const record of listed.values()) {
      const entry = entries.get(record.id)
      if (record.removed === true) {
        if (entry !== undefined && entry.configured === undefined) await forget(entry)
      } else if (entry === undefined && (record.configured === true || changes > began)) {
        // Not ours to open; or it may be the one that is being removed here.
        continue
      } else if (entry === undefined && isDouble(record)) {
        continue
      } else if (entry === undefined || (entry.record?.revision ?? 0) < record.revision) {
        if (entry === undefined || !opensAlike(entry.record, record))
          await install(record.id, entry?.configured, record)
        else await use({ ...entry, record })
      }
    }
    // A state that lost its records is told them again.
    for (const { id, record } of entries.values())
      if (record !== undefined && !listed.has(id) && changes === began) await records.put(record)
  }

  const known = new Map((await records.list()).map((record) => [record.id, record]))
  const homes = new Set([...configured.map(({ label }) => label), ...[...known].map(([id, { home = id }]) => home)])
  // While somebody tries cookies out, that is not lost.
  await withLock(state, ACCOUNTS_LOCK, () => dropLostTrials(state, homes))
  for (const account of configured) {
    const record = known.get(account.label)
    await install(account.label, account, record?.removed === true ? undefined : record)
  }
  for (const record of known.values()) {
    if (record.removed === true || record.configured === true || entries.has(record.id)) continue
    if (isDouble(record)) continue
    await install(record.id, undefined, record)
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
    JSON.stringify([record?.cookies, record?.home, record?.accountIndex, record?.proxy, record?.deviceBound])
  return facts(one) === facts(other)
}

function unknownAccount(): GenerationError {
  return new GenerationError('invalid_request', 'There is no account of this name. GET /api/accounts lists them.', {
    field: 'id',
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
