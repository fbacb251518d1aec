import {
  GenerationError,
  ignoresSampling,
  lowestThinking,
  readModelFamily,
  thinkingForEffort,
  type Effort,
  type GenerationConfig,
  type ThinkingConfig,
  type Warning,
} from '@castorjs/content-generator'
import { readVoice } from '../voices.ts'
import type { ChatRequestBody } from './schema.ts'

export interface DecodedSettings {
  generationConfig: GenerationConfig
  /** Sentences for the system text, for settings Gemini has no field for. */
  instructions: string[]
  warnings: Warning[]
  /** The caller asked for JSON and gets it without Markdown fences. */
  json: boolean
}

export interface SettingsContext {
  hasFunctions: boolean
  /** Ask for summaries of the thinking unless the caller says otherwise. */
  includeThoughts: boolean
}

/** Below this many tokens a thinking model may think them all away. Source: `dialects.md` section 6.5. */
const SCARCE_TOKENS = 2048
const MAX_STOPS = 5

/**
 * Reads the settings of a chat request. What the middle or this model has no use for is named in `warnings`.
 *
 * @throws {GenerationError} `unsupported` for what cannot be approximated.
 */
export function decodeSettings(body: ChatRequestBody, context: SettingsContext): DecodedSettings {
  const config: GenerationConfig = {}
  const warnings: Warning[] = []
  const instructions: string[] = []
  if (body.n != null && body.n > 1) {
    throw new GenerationError('unsupported', '`n` must be 1 here: send the request several times for more answers.', {
      field: 'n',
    })
  }
  decodeSampling(body, config, warnings)
  const maxTokens = body.max_completion_tokens ?? body.max_tokens
  if (maxTokens != null) config.maxOutputTokens = maxTokens
  const stops = typeof body.stop === 'string' ? [body.stop] : (body.stop ?? []).filter((stop) => stop !== '')
  if (stops.length > 0) config.stopSequences = stops.slice(0, MAX_STOPS)
  if (stops.length > MAX_STOPS) {
    warnings.push({ setting: 'stop', message: `Only the first ${MAX_STOPS} stop texts are used.` })
  }
  if (body.seed != null) config.seed = body.seed
  if (body.logprobs === true) {
    config.responseLogprobs = true
    if (body.top_logprobs != null) config.logprobs = body.top_logprobs
  }
  const json = decodeFormat(body, config, instructions, warnings, context.hasFunctions)
  const thinking = decodeThinking(body, context.includeThoughts, warnings)
  if (thinking !== undefined) config.thinkingConfig = thinking
  decodeModalities(body, config)
  for (const setting of NO_USE) {
    const value = body[setting]
    if (value == null || (setting === 'service_tier' && (value === 'auto' || value === 'default'))) continue
    warnings.push({ setting, message: 'Gemini has nothing like it; ignored.' })
  }
  return { generationConfig: config, instructions, warnings, json }
}

/** Settings that would change the answer elsewhere. Bookkeeping fields such as `user` are not named. */
const NO_USE = ['logit_bias', 'prediction', 'verbosity', 'service_tier']

function decodeSampling(body: ChatRequestBody, config: GenerationConfig, warnings: Warning[]): void {
  const dead = ignoresSampling(body.model)
  const settings = [
    ['temperature', 'temperature', body.temperature],
    ['top_p', 'topP', body.top_p],
    ['top_k', 'topK', body.top_k],
    ['presence_penalty', 'presencePenalty', body.presence_penalty],
    ['frequency_penalty', 'frequencyPenalty', body.frequency_penalty],
  ] as const
  for (const [setting, name, value] of settings) {
    if (value == null) continue
    // 0 is "no penalty", which is what there is.
    if (value === 0 && setting.endsWith('penalty')) continue
    if (dead) warnings.push({ setting, message: 'This model ignores it; left out.' })
    else config[name] = value
  }
}

