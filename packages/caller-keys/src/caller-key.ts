import { GenerationError } from '@castorjs/content-generator'

/** Limits of one key; each replaces the common one. `false` is no limit. */
export interface KeyLimits {
  perHour?: number | false
  modelSpacingMs?: number | false
}

/** What a person decides about a key. */
export interface CallerKeySettings {
  /** For people: 1 to 100 characters. */
  name: string
  /** Upstreams it may use; undefined for all. */
  upstreams?: readonly string[] | undefined
  /** Models it may use, exact or with `*` at the end; undefined for all. */
  models?: readonly string[] | undefined
  limits?: KeyLimits | undefined
  /** Milliseconds since 1970; undefined for never. */
  expiresAt?: number | undefined
  /** False switches it off. Default true. */
  enabled?: boolean
}

/** A key without its secret: fit to be shown. */
export interface CallerKey extends CallerKeySettings {
  /** Public, stable; what ledgers and logs call the caller. */
  id: string
  enabled: boolean
  /** Milliseconds since 1970. */
  createdAt: number
}

const MAX_NAME = 100
const MAX_LIST = 200
/** What `@castorjs/request-limits` can count: an hour. */
const MAX_SPACING_MS = 3_600_000
/** The last time a `Date` can hold. */
const LAST_TIME = 8.64e15
const LIMITS: readonly string[] = ['perHour', 'modelSpacingMs'] satisfies (keyof KeyLimits)[]

/** @throws {GenerationError} `invalid_request` naming the field, its limit and the remedy. */
export function checkSettings(settings: Partial<CallerKeySettings>): void {
  const { name, upstreams, models, limits, expiresAt, enabled } = settings
  if (name !== undefined && !(typeof name === 'string' && name.trim() !== '' && name.length <= MAX_NAME)) {
    throw wrong('name', `must be text of 1 to ${MAX_NAME} characters`)
  }
  checkNames('upstreams', upstreams)
  checkNames('models', models)
  if (models?.some((model) => model.slice(0, -1).includes('*')) === true) {
    throw wrong('models', 'may have `*` at the end of a name only')
  }
  if (limits !== undefined) {
    if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
      throw wrong('limits', 'must be an object')
    }
    // A misspelt limit would be no limit.
    const unknown = Object.keys(limits).find((limit) => !LIMITS.includes(limit))
    if (unknown !== undefined) throw wrong('limits', `may hold ${LIMITS.join(' and ')} only`)
    checkLimit('limits.perHour', limits.perHour)
    checkLimit('limits.modelSpacingMs', limits.modelSpacingMs)
    if (typeof limits.modelSpacingMs === 'number' && limits.modelSpacingMs > MAX_SPACING_MS) {
      throw wrong('limits.modelSpacingMs', `must be at most ${MAX_SPACING_MS} milliseconds`)
    }
  }
  if (expiresAt !== undefined && !(Number.isFinite(expiresAt) && expiresAt > 0 && expiresAt <= LAST_TIME)) {
    throw wrong('expiresAt', 'must be a time in milliseconds since 1970')
  }
  if (enabled !== undefined && typeof enabled !== 'boolean') throw wrong('enabled', 'must be true or false')
}

/** @throws {GenerationError} `invalid_request` for a new key that would be dead at its birth. */
export function checkFuture(expiresAt: number | undefined, now: number): void {
  if (expiresAt === undefined || expiresAt > now) return
  const when = new Date(expiresAt).toISOString()
  throw wrong('expiresAt', `is ${when}, which is over; give a time to come, in milliseconds since 1970`)
}

function checkNames(field: string, names: readonly string[] | undefined): void {
  if (names === undefined) return
  const valid = Array.isArray(names) && names.every((name) => typeof name === 'string' && name.trim() !== '')
  if (!valid || names.length > MAX_LIST) throw wrong(field, `must be a list of at most ${MAX_LIST} names`)
  if (names.length === 0) throw wrong(field, 'is an empty list, so nothing could pass; leave it out to allow all')
}

function checkLimit(field: string, value: number | false | undefined): void {
  if (value === undefined || value === false) return
  if (value === 0) throw wrong(field, 'is 0, so nothing could pass; use false for no limit, or switch the key off')
  if (!(Number.isSafeInteger(value) && value >= 1)) {
    throw wrong(field, 'must be a whole number of at least 1, or false for no limit')
  }
}

function wrong(field: string, what: string): GenerationError {
  return new GenerationError('invalid_request', `\`${field}\` ${what}.`, { field })
}

/** @throws {GenerationError} `forbidden` when the key may not use this upstream or model. */
export function permit(key: CallerKey, { upstream, model }: { upstream?: string; model?: string }): void {
  if (upstream !== undefined && key.upstreams !== undefined && !key.upstreams.includes(upstream)) {
    throw new GenerationError('forbidden', `The key "${key.name}" may not use the upstream ${upstream}.`)
  }
  if (model !== undefined && !allowsModel(key, model)) {
    throw new GenerationError('forbidden', `The key "${key.name}" may not use this model; ask for another one.`, {
      suggestions: key.models?.filter((name) => !name.endsWith('*')) ?? [],
    })
  }
}

/** For lists of models: whether a key would get an answer from this one. */
export function allowsModel({ models }: CallerKey, model: string): boolean {
  if (models === undefined) return true
  return models.some((name) => (name.endsWith('*') ? model.startsWith(name.slice(0, -1)) : model === name))
}
