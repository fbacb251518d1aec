import type { ErrorCode, Outcome } from '@castorjs/content-generator'
import { canonicalModel } from '../model-name.ts'

/** Names a model for books and labels. */
export type ModelNames = (outcome: Pick<Outcome, 'model' | 'served' | 'error' | 'usage' | 'firstChunkMs'>) => string

/** Stands for names that nobody here ever served. */
const OTHER = '(other)'

/** Refusals that an upstream gives for models it has. */
const OF_A_MODEL: ReadonlySet<ErrorCode | undefined> = new Set(['rate_limited', 'quota_exhausted', 'blocked'])

/**
 * Names of models come from callers, who may make up any number of them. One gets a place of its own once an upstream has
 * shown that it is a model, however it was spelt; until then it is `(other)`, and `-` where none was named. Listed names have
 * theirs from the start: a failure is booked under its model also before anything was answered.
 *
 * @param most Names kept apart, besides the listed ones.
 */
export function createModelNames(listed: Iterable<string>, most = 200): ModelNames {
  const own = new Set(Array.from(listed, canonicalModel))
  const shown = new Set<string>()
  return (outcome) => {
    if (outcome.model === undefined) return '-'
    const model = canonicalModel(outcome.model)
    if (own.has(model) || shown.has(model)) return model
    if (shown.size >= most || !isShown(outcome)) return OTHER
    shown.add(model)
    return model
  }
}

/** An answer shows it. Most failures do not: they may have come before anybody looked at the name. */
function isShown({ served, error, usage, firstChunkMs }: Parameters<ModelNames>[0]): boolean {
  if (usage !== undefined || firstChunkMs !== undefined) return true
  return served?.model !== undefined && OF_A_MODEL.has(error?.code)
}
