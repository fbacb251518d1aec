import type { RestKind } from './failures.ts'

/**
 * What a pool remembers, and the few steps that must be whole: taking a lease, giving it back, resting. One
 * process keeps it in memory (`createMemoryPoolState`); several share it in Redis (`./redis`). Every home passes
 * the same tests, and each call is one round trip.
 */
export interface PoolState {
  /** True when other processes use it too: leases then have to be renewed, and freed slots are not announced. */
  readonly shared: boolean
  /** Makes accounts known, or updates their limits. Rests, leases and counts of known accounts stay. */
  put(accounts: readonly AccountLimits[]): Promise<void>
  /** Forgets an account with its rests; leases on it may still be released. */
  remove(account: string): Promise<void>
  /** Takes an account, or tells when to come back. */
  acquire(ask: Ask): Promise<Answer>
  /** Keeps leases alive for another while. A lease that had expired is taken again. */
  renew(leases: readonly HeldLease[], ttlMs: number): Promise<void>
  /** Gives a lease back; twice is harmless. With an order, something rests. */
  release(lease: HeldLease, order?: RestOrder): Promise<Rest | undefined>
  /** The upstream accepted the lease's request: what was on trial because of an older failure is well again. */
  succeed(lease: HeldLease): Promise<void>
  /** Counts requests that were made elsewhere, for the ceilings and the pace. */
  charge(uses: readonly Use[]): Promise<void>
  /** Rests something without a lease: background work failed. */
  rest(order: RestOrder): Promise<Rest>
  /** Ends the rests of these at once. */
  clear(scopes: readonly Scope[]): Promise<void>
  /** Stops or resumes an account by hand. */
  pause(account: string, paused: boolean): Promise<void>
  read(): Promise<PoolFacts>
  /** Writes what is still to be written. Absent where nothing can be. */
  close?(): Promise<void>
}

/** What can rest. */
export type Scope =
  | { type: 'account'; account: string }
  | { type: 'model'; account: string; model: string }
  | { type: 'egress'; egress: string }

export interface AccountLimits {
  id: string
  /** Whom it serves: asks of the same group. Addresses, their pace and their rests are common to all groups. */
  group: string
  /** Name of the address it leaves by. */
  egress: string
  /** Share of the traffic, relative to the others. */
  weight: number
  /** Leases at once. */
  maxConcurrent: number
  /** Requests an hour; 0 is no ceiling. */
  perHour: number
  /** Requests a day; 0 is no ceiling. */
  perDay: number
  /** Undefined leaves a known account as it is. */
  paused?: boolean
}

export interface Ask {
  /** A fresh name for the lease; empty for a light call, which takes no slot, no pace and is not remembered. */
  lease: string
  /** Only accounts of this group. */
  group: string
  /** Empty when the call is about no model. */
  model: string
  /** Conversation key: the account that last answered under it comes first. Empty for none. */
  affinity: string
  /** The conversation begins: no account comes first, but the one that is taken is remembered. */
  begins: boolean
  /** How long the conversation's account is remembered, in milliseconds. */
  affinityMs: number
  /** An account to take if it is ready. Empty for none. */
  prefer: string
  /** Accounts that this request has tried. */
  exclude: readonly string[]
  /** Take an account on trial only if no other is ready. */
  avoidTrials: boolean
  /** Requests a minute for each egress; 0 is no pace. */
  perMinute: number
  /** Life of the lease without renewal, in milliseconds. Ignored where `shared` is false. */
  ttlMs: number
  /** Only tells what would be: nothing is taken. */
  look?: boolean
}

export type Answer =
  | {
      ok: true
      account: string
      egress: string
      /** True when an earlier failure of the account, the model or the egress is still on record. */
      marked: boolean
      /** True when one of them has rested: this request tries it out. */
      trial: boolean
      at: number
    }
  | {
      ok: false
      /** Accounts by what keeps them from serving. An account counts once, under its weightiest obstacle. */
      obstacles: Partial<Record<Obstacle, number>>
      /** Earliest time at which any account is free by the clock alone; undefined when none is. */
      retryAt: number | undefined
      /** The same without the excluded accounts: how long waiting makes sense. */
      freeAt: number | undefined
      at: number
    }

/** What keeps an account from serving. `tried` are the excluded ones. */
export type Obstacle = RestKind | 'disabled' | 'ceiling' | 'paced' | 'busy' | 'tried'

/** Requests of one account by one address. */
export interface Use {
  account: string
  egress: string
  count: number
  /** Pace of the address, as in `Ask`. */
  perMinute: number
}

export interface HeldLease {
  id: string
  account: string
  egress: string
  model: string
  /** When it was taken, by the state's clock. */
  at: number
}

/**
 * An order to rest. Its length is `hintMs` or `baseMs`, doubled per failure in a row up to `maxMs` (or the hint, if that is
 * longer), plus a share of it by `roll`.
 */
export interface RestOrder {
  scope: Scope
  kind: RestKind
  reason: string
  link: string | undefined
  baseMs: number
  maxMs: number
  after: number
  /** A known wait; takes the place of `baseMs`. */
  hintMs: number | undefined
  /** 0 to 1, drawn by the caller; a full roll adds a fifth to the rest. */
  roll: number
}

/** A failure on record. */
export interface Rest {
  scope: Scope
  kind: RestKind
  reason: string
  link: string | undefined
  /** Failures in a row. */
  strikes: number
  /** When the last of them came. */
  since: number
  /** End of the rest; 0 while too few failures came for one. */
  until: number
  /** The lease that tries it out after its rest. */
  trial: string | undefined
}

export interface PoolFacts {
  /** The state's clock. */
  at: number
  accounts: AccountFacts[]
  egresses: EgressFacts[]
}

export interface EgressFacts {
  egress: string
  rest: Rest | undefined
  /** When its pace lets the next request go; 0 when it may go now. */
  pacedUntil: number
  /** When its bucket is full again; 0 when it is. */
  fullAt: number
}

/** A fixed window that begins with its first request. */
export interface Window {
  /** 0 when none is open. */
  endsAt: number
  /** Requests in it. */
  count: number
}

export interface AccountFacts {
  limits: AccountLimits
  paused: boolean
  /** Leases held, by all processes. */
  active: number
  /** Time of the last lease; 0 for none yet. */
  lastUsedAt: number
  /** End of the hour or day whose ceiling is reached; 0 when there is room. */
  ceilingUntil: number
  hour: Window
  day: Window
  rest: Rest | undefined
  modelRests: (Rest & { scope: { type: 'model' } })[]
}

/** What is still true when a process ends: rests, counts and pace, and no leases. */
export interface PoolMemory {
  /** The clock by which the times are. */
  at: number
  accounts: readonly AccountMemory[]
  egresses: readonly EgressMemory[]
}

export type AccountMemory = Pick<AccountFacts, 'rest' | 'modelRests' | 'hour' | 'day' | 'lastUsedAt'> & {
  limits: Pick<AccountLimits, 'id'>
}

export type EgressMemory = Pick<EgressFacts, 'egress' | 'rest' | 'fullAt'>

export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000
/** How long a failure stays on record after its rest: a new one then counts as the first. */
export const KEEP_REST_MS = 7 * DAY_MS
/** Share of a rest that a full roll adds, so that accounts that fell together do not come back together. */
export const JITTER = 0.2
