/*
 * A token bucket as one number: the time at which it will be full again. Each request moves that time on by the
 * distance of two requests at an even pace; a request may go while it is no further away than a whole bucket less one.
 */

const MINUTE_MS = 60_000
/** What a sum of fractions may be off by, in milliseconds. */
const ROUNDING_MS = 0.01

/** When the next request may go; 0 when it may go now. */
export function pacedUntil(fullAt: number, perMinute: number, at: number): number {
  if (perMinute === 0) return 0
  // A pace of less than one a minute still lets one go at a time.
  const burst = Math.max(1, perMinute)
  const until = Math.ceil(fullAt - ((burst - 1) * MINUTE_MS) / perMinute - ROUNDING_MS)
  return until <= at ? 0 : until
}

/** When the bucket is full again after so many more requests. */
export function spend(fullAt: number, perMinute: number, at: number, requests: number): number {
  return Math.max(fullAt, at) + (requests * MINUTE_MS) / perMinute
}
