import { estimateTokens, readJson, type Exchange } from '@castorjs/content-generator'
import type { OpenAIContext } from '../options.ts'
import { decodeEmbeddingsRequest, refuseEmbeddings } from './decode.ts'
import { encodeEmbeddings } from './encode.ts'

/** `POST /v1/embeddings`. */
export async function serveEmbeddings(
  request: Request,
  exchange: Exchange,
  { options: { generator }, maxBodyBytes }: OpenAIContext,
): Promise<Response> {
  const decoded = decodeEmbeddingsRequest(await readJson(request, { maxBytes: maxBodyBytes }))
  exchange.describe({ model: decoded.model, stream: false })
  if (generator.embedContent === undefined) refuseEmbeddings()
  const answer = await generator.embedContent(decoded.requests, exchange.options)
  const inputTokens = decoded.texts.reduce((sum, text) => sum + estimateTokens(text), 0)
  exchange.spend({ inputTokens, cachedTokens: 0, outputTokens: 0, thoughtTokens: 0, estimated: true })
  return exchange.json(encodeEmbeddings(answer, decoded), { headers: { 'x-castor-usage': 'estimated' } })
}
