import {
  collect,
  GenerationError,
  readApiKey,
  readJson,
  readMediaOptions,
  readSessionId,
  readUsage,
  serveExchange,
  type DialectOptions,
  type EmbedContentRequest,
  type EmbedContentResponse,
  type Exchange,
  type GenerateContentRequest,
  type GenerateContentResponse,
} from '@castorjs/content-generator'
import { decodeCodeAssist, decodeCodeAssistCount, encodeCodeAssist, HOUSEKEEPING } from './code-assist.ts'
import { decodeCountTokens, estimateRequest } from './count-tokens.ts'
import { decodeBatchEmbedContents, decodeEmbedContent } from './embed-content.ts'
import { encodeBlocked, encodeError } from './errors.ts'
import { decodeGenerateContent, encodeEventStream, encodeJsonArray } from './generate-content.ts'
import { encodeModel, encodeModelPage, findModel } from './models.ts'
import { readRoute, type Route } from './route.ts'

export interface GeminiNativeOptions extends DialectOptions {
  /** Rewrites the model of the path before the upstream sees it: aliases of the operator. Default: as it is. */
  model?: (name: string) => string
}

/** Answers one request in the dialect of `generativelanguage.googleapis.com`. */
export type GeminiNativeHandler = (request: Request) => Promise<Response>

const DEFAULT_MAX_BODY_BYTES = 100 * 1024 * 1024

/**
 * The Gemini API in front of any `ContentGenerator`, under `v1beta`, `v1` and `v1alpha`, at any mount: models,
 * `generateContent`, `streamGenerateContent`, `countTokens`, `embedContent`, `batchEmbedContents`. Gemini CLI's Code
 * Assist calls (`v1internal`) are answered too.
 */
export function createGeminiNativeHandler(options: GeminiNativeOptions): GeminiNativeHandler {
  const { generator, maxBodyBytes = DEFAULT_MAX_BODY_BYTES, model: rename = (name) => name } = options

  async function serve(request: Request, exchange: Exchange): Promise<Response> {
    const { url } = exchange
    const route = readRoute(url.pathname)
    const sessionId = readSessionId(request)
    if (sessionId !== undefined) exchange.options.sessionId = sessionId
    if (route?.version === 'v1internal') return serveCodeAssist(request, route.method, url, exchange)
    if (route === undefined || route.collection !== 'models') return notServed(exchange, route)
    if (route.method === '') return serveModels(request, route, exchange)
    const serveMethod = METHODS[route.method]
    if (serveMethod === undefined || request.method !== 'POST') return notServed(exchange, route)
    if (route.name === '') throw new GenerationError('invalid_request', 'The path names no model.', { field: 'model' })
    exchange.describe({ model: route.name, stream: route.method === 'streamGenerateContent' })
    exchange.options.media = { ...exchange.options.media, ...readMediaOptions(url.searchParams) }
    const body = await readJson(request, { maxBytes: maxBodyBytes })
    return serveMethod({ body, model: rename(route.name), exchange, query: url.searchParams })
  }

  async function serveCodeAssist(
    request: Request,
    method: string,
    url: Readonly<URL>,
    exchange: Exchange,
  ): Promise<Response> {
    if (method in HOUSEKEEPING) return exchange.json(HOUSEKEEPING[method])
    const body = await readJson(request, { maxBytes: maxBodyBytes })
    if (method === 'countTokens') return countTokens(decodeCodeAssistCount(body), exchange)
    if (method !== 'generateContent' && method !== 'streamGenerateContent') return notServed(exchange, undefined)
    const call = decodeCodeAssist(body)
    const renamed = { ...call.request, model: rename(call.request.model) }
    const streamed = method === 'streamGenerateContent'
    exchange.describe({ model: call.request.model, stream: streamed })
    exchange.options.media = { ...exchange.options.media, ...readMediaOptions(url.searchParams) }
    if (call.sessionId !== undefined) exchange.options.sessionId = call.sessionId
    const encode = (chunk: GenerateContentResponse): string => encodeCodeAssist(chunk, exchange.requestId)
    const chunks = generate(renamed, exchange)
    if (streamed)
      return url.searchParams.get('alt') === 'sse'
        ? sendEventStream(chunks, exchange, encode)
        : sendJsonArray(chunks, exchange, encode)
    return exchange.respond(encode(await collect(chunks)), { headers: { 'content-type': 'application/json' } })
  }

  async function countTokens(counted: GenerateContentRequest, exchange: Exchange): Promise<Response> {
    if (generator.countTokens !== undefined) {
      return exchange.json(await generator.countTokens(counted, exchange.options))
    }
    exchange.warn({ setting: 'totalTokens', message: 'is a guess from the text length; this upstream cannot count' })
    return exchange.json(estimateRequest(counted))
  }

  async function serveModels(request: Request, route: Route, exchange: Exchange): Promise<Response> {
    if (request.method !== 'GET') return notServed(exchange, route)
    const models = await generator.models(exchange.options)
    if (route.name === '') return exchange.json(encodeModelPage(models, exchange.url.searchParams))
    return exchange.json(encodeModel(findModel(models, rename(route.name))))
  }

  function generate(request: GenerateContentRequest, exchange: Exchange): AsyncIterable<GenerateContentResponse> {
    return watch(generator.generateContentStream(request, exchange.options), exchange)
  }

  const METHODS: Record<string, (call: Call) => Promise<Response>> = {
    async generateContent({ body, model, exchange }) {
      const answer = await collect(generate(decodeGenerateContent(body, model), exchange))
      return exchange.json(answer)
    },
    async streamGenerateContent({ body, model, exchange, query }) {
      const chunks = generate(decodeGenerateContent(body, model), exchange)
      return query.get('alt') === 'sse' ? sendEventStream(chunks, exchange) : sendJsonArray(chunks, exchange)
    },
    countTokens: ({ body, model, exchange }) => countTokens(decodeCountTokens(body, model), exchange),
    async embedContent({ body, model, exchange }) {
      const { embeddings, ...rest } = await embed([decodeEmbedContent(body, model)], exchange)
      return exchange.json({ embedding: embeddings[0], ...rest })
    },
    async batchEmbedContents({ body, model, exchange }) {
      return exchange.json(await embed(decodeBatchEmbedContents(body, model), exchange))
    },
  }

  async function embed(requests: readonly EmbedContentRequest[], exchange: Exchange): Promise<EmbedContentResponse> {
    if (generator.embedContent === undefined) {
      throw new GenerationError('unsupported', `The upstream ${generator.name} has no embeddings.`)
    }
    const answer = await generator.embedContent(requests, exchange.options)
    // Google counts no tokens here.
    const { totalTokens } = estimateRequest({ model: '', contents: requests.map(({ content }) => content) })
    exchange.spend({
      inputTokens: totalTokens,
      cachedTokens: 0,
      outputTokens: 0,
      thoughtTokens: 0,
      estimated: true,
    })
    return answer
  }

  return (request) =>
    serveExchange(
      request,
      'gemini',
      options,
      (error) => {
        const isInternal = readRoute(new URL(request.url).pathname)?.version === 'v1internal'
        const body = encodeError(error, isInternal ? 'token' : readApiKey(request) === undefined ? 'none' : 'key')
        return { body, status: body.error.code }
      },
      (exchange) => serve(request, exchange),
    )
}

