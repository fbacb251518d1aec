import type { AccountState, AccountStatus } from '@castorjs/account-pool'

/** An upstream and how its accounts are. */
export interface Watched {
  name: string
  status: () => Promise<readonly AccountStatus[]>
}

export type Readiness = { ready: true } | { ready: false; reason: string }

export interface ReadinessOptions {
  upstreams: readonly Watched[]
  /** How long a request waits for an account, in milliseconds: one that is back by then can serve. */
  waitMs: number
  now?: () => number
}

/** Whether a request would find an account, and if not, why. Counts and states only: whoever asks may be anyone. */
export async function readReadiness({ upstreams, waitMs, now = Date.now }: ReadinessOptions): Promise<Readiness> {
  const reasons: string[] = []
  for (const { name, status } of upstreams) {
    const accounts = await status()
    if (accounts.some((account) => canServe(account, now(), waitMs))) return { ready: true }
    reasons.push(`${name}: ${accounts.length === 0 ? 'no account' : describe(accounts)}`)
  }
  return { ready: false, reason: `No account can serve (${reasons.join('; ')}). GET /api/upstreams has the details.` }
}

function canServe({ state, since, until, limits }: AccountStatus, now: number, waitMs: number): boolean {
  if (state === 'ready' || state === 'busy') return true
  if (state === 'disabled') return false
  // Limited for some models; it serves the others. An account that is limited as a whole rests.
  const [first] = limits
  if (state === 'limited' && first !== undefined && first.since === since && first.until === until) return true
  // A rest that is over ends with the next request that goes well: without traffic it would never be tried.
  return until !== undefined && until <= now + (state === 'cooling' ? waitMs : 0)
}

function describe(accounts: readonly AccountStatus[]): string {
  const counts = new Map<AccountState, { count: number; until: number | undefined }>()
  for (const { state, until } of accounts) {
    const known = counts.get(state)
    const first = until === undefined ? known?.until : Math.min(until, known?.until ?? Infinity)
    counts.set(state, { count: (known?.count ?? 0) + 1, until: first })
  }
  return Array.from(counts, ([state, { count, until }]) => {
    const text = `${count} ${state.replace('-', ' ')}`
    return until === undefined ? text : `${text} until ${new Date(until).toISOString()}`
  }).join(', ')
}
