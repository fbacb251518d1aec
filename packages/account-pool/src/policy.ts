import type { ErrorCode } from '@castorjs/content-generator'
import { FAILURES, type FailureRow } from './failures.ts'
import type { AccountLimits } from './pool-state.ts'

export interface PoolPolicy {
  /** Leases at once for an account that says nothing else. Default 2. */
  maxConcurrent?: number
  /** Requests a minute through one egress; `false` for no pace. Default 8. */
  egressPerMinute?: number | false
  /** Requests an hour for an account that says nothing else; `false` for no ceiling. Default 60. */
  perHour?: number | false
  /** Requests a day for an account that says nothing else; `false` for no ceiling. Default 500. */
  perDay?: number | false
  /** Longest wait for an account that is busy or about to be ready, in milliseconds. Default 30 000. */
  waitMs?: number
  /** How long a conversation stays with its account, in milliseconds. Default 24 hours. */
  affinityMs?: number
  /** Life of a lease whose process died, in milliseconds; renewed three times in it. Shared state only. Default 9 000. */
  leaseTtlMs?: number
  /** Changes to the table from failures to rests. */
  failures?: Partial<Record<ErrorCode, Partial<FailureRow>>>
}

export interface AccountOptions<Value> {
  /** Unique in the pool, stable over restarts, not secret. */
  id: string
  /** What people and logs see. Default: the id. Never a secret. */
  label?: string
  /**
   * Whom it serves: leases of the same group. Groups share addresses, with their pace and their rests. Default: the
   * group of those that name none.
   */
  group?: string
  /** Share of the traffic, relative to the others. Default 1. */
  weight?: number
  /** Name of the address it leaves by, such as `direct` or `proxy-2`; never a URL with a password. Default `direct`. */
  egress?: string
  maxConcurrent?: number
  perHour?: number | false
  perDay?: number | false
  /** Do not use it. Undefined leaves a known account as it is. */
  paused?: boolean
  /** What a lease hands out: the client of this account. */
  value: Value
}

/** The policy with its defaults, checked. */
export interface Policy {
  maxConcurrent: number
  perMinute: number
  perHour: number
  perDay: number
  waitMs: number
  affinityMs: number
  leaseTtlMs: number
  failures: Record<ErrorCode, FailureRow>
}

/** @throws {RangeError} naming the setting, its limit and the remedy. */
export function readPolicy({
  maxConcurrent = 2,
  egressPerMinute = 8,
  perHour = 60,
  perDay = 500,
  waitMs = 30_000,
  affinityMs = 86_400_000,
  leaseTtlMs = 9_000,
  failures = {},
}: PoolPolicy): Policy {
  const table = { ...FAILURES }
  for (const code of Object.keys(failures) as ErrorCode[]) {
    if (!(code in FAILURES)) throw new RangeError(`policy.failures.${code} is not an error code of the middle`)
    table[code] = { ...FAILURES[code], ...failures[code] }
  }
  return {
    maxConcurrent: checkConcurrent('policy.maxConcurrent', maxConcurrent),
    perMinute: checkCeiling('policy.egressPerMinute', egressPerMinute),
    perHour: checkCeiling('policy.perHour', perHour),
    perDay: checkCeiling('policy.perDay', perDay),
    waitMs: checkTime('policy.waitMs', waitMs, 0),
    affinityMs: checkTime('policy.affinityMs', affinityMs, 0),
    leaseTtlMs: checkTime('policy.leaseTtlMs', leaseTtlMs, 300),
    failures: table,
  }
}

/** @throws {RangeError} naming the field of the account, its limit and the remedy. */
export function readLimits(account: AccountOptions<unknown>, policy: Policy): AccountLimits {
  const { id, group = '', egress = 'direct', weight = 1, paused } = account
  if (typeof id !== 'string' || id === '') throw new RangeError('accounts[].id is empty; give every account a name')
  const name = `accounts[${id}]`
  if (egress === '') throw new RangeError(`${name}.egress is empty; leave it out for the direct address`)
  if (/:\/\/.*@/.test(egress)) {
    throw new RangeError(`${name}.egress holds a password and would be shown in states; give the proxy a name`)
  }
  if (!(weight > 0 && weight <= 1_000)) {
    throw new RangeError(`${name}.weight must be above 0 and at most 1000; to stop an account, pause it`)
  }
  return {
    id,
    group,
    egress,
    weight,
    maxConcurrent: checkConcurrent(`${name}.maxConcurrent`, account.maxConcurrent ?? policy.maxConcurrent),
    perHour: account.perHour === undefined ? policy.perHour : checkCeiling(`${name}.perHour`, account.perHour),
    perDay: account.perDay === undefined ? policy.perDay : checkCeiling(`${name}.perDay`, account.perDay),
    ...(paused === undefined ? {} : { paused }),
  }
}

function checkConcurrent(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new RangeError(`${name} must be a whole number of at least 1; to stop an account, pause it`)
}

/** A ceiling of requests; `false` becomes 0, which is none. */
function checkCeiling(name: string, value: number | false): number {
  if (value === false) return 0
  if (value === 0)
    throw new RangeError(`${name} is 0, so nothing could ever pass; use false for no limit, or pause the account`)
  if (Number.isFinite(value) && value >= 1) return value
  throw new RangeError(`${name} must be a number of at least 1, or false for no limit`)
}

function checkTime(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value
  throw new RangeError(`${name} must be a number of milliseconds, at least ${least}`)
}
