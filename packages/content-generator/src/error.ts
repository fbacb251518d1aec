/** Every way a generation can fail. Closed: a new code is a compile error in each table that forgot it. */
export type ErrorCode =
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'model_not_found'
  | 'unsupported'
  | 'too_large'
  | 'blocked'
  | 'rate_limited'
  | 'quota_exhausted'
  | 'upstream_auth'
  | 'upstream_refused'
  | 'upstream_unavailable'
  | 'upstream_timeout'
  | 'protocol_drift'
  | 'aborted'
  | 'internal'

/** Who has to do something about it. */
export type Fault = 'caller' | 'account' | 'egress' | 'model' | 'upstream' | 'castor'

export interface ErrorRow {
  /** HTTP status of a dialect that has no word of its own. */
  status: number
  /** May another account be tried, as long as nothing was sent to the caller? */
  anotherAccount: 'no' | 'once' | 'yes'
  /** Should the caller's SDK send the same request again? */
  retry: boolean
  /** Who is at fault unless the error says otherwise. */
  fault: Fault
}

/** The error table. Source: `DESIGN.md` section 8. */
export const ERRORS: Record<ErrorCode, ErrorRow> = {
  invalid_request: { status: 400, anotherAccount: 'no', retry: false, fault: 'caller' },
  unauthenticated: { status: 401, anotherAccount: 'no', retry: false, fault: 'caller' },
  forbidden: { status: 403, anotherAccount: 'no', retry: false, fault: 'caller' },
  model_not_found: { status: 404, anotherAccount: 'no', retry: false, fault: 'caller' },
  unsupported: { status: 400, anotherAccount: 'no', retry: false, fault: 'caller' },
  too_large: { status: 413, anotherAccount: 'no', retry: false, fault: 'caller' },
  blocked: { status: 400, anotherAccount: 'no', retry: false, fault: 'caller' },
  rate_limited: { status: 429, anotherAccount: 'yes', retry: true, fault: 'account' },
  quota_exhausted: { status: 429, anotherAccount: 'yes', retry: false, fault: 'account' },
  upstream_auth: { status: 502, anotherAccount: 'yes', retry: false, fault: 'account' },
  upstream_refused: { status: 502, anotherAccount: 'yes', retry: false, fault: 'egress' },
  upstream_unavailable: { status: 503, anotherAccount: 'once', retry: true, fault: 'upstream' },
  upstream_timeout: { status: 504, anotherAccount: 'no', retry: true, fault: 'upstream' },
  protocol_drift: { status: 502, anotherAccount: 'no', retry: false, fault: 'upstream' },
  aborted: { status: 499, anotherAccount: 'no', retry: false, fault: 'caller' },
  internal: { status: 500, anotherAccount: 'no', retry: false, fault: 'castor' },
}

export interface GenerationErrorOptions {
  /** True wait until a retry makes sense, in milliseconds. */
  retryAfterMs?: number
  /** The offending field in the caller's own words, such as `messages[0].content`. */
  field?: string
  /** Overrides the table's fault. */
  fault?: Fault
  /** The remote file at fault, exactly as given; a dialect turns it back into its own field name. */
  fileUri?: string
  /** The upstream's own short code, such as `1037` or `RESOURCE_EXHAUSTED`. Text is dropped. */
  upstreamCode?: string
  /** Names that would have worked, for `model_not_found`. */
  suggestions?: readonly string[]
  cause?: unknown
}

const BRAND = Symbol.for('@castorjs/GenerationError')

/**
 * The one error of the middle. `message` is ours, one or two sentences with the remedy, and safe to show:
 * no upstream text, cookie, token, URL query or prompt ever goes into it.
 */
export class GenerationError extends Error {
  override readonly name = 'GenerationError'
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined
  readonly field: string | undefined
  readonly fault: Fault
  readonly fileUri: string | undefined
  readonly upstreamCode: string | undefined
  readonly suggestions: readonly string[]

  constructor(code: ErrorCode, message: string, options: GenerationErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.field = options.field
    this.fault = options.fault ?? ERRORS[code].fault
    this.fileUri = options.fileUri
    this.upstreamCode = readUpstreamCode(options.upstreamCode)
    this.suggestions = options.suggestions ?? []
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** What an upstream gave as its code, if it looks like one: anything else may be text, and text is not to be shown. */
export function readUpstreamCode(code: string | undefined): string | undefined {
  return code !== undefined && /^[\w.:-]{1,64}$/.test(code) ? code : undefined
}

/** True for a `GenerationError` of this or another installed copy of the package. */
export function isGenerationError(error: unknown): error is GenerationError {
  return typeof error === 'object' && error !== null && BRAND in error
}

/**
 * Makes anything thrown into a `GenerationError`. An abort of the caller becomes `aborted`; whatever nobody
 * mapped becomes `internal`, with the original as `cause` and none of its text in the message.
 */
export function toGenerationError(error: unknown, signal?: AbortSignal): GenerationError {
  if (isGenerationError(error)) return error
  if (signal?.aborted === true && isGenerationError(signal.reason)) return signal.reason
  if (signal?.aborted === true || isAbort(error)) {
    return new GenerationError('aborted', 'The caller left before the answer was complete.', { cause: error })
  }
  return new GenerationError('internal', 'Castor failed while handling this request; the log has the details.', {
    cause: error,
  })
}

/**
 * Call before waiting on a signal: a listener added after the abort never fires.
 *
 * @throws {GenerationError} `aborted`, or the signal's own reason where that is one already.
 */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw toGenerationError(signal.reason, signal)
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
