import {
  GenerationError,
  readMediaOptions,
  readSessionId,
  type Exchange,
  type GenerateOptions,
} from '@castorjs/content-generator'

/**
 * The exchange's options with what this request wishes: pictures and clips, the conversation's own name, and
 * `strict_model` for callers who would rather have an error than another model.
 *
 * @throws {GenerationError} `invalid_request` naming the parameter.
 */
export function readGenerateOptions(
  request: Request,
  exchange: Exchange,
  fields: Readonly<Record<string, unknown>>,
): GenerateOptions {
  const query = exchange.url.searchParams
  const sessionId = readSessionId(request)
  const strict = query.get('strict_model') ?? fields['strict_model'] ?? undefined
  if (strict !== undefined && !['true', 'false', true, false].includes(strict as string | boolean)) {
    throw new GenerationError('invalid_request', '`strict_model` must be `true` or `false`.', { field: 'strict_model' })
  }
  return {
    ...exchange.options,
    media: { ...exchange.options.media, ...readMediaOptions(query, fields) },
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(strict === undefined ? {} : { strictModel: strict === 'true' || strict === true }),
  }
}
