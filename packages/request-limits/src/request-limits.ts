import { createLimiters } from './limiters.ts'

/** The limits of a caller. Each replaces the common one for this caller; `false` is no limit. */
export interface CallerLimits {
  /** Requests an hour, counted from the first one on. */
  perHour?: number | false
  /** Time between two requests for one model, in milliseconds, rounded up to whole seconds. */
  modelSpacingMs?: number | false
}

export interface RequestLimitsOptions {
  /** Requests an hour over all callers; `false` for no limit. Default 60. */
  perHour?: number | false
  /** Time between two requests for one model over all callers, in milliseconds; `false` for none. Default 5 000, rounded up to whole seconds. */
  modelSpacingMs?: number | false
  /** An ioredis client: the limits then hold over all processes that use it. Default: the memory of this process. */
  redis?: object
  /** Begins every key in Redis. Default `castor:limits`. */
  prefix?: string
}

/** Which limit stood in the way. */
export type LimitName = 'requests-per-hour' | 'model-spacing'

export interface LimitDecision {
  allowed: boolean
  /** The limit that refused; undefined when allowed. */
  limit: LimitName | undefined
  /** Time until the same request would pass, in milliseconds; 0 when allowed. */
  retryAfterMs: number
  /** For the caller: names the limit and the seconds. Empty when allowed. */
  message: string
  /** `x-ratelimit-*`, and `retry-after` when refused. For every answer. */
  headers: Record<string, string>
}

export interface RequestLimits {
  /**
   * Counts a request, or refuses it. A refused one does not count.
   *
   * @param caller Id of the caller's key, never the key.
   * @param model Undefined for requests about no model: they only count by the hour.
   * @param own The caller's own limits.
   */
  check(caller: string, model?: string, own?: CallerLimits): Promise<LimitDecision>
}

const HOUR_MS = 3_600_000
const DEFAULTS = { perHour: 60, modelSpacingMs: 5_000 }

/**
 * Limits over all callers, and for single ones their own.
 *
 * @throws {RangeError} naming the limit, its range and the remedy.
 */
export function createRequestLimits({
  perHour = DEFAULTS.perHour,
  modelSpacingMs = DEFAULTS.modelSpacingMs,
  redis,
  prefix = 'castor:limits',
}: RequestLimitsOptions = {}): RequestLimits {
  const common = checkLimits({ perHour, modelSpacingMs })
  const limiters = createLimiters({ redis, prefix })

  return {
    async check(caller, model, own = {}) {
      const { perHour: ownPerHour, modelSpacingMs: ownSpacingMs } = checkLimits(own, 'limits.')
      const hourly = ownPerHour ?? common.perHour ?? false
      const spacing = ownSpacingMs ?? common.modelSpacingMs ?? false
      const headers: Record<string, string> = {}

      const hourKey = ownPerHour === undefined ? 'all' : `caller:${caller}`
      const hour = hourly === false ? undefined : await limiters.count(`hour:${hourKey}`, hourly, HOUR_MS)
      if (hour !== undefined) {
        headers['x-ratelimit-limit-requests'] = String(hourly)
        headers['x-ratelimit-remaining-requests'] = String(hour.remaining)
        headers['x-ratelimit-reset-requests'] = duration(hour.resetMs)
        if (!hour.allowed) {
          const message = `The limit of ${hourly} requests an hour is used up.`
          return refusal('requests-per-hour', message, hour.resetMs, headers)
        }
      }

      if (spacing !== false && model !== undefined) {
        const modelKey = `${ownSpacingMs === undefined ? 'all' : `caller:${caller}`}:${model}`
        const turn = await limiters.count(`model:${modelKey}`, 1, spacing)
        if (!turn.allowed) {
          if (hourly !== false && hour !== undefined) {
            await limiters.takeBack(`hour:${hourKey}`, hourly, HOUR_MS)
            headers['x-ratelimit-remaining-requests'] = String(hour.remaining + 1)
          }
          const message = `Requests for one model must be ${seconds(spacing)} apart.`
          return refusal('model-spacing', message, turn.resetMs, headers)
        }
      }
      return { allowed: true, limit: undefined, retryAfterMs: 0, message: '', headers }
    },
  }
}

/**
 * Checks limits from a configuration or a form.
 *
 * @param at What stands before the name in the message, such as `limits.`.
 * @throws {RangeError} naming the limit, its range and the remedy.
 */
export function checkLimits<Limits extends CallerLimits>(limits: Limits, at = ''): Limits {
  const { perHour, modelSpacingMs } = limits
  if (perHour !== undefined && perHour !== false && !(Number.isSafeInteger(perHour) && perHour >= 1)) {
    throw new RangeError(
      `${at}perHour must be a whole number of at least 1, or false for no limit; to let nothing pass, switch the key off`,
    )
  }
  if (modelSpacingMs !== undefined && modelSpacingMs !== false) {
    if (!(Number.isFinite(modelSpacingMs) && modelSpacingMs >= 1 && modelSpacingMs <= HOUR_MS)) {
      throw new RangeError(`${at}modelSpacingMs must be 1 to ${HOUR_MS} milliseconds, or false for no limit`)
    }
  }
  return limits
}

function refusal(limit: LimitName, sentence: string, waitMs: number, headers: Record<string, string>): LimitDecision {
  const retryAfterMs = Math.max(1, Math.ceil(waitMs))
  return {
    allowed: false,
    limit,
    retryAfterMs,
    message: `${sentence} Try again in ${seconds(retryAfterMs)}.`,
    headers: { ...headers, 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) },
  }
}

function seconds(ms: number): string {
  const count = Math.ceil(ms / 1_000)
  return `${count} second${count === 1 ? '' : 's'}`
}

/** As OpenAI writes it: `59m12s`, `6s`. */
function duration(ms: number): string {
  const total = Math.ceil(ms / 1_000)
  const [minutes, rest] = [Math.floor(total / 60), total % 60]
  return minutes === 0 ? `${rest}s` : `${minutes}m${rest}s`
}
