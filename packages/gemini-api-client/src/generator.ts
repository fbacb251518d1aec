import {
  GenerationError,
  throwIfAborted,
  withAnswers,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { createFetchTransport, type Transport, type TransportResponse } from '@castorjs/http-transport'
import { createApi, post } from './api.ts'
import { embedContents } from './embed.ts'
import { uploadFile, waitOnTimer, type Wait } from './files.ts'
import { MODEL_RULES, type ModelRuleRow } from './model-rules.ts'
import { listModels } from './models.ts'
import { prepareMedia, type MediaContext, type MediaFetch } from './prepare/media.ts'
import { prepareRequest, type PreparedRequest } from './prepare/request.ts'
import { createSignatureCache, type SignatureCache } from './prepare/signatures.ts'
import { repairRequest, type Repair } from './repair.ts'
import { unwrapArguments } from './unwrap-arguments.ts'
import { createChunkReader } from './wire/chunk-reader.ts'
import { toWireError } from './wire/transport-error.ts'

export interface GeminiApiOptions {
  apiKey: string
  /** Default `https://generativelanguage.googleapis.com`. */
  baseUrl?: string
  /** Default `v1beta`, the complete one. */
  apiVersion?: string
  /** Default: Web fetch. `createNodeTransport` of http-transport knows proxies. */
  transport?: Transport
  /** Fetches the URLs in requests. Default none: only what Google itself reads may be referred to. */
  mediaFetch?: MediaFetch
  /** Bytes of files that travel inside one request; more goes into the Files API. Default 20 000 000. */
  inlineLimitBytes?: number
  /** Rules for models that are newer than this package, tried before the built-in ones. */
  modelRules?: readonly ModelRuleRow[]
  /** Share one between the generators of several keys. Default: one of its own. */
  signatures?: SignatureCache
  /** How long the model list is kept, in milliseconds. Default 600 000. */
  modelsTtlMs?: number
  /** Name in logs and headers. Default `gemini-api`. */
  name?: string
  now?: () => number
  /** Waits between polls of a file that is being processed. */
  wait?: Wait
}

const DEFAULT_INLINE_LIMIT_BYTES = 20_000_000

/**
 * The official Gemini API, with one key, as a ContentGenerator. Answers always stream; an empty answer or a call the
 * model could not write is asked for once more. For several keys make one of each and put them into a pool.
 */
export function createGeminiApiGenerator(options: GeminiApiOptions): ContentGenerator {
  const {
    apiKey,
    baseUrl = 'https://generativelanguage.googleapis.com',
    apiVersion = 'v1beta',
    transport = createFetchTransport(),
    mediaFetch,
    inlineLimitBytes = DEFAULT_INLINE_LIMIT_BYTES,
    modelRules = [],
    signatures = createSignatureCache(),
    modelsTtlMs = 600_000,
    name = 'gemini-api',
    now = Date.now,
    wait = waitOnTimer,
  } = options
  const api = createApi({ baseUrl, apiVersion, headers: { 'x-goog-api-key': apiKey }, transport, now })
  const rules = [...modelRules, ...MODEL_RULES]
  let catalogue: { models: Awaited<ReturnType<typeof listModels>>; at: number } | undefined

  function mediaContext({ signal, onAsked }: GenerateOptions): MediaContext {
    return {
      signal,
      onAsked,
      mediaFetch,
      upload: (source) => uploadFile(api, source, signal, wait),
      inlineLimitBytes,
      isReadable: (uri) => isReadable(uri, baseUrl, mediaFetch !== undefined),
    }
  }

  async function prepare(request: GenerateContentRequest, generateOptions: GenerateOptions): Promise<PreparedRequest> {
    // Files first: errors about them name the caller's own parts.
    const contents = await prepareMedia(request.contents, mediaContext(generateOptions))
    const prepared = prepareRequest({ ...request, contents }, generateOptions, { rules, signatures })
    return { ...prepared, body: { ...prepared.body, store: prepared.body.store ?? false } }
  }

  /** Sends; on a refusal that is known to have a cure, cures it, each kind once. */
  async function open(
    { model, body }: PreparedRequest,
    { signal, onAsked }: GenerateOptions,
  ): Promise<TransportResponse> {
    const tried = new Set<Repair>()
    let current = body
    onAsked?.()
    for (;;) {
      const path = `models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`
      const response = await api.send(path, post(current, signal))
      if (!('refusal' in response)) return response
      const repaired = repairRequest(current, response.refusal, tried)
      if (repaired === undefined) throw api.toError(response.refusal, model)
      current = repaired
    }
  }

  async function* stream(
    request: GenerateContentRequest,
    generateOptions: GenerateOptions,
  ): AsyncGenerator<GenerateContentResponse> {
    const { signal, onServed, strictModel } = generateOptions
    throwIfAborted(signal)
    try {
      const prepared = await prepare(request, generateOptions)
      const { model, wrapped } = prepared
      onServed?.({ upstream: name, model })
      const response = await open(prepared, generateOptions)
      const reader = createChunkReader({ model, now: now() })
      let served: string | undefined
      function look(chunk: GenerateContentResponse): GenerateContentResponse {
        if (chunk.modelVersion !== undefined && served === undefined) {
          served = chunk.modelVersion
          if (strictModel === true && !isSameModel(model, served)) throw otherModel(model)
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

  return withAnswers({
    name,
    generateContentStream: stream,
    async countTokens(request, generateOptions) {
      const { model, body } = await prepare(request, generateOptions)
      const { store: _, ...counted } = body
      const generateContentRequest = { ...counted, model: `models/${model}` }
      const answer = await api.json(
        `models/${encodeURIComponent(model)}:countTokens`,
        post({ generateContentRequest }, generateOptions.signal),
        model,
      )
      return { ...answer, totalTokens: typeof answer.totalTokens === 'number' ? answer.totalTokens : 0 }
    },
    embedContent(requests, { signal, onAsked }) {
      onAsked?.()
      return embedContents(api, requests, signal)
    },
    async models({ signal }) {
      if (catalogue === undefined || now() - catalogue.at > modelsTtlMs) {
        catalogue = { models: await listModels(api, signal), at: now() }
      }
      return catalogue.models
    },
  })
}

/** References that Google reads itself. Other https URLs only where nobody here can fetch them. */
function isReadable(uri: string, baseUrl: string, canFetch: boolean): boolean {
  if (uri.startsWith('gs://') || uri.startsWith('files/')) return true
  if (!URL.canParse(uri)) return false
  const { protocol, hostname, pathname, origin } = new URL(uri)
  if (/^(?:www\.|m\.)?youtube\.com$|^youtu\.be$/.test(hostname)) return true
  const isFile = /^\/v1(?:beta|alpha)?\/files\/[\w-]+$/.test(pathname)
  if (isFile && (hostname === 'generativelanguage.googleapis.com' || origin === new URL(baseUrl).origin)) return true
  return !canFetch && protocol === 'https:'
}

function isSameModel(asked: string, served: string): boolean {
  const plain = served.replace(/^models\//, '')
  return plain === asked || plain.replace(/-\d{3}$/, '') === asked
}

function otherModel(model: string): GenerationError {
  return new GenerationError(
    'model_not_found',
    `The upstream answered with another model than ${model}, and the request demands exactly this one.`,
    { field: 'model' },
  )
}
