import type { AccountOptions, AccountPool, AccountStatus } from '@castorjs/account-pool'
import type { CookieImport } from '@castorjs/cookie-import'
import { GenerationError } from '@castorjs/content-generator'
import { rankImport, type RotationOutcome, type SessionState } from '@castorjs/gemini-web-client'
import { withLock, type StateStore } from '@castorjs/state-store'
import type { WebAccount } from '../config-schema.ts'
import { createSessionStore, sessionKey, type AccountSessionStore } from '../state/session-store.ts'
import { cookiesOf, type SessionCredentials, type WebSession } from '../upstreams/web-session.ts'
import { createAccountRecords, type AccountRecord } from './account-record.ts'
import { toAccountView, type AccountView } from './account-view.ts'
import { checkWebSession, type CheckStep } from './check-web-session.ts'

/** One account as this process holds it. */
export interface WebAccountEntry {
  id: string
  configured: WebAccount | undefined
  record: AccountRecord | undefined
  session: WebSession
  store: AccountSessionStore
}

export interface AddOptions {
  /** Name of the account; that of a known one replaces its cookies. Default: found by the session, else invented. */
  label?: string | undefined
  accountIndex?: number | undefined
  proxy?: string | undefined
}

export interface AddResult {
  /**
   * - `added`: a new account.
   * - `updated`: the same person, newer cookies.
   * - `kept`: the cookies were taken in before, or are older than the stored ones, which stay.
   */
  outcome: 'added' | 'updated' | 'kept'
  message: string
  account: AccountView
  found: Pick<CookieImport, 'form' | 'names' | 'accountIndex' | 'deviceBound' | 'advice'>
  check: CheckStep[]
}

/** The accounts of the web app: those of the configuration, and those added at run time, which live in the state. */
export interface WebAccounts {
  list(): Promise<AccountView[]>
  get(id: string): Promise<AccountView>
  add(found: CookieImport, options?: AddOptions): Promise<AddResult>
  /** The check along the path of a chat, step by step. */
  check(id: string, signal?: AbortSignal): AsyncGenerator<CheckStep>
  /** Renews the ticket now. */
  renew(id: string): Promise<{ outcome: RotationOutcome; message: string }>
  setPaused(id: string, paused: boolean): Promise<void>
  reset(id: string): Promise<void>
  remove(id: string): Promise<void>
  setProxy(id: string, proxy: string | null): Promise<CheckStep[]>
  readonly entries: ReadonlyMap<string, WebAccountEntry>
  /** Takes over what other processes changed. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface WebAccountsOptions {
  pool: AccountPool<WebSession>
  state: StateStore
  configured: readonly WebAccount[]
  open: (id: string, credentials: SessionCredentials, store: AccountSessionStore) => WebSession
  maxConcurrent: number
  /** A session came into use: it wants background renewal from now on. */
  onOpened?: (entry: WebAccountEntry) => void
  now?: () => number
}

/** Adding changes several records; two at a time could take the same person for two. */
const LOCK = 'web-accounts'
const LOCK_WAIT_MS = 120_000
/** A session that was replaced ends when its answers have, and after this time in any case. */
const RETIRE_MS = 600_000
const RETIRE_LOOK_MS = 200

