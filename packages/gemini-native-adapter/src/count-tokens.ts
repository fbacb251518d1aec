import {
  ContentSchema,
  estimateTokens,
  validate,
  type Content,
  type CountTokensResponse,
  type GenerateContentRequest,
  type Part,
} from '@castorjs/content-generator'
import * as v from 'valibot'
import { COUNT_TOKENS, respell } from './fields.ts'
import { decodeGenerateContent } from './generate-content.ts'

const ContentsSchema = v.looseObject({
  contents: v.pipe(v.array(ContentSchema), v.nonEmpty('must hold at least one turn')),
})

/**
 * Reads the body of `countTokens`: `contents` alone, or a whole `generateContentRequest`, whose system text and
 * tools count too.
 *
 * @throws {GenerationError} `invalid_request`, naming the first offending field.
 */
export function decodeCountTokens(body: unknown, model: string): GenerateContentRequest {
  const spelled = respell(body, COUNT_TOKENS)
  const whole = isObject(spelled) ? spelled.generateContentRequest : undefined
  if (isObject(whole)) return decodeGenerateContent(whole, model)
  return { ...validate(ContentsSchema, spelled), model: decodeGenerateContent(spelled, model).model }
}

/** Tokens of a picture or a page, which Google counts as tiles of this size. Source: `gemini-api.md` section 7. */
const MEDIA_TOKENS = 258

/** A guess for upstreams that cannot count: text by its length, each file as one tile. */
export function estimateRequest(request: GenerateContentRequest): CountTokensResponse {
  let totalTokens = request.tools === undefined ? 0 : estimateTokens(JSON.stringify(request.tools))
  const contents: Content[] = [...request.contents]
  if (request.systemInstruction !== undefined) contents.push(request.systemInstruction)
  for (const { parts = [] } of contents) for (const part of parts) totalTokens += estimatePart(part)
  return { totalTokens }
}

function estimatePart(part: Part): number {
  if (part.text !== undefined) return estimateTokens(part.text)
  if (part.inlineData !== undefined || part.fileData !== undefined) return MEDIA_TOKENS
  return estimateTokens(JSON.stringify(part))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
