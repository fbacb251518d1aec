import { GenerationError, type ModelInfo } from '@castorjs/content-generator'

/** What a model that says nothing of it can do. */
const DEFAULT_METHODS = ['generateContent', 'streamGenerateContent', 'countTokens']

const DEFAULT_PAGE = 50
const LARGEST_PAGE = 1_000

/** A model as `GET /v1beta/models/{model}` shows it. */
export function encodeModel(model: ModelInfo): Record<string, unknown> {
  return {
    version: '001',
    displayName: model.name,
    supportedGenerationMethods: DEFAULT_METHODS,
    ...model,
    name: `models/${model.name}`,
  }
}

/**
 * One page of `GET /v1beta/models`.
 *
 * @param query `pageSize` (1 to 1,000, default 50; more counts as 1,000) and `pageToken` as handed out.
 * @throws {GenerationError} `invalid_request` naming the parameter.
 */
export function encodeModelPage(
  models: readonly ModelInfo[],
  query: URLSearchParams,
): { models: Record<string, unknown>[]; nextPageToken?: string } {
  const size = Math.min(readCount('pageSize', query) || DEFAULT_PAGE, LARGEST_PAGE)
  const start = readCount('pageToken', query)
  const end = start + size
  const page = models.slice(start, end).map(encodeModel)
  return end < models.length ? { models: page, nextPageToken: String(end) } : { models: page }
}

function readCount(name: string, query: URLSearchParams): number {
  const text = query.get(name) ?? query.get(name.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)) ?? '0'
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const expected = name === 'pageSize' ? 'a whole number from 1 to 1000' : 'the `nextPageToken` of an earlier answer'
  throw new GenerationError('invalid_request', `\`${name}\` must be ${expected}.`, { field: name })
}

/** @throws {GenerationError} `model_not_found` */
export function findModel(models: readonly ModelInfo[], name: string): ModelInfo {
  const found = models.find((model) => model.name === name)
  if (found !== undefined) return found
  throw new GenerationError(
    'model_not_found',
    `models/${name} is not served here. Call GET /v1beta/models to see the models that are.`,
    { field: 'model' },
  )
}
