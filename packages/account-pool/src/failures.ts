import { ERRORS, type ErrorCode, type Fault } from '@castorjs/content-generator'

/** What a failure puts to rest. */
export type Rests = 'nothing' | 'account' | 'model' | 'egress'

/** Why something rests; the word a person reads in the state. */
export type RestKind = 'cooling' | 'limited' | 'signed-out' | 'needs-attention' | 'address-blocked'

/** One row of the table: what rests after a failure, for how long, and what a person is told. */
export interface FailureRow {
  /** What rests. `model` is this model at this account; an error with a fault of its own overrides it. */
  rests: Rests
  kind: RestKind
  /** First rest, in milliseconds, where no wait is known. Doubles with each failure in a row. */
  baseMs: number
  /** Longest rest, in milliseconds; a known wait may be longer. */
  maxMs: number
  /** Failures in a row before anything rests. */
  after: number
  reason: string
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const NOTHING = { rests: 'nothing', kind: 'cooling', baseMs: MINUTE, maxMs: HOUR, after: 1 } as const

/**
 * From the error taxonomy to what rests. The other two columns, who is at fault and whether another account is
 * tried, are `ERRORS` of the middle. Streams, plain calls and background work all read this one table.
 * Source: `DESIGN.md` section 8; `gemini-web.md` sections 5 and 12 for the durations.
 */
export const FAILURES: Record<ErrorCode, FailureRow> = {
  invalid_request: { ...NOTHING, reason: 'The request was wrong' },
  unauthenticated: { ...NOTHING, reason: 'The caller has no key' },
  forbidden: { ...NOTHING, reason: 'The caller may not do this' },
  model_not_found: { ...NOTHING, baseMs: HOUR, maxMs: 6 * HOUR, reason: 'This account does not offer the model' },
  unsupported: { ...NOTHING, baseMs: HOUR, maxMs: 6 * HOUR, reason: 'This account cannot do what was asked' },
  too_large: { ...NOTHING, reason: 'The request was too large' },
  blocked: { ...NOTHING, reason: 'The request was refused for its content' },
  rate_limited: {
    rests: 'account',
    kind: 'cooling',
    baseMs: MINUTE,
    maxMs: 30 * MINUTE,
    after: 1,
    reason: 'Too many requests in a short time',
  },
  quota_exhausted: {
    rests: 'model',
    kind: 'limited',
    baseMs: HOUR,
    maxMs: 6 * HOUR,
    after: 1,
    reason: 'The quota is used up',
  },
  upstream_auth: {
    rests: 'account',
    kind: 'signed-out',
    baseMs: 15 * MINUTE,
    maxMs: 6 * HOUR,
    after: 1,
    reason: 'The session or key was refused; sign in again',
  },
  upstream_refused: {
    rests: 'egress',
    kind: 'address-blocked',
    baseMs: 2 * HOUR,
    maxMs: 24 * HOUR,
    after: 1,
    reason: 'The upstream refuses this address, not the account',
  },
  upstream_unavailable: {
    rests: 'account',
    kind: 'cooling',
    baseMs: 10 * SECOND,
    maxMs: 5 * MINUTE,
    after: 3,
    reason: 'The upstream could not be reached several times in a row',
  },
  upstream_timeout: {
    rests: 'account',
    kind: 'cooling',
    baseMs: 10 * SECOND,
    maxMs: 5 * MINUTE,
    after: 3,
    reason: 'The upstream did not answer in time, several times in a row',
  },
  protocol_drift: { ...NOTHING, reason: 'The upstream answered in an unknown shape' },
  aborted: { ...NOTHING, reason: 'The caller left' },
  internal: { ...NOTHING, reason: 'Castor failed' },
}

/** What the pool needs to know of a failure. A `GenerationError` is one. */
export interface Failure {
  code: ErrorCode
  /** Overrides the table: the account, this model at it, the address. */
  fault?: Fault | undefined
  /** The wait that is known, in milliseconds: the upstream asked for it, or its refusals are known to last so long. */
  retryAfterMs?: number | undefined
  /** The upstream's short code, shown beside the reason. */
  upstreamCode?: string | undefined
  /** Where a person can put it right: the account then needs attention. */
  link?: string | undefined
}

/** What to do about a failure. */
export interface Verdict {
  fault: Fault
  rests: Rests
  kind: RestKind
  baseMs: number
  maxMs: number
  after: number
  hintMs: number | undefined
  reason: string
  link: string | undefined
  /** May another account be tried, as long as nothing was handed out? */
  anotherAccount: 'no' | 'once' | 'yes'
}

const SCOPE_OF_FAULT: Record<Fault, Rests> = {
  caller: 'nothing',
  account: 'account',
  egress: 'egress',
  model: 'model',
  upstream: 'nothing',
  castor: 'nothing',
}

/** Codes that never blame an account, whatever the error says. */
const NEVER_THE_ACCOUNT: ReadonlySet<ErrorCode> = new Set(['aborted', 'internal', 'unauthenticated', 'forbidden'])

/** Codes about the model: an account that lacks it may still serve others. */
const ABOUT_THE_MODEL: ReadonlySet<ErrorCode> = new Set(['model_not_found', 'unsupported'])

/** Reads the table for one failure. */
export function judge(failure: Failure, table: Record<ErrorCode, FailureRow> = FAILURES): Verdict {
  const row = table[failure.code]
  const usual = ERRORS[failure.code]
  const fault = faultOf(failure)
  const named = fault !== usual.fault && !NEVER_THE_ACCOUNT.has(failure.code)
  let rests = named ? SCOPE_OF_FAULT[fault] : row.rests
  if (rests === 'account' && ABOUT_THE_MODEL.has(failure.code)) rests = 'model'
  if (failure.link !== undefined && rests !== 'nothing') rests = 'account'
  const elsewhere = named && rests !== 'nothing' && usual.anotherAccount === 'no'
  return {
    fault,
    rests,
    kind: kindOf(rests, row, failure),
    baseMs: row.baseMs,
    maxMs: row.maxMs,
    after: row.after,
    hintMs: failure.retryAfterMs,
    reason: reasonOf(rests, row, failure),
    link: failure.link,
    anotherAccount: elsewhere ? 'yes' : usual.anotherAccount,
  }
}

/** Who is at fault. A client that blames its caller means us, not who asked us: then the table knows better. */
function faultOf({ code, fault }: Failure): Fault {
  const usual = ERRORS[code].fault
  return fault === undefined || fault === 'caller' ? usual : fault
}

function kindOf(rests: Rests, row: FailureRow, failure: Failure): RestKind {
  if (failure.link !== undefined) return 'needs-attention'
  const refused = row.kind === 'address-blocked' || failure.code === 'rate_limited'
  if (rests === 'egress') return refused ? 'address-blocked' : 'cooling'
  if (rests === 'model') return 'limited'
  // A refusal that names the account is a captcha or a check of the person, not of the address.
  if (row.kind === 'address-blocked') return 'needs-attention'
  return row.kind === 'limited' ? 'cooling' : row.kind
}

function reasonOf(rests: Rests, row: FailureRow, { upstreamCode, link }: Failure): string {
  const where = rests === 'egress' && row.rests !== 'egress' ? '; the address is at fault, not the account' : ''
  const reason = link === undefined ? row.reason : 'The upstream wants a person to settle something first'
  return `${reason}${where}${upstreamCode === undefined ? '' : ` (${upstreamCode})`}`
}
