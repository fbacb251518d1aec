import { countRequest } from './answer/tokens.ts'
import { embed } from './embeddings.ts'
import { describeModel, MODELS } from './models.ts'
import type { GenerateRequest, Turn } from './request.ts'
import { invalid, modelNotFound } from './rpc-error.ts'
import { BATCH_EMBED_CONTENTS, COUNT_TOKENS, EMBED_CONTENT } from './strict/fields.ts'
import { parseMessage } from './strict/message.ts'
import { jsonResponse } from './wire.ts'

/** `GET models` and `GET models/{model}`. */
export function serveCatalogue(name: string, version: string, url: URL): Response {
  if (name !== '') {
    const model = MODELS.find((known) => known.name === name)
    if (model === undefined) throw modelNotFound(name, version, 'GetModel')
    return jsonResponse(describeModel(model))
  }
  const size = Math.min(Number(url.searchParams.get('pageSize') ?? 50) || 50, 1_000)
  const start = Number(url.searchParams.get('pageToken') ?? 0)
  if (!Number.isInteger(start) || start < 0) throw invalid('Invalid page token.')
  const models = MODELS.slice(start, start + size).map(describeModel)
  const nextPageToken = start + size < MODELS.length ? { nextPageToken: String(start + size) } : {}
  return jsonResponse({ models, ...nextPageToken })
}

/** `countTokens` and the embeddings. */
export function serveCounting(operation: string, body: unknown): Response {
  if (operation === 'countTokens') {
    const parsed = parseMessage(body, COUNT_TOKENS) as GenerateRequest & { generateContentRequest?: GenerateRequest }
    const totalTokens = countRequest(parsed.generateContentRequest ?? parsed)
    return jsonResponse({ totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] })
  }
  if (operation === 'embedContent') {
    const { content, outputDimensionality } = parseMessage(body, EMBED_CONTENT) as EmbedEntry
    if (content === undefined) throw invalid('* EmbedContentRequest.content: contents is not specified\n')
    return jsonResponse({ embedding: { values: embed(content, outputDimensionality) } })
  }
  const { requests = [] } = parseMessage(body, BATCH_EMBED_CONTENTS) as { requests?: EmbedEntry[] }
  if (requests.length === 0 || requests.length > 100) {
    throw invalid('* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n')
  }
  requests.forEach(({ model, content }, index) => {
    if (model?.startsWith('models/') !== true)
      throw invalid(`* BatchEmbedContentsRequest.requests[${index}].model: unexpected model name format\n`)
    if (content === undefined)
      throw invalid(`* BatchEmbedContentsRequest.requests[${index}].content: contents is not specified\n`)
  })
  const embeddings = requests.map(({ content, outputDimensionality }) => ({
    values: embed(content, outputDimensionality),
  }))
  return jsonResponse({ embeddings })
}

interface EmbedEntry {
  model?: string
  content?: Turn
  outputDimensionality?: number
}
