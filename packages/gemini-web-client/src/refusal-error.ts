import { readPageState, describeRefusal, type RefusalKind } from '@castorjs/gemini-web-protocol'
import { GeminiWebError, type GeminiWebErrorCode } from './error.ts'

/** Rest of an address after the interstitial. Source: fact sheet section 12, "minutes to 24 hours"; users report about two. */
const ADDRESS_REST_MS = 2 * 3_600_000
/** Rest after a plain 429. Source: fact sheet section 12 (guest rate). */
const THROTTLE_REST_MS = 120_000

const CODES: Readonly<Record<RefusalKind, GeminiWebErrorCode>> = {
  reference: 'reference_refused',
  transient: 'unavailable',
  quota: 'usage_limit',
  conversation: 'turn_rejected',
  model: 'model_refused',
  busy: 'usage_limit',
  blocked: 'address_blocked',
  throttled: 'throttled',
  auth: 'signed_out',
  cut: 'truncated',
  request: 'drift',
  unknown: 'unavailable',
}

/** Codes that say more than their kind. Source: fact sheet section 5.1. */
const SPECIAL: Readonly<Record<number, GeminiWebErrorCode>> = {
  1050: 'model_changed',
  1097: 'chat_lost',
  1185: 'throttled',
}

/** Makes the error of a refusal inside a reply. `hasOutput` tells a cut answer from an empty one. */
export function refusalError(
  refused: { status: number; code?: number },
  { account, hasOutput = false }: { account: boolean; hasOutput?: boolean },
): GeminiWebError {
  const refusal = describeRefusal(refused)
  let code = SPECIAL[refusal.code] ?? CODES[refusal.kind]
  if (refusal.code === 1100) code = account ? 'downgraded' : 'needs_account'
  else if (refusal.kind === 'auth' && !account) code = 'unavailable'
  else if (refusal.kind === 'cut' && !hasOutput) code = 'empty_answer'
  // The pause before the same request is tried again says nothing about how long the account should rest.
  const retryAfterMs = refusal.kind === 'transient' ? undefined : refusal.retryAfterMs
  return new GeminiWebError(code, `The web app refused the request with code ${refusal.code}: ${refusal.meaning}`, {
    upstreamCode: String(refusal.code),
    ...(code === 'throttled' ? { fault: refusal.fault } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

/** A reply that is no answer: status, target of a redirect, and the beginning of the body. */
export interface FailedReply {
  status: number
  location?: string
  body: string
}

/** Makes the error of a reply that failed as a whole. Source: fact sheet sections 1.2 and 5.2. */
export function replyError({ status, location, body }: FailedReply): GeminiWebError {
  const state = readPageState({ status, body, ...(location === undefined ? {} : { location }) })
  const facts = { status, upstreamCode: String(status) }
  if (state === 'consent') {
    return new GeminiWebError('consent_required', 'Google asks for consent before it shows the page', facts)
  }
  if (state === 'sorry') {
    return new GeminiWebError(
      'address_blocked',
      'Google answered with its "Sorry" page: this network address is blocked',
      {
        ...facts,
        retryAfterMs: ADDRESS_REST_MS,
      },
    )
  }
  if (state === 'sign-in' || status === 401 || status === 403) {
    return new GeminiWebError('signed_out', 'Google asks for a new sign-in', facts)
  }
  if (status === 429) {
    return new GeminiWebError('throttled', 'Google answered that there are too many requests', {
      ...facts,
      retryAfterMs: THROTTLE_REST_MS,
    })
  }
  if (status >= 500) return new GeminiWebError('unavailable', `The web app answered with HTTP ${status}`, facts)
  if (status === 200) return new GeminiWebError('signed_out', 'The web app answered with a page instead of data', facts)
  return new GeminiWebError('drift', `The web app refused the form of the request with HTTP ${status}`, facts)
}
