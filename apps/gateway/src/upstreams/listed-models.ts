import { CODE_ASSIST_MODELS } from '@castorjs/code-assist-client'
import { MODEL_SUFFIXES, MODEL_TABLE } from '@castorjs/gemini-web-client/content-generator'

/** Names that are known to be models before anything was asked: those of our own tables, each with one ending at most. */
export function listedModels(): string[] {
  const names: string[] = []
  for (const [name, row] of Object.entries(MODEL_TABLE)) {
    names.push(name)
    for (const [ending, wish] of Object.entries(MODEL_SUFFIXES)) {
      if (!name.endsWith(`-${ending}`) && !Object.keys(wish).some((field) => field in row))
        names.push(`${name}-${ending}`)
    }
  }
  return [...names, ...CODE_ASSIST_MODELS.flatMap((name) => [name, `${name}-thinking`])]
}
