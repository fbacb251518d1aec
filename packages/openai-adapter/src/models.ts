import { GenerationError, type ModelInfo } from '@castorjs/content-generator'

/** A model as OpenAI lists it. */
export interface OpenAIModel {
  id: string
  object: 'model'
  created: number
  owned_by: string
}

/** Gemini says nothing about when a model was made; a constant keeps clients from seeing news every call. */
const CREATED = 1_735_689_600

export function encodeModel({ name }: ModelInfo): OpenAIModel {
  return { id: name.replace(/^models\//, ''), object: 'model', created: CREATED, owned_by: 'google' }
}

export function encodeModelList(models: readonly ModelInfo[]): { object: 'list'; data: OpenAIModel[] } {
  return { object: 'list', data: models.map(encodeModel) }
}

/**
 * One model by its name, with or without `models/`.
 *
 * @throws {GenerationError} `model_not_found` with near names.
 */
export function findModel(models: readonly ModelInfo[], name: string): OpenAIModel {
  const wanted = name.replace(/^models\//, '')
  const found = models.find((model) => model.name.replace(/^models\//, '') === wanted)
  if (found !== undefined) return encodeModel(found)
  const start = wanted.split('-').slice(0, 2).join('-')
  const near = models.map((model) => encodeModel(model).id).filter((id) => id.startsWith(start))
  throw new GenerationError('model_not_found', 'No such model is served here; `GET /v1/models` lists them.', {
    field: 'model',
    suggestions: near.slice(0, 3),
  })
}
