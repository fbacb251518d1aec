import type { Failure } from '@castorjs/account-pool'
import { BOUND_ADVICE } from '@castorjs/cookie-import'
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

/** What is known of a session besides its last failure. */
export interface SessionFacts {
  /** Its cookies bear the marks of device binding. */
  deviceBound: boolean
  /** Google refused the last renewal, and the session went on. */
  renewalRefused: boolean
  /** The ticket is older than tickets get, and Google refuses to renew it. */
  ticketRanOut: boolean
  /** Its session cookie has come to its own end. */
  sessionEnded: boolean
  /** Google's last word on the account, such as 1040. */
  code: number | undefined
}

/** Names the cause, as far as it is known. */
export function readTrouble(error: GenerationError, facts: SessionFacts, at: number): Trouble | undefined {
  const web = error.cause
  if (!isGeminiWebError(web) || !isAboutTheAccount(error)) return undefined
  const cause = causeOf(web.code, web.upstreamCode, facts)
  return { cause, message: messageFor(cause, error.message, facts), code: web.code, at }
}

function isAboutTheAccount({ code, fault }: GenerationError): boolean {
  return fault === 'account' || fault === 'egress' || code === 'upstream_auth'
}

function causeOf(code: string, upstreamCode: string | undefined, facts: SessionFacts): TroubleCause {
  switch (code) {
    case 'ticket_expired':
      return facts.deviceBound ? 'device-bound' : 'expired ticket'
    case 'signed_out':
    case 'downgraded':
      if (facts.sessionEnded) return 'signed out'
      if (facts.code !== undefined && TERMS_STATUS.has(facts.code)) return 'terms to accept'
      if (facts.deviceBound) return 'device-bound'
      return facts.renewalRefused || facts.ticketRanOut ? 'expired ticket' : 'signed out'
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

function messageFor(cause: TroubleCause, message: string, facts: SessionFacts): string {
  if (cause === 'device-bound') return `${message} ${BOUND_ADVICE}`
  if (cause === 'terms to accept') return `${message} ${TERMS_WANTED}`
  if (cause !== 'expired ticket') return message
  if (facts.renewalRefused) return `The ticket ran out, and Google had refused to renew it. ${WHY_REFUSED}`
  return facts.ticketRanOut ? `The ticket ran out, and Google refuses to renew it. ${WHY_REFUSED}` : message
}

export const TERMS_WANTED = `Google wants its terms to be accepted: ${ATTENTION_LINK}`

/** Google gives no reason; these are the known ones. Source: fact sheet sections 2.3 and 2.5. */
const WHY_REFUSED =
  'It gives no reason. Most often another program or browser window uses the same session and renewed it first, so that the cookies here are old; or the session is bound to a device although its cookies bear no mark of it; or it was signed out, or its password changed. Sign in with Firefox in a private window, export the cookies, and close the window without signing out.'

/** What a refused renewal means and what to do, as far as it is known. `alive`: it still answers; undefined when that could not be asked. */
export function refusedAdvice({ deviceBound, alive }: { deviceBound: boolean; alive: boolean | undefined }): string {
  const end =
    alive === undefined
      ? ''
      : alive
        ? ' It still answers, and dies when its ticket does, within the hour.'
        : ' It answers no more.'
  return `Google refuses to renew this session.${end} ${deviceBound ? BOUND_ADVICE : WHY_REFUSED}`
}

/** Lets somebody see every failure of a generator, and every first chunk. */
export function withNotes(
  upstream: ContentGenerator,
  notes: { failed: (error: GenerationError) => void; worked: (askedAt: number) => void },
  now: () => number = Date.now,
): ContentGenerator {
  return {
    ...upstream,
    async models(options) {
      try {
        return await upstream.models(options)
      } catch (thrown) {
        const error = toGenerationError(thrown, options.signal)
        notes.failed(error)
        throw error
      }
    },
    async *generateContentStream(request, options) {
      let started = false
      const askedAt = now()
      try {
        for await (const chunk of upstream.generateContentStream(request, options)) {
          if (!started) notes.worked(askedAt)
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
