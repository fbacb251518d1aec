import {
  collect,
  readJson,
  readMediaOptions,
  toGenerationError,
  type Exchange,
  type GenerateContentResponse,
} from '@castorjs/content-generator'
import type { FileFields } from '../file-fields.ts'
import { readSessionId } from '../session-id.ts'
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
    recallSignature: (callId) => signatures.recall(callId),
    files,
  })
  exchange.describe({ model: decoded.shape.model, stream: decoded.stream })
  for (const warning of decoded.warnings) exchange.warn(warning)

  const media = readMediaOptions(new URL(request.url).searchParams, body as Record<string, unknown>)
  const sessionId = readSessionId(request)
  const chunks = generator.generateContentStream(decoded.request, {
    ...exchange.options,
    media: { ...exchange.options.media, ...media },
    ...(sessionId === undefined ? {} : { sessionId }),
  })
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
    onSignature: (callId, signature) => signatures.remember(callId, signature),
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
