import { GenerationError } from '@castorjs/content-generator'
import { readWait, type GoogleError } from './google-error.ts'

/** Where nothing was said: Google's bare "Resource has been exhausted" passes within seconds. */
const BARE_WAIT_MS = 2_000
const MINUTE_MS = 60_000

/**
 * What a 429 really means. Per minute: wait as told. Per day: nothing before midnight in California, whatever
 * `retryDelay` claims. A quota of 0: never. Out of capacity: not this account's fault.
 * Source: `gemini-api.md` section 11, `code-assist.md` section 6.
 */
export function toQuotaError(error: GoogleError, now: number, bareWaitMs = BARE_WAIT_MS): GenerationError {
  const { reason, quotas, message } = error
  const upstreamCode = reason === '' ? 'RESOURCE_EXHAUSTED' : reason
  const wait = readWait(error, now)
  if (/^MODEL_CAPACITY_(EXHAUSTED|EXCEEDED)$/.test(reason)) {
    return new GenerationError(
      'upstream_unavailable',
      'Google has no capacity for this model at the moment. Send the request again, or choose another model.',
      {
        upstreamCode,
        ...(wait === undefined ? {} : { retryAfterMs: wait }),
      },
    )
  }
  if (/limit: 0\b/.test(message) || quotas.some(({ value }) => value === '0')) {
    return new GenerationError(
      'quota_exhausted',
      'This account has no quota at all for this model. Choose another model, or enable billing for the key’s project.',
      {
        upstreamCode: 'NO_QUOTA',
      },
    )
  }
  if (reason === 'INSUFFICIENT_G1_CREDITS_BALANCE') {
    return new GenerationError('quota_exhausted', 'The account’s paid credits are used up.', { upstreamCode })
  }
  if (quotas.some(({ id }) => /PerDay|Daily/i.test(id))) {
    return new GenerationError(
      'quota_exhausted',
      'The daily quota of the key’s project for this model is used up; it comes back at midnight in California.',
      {
        upstreamCode,
        retryAfterMs: untilPacificMidnight(now),
      },
    )
  }
  if (reason === 'QUOTA_EXHAUSTED') {
    return new GenerationError('quota_exhausted', 'The account’s allotment for this model is used up for now.', {
      upstreamCode,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    })
  }
  const perMinute = quotas.some(({ id }) => id.includes('PerMinute'))
  return new GenerationError('rate_limited', 'The upstream takes no more requests from this account for a moment.', {
    upstreamCode,
    retryAfterMs: wait ?? (perMinute ? MINUTE_MS : bareWaitMs),
  })
}

const PACIFIC = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
  hourCycle: 'h23',
})

/** Milliseconds to the next midnight in California, when daily quotas come back. */
export function untilPacificMidnight(now: number): number {
  const parts = PACIFIC.formatToParts(now)
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0)
  const passed = ((read('hour') * 60 + read('minute')) * 60 + read('second')) * 1_000 + (now % 1_000)
  return Math.max(1_000, 86_400_000 - passed)
}
