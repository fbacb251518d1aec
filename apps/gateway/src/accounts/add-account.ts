import type { AccountPool } from '@castorjs/account-pool'
import type { CookieImport } from '@castorjs/cookie-import'
import { GenerationError } from '@castorjs/content-generator'
import { rankImport, type SessionState } from '@castorjs/gemini-web-client'
import type { StateStore } from '@castorjs/state-store'
import { createSessionStore, sessionKey, type AccountSessionStore } from '../state/session-store.ts'
import { cookiesOf, type SessionCredentials, type WebSession } from '../upstreams/web-session.ts'
import type { AccountRecord } from './account-record.ts'
import type { AccountRoster, WebAccountEntry } from './account-roster.ts'
import type { AccountView } from './account-view.ts'
import { checkWebSession, collectSteps, type CheckStep } from './check-web-session.ts'

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

export interface AddPorts {
  state: StateStore
  pool: AccountPool<WebSession>
  open: (id: string, credentials: SessionCredentials, store: AccountSessionStore) => WebSession
  roster: AccountRoster
}

type Entries = ReadonlyMap<string, WebAccountEntry>

/**
 * Takes a session in after a real check: as a new account, or as newer cookies of somebody who is there.
 *
 * @throws {GenerationError} `invalid_request`, naming `cookies` or `proxy`, when it does not work; nothing is changed then.
 */
export async function addAccount(
  { state, pool, open, roster }: AddPorts,
  found: CookieImport,
  { label, accountIndex, proxy }: AddOptions,
): Promise<AddResult> {
  const { entries } = roster
  const index = accountIndex ?? found.accountIndex ?? 0
  const session = found.cookies.find(({ name }) => name === '__Secure-1PSID')?.value ?? ''
  const target = (label === undefined ? undefined : entries.get(label)) ?? holderOf(entries, session, index)
  const id = target?.id ?? label ?? freeName(entries)
  const before = (await state.get(sessionKey(id)))?.value as SessionState | undefined
  const rank = await rankImport(before, found.cookies)

  const credentials: SessionCredentials = {
    cookies: found.cookies,
    accountIndex: index,
    deviceBound: found.deviceBound,
    proxy: proxy ?? (target === undefined ? undefined : roster.credentialsOf(target.configured, target.record).proxy),
  }
  const store = createSessionStore(state, id)
  const opened = open(id, credentials, store)
  let check: CheckStep[]
  try {
    check = await collectSteps(checkWebSession(opened))
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
  const person = target ?? personOf(entries, number)
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
    await roster.install(person.id, person.configured, await roster.changeRecord(person, change))
  } else {
    const entry: WebAccountEntry = { id, configured: target?.configured, record: undefined, session: opened, store }
    entry.record = await roster.changeRecord({ ...entry, record: target?.record }, change)
    await roster.use(entry)
  }
  const entry = roster.entryOf(person?.id ?? id)
  if (failed === undefined) await pool.recovered(entry.id)
  const outcome = person === undefined ? 'added' : rank === 'newer' ? 'updated' : 'kept'
  const { form, names, deviceBound, advice } = found
  return {
    outcome,
    message: MESSAGES[outcome](entry.id, rank),
    account: await roster.view(entry),
    found: { form, names, accountIndex: found.accountIndex, deviceBound, advice },
    check,
  }
}

/** The account that holds this session already. */
function holderOf(entries: Entries, session: string, accountIndex: number): WebAccountEntry | undefined {
  for (const entry of entries.values()) {
    if (indexOf(entry) === accountIndex && sessionsOf(entry).has(session)) return entry
  }
  return undefined
}

function personOf(entries: Entries, number: string | undefined): WebAccountEntry | undefined {
  if (number === undefined) return undefined
  return [...entries.values()].find((entry) => numberOf(entry) === number)
}

function freeName(entries: Entries): string {
  if (entries.size === 0) return 'default'
  for (let count = entries.size + 1; ; count++) if (!entries.has(`account-${count}`)) return `account-${count}`
}

const MESSAGES: Record<AddResult['outcome'], (id: string, rank: string) => string> = {
  added: (id) => `The account "${id}" was added.`,
  updated: (id) => `The account "${id}" was there already; it has the newer cookies now.`,
  kept: (id, rank) =>
    `The account "${id}" was there already, and ${rank === 'older' ? 'these cookies are older than' : 'these cookies were taken in before;'} those stored${rank === 'older' ? ', which' : ' may be newer and'} were kept.`,
}

/** Why a session was not taken, and what became of the one before. */
export function refusal(
  failed: CheckStep,
  target: WebAccountEntry | undefined,
  proxy: string | undefined,
): GenerationError {
  const rest = target === undefined ? 'Nothing was stored.' : `What was stored of "${target.id}" was kept.`
  const aboutProxy = proxy !== undefined && failed.fault === 'egress'
  return new GenerationError('invalid_request', `${failed.message} ${rest}`, {
    field: aboutProxy ? 'proxy' : 'cookies',
  })
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
