import { ERRORS, type ErrorCode, type GenerationError } from '@castorjs/content-generator'
import { modelWordsOf } from './images/model-words.ts'

/** OpenAI's error object. All four keys are always there. */
export interface OpenAIErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null }
}

/** How each failure reads in this dialect; the status is the middle's own. Source: `dialects.md` sections 1.4, 6.9. */
const OPENAI_ERRORS: Record<ErrorCode, { type: string; code: string | null }> = {
  invalid_request: { type: 'invalid_request_error', code: 'invalid_value' },
  unauthenticated: { type: 'authentication_error', code: 'invalid_api_key' },
  forbidden: { type: 'permission_error', code: null },
  model_not_found: { type: 'invalid_request_error', code: 'model_not_found' },
  unsupported: { type: 'invalid_request_error', code: 'unsupported_parameter' },
  too_large: { type: 'invalid_request_error', code: 'request_too_large' },
  blocked: { type: 'invalid_request_error', code: 'content_policy_violation' },
  rate_limited: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  quota_exhausted: { type: 'insufficient_quota', code: 'insufficient_quota' },
  upstream_auth: { type: 'server_error', code: 'upstream_auth' },
  upstream_refused: { type: 'server_error', code: 'upstream_refused' },
  upstream_unavailable: { type: 'server_error', code: 'upstream_error' },
  upstream_timeout: { type: 'server_error', code: 'upstream_timeout' },
  protocol_drift: { type: 'server_error', code: 'upstream_protocol' },
  aborted: { type: 'server_error', code: 'aborted' },
  internal: { type: 'server_error', code: 'internal_error' },
}

/** Names of the middle that callers of this dialect know under another. */
const PARAMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    contents: 'messages',
    systemInstruction: 'messages',
    tools: 'tools',
    toolConfig: 'tool_choice',
    'generationConfig.temperature': 'temperature',
    'generationConfig.topP': 'top_p',
    'generationConfig.topK': 'top_k',
    'generationConfig.maxOutputTokens': 'max_tokens',
    'generationConfig.stopSequences': 'stop',
    'generationConfig.seed': 'seed',
    'generationConfig.responseLogprobs': 'logprobs',
    'generationConfig.logprobs': 'top_logprobs',
    'generationConfig.responseMimeType': 'response_format',
    'generationConfig.responseJsonSchema': 'response_format',
    'generationConfig.responseModalities': 'modalities',
    'generationConfig.thinkingConfig': 'reasoning_effort',
    'generationConfig.imageConfig': 'size',
  }),
)

/** An error as OpenAI writes it, with the status where it is not the table's. */
export function encodeErrorBody(error: GenerationError): { body: OpenAIErrorBody; status: number } {
  const { type, code } = OPENAI_ERRORS[error.code]
  const param = error.field === undefined ? null : (PARAMS.get(error.field) ?? error.field)
  const suggestions = error.suggestions.length === 0 ? '' : ` Did you mean ${error.suggestions.join(', ')}?`
  const special = specialCode(error, param)
  return {
    body: {
      error: {
        message:
          modelWordsOf(error) ??
          (mentions(error.message, error.suggestions) ? error.message : error.message + suggestions),
        type,
        param: param ?? (error.code === 'model_not_found' ? 'model' : null),
        code: special?.code ?? code,
      },
    },
    status: special?.status ?? ERRORS[error.code].status,
  }
}

/** Where OpenAI has a finer word, or another status, than the middle. */
function specialCode(error: GenerationError, param: string | null): { code: string; status?: number } | undefined {
  // The model answered nonsense twice: the upstream is up, but a bad gateway.
  if (error.code === 'upstream_unavailable' && error.fault === 'model') return { code: 'upstream_error', status: 502 }
  if (error.code === 'upstream_unavailable' && error.fault === 'account') return { code: 'overloaded' }
  if (error.code === 'too_large' && param === 'messages') return { code: 'context_length_exceeded', status: 400 }
  if (error.code !== 'invalid_request' && error.code !== 'unsupported') return undefined
  if (param?.endsWith('.image_url.url') === true || param?.endsWith('.image_url') === true) {
    if (error.fileUri !== undefined) return { code: 'invalid_image_url' }
  }
  if (error.message.includes('is not valid base64')) return { code: 'invalid_base64' }
  return undefined
}

function mentions(message: string, names: readonly string[]): boolean {
  return names.some((name) => message.includes(name))
}
