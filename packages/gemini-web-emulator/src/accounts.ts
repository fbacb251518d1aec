import { hashText, type Ids } from './ids.ts'
import type { Clock } from './clock.ts'
import { createProfile, type Profile } from './profile.ts'

/** What an account may use. */
export type Tier = 'free' | 'advanced' | 'plus'

/** An account to start with. */
export interface AccountSpec {
  /** How controls and the log call it. */
  name: string
  /** Value of `__Secure-1PSID`. */
  session: string
  /** Value of the first `__Secure-1PSIDTS`; null for the few accounts that work without a ticket. */
  ticket: string | null
  /** Default `free`. */
  tier?: Tier
  email?: string
  /** How many accounts the cookies hold: `/u/0`, `/u/1`, … Default 1. */
  profiles?: number
  /** Status code of `otAQ7b`. Default 1000. */
  status?: number
  /** Rotation of this account always answers 401. */
  deviceBound?: boolean
  /** Google's number of the person. Give two sessions the same one to have one person signed in twice. Default: of the name. */
  accountNumber?: string
}

/** The accounts an emulator has when none are given. Their cookies are public: they open nothing but an emulator. */
export const DEMO_ACCOUNTS: readonly AccountSpec[] = [
  {
    name: 'ada',
    session: 'g.a000castor-demo-ada',
    ticket: 'sidts-castor-demo-ada',
    tier: 'free',
    email: 'ada@example.com',
    profiles: 2,
  },
  {
    name: 'grace',
    session: 'g.a000castor-demo-grace',
    ticket: 'sidts-castor-demo-grace',
    tier: 'advanced',
    email: 'grace@example.com',
  },
  {
    name: 'mary',
    session: 'g.a000castor-demo-mary',
    ticket: 'sidts-castor-demo-mary',
    tier: 'plus',
    email: 'mary@example.com',
  },
]

interface Ticket {
  value: string
  issuedMs: number
}

/** A signed-in identity: one session cookie and what hangs on it. */
export interface Account {
  readonly name: string
  readonly session: string
  readonly tier: Tier
  readonly profiles: readonly Profile[]
  status: number
  deviceBound: boolean
  /** Signed out: the session cookie is worth nothing any more. */
  revoked: boolean
  /** Null for an account that has no ticket. */
  ticket: Ticket | null
  /** The ticket before the last rotation and when it was replaced. */
  replaced?: Ticket & { atMs: number }
  lastRotationMs?: number
  rotations: number
  /** Request tokens issued before this time are refused. */
  tokensFromMs: number
  /** Counts the freshness cookies. */
  counter: number
}

/** Why a set of cookies does not make a signed-in caller. */
type CookieVerdict = 'ok' | 'no-session' | 'unknown-session' | 'stale-ticket'

/** Requests under way may still carry the ticket from before a rotation for this long, in milliseconds. */
const REPLACED_GRACE_MS = 30_000

export interface AccountBook {
  readonly all: readonly Account[]
  add(spec: AccountSpec): Account
  find(name: string): Account | undefined
  /** The account a set of cookies signs in, and why not. */
  recognise(cookies: ReadonlyMap<string, string>, ticketLifeMs: number): { account?: Account; verdict: CookieVerdict }
  /** The account of a session cookie, whatever its ticket. */
  bySession(session: string | undefined): Account | undefined
  /** Issues the next ticket. */
  rotate(account: Account): string
  issueToken(account: Account, profile: Profile): string
  acceptsToken(account: Account, profile: Profile, token: string, lifeMs: number): boolean
  reset(): void
}

export function createAccountBook({
  specs,
  clock,
  ids,
}: {
  specs: readonly AccountSpec[]
  clock: Clock
  ids: Ids
}): AccountBook {
  let accounts: Account[] = []
  let bySession = new Map<string, Account>()

  function add(spec: AccountSpec): Account {
    const {
      name,
      session,
      ticket,
      tier = 'free',
      email = `${name}@example.com`,
      profiles = 1,
      status = 1000,
      deviceBound = false,
      accountNumber,
    } = spec
    const account: Account = {
      name,
      session,
      tier,
      profiles: Array.from({ length: profiles }, (_, index) =>
        createProfile({
          account: name,
          index,
          email: index === 0 ? email : `${index}.${email}`,
          ...(index === 0 && accountNumber !== undefined ? { accountNumber } : {}),
        }),
      ),
      status,
      deviceBound,
      revoked: false,
      ticket: ticket === null ? null : { value: ticket, issuedMs: clock.now() },
      rotations: 0,
      tokensFromMs: 0,
      counter: 0,
    }
    accounts = [...accounts.filter((other) => other.name !== name && other.session !== session), account]
    bySession = new Map(accounts.map((each) => [each.session, each]))
    return account
  }

  function ticketIsGood(account: Account, ticket: string | undefined, lifeMs: number): boolean {
    if (account.ticket === null) return true
    const now = clock.now()
    if (ticket === account.ticket.value) return now - account.ticket.issuedMs < lifeMs
    const { replaced } = account
    if (ticket === undefined || ticket !== replaced?.value) return false
    // One that had run out before does not come back to life.
    return now - replaced.atMs < REPLACED_GRACE_MS && replaced.atMs - replaced.issuedMs < lifeMs
  }

  /** Tokens carry their own time and a mark of account and time, so none has to be remembered. */
  function tokenAt(account: Account, profile: Profile, ms: number): string {
    const mark = (seed: number): string =>
      hashText(`${account.session}/${profile.index}/${ms}`, seed).toString(36).padStart(7, '0')
    return `AD${mark(1)}${mark(2)}_${mark(3)}:${ms}`
  }

  const book: AccountBook = {
    get all() {
      return accounts
    },
    add,
    find: (name) => accounts.find((account) => account.name === name),
    bySession(session) {
      const account = session === undefined ? undefined : bySession.get(session)
      return account?.revoked === true ? undefined : account
    },
    recognise(cookies, ticketLifeMs) {
      const session = cookies.get('__Secure-1PSID')
      if (session === undefined || session === '') return { verdict: 'no-session' }
      const account = book.bySession(session)
      if (account === undefined) return { verdict: 'unknown-session' }
      if (!ticketIsGood(account, cookies.get('__Secure-1PSIDTS'), ticketLifeMs)) return { verdict: 'stale-ticket' }
      return { account, verdict: 'ok' }
    },
    rotate(account) {
      const now = clock.now()
      if (account.ticket !== null) account.replaced = { ...account.ticket, atMs: now }
      account.rotations++
      account.lastRotationMs = now
      account.ticket = { value: `sidts-${account.name}-${account.rotations}-${ids.token(12)}`, issuedMs: now }
      return account.ticket.value
    },
    issueToken: (account, profile) => tokenAt(account, profile, Math.floor(clock.now())),
    acceptsToken(account, profile, token, lifeMs) {
      const ms = Number(/:(\d+)$/.exec(token)?.[1])
      if (!Number.isFinite(ms) || token !== tokenAt(account, profile, ms)) return false
      return ms >= account.tokensFromMs && clock.now() - ms < lifeMs && ms <= clock.now()
    },
    reset() {
      accounts = []
      bySession = new Map()
      for (const spec of specs) add(spec)
    },
  }
  book.reset()
  return book
}
