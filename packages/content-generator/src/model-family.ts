import type { ThinkingConfig } from './schema.ts'

/** What a model's name says about it. */
export interface ModelFamily {
  /** `2.5`, `3`, `3.8`, `4`. */
  generation: number
  tier: 'pro' | 'flash' | 'flash-lite' | 'other'
  /** True for models that draw or speak; they have no thinking settings. */
  media: boolean
}

const NAME = /^(?:models\/)?gemini-(?:nano-banana-)?(\d+(?:\.\d+)?)(?![\d.])/

/** Reads the family from a model name; undefined when it is not a numbered Gemini. Source: `gemini-api.md` section 2. */
export function readModelFamily(model: string): ModelFamily | undefined {
  const generation = NAME.exec(model)?.[1]
  if (generation === undefined) return undefined
  const tier = model.includes('flash-lite')
    ? 'flash-lite'
    : model.includes('flash')
      ? 'flash'
      : /-pro\b/.test(model)
        ? 'pro'
        : 'other'
  return { generation: Number(generation), tier, media: /-(?:image|imagen|tts|video)\b|nano-banana/.test(model) }
}

/** How hard a model thinks, in the words OpenAI and Anthropic share. */
export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

export const EFFORTS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** Tokens of thinking for Gemini 2.5. Source: `dialects.md` section 6.6. */
const BUDGETS: Record<Effort, { flash: number; flashLite: number; pro: number }> = {
  none: { flash: 0, flashLite: 0, pro: 128 },
  minimal: { flash: 512, flashLite: 512, pro: 512 },
  low: { flash: 1024, flashLite: 1024, pro: 1024 },
  medium: { flash: 8192, flashLite: 8192, pro: 8192 },
  high: { flash: 24_576, flashLite: 24_576, pro: 24_576 },
  xhigh: { flash: 24_576, flashLite: 24_576, pro: 32_768 },
  max: { flash: 24_576, flashLite: 24_576, pro: 32_768 },
}

/** Levels of Gemini 3 and later, before clamping to what the model has. */
const LEVELS: Record<Effort, 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH'> = {
  none: 'MINIMAL',
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
}

/**
 * The thinking settings for an effort, in the form this model accepts: a token budget for Gemini 2.5, a level
 * for Gemini 3 and later, clamped to what the model has. Undefined for models that cannot think on demand.
 * Names that say nothing about the generation get a level, as the current models want.
 */
export function thinkingForEffort(model: string, effort: Effort): ThinkingConfig | undefined {
  const family = readModelFamily(model)
  if (family?.media === true) return undefined
  if (family !== undefined && family.generation < 2.5) return undefined
  if (family?.generation === 2.5) {
    const row = BUDGETS[effort]
    if (family.tier === 'pro') return { thinkingBudget: row.pro }
    return { thinkingBudget: family.tier === 'flash-lite' ? row.flashLite : row.flash }
  }
  const level = LEVELS[effort]
  if (level === 'MINIMAL' && !hasMinimal(family)) return { thinkingLevel: 'LOW' }
  if (level === 'MEDIUM' && family?.generation === 3 && family.tier === 'pro') return { thinkingLevel: 'HIGH' }
  return { thinkingLevel: level }
}

/** The least a model can think. */
export function lowestThinking(model: string): ThinkingConfig | undefined {
  return thinkingForEffort(model, 'none')
}

/** Only the first flash of generation 3 and the flash-lites take `MINIMAL`. */
function hasMinimal(family: ModelFamily | undefined): boolean {
  if (family === undefined) return false
  return family.tier === 'flash-lite' || (family.tier === 'flash' && family.generation === 3)
}

/** Temperature, top-p, top-k and the penalties do nothing from Gemini 3 on. Source: `gemini-api.md` section 14, rule 12. */
export function ignoresSampling(model: string): boolean {
  return (readModelFamily(model)?.generation ?? 0) >= 3
}

/** From 3.5-flash-lite and 3.6 on a conversation may not end with a model turn. Source: `gemini-api.md` section 3, rule 5. */
export function refusesPrefill(model: string): boolean {
  const family = readModelFamily(model)
  if (family === undefined) return false
  return family.generation >= 3.6 || (family.generation === 3.5 && family.tier === 'flash-lite')
}
