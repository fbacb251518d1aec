import { isGenerationError, type ErrorCode, type GenerationError } from '@castorjs/content-generator'

/** Google's words for each of ours: HTTP status and canonical status. Source: `gemini-api.md` section 11, `dialects.md` 6.9. */
const GEMINI_ERRORS: Record<ErrorCode, { status: number; rpc: string }> = {
  invalid_request: { status: 400, rpc: 'INVALID_ARGUMENT' },
  unauthenticated: { status: 400, rpc: 'INVALID_ARGUMENT' },
  forbidden: { status: 403, rpc: 'PERMISSION_DENIED' },
  model_not_found: { status: 404, rpc: 'NOT_FOUND' },
  unsupported: { status: 400, rpc: 'FAILED_PRECONDITION' },
  too_large: { status: 413, rpc: 'INVALID_ARGUMENT' },
  blocked: { status: 400, rpc: 'FAILED_PRECONDITION' },
  rate_limited: { status: 429, rpc: 'RESOURCE_EXHAUSTED' },
  quota_exhausted: { status: 429, rpc: 'RESOURCE_EXHAUSTED' },
  upstream_auth: { status: 503, rpc: 'UNAVAILABLE' },
  upstream_refused: { status: 503, rpc: 'UNAVAILABLE' },
  upstream_unavailable: { status: 503, rpc: 'UNAVAILABLE' },
  upstream_timeout: { status: 504, rpc: 'DEADLINE_EXCEEDED' },
  protocol_drift: { status: 500, rpc: 'INTERNAL' },
  aborted: { status: 499, rpc: 'CANCELLED' },
  internal: { status: 500, rpc: 'INTERNAL' },
}

const RPC = 'type.googleapis.com/google.rpc.'

/** Google's error envelope. */
export interface GeminiErrorBody {
  error: { code: number; message: string; status: string; details: Record<string, unknown>[] }
}

/**
 * An error in google.rpc shape. The caller's key is special, as at Google: none is 403 `PERMISSION_DENIED`, a wrong
 * one is 400 with reason `API_KEY_INVALID`.
 *
 * @param sent What the caller showed: a key, a Code Assist token (whose refusal is 401), or nothing.
 */
export function encodeError(error: GenerationError, sent: 'key' | 'token' | 'none' = 'key'): GeminiErrorBody {
  if (error.code === 'unauthenticated') return refuse(sent, error.message)
  const { status, rpc } = GEMINI_ERRORS[error.code]
  const details: Record<string, unknown>[] = [
    { '@type': `${RPC}ErrorInfo`, reason: error.code.toUpperCase(), domain: 'castor' },
  ]
  if (error.field !== undefined) {
    const fieldViolations = [{ field: error.field, description: error.message }]
    details.push({ '@type': `${RPC}BadRequest`, fieldViolations })
  }
  if (error.retryAfterMs !== undefined) {
    // Google's clients read the wait from here, not from `retry-after`.
    details.push({ '@type': `${RPC}RetryInfo`, retryDelay: `${Math.max(1, Math.ceil(error.retryAfterMs / 1000))}s` })
  }
  return { error: { code: status, message: error.message, status: rpc, details } }
}

function refuse(sent: 'key' | 'token' | 'none', message: string): GeminiErrorBody {
  if (sent === 'token') return { error: { code: 401, message, status: 'UNAUTHENTICATED', details: [] } }
  if (sent === 'none') return { error: { code: 403, message, status: 'PERMISSION_DENIED', details: [] } }
  const metadata = { service: 'generativelanguage.googleapis.com' }
  const details = [{ '@type': `${RPC}ErrorInfo`, reason: 'API_KEY_INVALID', domain: 'googleapis.com', metadata }]
  return {
    error: {
      code: 400,
      message: 'API key not valid. Please pass a valid API key.',
      status: 'INVALID_ARGUMENT',
      details,
    },
  }
}

/** Block reasons that Google's own answers may name; any other is told as `OTHER`. */
const BLOCK_REASONS = new Set(['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY'])

/** A refused prompt is no error at Google, but an answer without candidates. Undefined for any other error. */
export function encodeBlocked(error: unknown): { blockReason: string; blockReasonMessage: string } | undefined {
  if (!isGenerationError(error) || error.code !== 'blocked') return undefined
  const reason = error.upstreamCode ?? 'OTHER'
  return { blockReason: BLOCK_REASONS.has(reason) ? reason : 'OTHER', blockReasonMessage: error.message }
}
