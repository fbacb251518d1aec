import type { ModelInfo } from '@castorjs/content-generator'
import type { Api } from './api.ts'

/** Pages read at most; Google has one of this size. */
const MOST_PAGES = 20

/** The catalogue, all pages, names without `models/`; thinking models also under their `-thinking` name. */
export async function listModels(api: Api, signal: AbortSignal): Promise<ModelInfo[]> {
  const models: ModelInfo[] = []
  let pageToken: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const token = pageToken === undefined ? '' : `&pageToken=${encodeURIComponent(pageToken)}`
    const answer = await api.json(`models?pageSize=1000${token}`, { signal })
    for (const model of Array.isArray(answer.models) ? (answer.models as ModelInfo[]) : []) {
      const name = model.name.replace(/^models\//, '')
      models.push({ ...model, name })
      if (model.thinking === true) models.push({ ...model, name: `${name}-thinking` })
    }
    pageToken =
      typeof answer.nextPageToken === 'string' && answer.nextPageToken !== '' ? answer.nextPageToken : undefined
    if (pageToken === undefined) break
  }
  return models
}
