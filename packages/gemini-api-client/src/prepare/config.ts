import {
  GenerationError,
  thinkingForEffort,
  type GenerationConfig,
  type MediaOptions,
  type ThinkingConfig,
  type Warning,
} from '@castorjs/content-generator'
import type { ModelRules } from '../model-rules.ts'
import { cleanJsonSchema } from '../schema/clean-json-schema.ts'
import { readImageConfig } from './image-config.ts'

export interface ConfigContext {
  model: string
  rules: ModelRules
  /** The caller asked for thinking by the model's name. */
  thinking: boolean
  media: MediaOptions | undefined
  warn: (warning: Warning) => void
}

const MOST_STOPS = 5
const PENALTIES = ['presencePenalty', 'frequencyPenalty'] as const
const SAMPLING = ['temperature', 'topP', 'topK'] as const

/**
 * Fits the settings to the model: leaves out what it refuses, translates what it wants otherwise, and says so.
 * Source: `dialects.md` sections 6.4 to 6.6.
 *
 * @throws {GenerationError} `unsupported` for what cannot be approximated.
 */
export function prepareConfig(given: GenerationConfig, context: ConfigContext): GenerationConfig {
  const { rules, warn } = context
  const config = { ...given }
  for (const name of SAMPLING) {
    if (rules.sampling || config[name] === undefined) continue
    delete config[name]
    warn({ setting: `generationConfig.${name}`, message: 'This model ignores or refuses it; left out.' })
  }
  for (const name of PENALTIES) {
    if (config[name] === undefined) continue
    if (config[name] !== 0)
      warn({ setting: `generationConfig.${name}`, message: 'Current models refuse it; left out.' })
    delete config[name]
  }
  if ((config.candidateCount ?? 1) > rules.maxCandidates) {
    throw new GenerationError(
      'unsupported',
      `\`generationConfig.candidateCount\` must be 1 for this model: send the request several times for more answers.`,
      { field: 'generationConfig.candidateCount' },
    )
  }
  if (config.stopSequences !== undefined && config.stopSequences.length > MOST_STOPS) {
    config.stopSequences = config.stopSequences.slice(0, MOST_STOPS)
    warn({ setting: 'generationConfig.stopSequences', message: `Only the first ${MOST_STOPS} are used.` })
  }
  if (config.maxOutputTokens !== undefined && config.maxOutputTokens > rules.maxOutputTokens) {
    config.maxOutputTokens = rules.maxOutputTokens
    warn({
      setting: 'generationConfig.maxOutputTokens',
      message: `The most this model writes is ${rules.maxOutputTokens} tokens; that is used.`,
    })
  }
  prepareFormat(config)
  const thinkingConfig = prepareThinking(config.thinkingConfig, context)
  if (thinkingConfig === undefined) delete config.thinkingConfig
  else config.thinkingConfig = thinkingConfig
  prepareModalities(config, context)
  return config
}

/** JSON formats travel as JSON Schema; only `text/x.enum` needs the OpenAPI form. */
function prepareFormat(config: GenerationConfig): void {
  const schema = config.responseJsonSchema ?? config.responseSchema
  if (schema === undefined || config.responseMimeType === 'text/x.enum') return
  delete config.responseSchema
  config.responseJsonSchema = cleanJsonSchema(schema)
  config.responseMimeType ??= 'application/json'
}

const EFFORT_OF_LEVEL: Record<string, 'minimal' | 'low' | 'medium' | 'high'> = {
  MINIMAL: 'minimal',
  LOW: 'low',
  MEDIUM: 'medium',
  HIGH: 'high',
}

/** A budget for models that count tokens, a level for those that have levels, clamped; undefined where there is none. */
export function prepareThinking(
  given: ThinkingConfig | undefined,
  { model, rules, thinking }: Pick<ConfigContext, 'model' | 'rules' | 'thinking'>,
): ThinkingConfig | undefined {
  if (given === undefined && !thinking) return undefined
  const { thinkingBudget, thinkingLevel, ...rest } = given ?? {}
  const wanted = thinking ? { ...rest, includeThoughts: rest.includeThoughts ?? true } : rest
  const level = thinkingLevel?.toUpperCase()
  if (rules.budget !== undefined) {
    const effort = EFFORT_OF_LEVEL[level ?? '']
    const byLevel = effort === undefined ? undefined : thinkingForEffort(model, effort)?.thinkingBudget
    const budget = thinkingBudget ?? byLevel ?? (thinking ? -1 : undefined)
    return budget === undefined ? wanted : { ...wanted, thinkingBudget: clampBudget(budget, rules.budget) }
  }
  if (rules.levels !== undefined) {
    const byBudget = thinkingBudget === undefined ? undefined : levelOfBudget(thinkingBudget)
    const chosen = byBudget ?? level ?? (thinking && thinkingBudget === undefined ? 'HIGH' : undefined)
    return chosen === undefined ? wanted : { ...wanted, thinkingLevel: clampLevel(chosen, rules.levels) }
  }
  return undefined
}

function clampBudget(budget: number, { min, max, off }: NonNullable<ModelRules['budget']>): number {
  if (budget < 0) return -1
  if (budget === 0 && off) return 0
  return Math.min(max, Math.max(min, budget))
}

function levelOfBudget(budget: number): string | undefined {
  if (budget < 0) return undefined
  if (budget === 0) return 'MINIMAL'
  if (budget <= 1_024) return 'LOW'
  return budget <= 8_192 ? 'MEDIUM' : 'HIGH'
}

const LEVEL_ORDER = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']

/** The level itself, else the next higher one the model has, else its highest. */
function clampLevel(level: string, levels: readonly string[]): string {
  const from = LEVEL_ORDER.indexOf(level)
  if (from === -1) return level
  return LEVEL_ORDER.slice(from).find((name) => levels.includes(name)) ?? levels.at(-1) ?? level
}

function prepareModalities(config: GenerationConfig, { rules, media, warn }: ConfigContext): void {
  const wanted = config.responseModalities?.map((modality) => modality.toUpperCase()) ?? []
  if (rules.kind === 'speech') config.responseModalities = ['AUDIO']
  else if (rules.kind === 'image' && !wanted.includes('IMAGE')) config.responseModalities = ['TEXT', 'IMAGE']
  else if (rules.kind === 'text' && wanted.some((modality) => modality !== 'TEXT')) {
    throw new GenerationError(
      'unsupported',
      '`generationConfig.responseModalities`: this model answers with text only. Choose a model that draws or speaks.',
      { field: 'generationConfig.responseModalities' },
    )
  }
  if (rules.kind !== 'speech' && config.speechConfig !== undefined) {
    delete config.speechConfig
    warn({ setting: 'generationConfig.speechConfig', message: 'This model does not speak; left out.' })
  }
  if (rules.kind === 'image') {
    const imageConfig = readImageConfig(config.imageConfig, media?.size, rules.imageSize)
    if (imageConfig === undefined) delete config.imageConfig
    else config.imageConfig = imageConfig
  } else if (config.imageConfig !== undefined) {
    delete config.imageConfig
    warn({ setting: 'generationConfig.imageConfig', message: 'This model does not draw; left out.' })
  }
}
