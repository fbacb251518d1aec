import {
  GenerateContentRequestSchema,
  GenerationError,
  rawJson,
  validate,
  type GenerateContentRequest,
  type GenerateContentResponse,
} from '@castorjs/content-generator'
import { GENERATE_CONTENT, respell } from './fields.ts'

/**
 * Reads the body of `generateContent` or `streamGenerateContent`. `snake_case` spellings, `contents` as one object
 * or a string and `systemInstruction` as a string are accepted; fields nobody here knows are kept.
 *
 * @param body Parsed JSON, not yet validated; never changed.
 * @param model Model of the path; a leading `models/` is dropped.
 * @throws {GenerationError} `invalid_request`, naming the first offending field.
 */
export function decodeGenerateContent(body: unknown, model: string): GenerateContentRequest {
  const spelled = respell(body, GENERATE_CONTENT)
  if (typeof spelled !== 'object' || spelled === null || Array.isArray(spelled)) {
    throw new GenerationError('invalid_request', 'The body must be a JSON object with `contents`.')
  }
  const fields: Record<string, unknown> = { ...spelled, model: readModelName(model) }
  if (typeof fields.contents === 'string') fields.contents = [{ role: 'user', parts: [{ text: fields.contents }] }]
  if (typeof fields.systemInstruction === 'string') {
    fields.systemInstruction = { parts: [{ text: fields.systemInstruction }] }
  }
  return validate(GenerateContentRequestSchema, fields)
}

/** A model name without its leading `models/`. */
export function readModelName(model: string): string {
  return model.startsWith('models/') ? model.slice('models/'.length) : model
}

/**
 * Chunks as the blocks of `alt=sse`: each begins with `data:` and ends with an empty line; there is no `[DONE]`.
 * A chunk the upstream sent as JSON goes out in the upstream's own letters.
 */
export async function* encodeEventStream(
  chunks: AsyncIterable<GenerateContentResponse>,
  encode = rawJson,
): AsyncGenerator<string> {
  for await (const chunk of chunks) yield `data: ${encode(chunk)}\r\n\r\n`
}

/** Chunks as the pieces of one JSON array, which is what Google streams without `alt=sse`. */
export async function* encodeJsonArray(
  chunks: AsyncIterable<GenerateContentResponse>,
  encode = rawJson,
): AsyncGenerator<string> {
  let first = true
  for await (const chunk of chunks) {
    yield `${first ? '[' : ',\r\n'}${encode(chunk)}`
    first = false
  }
  yield first ? '[]' : ']'
}
