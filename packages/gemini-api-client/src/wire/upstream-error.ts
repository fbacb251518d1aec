import { GenerationError } from '@castorjs/content-generator'
import type { GoogleError } from './google-error.ts'
import { toQuotaError } from './quota-error.ts'
import { readRetired } from './retired-models.ts'

export interface UpstreamErrorContext {
  /** Model asked for, for the sentence. */
  model?: string
  now?: number
  /** Wait after a 429 that says nothing, in milliseconds. */
  bareWaitMs?: number
}

/**
 * Makes Google's error ours: our code, our words, who is at fault. Google's sentence is only matched, never passed
 * on. Source: `gemini-api.md` sections 1 and 11, `dialects.md` 6.9.
 */
export function toUpstreamError(
  error: GoogleError,
  { model = '', now = Date.now(), bareWaitMs }: UpstreamErrorContext = {},
): GenerationError {
  const { status, rpc, reason } = error
  const upstreamCode = reason || rpc || String(status)
  switch (status) {
    case 400:
      return toBadRequest(error)
    case 401:
      return new GenerationError('upstream_auth', 'The upstream does not accept this server’s credentials.', {
        upstreamCode,
      })
    case 403:
      return toForbidden(error)
    case 404:
      return /\bfile\b/i.test(error.message) ? missingFile(upstreamCode) : missingModel(model, upstreamCode)
    case 413:
      return new GenerationError(
        'too_large',
        'The request is larger than the upstream takes. Send large files by URL.',
        { upstreamCode },
      )
    case 429:
      return toQuotaError(error, now, bareWaitMs)
    case 504:
      return new GenerationError(
        'upstream_timeout',
        'The upstream gave up on this request for taking too long. Stream the answer, or ask for less.',
        { upstreamCode },
      )
    default:
      break
  }
  if (status === 503 && reason.startsWith('MODEL_CAPACITY')) return toQuotaError(error, now)
  if (status >= 500 || status === 499) {
    return new GenerationError('upstream_unavailable', 'The upstream has trouble answering. Send the request again.', {
      upstreamCode,
      ...(error.retryDelayMs === undefined ? {} : { retryAfterMs: error.retryDelayMs }),
    })
  }
  return new GenerationError('protocol_drift', `The upstream answered with the unexpected status ${status}.`, {
    upstreamCode,
  })
}

/** True for the refusals of a thought signature. Source: `gemini-api.md` section 4.1. */
export function isSignatureRefusal({ status, message }: GoogleError): boolean {
  return status === 400 && /thought[_ ]signature/i.test(message)
}

/** True when the field `store` is what the upstream does not know. */
export function isStoreRefusal({ status, message }: GoogleError): boolean {
  return status === 400 && /Unknown name "store"/.test(message)
}

/** True for a schema the upstream does not like, in the form it was sent. */
export function isSchemaRefusal({ status, message }: GoogleError): boolean {
  return status === 400 && /json_?schema/i.test(message)
}

function toBadRequest(error: GoogleError): GenerationError {
  const { reason, message, rpc } = error
  const upstreamCode = reason || rpc || '400'
  if (reason === 'API_KEY_INVALID' || /API key (not valid|expired)/i.test(message)) {
    return new GenerationError('upstream_auth', 'The upstream does not accept this server’s API key.', {
      upstreamCode: 'API_KEY_INVALID',
    })
  }
  if (/location is not supported/i.test(message)) {
    return new GenerationError('upstream_refused', 'The upstream does not serve the place this server calls from.', {
      upstreamCode,
    })
  }
  if (rpc === 'FAILED_PRECONDITION' && /\bfile\b/i.test(message)) {
    return new GenerationError(
      'invalid_request',
      'A referenced file is not ready yet. Wait until its state is ACTIVE.',
      { upstreamCode },
    )
  }
  if (rpc === 'FAILED_PRECONDITION') {
    return new GenerationError('upstream_auth', 'The account cannot be used as it is; it may need billing.', {
      upstreamCode,
    })
  }
  if (/token count|too many tokens|exceeds the maximum number of tokens/i.test(message)) {
    return new GenerationError('too_large', 'The prompt is longer than the model reads. Shorten the conversation.', {
      upstreamCode: 'context_length_exceeded',
      field: 'contents',
    })
  }
  if (isSignatureRefusal(error)) {
    return new GenerationError(
      'invalid_request',
      'The upstream refused the thought signatures of this history. Leave them out.',
      { upstreamCode, field: 'contents' },
    )
  }
  if (/logprobs is not enabled/i.test(message)) {
    return new GenerationError('unsupported', 'This model gives no log probabilities; leave `responseLogprobs` out.', {
      upstreamCode,
      field: 'generationConfig.responseLogprobs',
    })
  }
  if (/unsupported mime type/i.test(message)) {
    return new GenerationError('unsupported', 'A file has a type this model does not read.', {
      upstreamCode,
      field: 'contents',
    })
  }
  const field = readField(message)
  const where = field === undefined ? '' : ` at \`${field}\``
  return new GenerationError('invalid_request', `The upstream refused the request${where} as invalid.`, {
    upstreamCode,
    ...(field === undefined ? {} : { field }),
  })
}

/** The place Google names, if it has the form of a path: nothing the caller wrote can be in it but names of fields. */
function readField(message: string): string | undefined {
  const path =
    /(?:at|value at) '([\w.[\]$]{1,200})'/.exec(message)?.[1] ??
    /GenerateContentRequest\.([\w.[\]]{1,200})/.exec(message)?.[1]
  if (path === undefined) return undefined
  const name = /Unknown name "(\w{1,64})"/.exec(message)?.[1]
  return name === undefined ? path : `${path}.${name}`
}

function toForbidden({ message, reason, rpc, metadata }: GoogleError): GenerationError {
  const upstreamCode = reason || rpc || '403'
  if (/access the file/i.test(message)) return missingFile(upstreamCode)
  // The link beside it has the number of the operator's project, and callers read this.
  const service = reason === 'SERVICE_DISABLED' ? /^[a-z]{1,60}\.googleapis\.com$/.exec(String(metadata.service)) : null
  const where = service === null ? '' : ` Enable ${service[0]} for its project in the Google Cloud console.`
  return new GenerationError(
    'upstream_auth',
    `The upstream does not let this server’s account do this (${upstreamCode}).${where}`,
    { upstreamCode },
  )
}

function missingModel(model: string, upstreamCode: string): GenerationError {
  const retired = readRetired(model)
  const sentence = `The upstream does not serve ${model === '' ? 'this model' : model}. Ask for the model list to see what it serves.`
  return new GenerationError('model_not_found', retired?.sentence ?? sentence, {
    upstreamCode,
    field: 'model',
    ...(retired === undefined ? {} : { suggestions: [...retired.instead] }),
  })
}

function missingFile(upstreamCode: string): GenerationError {
  return new GenerationError(
    'invalid_request',
    'A referenced file does not exist any more, or belongs to another project than the key that was used. Upload it again, or send its URL.',
    { upstreamCode, field: 'contents' },
  )
}
