import { GenerationError, validate, type EmbedContentRequest } from '@castorjs/content-generator'
import * as v from 'valibot'

const tokens = 'must be a text or a list of texts; token numbers cannot be read here'

export const EmbeddingsRequestSchema = v.looseObject({
  model: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  input: v.union(
    [
      v.pipe(v.string(), v.nonEmpty('must not be empty')),
      v.pipe(
        v.array(v.pipe(v.string(tokens), v.nonEmpty('must not be empty'))),
        v.nonEmpty('must not be empty'),
        v.maxLength(2048, 'must hold at most 2048 texts'),
      ),
    ],
    tokens,
  ),
  encoding_format: v.nullish(v.picklist(['float', 'base64'], 'must be float or base64')),
  dimensions: v.nullish(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1))),
})

/** An embeddings request, one per text, and how to write the answer. */
export interface DecodedEmbeddingsRequest {
  model: string
  texts: string[]
  requests: EmbedContentRequest[]
  encoding: 'float' | 'base64'
}

/** @throws {GenerationError} `invalid_request`, naming the field. */
export function decodeEmbeddingsRequest(body: unknown): DecodedEmbeddingsRequest {
  const { model, input, encoding_format: encoding, dimensions } = validate(EmbeddingsRequestSchema, body)
  const texts = typeof input === 'string' ? [input] : input
  return {
    model,
    texts,
    encoding: encoding ?? 'float',
    requests: texts.map((text) => ({
      model,
      content: { role: 'user', parts: [{ text }] },
      ...(dimensions == null ? {} : { outputDimensionality: dimensions }),
    })),
  }
}

/** @throws {GenerationError} `unsupported`: this upstream has no embeddings. */
export function refuseEmbeddings(): never {
  throw new GenerationError(
    'unsupported',
    'The upstream here makes no embeddings; use the mount of the official API.',
    {
      field: 'model',
    },
  )
}
