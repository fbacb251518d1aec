import { serveExchange, type Exchange } from '@castorjs/content-generator'
import { serveChat } from './chat/serve.ts'
import { encodeErrorBody } from './errors.ts'
import { createFileFields, type FileFields } from './file-fields.ts'
import { serveGenerate } from './generate.ts'
import { serveEmbeddings } from './embeddings/serve.ts'
import { createImageRoute } from './images/serve.ts'
import { serveSpeech } from './speech/serve.ts'
import { encodeModelList, findModel } from './models.ts'
import { createContext, type OpenAIContext, type OpenAIHandlerOptions } from './options.ts'
import { matchRoute, type Route, type RouteName } from './route.ts'

type Serve = (request: Request, exchange: Exchange, context: OpenAIContext, files: FileFields) => Promise<Response>

const POSTS: Record<Exclude<RouteName, 'models'>, Serve> = {
  chat: serveChat,
  generate: serveGenerate,
  embeddings: serveEmbeddings,
  speech: serveSpeech,
  'image-generations': createImageRoute({ kind: 'generation', answer: 'openai' }),
  'image-edits': createImageRoute({ kind: 'edit', answer: 'openai' }),
  'image-edit': createImageRoute({ kind: 'edit', answer: 'both' }),
  'generate-images': createImageRoute({ kind: 'generation', answer: 'plain' }),
}

/**
 * The OpenAI API as one function from `Request` to `Response`. It never throws: every failure is an error
 * object in OpenAI's shape. CORS and logs are the business of whoever mounts it.
 *
 * @example
 * const handler = createOpenAIHandler({ generator, authorize: createKeyCheck([{ id: 'me', key }]) })
 * const client = new OpenAI({ apiKey: key, baseURL: 'http://castor/v1', fetch: (url, init) => handler(new Request(url, init)) })
 */
export function createOpenAIHandler(options: OpenAIHandlerOptions): (request: Request) => Promise<Response> {
  const context = createContext(options)
  return (request) => {
    const files = createFileFields()
    return serveExchange(request, 'openai', options, encodeErrorBody, async (exchange) => {
      try {
        return await serveRoute(matchRoute(exchange.url, options.basePath), request, exchange, context, files)
      } catch (error) {
        throw files.name(error)
      }
    })
  }
}

async function serveRoute(
  route: Route,
  request: Request,
  exchange: Exchange,
  context: OpenAIContext,
  files: FileFields,
): Promise<Response> {
  const { method } = request
  if (route.name === 'repeated') {
    return refuse(exchange, 404, `The path repeats /v1. Set the base URL of your client to ${route.baseUrl}`)
  }
  if (route.name === 'models' || route.name === 'model') {
    if (method !== 'GET' && method !== 'HEAD') return wrongMethod(exchange, 'GET')
    const models = await context.options.generator.models(exchange.options)
    return exchange.json('id' in route ? findModel(models, route.id) : encodeModelList(models))
  }
  const serve = route.name === 'unknown' ? undefined : POSTS[route.name]
  if (serve === undefined) {
    return refuse(exchange, 404, 'There is no such endpoint here. The base URL of an OpenAI client ends in /v1.')
  }
  if (method !== 'POST') return wrongMethod(exchange, 'POST')
  return serve(request, exchange, context, files)
}

function wrongMethod(exchange: Exchange, allow: string): Response {
  return refuse(exchange, 405, `This endpoint takes ${allow}.`, { allow })
}

/** A refusal that is about the address, not about a generation. */
function refuse(exchange: Exchange, status: number, message: string, headers: Record<string, string> = {}): Response {
  const error = { message, type: 'invalid_request_error', param: null, code: status === 404 ? 'not_found' : null }
  return exchange.json({ error }, { status, headers: { 'x-should-retry': 'false', ...headers } })
}
