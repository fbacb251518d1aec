import type { Outcome } from '@castorjs/content-generator'
import { canonicalModel } from '../model-name.ts'

/** Names a model for books and labels. */
export type ModelNames = (outcome: Pick<Outcome, 'model' | 'served' | 'error'>) => string

/** Stands for names that nobody here ever served. */
const OTHER = '(other)'

/**
 * Names of models come from callers, who may make up any number of them. One gets a place of its own once an upstream has
 * taken it for a model, however it was spelt; until then it is `(other)`, and `-` where none was named.
 *
 * @param most Names kept apart.
 */
export function createModelNames(most = 200): ModelNames {
  const known = new Set<string>()
  return ({ model: asked, served, error }) => {
    if (asked === undefined) return '-'
    const model = canonicalModel(asked)
    if (known.has(model)) return model
    const taken = served !== undefined && error?.code !== 'model_not_found'
    if (!taken || known.size >= most) return OTHER
    known.add(model)
    return model
  }
}
