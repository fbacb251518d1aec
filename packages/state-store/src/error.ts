const BRAND = Symbol.for('@castorjs/state-store/error')

/**
 * - `unavailable`: the home cannot be reached or written right now; trying later makes sense.
 * - `denied`: it refuses us: password, permission, file rights.
 * - `unsupported`: it is of a version that we cannot use.
 * - `in_use`: another process writes here.
 * - `wrong_key`: the keys given are not those of the store, or not all of them.
 * - `unreadable`: this one record does not open: it is damaged, or nobody uses the key any more that sealed it.
 * - `too_large`: a value is over the limit.
 * - `invalid`: the call itself is wrong.
 * - `conflict`: the record kept changing.
 * - `closed`: the store was closed.
 */
export type StateErrorCode =
  | 'unavailable'
  | 'denied'
  | 'unsupported'
  | 'in_use'
  | 'wrong_key'
  | 'unreadable'
  | 'too_large'
  | 'invalid'
  | 'conflict'
  | 'closed'

/** Why state could not be read or kept. The message is ours, names keys of records at most, and never a value or secret. */
export class StateError extends Error {
  readonly code: StateErrorCode
  /** Of an `unreadable` record: with it `compareAndSet` writes over the record and over nothing newer. */
  readonly version: number | undefined

  constructor(code: StateErrorCode, message: string, options?: { cause?: unknown; version?: number }) {
    super(message, options)
    this.name = 'StateError'
    this.code = code
    this.version = options?.version
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises a StateError of any installed copy of this package. */
export function isStateError(value: unknown): value is StateError {
  return value instanceof Error && BRAND in value
}
