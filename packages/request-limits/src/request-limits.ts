import type { Counter } from './counts.ts'
import { createLimiters, type Standing } from './limiters.ts'

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
  /** The limit that refused, of two the one with the longer wait; undefined when allowed. */
  limit: LimitName | undefined
  /** Time until the same request would pass, in milliseconds; 0 when allowed. */
  retryAfterMs: number
  /** For the caller: names the limit and the seconds. Empty when allowed. */
  message: string
  /** `x-ratelimit-*`, and `retry-after` when refused. For every answer. */
  headers: Record<string, string>
  /**
   * Takes the request back, for one that failed before it cost anything: neither limit has counted it then. Once, and within
   * the windows it was counted in; never touches a later one. Never rejects.
   *
   * @returns The `x-ratelimit-*` that are true from then on.
   */
  giveBack(): Promise<Record<string, string>>
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
  /** `x-ratelimit-*` for an answer that counts nothing, such as a list of models. Empty where there is no limit. */
  headers(caller: string, own?: CallerLimits): Promise<Record<string, string>>
}

const HOUR_MS = 3_600_000
/** Longest pause between two requests for one model, in milliseconds. */
const MAX_SPACING_MS = HOUR_MS
/** Characters of a model's name that count; a caller may send any. */
const MAX_MODEL = 200
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

  /** The counters that hold for a request; undefined where there is no limit. */
  function read(caller: string, model: string | undefined, own: CallerLimits) {
    checkLimits(own, 'limits.')
    const hourly = own.perHour ?? common.perHour
    const spacing = own.modelSpacingMs ?? common.modelSpacingMs
    const hourKey = own.perHour === undefined ? 'all' : `caller:${caller}`
    const modelKey = own.modelSpacingMs === undefined ? 'all' : `caller:${caller}`
    const hour: Counter | undefined =
      hourly === false ? undefined : { key: `hour:${hourKey}`, points: hourly, windowMs: HOUR_MS }
    const pause: Counter | undefined =
      spacing === false || model === undefined
        ? undefined
        : { key: `model:${modelKey}:${model.slice(0, MAX_MODEL)}`, points: 1, windowMs: wholeSeconds(spacing) }
    return { hour, pause }
  }

  return {
    async check(caller, model, own = {}) {
      const { hour, pause } = read(caller, model, own)
      // The pause first: a request that fails it must not hold a place in the hour for even a moment, or another
      // caller could be sent away for that hour.
      const paused = pause === undefined ? undefined : await limiters.count(pause)
      if (pause !== undefined && paused?.allowed === false) {
        const wait = toWait('model-spacing', pause, paused)
        if (hour === undefined) return refuse(wait, {})
        const left = await limiters.peek(hour)
        // Both stand in the way: the longer wait is the true one.
        const longer = !left.allowed && left.resetMs > paused.resetMs
        return refuse(longer ? toWait('requests-per-hour', hour, left) : wait, toHeaders(hour, left))
      }
      const counted = hour === undefined ? undefined : await limiters.count(hour)
      const headers = hour === undefined || counted === undefined ? {} : toHeaders(hour, counted)
      if (hour !== undefined && counted?.allowed === false) {
        await paused?.giveBack()
        return refuse(toWait('requests-per-hour', hour, counted), headers)
      }
      async function giveBack(): Promise<Record<string, string>> {
        const [left] = await Promise.all([counted?.giveBack(), paused?.giveBack()])
        return hour === undefined || left === undefined ? {} : toHeaders(hour, left)
      }
      return { allowed: true, limit: undefined, retryAfterMs: 0, message: '', headers, giveBack }
    },
    async headers(caller, own = {}) {
      const { hour } = read(caller, undefined, own)
      return hour === undefined ? {} : toHeaders(hour, await limiters.peek(hour))
    },
  }
}

/** A limit that stands in the way, in words, and for how long, in milliseconds. */
interface Wait {
  limit: LimitName
  sentence: string
  ms: number
}

function toWait(limit: LimitName, { points, windowMs }: Counter, { resetMs: ms }: Standing): Wait {
  const sentence =
    limit === 'model-spacing'
      ? `Requests for one model must be ${seconds(windowMs)} apart.`
      : `The limit of ${points} requests an hour is used up.`
  return { limit, sentence, ms }
}

function toHeaders({ points }: Counter, { remaining, resetMs }: Standing): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(points),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': duration(resetMs),
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
    if (!(Number.isFinite(modelSpacingMs) && modelSpacingMs >= 1 && modelSpacingMs <= MAX_SPACING_MS)) {
      throw new RangeError(`${at}modelSpacingMs must be 1 to ${MAX_SPACING_MS} milliseconds, or false for no limit`)
    }
  }
  return limits
}

function refuse({ limit, sentence, ms }: Wait, headers: Record<string, string>): LimitDecision {
  const retryAfterMs = Math.max(1, Math.ceil(ms))
  return {
    allowed: false,
    limit,
    retryAfterMs,
    message: `${sentence} Try again in ${seconds(retryAfterMs)}.`,
    headers: { ...headers, 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) },
    giveBack: async () => headers,
  }
}

/** Redis counts in whole seconds. */
function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1_000) * 1_000
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
