import {
  GenerationError,
  isGenerationError,
  throwIfAborted,
  withAnswers,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
} from '@castorjs/content-generator'
import {
  createChunkReader,
  createSignatureCache,
  MODEL_RULES,
  prepareMedia,
  prepareRequest,
  repairRequest,
  toWireError,
  unwrapArguments,
  type MediaFetch,
  type ModelRuleRow,
  type PreparedRequest,
  type Repair,
  type SignatureCache,
} from '@castorjs/gemini-api-client/wire'
import { createFetchTransport, type Transport, type TransportResponse } from '@castorjs/http-transport'
import { createCodeAssistApi } from './api.ts'
import type { Credentials } from './auth/credentials.ts'
import type { OAuthClient } from './auth/endpoints.ts'
import { createTokenSource, type TokenStorage } from './auth/token-source.ts'
import { CODE_ASSIST_MODELS, describeModels, MODEL_NAMES } from './models.ts'
import { readQuota, type QuotaBucket } from './quota.ts'
import { createSession, type AccountInfo } from './session.ts'
import { unwrapResponse, wrapRequest } from './wrap.ts'

export interface CodeAssistOptions {
  credentials: Credentials
  /** The OAuth client that made the credentials, where they do not bring it along. None is shipped. */
  client?: OAuthClient
  /** Keeps renewed tokens. Default: they are lost with the process. */
  storage?: TokenStorage
  /** Id of a Google Cloud project. Paid seats need one. Default: that of the credentials, else the one Google manages. */
  project?: string
  /** Names the account in errors: an e-mail address or a nickname. Default `this account`. */
  label?: string
  /** Models to try in turn when one has no quota, no capacity or is not offered. Default: none, ever. */
  fallback?: Readonly<Record<string, readonly string[]>>
  /** Model names to show. Others are tried all the same. Default `CODE_ASSIST_MODELS`. */
  models?: readonly string[]
  modelRules?: readonly ModelRuleRow[]
  /** Default `https://cloudcode-pa.googleapis.com`. */
  baseUrl?: string
  /** Default `v1internal`. */
  apiVersion?: string
  /** Default Google's. */
  tokenUrl?: string
  transport?: Transport
  /** Fetches the URLs in requests; Code Assist reads none itself. Default: refused. */
  mediaFetch?: MediaFetch
  /** Bytes of files that travel inside one request. There is no other way for them here. Default 20 000 000. */
  inlineLimitBytes?: number
  signatures?: SignatureCache
  /** Name in logs and headers. Default `code-assist`. */
  name?: string
  now?: () => number
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface CodeAssistGenerator extends ContentGenerator {
  /** Which project and tier the account has. Also a test whether Google serves it. @throws {GenerationError} */
  account(signal: AbortSignal): Promise<AccountInfo>
  /** What Google says is left. @throws {GenerationError} */
  quota(signal: AbortSignal): Promise<QuotaBucket[]>
}

const DEFAULT_INLINE_LIMIT_BYTES = 20_000_000
/** A model that Google does not offer this account is not asked for again this long, in milliseconds. */
const MISSING_MODEL_MS = 3_600_000

/** Code Assist, with one account, as a ContentGenerator. Read the README first: Google's terms forbid much of it. */
export function createCodeAssistGenerator(options: CodeAssistOptions): CodeAssistGenerator {
  const {
    credentials,
    client,
    storage,
    label = 'this account',
    fallback = {},
    models = CODE_ASSIST_MODELS,
    modelRules = [],
    baseUrl = 'https://cloudcode-pa.googleapis.com',
    apiVersion = 'v1internal',
    tokenUrl,
    transport = createFetchTransport(),
    mediaFetch,
    inlineLimitBytes = DEFAULT_INLINE_LIMIT_BYTES,
    signatures = createSignatureCache(),
    name = 'code-assist',
    now = Date.now,
    wait = waitOnTimer,
  } = options
  const endpoint = { transport, now, ...(tokenUrl === undefined ? {} : { tokenUrl }) }
  const tokens = createTokenSource({ credentials, client, storage, ...endpoint })
  const api = createCodeAssistApi({ baseUrl, apiVersion, tokens, transport, label, now })
  const session = createSession(api, { project: options.project ?? credentials.project, label, wait })
  const rules = [...modelRules, ...MODEL_RULES]
  const missing = new Map<string, number>()

  async function prepare(request: GenerateContentRequest, generateOptions: GenerateOptions): Promise<PreparedRequest> {
    const contents = await prepareMedia(request.contents, {
      signal: generateOptions.signal,
      onAsked: generateOptions.onAsked,
      mediaFetch,
      upload: undefined,
      inlineLimitBytes,
      isReadable: (uri) => uri.startsWith('gs://'),
    })
    return prepareRequest({ ...request, contents }, generateOptions, { rules, signatures })
  }

  /** Sends; a refusal with a known cure is cured, each kind once. */
  async function open(
    { model, body }: PreparedRequest,
    sessionId: string,
    { signal, onAsked }: GenerateOptions,
  ): Promise<TransportResponse> {
    const { project } = await session.account(signal)
    const known = missing.get(model)
    if (known !== undefined && now() - known < MISSING_MODEL_MS) throw notOffered(model)
    const tried = new Set<Repair>()
    let current = body
    onAsked?.()
    for (;;) {
      const fields = { model: MODEL_NAMES[model] ?? model, project, promptId: crypto.randomUUID(), sessionId }
      const response = await api.send(':streamGenerateContent?alt=sse', wrapRequest(current, fields), signal)
      if (!('refusal' in response)) return response
      const { refusal } = response
      if (refusal.status === 404) {
        missing.set(model, now())
        throw notOffered(model)
      }
      // The project may have changed under us; the next request looks again.
      if (refusal.status === 403) session.forget()
      const repaired = repairRequest(current, refusal, tried)
      if (repaired === undefined) throw api.toError(refusal, model)
      current = repaired
    }
  }

  async function* streamModel(
    request: GenerateContentRequest,
    generateOptions: GenerateOptions,
  ): AsyncGenerator<GenerateContentResponse> {
    const { signal, onServed } = generateOptions
    throwIfAborted(signal)
    try {
      const prepared = await prepare(request, generateOptions)
      const { model, wrapped } = prepared
      onServed?.({ upstream: name, model })
      const sessionId = await readSessionId(request, generateOptions, model)
      const response = await open(prepared, sessionId, generateOptions)
      const reader = createChunkReader({ model, now: now(), unwrap: unwrapResponse })
      let served: string | undefined
      function look(chunk: GenerateContentResponse): GenerateContentResponse {
        if (chunk.modelVersion !== undefined && served === undefined) {
          served = chunk.modelVersion
          if (served !== model) onServed?.({ upstream: name, model: served })
        }
        signatures.remember(chunk, model)
        return wrapped.size === 0 ? chunk : unwrapArguments(chunk, wrapped)
      }
      for await (const bytes of response.body) for (const chunk of reader.push(bytes)) yield look(chunk)
      for (const chunk of reader.finish()) yield look(chunk)
    } catch (error) {
      throw toWireError(error, signal)
    }
  }

  const single = withAnswers({ name, generateContentStream: streamModel, models: () => Promise.resolve([]) })

  /** The model asked for, then those the operator allows instead of it, until one begins to answer. */
  async function* stream(
    request: GenerateContentRequest,
    generateOptions: GenerateOptions,
  ): AsyncGenerator<GenerateContentResponse> {
    const plain = request.model.replace(/^models\//, '').replace(/-thinking$/, '')
    const others = generateOptions.strictModel === true ? [] : (fallback[plain] ?? [])
    for (const [index, model] of [request.model, ...others].entries()) {
      let begun = false
      try {
        for await (const chunk of single.generateContentStream({ ...request, model }, generateOptions)) {
          if (!begun && index > 0) {
            generateOptions.onWarning?.({ setting: 'model', message: `${plain} could not answer; ${model} did.` })
          }
          begun = true
          yield chunk
        }
        return
      } catch (error) {
        if (begun || index === others.length || !mayFallBack(error)) throw error
      }
    }
  }

  return {
    name,
    generateContentStream: stream,
    async countTokens(request, generateOptions) {
      const { model, body } = await prepare(request, generateOptions)
      const counted = { model: `models/${MODEL_NAMES[model] ?? model}`, contents: body.contents }
      const answer = await api.json(':countTokens', { request: counted }, generateOptions.signal)
      return { ...answer, totalTokens: typeof answer.totalTokens === 'number' ? answer.totalTokens : 0 }
    },
    models: () => Promise.resolve(describeModels(models)),
    account: (signal) => session.account(signal),
    async quota(signal) {
      const { project } = await session.account(signal)
      return readQuota(await api.json(':retrieveUserQuota', { project }, signal))
    },
  }
}

function mayFallBack(error: unknown): boolean {
  if (!isGenerationError(error)) return false
  if (error.code === 'quota_exhausted' || error.code === 'model_not_found') return true
  return error.code === 'upstream_unavailable' && error.upstreamCode?.startsWith('MODEL_CAPACITY') === true
}

function notOffered(model: string): GenerationError {
  return new GenerationError(
    'model_not_found',
    `Code Assist does not offer ${model} to this account. Preview models need preview access.`,
    {
      field: 'model',
    },
  )
}

/**
 * One id per conversation: the client's own, else a hash of what the conversation began with. Another model is another
 * session, as in Gemini CLI.
 */
async function readSessionId(
  request: GenerateContentRequest,
  { sessionId, caller = '' }: GenerateOptions,
  model: string,
): Promise<string> {
  const begin = sessionId ?? JSON.stringify(request.contents[0]?.parts?.map(({ text }) => text))
  const bytes = new TextEncoder().encode(`${caller}\n${model}\n${begin}`)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const hex = [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function waitOnTimer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    function leave(): void {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', leave, { once: true })
  })
}
