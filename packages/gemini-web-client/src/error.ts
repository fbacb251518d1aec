/** Who has to do something about a failure. */
export type GeminiWebFault = 'caller' | 'account' | 'egress' | 'model' | 'upstream'

/** Every way a call to the web app can fail. Closed: a new code is a compile error in each table that forgot it. */
export type GeminiWebErrorCode =
  | 'invalid_argument'
  | 'invalid_cookies'
  | 'unknown_model'
  | 'needs_account'
  | 'unsupported_file'
  | 'file_too_large'
  | 'prompt_too_long'
  | 'not_found'
  | 'signed_out'
  | 'ticket_expired'
  | 'downgraded'
  | 'account_rejected'
  | 'usage_limit'
  | 'address_blocked'
  | 'consent_required'
  | 'throttled'
  | 'model_refused'
  | 'model_changed'
  | 'model_substituted'
  | 'reference_refused'
  | 'chat_lost'
  | 'turn_rejected'
  | 'empty_answer'
  | 'truncated'
  | 'stalled'
  | 'unavailable'
  | 'network'
  | 'media_refused'
  | 'media_not_ready'
  | 'drift'
  | 'closed'

interface ErrorRow {
  fault: GeminiWebFault
  /** Does the same call have a chance a little later? */
  retry: boolean
  /** One sentence: what to do about it. */
  advice: string
}

/** The error table: fault, retry and advice of each code. Source: fact sheet section 5, with our own words. */
export const GEMINI_WEB_ERRORS: Readonly<Record<GeminiWebErrorCode, ErrorRow>> = {
  invalid_argument: { fault: 'caller', retry: false, advice: 'Correct the value named and call again.' },
  invalid_cookies: {
    fault: 'caller',
    retry: false,
    advice:
      'Give the cookies __Secure-1PSID and __Secure-1PSIDTS of gemini.google.com: as a Cookie header, a cookies.txt, or a browser export in JSON.',
  },
  unknown_model: { fault: 'caller', retry: false, advice: 'Choose a model that models() lists.' },
  needs_account: {
    fault: 'caller',
    retry: false,
    advice: 'Add the cookies of a signed-in account; guests can only chat in plain text.',
  },
  unsupported_file: {
    fault: 'caller',
    retry: false,
    advice: 'Send an image, a PDF, text, code, an office file, audio or video whose bytes are what they claim to be.',
  },
  file_too_large: { fault: 'caller', retry: false, advice: 'Send a smaller file, or give its size with the stream.' },
  prompt_too_long: { fault: 'caller', retry: false, advice: 'Shorten the prompt, or attach the long part as a file.' },
  not_found: { fault: 'caller', retry: false, advice: 'Check the id; it may have been deleted.' },
  signed_out: {
    fault: 'account',
    retry: false,
    advice:
      'Sign in again in a private browser window, copy new cookies from it, and close the window without signing out.',
  },
  ticket_expired: {
    fault: 'account',
    retry: true,
    advice: 'The session ticket had run out and was renewed; send the request again.',
  },
  downgraded: {
    fault: 'account',
    retry: false,
    advice:
      'Google no longer trusts these cookies and answered as it answers a guest; copy new cookies from a browser window.',
  },
  account_rejected: {
    fault: 'account',
    retry: false,
    advice: 'Open gemini.google.com in a browser with this account and settle what it asks for.',
  },
  usage_limit: {
    fault: 'account',
    retry: false,
    advice: 'Wait until the limit resets, choose another model, or add another account.',
  },
  address_blocked: {
    fault: 'egress',
    retry: false,
    advice:
      'Pause this network address for some hours or give the account another proxy; the cookies are not the cause.',
  },
  consent_required: {
    fault: 'egress',
    retry: false,
    advice: 'Answer the consent page once in a browser and copy the cookies again, or use another exit country.',
  },
  throttled: { fault: 'egress', retry: true, advice: 'Send fewer requests from this address and wait a little.' },
  model_refused: {
    fault: 'model',
    retry: false,
    advice: 'Choose another model; this account is not offered the one asked for.',
  },
  model_changed: {
    fault: 'caller',
    retry: false,
    advice: 'Go on with the model the chat began with, or begin a new chat.',
  },
  model_substituted: {
    fault: 'model',
    retry: false,
    advice: 'Try later or another account, or allow substitutes by leaving strictModel off.',
  },
  reference_refused: {
    fault: 'caller',
    retry: false,
    advice: 'Upload the file again or begin a new chat; the reference is not usable here.',
  },
  chat_lost: { fault: 'upstream', retry: true, advice: 'Begin a new chat and repeat what matters in the prompt.' },
  turn_rejected: { fault: 'upstream', retry: true, advice: 'Send the request again in a new chat.' },
  empty_answer: { fault: 'upstream', retry: true, advice: 'Send the request again, or shorten it.' },
  truncated: {
    fault: 'upstream',
    retry: true,
    advice: 'Ask the model to continue, or send the request again.',
  },
  stalled: { fault: 'upstream', retry: true, advice: 'Send the request again, or raise the time limit.' },
  unavailable: { fault: 'upstream', retry: true, advice: 'Wait a little and send the request again.' },
  network: { fault: 'egress', retry: true, advice: 'Check the connection or the proxy of this account.' },
  media_refused: {
    fault: 'account',
    retry: false,
    advice: 'Download with the same account and the same exit that made the file, soon after it was made.',
  },
  media_not_ready: { fault: 'upstream', retry: true, advice: 'Ask for the file again in a minute.' },
  drift: {
    fault: 'upstream',
    retry: false,
    advice: 'The web app changed its protocol; update Castor or override the constant named here.',
  },
  closed: { fault: 'caller', retry: false, advice: 'Create a new client; this one was closed.' },
}

export interface GeminiWebErrorOptions {
  /** Overrides the table's fault. */
  fault?: GeminiWebFault
  /** True wait until a retry makes sense, in milliseconds. */
  retryAfterMs?: number
  /** The upstream's own short code, such as `1037`. Never text. */
  upstreamCode?: string
  /** The argument at fault, such as `files[0]`. */
  field?: string
  /** HTTP status of the reply, when it decided. */
  status?: number
  cause?: unknown
}

const BRAND = Symbol.for('@castorjs/GeminiWebError')

/** The one error of this package. Its text is ours: no cookie, token, prompt, URL or upstream text is inside. */
export class GeminiWebError extends Error {
  override readonly name = 'GeminiWebError'
  readonly code: GeminiWebErrorCode
  readonly fault: GeminiWebFault
  /** One sentence: what to do about it. */
  readonly advice: string
  /** Does the same call have a chance a little later? */
  readonly retry: boolean
  readonly retryAfterMs: number | undefined
  readonly upstreamCode: string | undefined
  readonly field: string | undefined
  readonly status: number | undefined

  /** @param reason What happened, without a final full stop; the advice is added to the message. */
  constructor(code: GeminiWebErrorCode, reason: string, options: GeminiWebErrorOptions = {}) {
    const row = GEMINI_WEB_ERRORS[code]
    super(`${reason}. ${row.advice}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fault = options.fault ?? row.fault
    this.advice = row.advice
    this.retry = row.retry
    this.retryAfterMs = options.retryAfterMs
    this.upstreamCode = options.upstreamCode
    this.field = options.field
    this.status = options.status
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** True for a `GeminiWebError` of this or another installed copy of the package. */
export function isGeminiWebError(error: unknown): error is GeminiWebError {
  return typeof error === 'object' && error !== null && BRAND in error
}
