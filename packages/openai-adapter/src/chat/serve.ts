import {
  collect,
  readJson,
  toGenerationError,
  type Exchange,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type MediaOptions,
} from '@castorjs/content-generator'
import type { FileFields } from '../file-fields.ts'
import { chooseImageConfig } from '../images/aspect-ratio.ts'
import { readGenerateOptions } from '../generate-options.ts'
import type { OpenAIContext } from '../options.ts'
import { decodeChatRequest } from './decode.ts'
import { createChatStreamEncoder, type ChatStreamEncoder } from './encode-stream.ts'
import { encodeChatCompletion } from './encode.ts'
import type { ChatEncodeOptions } from './encode-options.ts'
import { estimatePrompt } from './usage.ts'

/** `POST /v1/chat/completions`. */
export async function serveChat(
  request: Request,
  exchange: Exchange,
  context: OpenAIContext,
  files: FileFields,
): Promise<Response> {
  const { generator, signatures } = context
  const body = await readJson(request, { maxBytes: context.maxBodyBytes })
  const decoded = await decodeChatRequest(body, {
    includeThoughts: context.options.includeThoughts ?? true,
    recallSignature: (callId, model) => signatures.recall(signatureKey(exchange, model, callId)),
    files,
  })
  exchange.describe({ model: decoded.shape.model, stream: decoded.stream })
  for (const warning of decoded.warnings) exchange.warn(warning)

  const options = readGenerateOptions(request, exchange, body as Record<string, unknown>)
  const chunks = generator.generateContentStream(withShape(decoded.request, options.media?.size), options)
  let estimated = false
  const { pictures, maxLineBytes } = context.options
  const encodeOptions: ChatEncodeOptions = {
    promptTokens: () => estimatePrompt(decoded.request),
    grounded:
      decoded.request.tools?.some((tool) => tool.googleSearch !== undefined || tool.urlContext !== undefined) ?? false,
    onUsage: (usage) => {
      estimated = usage.estimated
      exchange.spend(usage)
    },
    onSignature: (callId, signature) =>
      signatures.remember(signatureKey(exchange, decoded.shape.model, callId), signature),
    ...(pictures === undefined ? {} : { pictures }),
    ...(maxLineBytes === undefined ? {} : { maxLineBytes }),
  }
  if (decoded.stream) {
    const encoder = createChatStreamEncoder(decoded.shape, encodeOptions)
    return exchange.stream(encodeChunks(chunks, encoder), {
      encodeError: (error) => encoder.fail(toGenerationError(files.name(error))),
    })
  }
  const completion = encodeChatCompletion(await collect(chunks), decoded.shape, encodeOptions)
  return exchange.json(completion, { headers: estimated ? { 'x-castor-usage': 'estimated' } : {} })
}

/** A model that draws is told the shape too; the exact size is the business of whoever handles `media`. */
function withShape(request: GenerateContentRequest, size: MediaOptions['size']): GenerateContentRequest {
  const { generationConfig: config } = request
  if (size === undefined || config?.responseModalities?.includes('IMAGE') !== true) return request
  return { ...request, generationConfig: { ...config, ...chooseImageConfig(request.model, size) } }
}

/** A signature is only good for the model that made it, and no caller gets another's. */
function signatureKey({ caller }: Exchange, model: string, callId: string): string {
  return JSON.stringify([caller?.id, model, callId])
}

async function* encodeChunks(
  chunks: AsyncIterable<GenerateContentResponse>,
  encoder: ChatStreamEncoder,
): AsyncGenerator<string> {
  for await (const chunk of chunks) {
    const text = encoder.push(chunk)
    if (text !== '') yield text
  }
  yield encoder.finish()
}
