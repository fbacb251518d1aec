import type { CookieImport } from '@castorjs/cookie-import'
import { GenerationError } from '@castorjs/content-generator'
import { rankImport, type SessionState } from '@castorjs/gemini-web-client'
import { sessionIn } from '../state/session-store.ts'
import { cookiesOf } from '../upstreams/web-session.ts'
import type { WebAccountEntry } from './account-roster.ts'
import type { AddOptions } from './add-account.ts'
import { markOfSession } from './fingerprints.ts'

type Entries = ReadonlyMap<string, WebAccountEntry>

/** Whose cookies these are, as far as the cookies tell, and where they are kept. */
export interface Place {
  /** Undefined for somebody new. */
  target: WebAccountEntry | undefined
  id: string
  accountIndex: number
  home: string
}

const SIGN_IN_MS = 30_000
const PAST_KEPT = 50

export function findPlace(entries: Entries, found: CookieImport, { label, accountIndex }: AddOptions): Place {
  const index = accountIndex ?? found.accountIndex ?? 0
  const session = sessionIn(found.cookies) ?? ''
  const sharers = [...entries.values()].filter((entry) => sessionsOf(entry).has(session))
  const holder = sharers.find((entry) => indexOf(entry) === index)
  const named = label === undefined ? undefined : entries.get(label)
  if (named !== undefined && holder !== undefined && named !== holder) throw namedAnother(holder, label)
  const target = named ?? holder
  const id = target?.id ?? label ?? freeName(entries)
  return { target, id, accountIndex: index, home: target?.home ?? sharers[0]?.home ?? id }
}

export type Rank = Awaited<ReturnType<typeof rankImport>> | 'renewed'

export async function rankFor(
  entry: WebAccountEntry | undefined,
  before: SessionState | undefined,
  found: CookieImport,
): Promise<Rank> {
  if (entry?.record?.past?.includes(markOfSession(sessionIn(found.cookies) ?? '')) === true) return 'known'
  return rankImport(before, found.cookies)
}

/** The sessions an account had and has no more; the one that comes now is none of them. */
export function pastOf(person: WebAccountEntry | undefined, found: CookieImport): string[] {
  const now = markOfSession(sessionIn(found.cookies) ?? '')
  const had = person === undefined ? [] : [...sessionsOf(person)].map(markOfSession)
  return [...new Set([...(person?.record?.past ?? []), ...had])].filter((mark) => mark !== now).slice(-PAST_KEPT)
}

/** The account of this number. Those whose number is not known yet are signed in to first, except where the lock is ours. */
export async function personOf(
  entries: Entries,
  number: string | undefined,
  home: string,
): Promise<WebAccountEntry | undefined> {
  if (number === undefined) return undefined
  const all = [...entries.values()]
  const strangers = all.filter(
    (entry) => entry.home !== home && numberOf(entry) === undefined && entry.session.client.status().code === undefined,
  )
  const signal = AbortSignal.timeout(SIGN_IN_MS)
  await Promise.allSettled(strangers.map(({ session }) => session.signIn(signal)))
  return all.find((entry) => numberOf(entry) === number)
}

function freeName(entries: Entries): string {
  if (entries.size === 0) return 'default'
  for (let count = entries.size + 1; ; count++) if (!entries.has(`account-${count}`)) return `account-${count}`
}

export function namedAnother(owner: WebAccountEntry, label: string | undefined): GenerationError {
  return new GenerationError(
    'invalid_request',
    `These are cookies of "${owner.id}", not of "${label}"; nothing was changed. Leave \`label\` out, or remove "${owner.id}" first.`,
    { field: 'label' },
  )
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
