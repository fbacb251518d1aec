import type { Failure } from '@castorjs/account-pool'
import {
  isGenerationError,
  toGenerationError,
  type ContentGenerator,
  type GenerationError,
} from '@castorjs/content-generator'
import { isGeminiWebError } from '@castorjs/gemini-web-client'

/** Why a session does not work, in one or two words for lists and webhooks. */
export type TroubleCause =
  | 'expired ticket'
  | 'signed out'
  | 'device-bound'
  | 'terms to accept'
  | 'region'
  | 'verification wanted'
  | 'consent wanted'
  | 'address blocked'
  | 'usage limit'
  | 'throttled'
  | 'network'
  | 'other'

/** The last thing that went wrong with a session. Fit to show. */
export interface Trouble {
  cause: TroubleCause
  /** One or two sentences with the remedy. */
  message: string
  code: string
  at: number
}

/** Where a person settles what Google asks of an account. */
export const ATTENTION_LINK = 'https://gemini.google.com/app'

/** Status codes of the account. Source: fact sheet section 1.5. */
const REGION = new Set(['1014', '1060'])
export const TERMS_STATUS: ReadonlySet<number> = new Set([1040, 1042])

/** A person has to do something in a browser before this account works again. */
export function attentionLink(error: GenerationError): string | undefined {
  const { cause } = error
  if (!isGeminiWebError(cause)) return undefined
  return cause.code === 'account_rejected' || cause.code === 'consent_required' ? ATTENTION_LINK : undefined
}

/** A failure as the pool wants it, with the link where a person can put it right. */
export function toFailure(error: GenerationError): Failure {
  const link = attentionLink(error)
  const { code, fault, retryAfterMs, upstreamCode } = error
  return { code, fault, retryAfterMs, upstreamCode, ...(link === undefined ? {} : { link }) }
}

/** Names the cause. `deviceBound` is known from the import or from a refused renewal. */
export function readTrouble(error: GenerationError, deviceBound: boolean, at: number): Trouble | undefined {
  const web = error.cause
  if (!isGeminiWebError(web) || !isAboutTheAccount(error)) return undefined
  return { cause: causeOf(web.code, web.upstreamCode, deviceBound), message: error.message, code: web.code, at }
}

function isAboutTheAccount({ code, fault }: GenerationError): boolean {
  return fault === 'account' || fault === 'egress' || code === 'upstream_auth'
}

function causeOf(code: string, upstreamCode: string | undefined, deviceBound: boolean): TroubleCause {
  switch (code) {
    case 'ticket_expired':
      return deviceBound ? 'device-bound' : 'expired ticket'
    case 'signed_out':
    case 'downgraded':
      return deviceBound ? 'device-bound' : 'signed out'
    case 'account_rejected':
      return REGION.has(upstreamCode ?? '') ? 'region' : 'verification wanted'
    case 'consent_required':
      return 'consent wanted'
    case 'address_blocked':
      return upstreamCode === '1060' ? 'region' : 'address blocked'
    case 'usage_limit':
      return 'usage limit'
    case 'throttled':
      return 'throttled'
    case 'network':
      return 'network'
    default:
      return 'other'
  }
}

/** Lets somebody see every failure of a generator, and every first chunk. */
export function withNotes(
  upstream: ContentGenerator,
  notes: { failed: (error: GenerationError) => void; worked: () => void },
): ContentGenerator {
  return {
    ...upstream,
    async *generateContentStream(request, options) {
      let started = false
      try {
        for await (const chunk of upstream.generateContentStream(request, options)) {
          if (!started) notes.worked()
          started = true
          yield chunk
        }
      } catch (thrown) {
        const error = isGenerationError(thrown) ? thrown : toGenerationError(thrown, options.signal)
        notes.failed(error)
        throw error
      }
    },
  }
}
