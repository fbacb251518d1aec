import { GenerationError } from '@castorjs/content-generator'

/** Why Google does not serve an account, for the operator. The sentences are Google's: show them to nobody else. */
export class CodeAssistAccountError extends Error {
  override readonly name = 'CodeAssistAccountError'
  /** Google's code, an open set: `UNSUPPORTED_CLIENT`, `VALIDATION_REQUIRED`, … */
  readonly reasonCode: string
  /** Google's own explanation. */
  readonly reasonMessage: string
  /** Page where a person can put it right. */
  readonly link: string | undefined

  constructor(reasonCode: string, reasonMessage: string, link?: string) {
    super(`Code Assist: ${reasonCode}`)
    this.reasonCode = reasonCode
    this.reasonMessage = reasonMessage
    this.link = link
  }
}

/** The page that a person must open before this account works, if the error names one. For a pool's `attentionLink`. */
export function readAttentionLink(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof CodeAssistAccountError ? cause.link : undefined
}

/** An account that is not served, named; trying again does not help. */
export function notServed(
  label: string,
  { reasonCode, reasonMessage, link }: { reasonCode: string; reasonMessage: string; link?: string | undefined },
): GenerationError {
  const code = /^[A-Z][A-Z0-9_]{1,60}$/.test(reasonCode) ? reasonCode : 'UNKNOWN'
  const remedy =
    code === 'VALIDATION_REQUIRED'
      ? 'Its owner must confirm it in a browser first; the status of the account has the link.'
      : code === 'UNSUPPORTED_CLIENT'
        ? 'Google stopped serving personal accounts to this sign-in in June 2026; a paid Code Assist seat or an API key works.'
        : 'Use another account, or ask Google why.'
  const cause = new CodeAssistAccountError(code, reasonMessage, link)
  return new GenerationError('upstream_auth', `Code Assist does not serve ${label} (${code}). ${remedy}`, {
    upstreamCode: code,
    cause,
  })
}
