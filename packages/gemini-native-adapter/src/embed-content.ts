import { ContentSchema, GenerationError, validate, type EmbedContentRequest } from '@castorjs/content-generator'
import * as v from 'valibot'
import { BATCH_EMBED_CONTENTS, EMBED_CONTENT, respell } from './fields.ts'
import { readModelName } from './generate-content.ts'

/** Most entries Google takes in one batch. */
const LARGEST_BATCH = 100

const EntrySchema = v.looseObject({
  content: ContentSchema,
  taskType: v.optional(v.string()),
  title: v.optional(v.string()),
  outputDimensionality: v.optional(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1))),
})

const BatchSchema = v.looseObject({
  requests: v.pipe(v.array(EntrySchema), v.nonEmpty('must hold at least one entry')),
})

/** @throws {GenerationError} `invalid_request`, naming the first offending field. */
export function decodeEmbedContent(body: unknown, model: string): EmbedContentRequest {
  return { ...validate(EntrySchema, respell(body, EMBED_CONTENT)), model: readModelName(model) }
}

/**
 * Reads the body of `batchEmbedContents`; the model of the path counts for all entries.
 *
 * @throws {GenerationError} `invalid_request`, naming the first offending field.
 */
export function decodeBatchEmbedContents(body: unknown, model: string): EmbedContentRequest[] {
  const { requests } = validate(BatchSchema, respell(body, BATCH_EMBED_CONTENTS))
  if (requests.length > LARGEST_BATCH) {
    const message = `\`requests\` must hold at most ${LARGEST_BATCH} entries, not ${requests.length}. Send several batches.`
    throw new GenerationError('invalid_request', message, { field: 'requests' })
  }
  return requests.map((request) => ({ ...request, model: readModelName(model) }))
}