/** @returns True when JSON was asked for. */
function decodeFormat(
  { response_format: format, model }: ChatRequestBody,
  config: GenerationConfig,
  instructions: string[],
  warnings: Warning[],
  hasFunctions: boolean,
): boolean {
  if (format == null || format.type === 'text') return false
  const schema = format.type === 'json_schema' ? format.json_schema.schema : undefined
  const family = readModelFamily(model)
  if (hasFunctions && family !== undefined && family.generation < 3) {
    const shape = schema == null ? '' : ` that follows this JSON Schema: ${JSON.stringify(schema)}`
    instructions.push(`Unless you call a function, answer with nothing but JSON${shape}`)
    warnings.push({
      setting: 'response_format',
      message: 'This model cannot hold to a format and offer functions at once; the format was put into words.',
    })
    return true
  }
  config.responseMimeType = 'application/json'
  if (schema != null) config.responseJsonSchema = schema
  return true
}

function decodeThinking(
  body: ChatRequestBody,
  includeThoughts: boolean,
  warnings: Warning[],
): ThinkingConfig | undefined {
  const family = readModelFamily(body.model)
  if (family?.media === true || (family !== undefined && family.generation < 2.5)) return undefined
  const google = (body.google ?? body.extra_body?.google)?.thinking_config
  const budget = google?.thinking_budget ?? budgetOf(body) ?? undefined
  const level = google?.thinking_level ?? undefined
  const wanted = google?.include_thoughts ?? (body.reasoning?.exclude === true ? false : includeThoughts)
  // One of them wins: both together are refused upstream (row 29).
  const chosen =
    budget !== undefined
      ? { thinkingBudget: budget }
      : level !== undefined
        ? { thinkingLevel: level.toUpperCase() }
        : chooseByEffort(body, warnings)
  if (!wanted) return chosen
  return { ...chosen, includeThoughts: true }
}

function budgetOf({ thinking, reasoning }: ChatRequestBody): number | null | undefined {
  return thinking?.budget_tokens ?? reasoning?.max_tokens
}

function chooseByEffort(body: ChatRequestBody, warnings: Warning[]): ThinkingConfig | undefined {
  const effort = readEffort(body)
  if (effort !== undefined) return thinkingForEffort(body.model, effort)
  const limit = body.max_completion_tokens ?? body.max_tokens
  if (limit == null || limit >= SCARCE_TOKENS || readModelFamily(body.model) === undefined) return undefined
  warnings.push({
    setting: body.max_completion_tokens == null ? 'max_tokens' : 'max_completion_tokens',
    message: 'Thinking counts too and would leave little for the answer, so it was set to its least.',
  })
  return lowestThinking(body.model)
}

function readEffort({
  reasoning_effort: effort,
  reasoning,
  thinking,
  enable_thinking: on,
}: ChatRequestBody): Effort | undefined {
  if (effort != null) return effort
  if (reasoning?.effort != null) return reasoning.effort
  if (on === false || thinking?.type === 'disabled' || reasoning?.enabled === false) return 'none'
  return undefined
}

function decodeModalities(body: ChatRequestBody, config: GenerationConfig): void {
  const wanted = new Set(body.modalities?.map((modality) => modality.toLowerCase()))
  // What a model is for is what it is asked for, unless the caller says otherwise.
  if (body.modalities == null && readModelFamily(body.model)?.media === true) {
    if (/image|banana/.test(body.model)) wanted.add('image')
    else if (body.model.includes('tts')) wanted.add('audio')
  }
  if (wanted.has('image')) config.responseModalities = ['TEXT', 'IMAGE']
  if (!wanted.has('audio')) return
  if (!/tts|audio/.test(body.model)) {
    throw new GenerationError('unsupported', '`modalities`: this model does not speak. Choose a `-tts` model.', {
      field: 'modalities',
    })
  }
  const format = body.audio?.format ?? 'wav'
  if (format !== 'wav' && format !== 'pcm16') {
    throw new GenerationError('unsupported', '`audio.format`: wav and pcm16 are the formats made here.', {
      field: 'audio.format',
    })
  }
  config.responseModalities = ['AUDIO']
  const voiceName = readVoice(body.audio?.voice)
  if (voiceName !== undefined) {
    config.speechConfig = { voiceConfig: { prebuiltVoiceConfig: { voiceName } } }
  }
}