/** Opens every known account. */
export async function openWebAccounts(options: WebAccountsOptions): Promise<WebAccounts> {
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

  /** The account that holds this session already. */
  function holderOf(session: string, accountIndex: number): WebAccountEntry | undefined {
    for (const entry of entries.values()) {
      if (indexOf(entry) === accountIndex && sessionsOf(entry).has(session)) return entry
    }
    return undefined
  }

  function personOf(number: string | undefined): WebAccountEntry | undefined {
    if (number === undefined) return undefined
    return [...entries.values()].find((entry) => numberOf(entry) === number)
  }

  function freeName(): string {
    if (entries.size === 0) return 'default'
    for (let count = entries.size + 1; ; count++) if (!entries.has(`account-${count}`)) return `account-${count}`
  }

  async function add(found: CookieImport, { label, accountIndex, proxy }: AddOptions): Promise<AddResult> {
    const index = accountIndex ?? found.accountIndex ?? 0
    const session = found.cookies.find(({ name }) => name === '__Secure-1PSID')?.value ?? ''
    const target = (label === undefined ? undefined : entries.get(label)) ?? holderOf(session, index)
    const id = target?.id ?? label ?? freeName()
    const before = (await state.get(sessionKey(id)))?.value as SessionState | undefined
    const rank = await rankImport(before, found.cookies)

    const credentials: SessionCredentials = {
      cookies: found.cookies,
      accountIndex: index,
      deviceBound: found.deviceBound,
      proxy: proxy ?? (target === undefined ? undefined : credentialsOf(target.configured, target.record).proxy),
    }
    const store = createSessionStore(state, id)
    const opened = options.open(id, credentials, store)
    let check: CheckStep[]
    try {
      check = await collect(checkWebSession(opened))
    } catch (error) {
      store.retire()
      await opened.close()
      throw error
    }
    const failed = check.find(({ name, outcome }) => name === 'sign-in' && outcome === 'failed')
    if (failed !== undefined && (failed.fault === 'account' || proxy !== undefined)) {
      store.retire()
      await opened.close()
      // What was stored before is as it was.
      if (before !== undefined) await state.set(sessionKey(id), before)
      else if (target === undefined) await state.delete(sessionKey(id))
      throw refusal(failed, target, proxy)
    }

    const number = opened.client.status().accountNumber
    const person = target ?? personOf(number)
    const change: Partial<AccountRecord> = {
      accountIndex: index,
      deviceBound: found.deviceBound,
      ...(proxy === undefined ? {} : { proxy }),
      ...(number === undefined ? {} : { accountNumber: number }),
      ...(rank === 'newer' ? { cookies: found.cookies } : {}),
    }
    if (person !== undefined && person.id !== id) {
      // The same person by another session: the new one moves to where the person is known.
      const moved = opened.client.export()
      const known = (await state.get(sessionKey(person.id)))?.value as SessionState | undefined
      store.retire()
      await opened.close()
      const mark = moved.imports.at(-1)
      const imports = [...(known?.imports ?? []).filter((one) => one !== mark), ...moved.imports]
      await state.set(sessionKey(person.id), { ...moved, imports })
      await state.delete(sessionKey(id))
      await install(person.id, person.configured, await changeRecord(person, change))
    } else {
      const entry: WebAccountEntry = { id, configured: target?.configured, record: undefined, session: opened, store }
      entry.record = await changeRecord({ ...entry, record: target?.record }, change)
      await use(entry)
    }
    const entry = entryOf(person?.id ?? id)
    if (failed === undefined) await pool.recovered(entry.id)
    const outcome = person === undefined ? 'added' : rank === 'newer' ? 'updated' : 'kept'
    const { form, names, deviceBound, advice } = found
    return {
      outcome,
      message: MESSAGES[outcome](entry.id, rank),
      account: await view(entry),
      found: { form, names, accountIndex: found.accountIndex, deviceBound, advice },
      check,
    }
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

  function locked<Result>(work: () => Promise<Result>): Promise<Result> {
    return withLock(state, LOCK, () => work(), { ttlMs: 10_000, waitMs: LOCK_WAIT_MS }).then((done) => {
      if (done !== undefined) return done.value
      throw new GenerationError('upstream_unavailable', 'Another change of the accounts takes too long. Try again.', {
        fault: 'castor',
      })
    })
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
    async list() {
      const statuses = await pool.status()
      return Promise.all([...entries.values()].map((entry) => view(entry, statuses)))
    },
    get: (id) => view(entryOf(id)),
    add: (found, addOptions = {}) => locked(() => add(found, addOptions)),
    async *check(id, signal) {
      const entry = entryOf(id)
      let failed = false
      for await (const step of checkWebSession(entry.session, signal)) {
        if (step.outcome === 'failed') failed = true
        if (step.failure !== undefined) await pool.report(id, step.failure)
        yield step
      }
      if (!failed) await pool.recovered(id)
    },
    async renew(id) {
      const { client } = entryOf(id).session
      const outcome = await client.rotate()
      return { outcome, message: RENEWALS[outcome] }
    },
    async setPaused(id, paused) {
      const entry = entryOf(id)
      // The pool's own state tells other processes; the record is for the next start.
      entry.record = await changeRecord(entry, { paused })
      await (paused ? pool.pause(id) : pool.resume(id))
    },
    async reset(id) {
      entryOf(id)
      await pool.reset(id)
    },
    remove: (id) =>
      locked(async () => {
        const entry = entryOf(id)
        if (entry.configured !== undefined) {
          throw new GenerationError(
            'invalid_request',
            'This account is in the configuration (.env, the environment or castor.config.json). Take it out there, or pause it.',
            { field: 'id' },
          )
        }
        if (entry.record !== undefined) await records.bury(entry.record)
        entries.delete(id)
        await pool.remove(id)
        retire(entry)
        await state.delete(sessionKey(id))
      }),
    setProxy: (id, proxy) =>
      locked(async () => {
        const entry = entryOf(id)
        const store = createSessionStore(state, id)
        const credentials = credentialsOf(entry.configured, { ...blank(id), ...entry.record, proxy })
        const session = options.open(id, credentials, store)
        const check = await collect(checkWebSession(session))
        const failed = check.find(({ outcome }) => outcome === 'failed')
        if (failed !== undefined && proxy !== null && failed.fault === 'egress') {
          store.retire()
          await session.close()
          throw refusal(failed, entry, proxy)
        }
        await use({ ...entry, store, session, record: await changeRecord(entry, { proxy }) })
        return check
      }),
    sync,
    async close() {
      closing.abort()
      await Promise.all(retiring)
      await Promise.all([...entries.values()].map(({ session }) => session.close()))
    },
  }
}

const MESSAGES: Record<AddResult['outcome'], (id: string, rank: string) => string> = {
  added: (id) => `The account "${id}" was added.`,
  updated: (id) => `The account "${id}" was there already; it has the newer cookies now.`,
  kept: (id, rank) =>
    `The account "${id}" was there already, and ${rank === 'older' ? 'these cookies are older than' : 'these cookies were taken in before;'} those stored${rank === 'older' ? ', which' : ' may be newer and'} were kept.`,
}

const RENEWALS: Record<RotationOutcome, string> = {
  renewed: 'The ticket was renewed.',
  'still-good': 'Google says that the ticket is still good.',
  'too-soon': 'The last renewal was less than a minute ago; nothing was asked.',
  refused:
    'Google refuses to renew this session: it is signed out, or bound to another device. Sign in with Firefox in a private window and export the cookies again.',
}

function refusal(failed: CheckStep, target: WebAccountEntry | undefined, proxy: string | undefined): GenerationError {
  const rest = target === undefined ? 'Nothing was stored.' : `What was stored of "${target.id}" was kept.`
  const aboutProxy = proxy !== undefined && failed.fault === 'egress'
  return new GenerationError('invalid_request', `${failed.message} ${rest}`, {
    field: aboutProxy ? 'proxy' : 'cookies',
  })
}

function blank(id: string): AccountRecord {
  return { version: 1, id, addedAt: 0, revision: 0 }
}

/** True when a session opened by one record is as good for the other. */
function opensAlike(one: AccountRecord | undefined, other: AccountRecord): boolean {
  const facts = (record: AccountRecord | undefined): string =>
    JSON.stringify([record?.cookies, record?.accountIndex, record?.proxy, record?.deviceBound])
  return facts(one) === facts(other)
}

function indexOf({ record, configured }: WebAccountEntry): number {
  return record?.accountIndex ?? configured?.accountIndex ?? 0
}

function numberOf({ record, session }: WebAccountEntry): string | undefined {
  return session.client.status().accountNumber ?? record?.accountNumber
}

/** Every session cookie this account is known by: in use, added, configured. */
function sessionsOf({ record, configured, session }: WebAccountEntry): Set<string> {
  const given = configured === undefined ? undefined : cookiesOf(configured)
  const lists = [session.client.export().cookies, record?.cookies, Array.isArray(given) ? given : undefined]
  return new Set(
    lists.flatMap((list) => list?.filter(({ name }) => name === '__Secure-1PSID').map(({ value }) => value) ?? []),
  )
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
