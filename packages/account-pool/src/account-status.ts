import type { AccountFacts, PoolFacts, Rest } from './pool-state.ts'

export type AccountState =
  'ready' | 'busy' | 'cooling' | 'limited' | 'signed-out' | 'needs-attention' | 'address-blocked' | 'disabled'

/** How one account is, for a person and for an API. */
export interface AccountStatus {
  id: string
  label: string
  egress: string
  state: AccountState
  /** The state in words, such as `limited for model X until 2026-11-20T19:00:00.000Z`. */
  text: string
  reason: string
  /** When it came to be so, in milliseconds since 1970; undefined when nothing ever happened to it. */
  since: number | undefined
  /** When it ends by itself, in milliseconds since 1970; undefined when the clock alone does not end it. */
  until: number | undefined
  /** Where a person can put it right. */
  link: string | undefined
  /** Models it does not serve for now. It serves the others. */
  limits: { model: string; reason: string; since: number; until: number }[]
  active: number
  maxConcurrent: number
  weight: number
  lastUsedAt: number | undefined
  /** Requests in the running hour and day, for the ceilings. */
  hour: { used: number; ceiling: number | undefined }
  day: { used: number; ceiling: number | undefined }
}

type Condition = Pick<AccountStatus, 'state' | 'text' | 'reason' | 'since' | 'until' | 'link'>

/** Reads the facts of one account. */
export function readStatus(facts: AccountFacts, pool: PoolFacts, label: string): AccountStatus {
  const { limits } = facts
  const limited = facts.modelRests
    .filter(({ until }) => until > pool.at)
    .map(({ scope, reason, since, until }) => ({ model: scope.model, reason, since, until }))
    .sort((left, right) => left.until - right.until)
  return {
    id: limits.id,
    label,
    egress: limits.egress,
    ...conditionOf(facts, pool, limited),
    limits: limited,
    active: facts.active,
    maxConcurrent: limits.maxConcurrent,
    weight: limits.weight,
    lastUsedAt: facts.lastUsedAt || undefined,
    hour: { used: facts.hour.count, ceiling: limits.perHour || undefined },
    day: { used: facts.day.count, ceiling: limits.perDay || undefined },
  }
}

function conditionOf(facts: AccountFacts, pool: PoolFacts, limited: AccountStatus['limits']): Condition {
  const none = { since: facts.lastUsedAt || undefined, until: undefined, link: undefined }
  if (facts.paused) return { ...none, state: 'disabled', text: 'disabled', reason: 'Paused by the operator' }

  const egress = pool.egresses.find(({ egress: name }) => name === facts.limits.egress)
  const resting = [egress?.rest, facts.rest].find((rest) => rest !== undefined && rest.until > pool.at)
  if (resting !== undefined) return restCondition(resting, facts, pool.at)
  // A rest of these kinds is over only when a request has shown it.
  const unproven = [egress?.rest, facts.rest].find(
    (rest) => rest !== undefined && rest.until > 0 && rest.kind !== 'cooling',
  )
  if (unproven !== undefined) return restCondition(unproven, facts, pool.at)

  if (facts.ceilingUntil > pool.at) {
    return cooling(facts.ceilingUntil, 'It has reached its own ceiling of requests', facts.lastUsedAt)
  }
  if (egress !== undefined && egress.pacedUntil > pool.at) {
    const reason = `The pace of the address ${egress.egress} is used up`
    return cooling(egress.pacedUntil, reason, facts.lastUsedAt)
  }
  if (facts.active >= facts.limits.maxConcurrent) {
    const reason = `${facts.active} of ${facts.limits.maxConcurrent} requests at once are running`
    return { ...none, state: 'busy', text: 'busy', reason }
  }
  const first = limited[0]
  if (first !== undefined) {
    const text = limited.map(({ model, until }) => `limited for model ${model} until ${time(until)}`).join(', ')
    return { state: 'limited', text, reason: first.reason, since: first.since, until: first.until, link: undefined }
  }
  const onTrial = facts.rest !== undefined && facts.rest.until > 0
  const reason = onTrial ? `On trial after a rest: ${facts.rest?.reason}` : 'Nothing is wrong'
  return { ...none, state: 'ready', text: 'ready', reason }
}

function restCondition(rest: Rest, facts: AccountFacts, at: number): Condition {
  const over = rest.until <= at
  return {
    state: rest.kind,
    text: restText(rest, facts),
    reason: over ? `${rest.reason}. The next request tries it again` : rest.reason,
    since: rest.since,
    until: rest.until,
    link: rest.link,
  }
}

function restText(rest: Rest, { limits }: AccountFacts): string {
  const until = time(rest.until)
  switch (rest.kind) {
    case 'cooling':
      return `cooling until ${until}`
    case 'limited':
      return `limited until ${until}`
    case 'signed-out':
      return 'signed out'
    case 'needs-attention':
      return `needs attention: ${rest.link ?? rest.reason}`
    case 'address-blocked':
      return `address blocked until ${until} (${limits.egress})`
  }
}

function cooling(until: number, reason: string, since: number): Condition {
  return { state: 'cooling', text: `cooling until ${time(until)}`, reason, since, until, link: undefined }
}

function time(at: number): string {
  return new Date(at).toISOString()
}
