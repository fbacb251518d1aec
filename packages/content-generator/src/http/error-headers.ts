import { ERRORS, type GenerationError } from '../error.ts'

/** Above this the SDKs either ignore `retry-after` or sleep for all of it, so they are told not to retry. */
const LONGEST_SDK_WAIT_MS = 60_000

/**
 * Headers that tell an SDK whether and when to send the request again: `retry-after` in whole seconds
 * rounded up, and `x-should-retry`. Source: `dialects.md` section 0.3.
 */
export function retryHeaders(error: GenerationError): Record<string, string> {
  const headers: Record<string, string> = {}
  const { retryAfterMs } = error
  const tooLong = retryAfterMs !== undefined && retryAfterMs > LONGEST_SDK_WAIT_MS
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
  headers['x-should-retry'] = String(ERRORS[error.code].retry && !tooLong)
  return headers
}
