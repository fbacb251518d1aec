import { DAY_MS, JITTER, KEEP_REST_MS, type Rest, type RestOrder } from './pool-state.ts'

/**
 * The record after one more failure. Failures that come while it rests already are the same event seen again:
 * they can lengthen the rest but do not count as another in a row.
 */
export function nextRest(record: Rest | undefined, order: RestOrder, now: number): Rest {
  const known = record === undefined || isForgotten(record, now) ? undefined : record
  const resting = known !== undefined && known.until > now
  const strikes = resting ? known.strikes : (known?.strikes ?? 0) + 1
  const until = strikes < order.after ? 0 : now + lengthOf(order, strikes)
  return {
    scope: order.scope,
    kind: order.kind,
    reason: order.reason,
    link: order.link,
    strikes,
    since: resting ? known.since : now,
    until: resting ? Math.max(known.until, until) : until,
    trial: undefined,
  }
}

/**
 * How long a rest is. A known wait takes the place of the table's first rest, believed up to a day; it doubles like that
 * one, because a failure right after it shows that it was too short.
 */
function lengthOf({ baseMs, maxMs, after, hintMs, roll }: RestOrder, strikes: number): number {
  const first = hintMs === undefined ? baseMs : Math.min(hintMs, DAY_MS)
  const longest = hintMs === undefined ? maxMs : Math.max(maxMs, first)
  const length = Math.min(longest, first * 2 ** Math.min(strikes - after, 30))
  return Math.ceil(length * (1 + JITTER * roll))
}

/** True for a failure that is so long ago that a new one counts as the first. */
export function isForgotten({ until, since }: Rest, now: number): boolean {
  return Math.max(until, since) + KEEP_REST_MS <= now
}

/** True between the end of a rest and the first success after it: one request at a time may try. */
export function isOnTrial(rest: Rest | undefined, now: number): boolean {
  return rest !== undefined && rest.until > 0 && rest.until <= now
}
