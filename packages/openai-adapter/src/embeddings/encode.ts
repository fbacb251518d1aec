import { estimateTokens, type EmbedContentResponse } from '@castorjs/content-generator'
import { bytesToBase64 } from '@castorjs/content-generator/media'
import type { DecodedEmbeddingsRequest } from './decode.ts'

/** The answer of `/v1/embeddings`. Gemini counts no tokens here, so they are guessed. */
export function encodeEmbeddings(
  { embeddings }: EmbedContentResponse,
  { model, texts, encoding }: Pick<DecodedEmbeddingsRequest, 'model' | 'texts' | 'encoding'>,
) {
  const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0)
  return {
    object: 'list',
    model,
    data: embeddings.map(({ values }, index) => ({
      object: 'embedding',
      index,
      embedding: encoding === 'base64' ? encodeFloats(values) : values,
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

/** Little-endian 32-bit floats in base64, as the official SDK asks for by default (row 56). */
function encodeFloats(values: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(values.length * 4))
  for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true)
  return bytesToBase64(new Uint8Array(view.buffer))
}
