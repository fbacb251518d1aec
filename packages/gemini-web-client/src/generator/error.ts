import { GenerationError, toGenerationError, type ErrorCode } from '@castorjs/content-generator'
import { isGeminiWebError, type GeminiWebErrorCode } from '../error.ts'

/** From the client's words to the middle's, once. A new code of the client is a compile error here. */
export const GENERATION_CODES: Readonly<Record<GeminiWebErrorCode, ErrorCode>> = {
  invalid_argument: 'invalid_request',
  invalid_cookies: 'upstream_auth',
  unknown_model: 'model_not_found',
  needs_account: 'unsupported',
  unsupported_file: 'unsupported',
  file_too_large: 'too_large',
  prompt_too_long: 'too_large',
  not_found: 'invalid_request',
  signed_out: 'upstream_auth',
  ticket_expired: 'upstream_auth',
  downgraded: 'upstream_auth',
  account_rejected: 'upstream_auth',
  usage_limit: 'quota_exhausted',
  address_blocked: 'upstream_refused',
  consent_required: 'upstream_refused',
  throttled: 'rate_limited',
  model_refused: 'model_not_found',
  model_changed: 'invalid_request',
  model_substituted: 'upstream_unavailable',
  reference_refused: 'invalid_request',
  chat_lost: 'upstream_unavailable',
  turn_rejected: 'upstream_unavailable',
  empty_answer: 'upstream_unavailable',
  truncated: 'upstream_unavailable',
  stalled: 'upstream_timeout',
  unavailable: 'upstream_unavailable',
  network: 'upstream_unavailable',
  media_refused: 'upstream_unavailable',
  media_not_ready: 'upstream_timeout',
  drift: 'protocol_drift',
  closed: 'upstream_unavailable',
}

/** Makes whatever a turn threw into the one error of the middle, the original in `cause`. */
export function toDoorError(error: unknown, signal: AbortSignal): GenerationError {
  if (signal.aborted || !isGeminiWebError(error)) return toGenerationError(error, signal)
  return new GenerationError(GENERATION_CODES[error.code], error.message, {
    fault: error.fault,
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.upstreamCode === undefined ? {} : { upstreamCode: error.upstreamCode }),
    ...(error.field === undefined ? {} : { field: error.field }),
  })
}
