import { GenerationError, type EmbedContentRequest, type EmbedContentResponse } from '@castorjs/content-generator'
import { post, type Api } from './api.ts'

/** Most entries of one call. */
const BATCH = 100

/**
 * Embeds any number of contents, a hundred per call. Vectors shorter than the native size come back at any length from
 * Google, so they are brought to length 1. Source: `gemini-api.md` section 10.
 */
export async function embedContents(
  api: Api,
  requests: readonly EmbedContentRequest[],
  signal: AbortSignal,
): Promise<EmbedContentResponse> {
  const model = requests[0]?.model ?? ''
  const embeddings: EmbedContentResponse['embeddings'] = []
  for (let start = 0; start < requests.length; start += BATCH) {
    const batch = requests
      .slice(start, start + BATCH)
      .map((request) => ({ ...request, model: `models/${request.model}` }))
    const answer = await api.json(
      `models/${encodeURIComponent(model)}:batchEmbedContents`,
      post({ requests: batch }, signal),
      model,
    )
    const found = answer.embeddings
    if (!Array.isArray(found) || found.length !== batch.length) {
      throw new GenerationError(
        'protocol_drift',
        `The upstream gave ${Array.isArray(found) ? found.length : 'no'} embeddings for ${batch.length} texts.`,
      )
    }
    embeddings.push(
      ...found.map((embedding: { values: number[] }) => ({ ...embedding, values: normalise(embedding.values) })),
    )
  }
  return { embeddings }
}

function normalise(values: readonly number[]): number[] {
  const length = Math.hypot(...values)
  return length === 0 || Math.abs(length - 1) < 1e-6 ? [...values] : values.map((value) => value / length)
}