interface Call {
  body: unknown
  model: string
  exchange: Exchange
  query: URLSearchParams
}

/** Counts the tokens spent, and tells a refused prompt as Google does: in the answer. */
function watch(
  chunks: AsyncIterable<GenerateContentResponse>,
  exchange: Exchange,
): AsyncIterable<GenerateContentResponse> {
  let answered = false

  function see(next: IteratorResult<GenerateContentResponse>): IteratorResult<GenerateContentResponse> {
    if (next.done === true) return next
    answered = true
    if (next.value.usageMetadata !== undefined) exchange.spend(readUsage(next.value.usageMetadata))
    return next
  }

  function recover(error: unknown): IteratorResult<GenerateContentResponse> {
    const promptFeedback = answered ? undefined : encodeBlocked(error)
    if (promptFeedback === undefined) throw error
    answered = true
    return { done: false, value: { promptFeedback } }
  }

  // No generator: each one on the way costs time per chunk.
  return {
    [Symbol.asyncIterator]() {
      const iterator = chunks[Symbol.asyncIterator]()
      return {
        next: () => iterator.next().then(see, recover),
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }
    },
  }
}

type EncodeChunk = (chunk: GenerateContentResponse) => string

function sendEventStream(
  chunks: AsyncIterable<GenerateContentResponse>,
  exchange: Exchange,
  encode?: EncodeChunk,
): Promise<Response> {
  return exchange.stream(encodeEventStream(chunks, encode), {
    encodeError: (error) => `data: ${JSON.stringify(encodeError(error))}\r\n\r\n`,
  })
}

function sendJsonArray(
  chunks: AsyncIterable<GenerateContentResponse>,
  exchange: Exchange,
  encode?: EncodeChunk,
): Promise<Response> {
  let begun = false
  async function* pieces(): AsyncGenerator<string> {
    for await (const piece of encodeJsonArray(chunks, encode)) {
      begun = true
      yield piece
    }
  }
  return exchange.stream(pieces(), {
    encodeError: (error) => `${begun ? ',\r\n' : '['}${JSON.stringify(encodeError(error))}]`,
    // White space is the one sign of life that JSON allows.
    heartbeat: ' \n',
    headers: { 'content-type': 'application/json; charset=utf-8' },
  })
}

const SERVED = 'generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents'

function notServed(exchange: Exchange, route: Route | undefined): Response {
  const what =
    route === undefined || route.collection === 'models'
      ? 'This method of the Gemini API'
      : `The collection \`${route.collection}\` of the Gemini API`
  const message = `${what} is not served here. Served are GET models, GET models/{model} and, with POST, ${SERVED} of models/{model}.`
  return exchange.json({ error: { code: 404, message, status: 'NOT_FOUND', details: [] } }, { status: 404 })
}
