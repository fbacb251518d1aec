import { GenerationError, type GenerateContentRequest, type Warning } from '@castorjs/content-generator'

/** What the web app can make of the settings of a request. */
export interface Settings {
  extendedThinking: boolean
  /** Thoughts are put out unless the caller said no. */
  includeThoughts: boolean
  stopSequences: readonly string[]
  /** Lines for the system text that stand in for a setting. */
  instructions: string[]
  /** The caller wants a picture. */
  wantsImage: boolean
  aspectRatio?: string
  /** `1K`, `2K` or `4K`. */
  imageSize?: string
}

/** Settings the web app has no place for, and what helps instead. */
const IGNORED: Readonly<Record<string, string>> = {
  temperature: 'The web app chooses its own sampling. Leave the setting out, or use an API key upstream.',
  topP: 'The web app chooses its own sampling. Leave the setting out, or use an API key upstream.',
  topK: 'The web app chooses its own sampling. Leave the setting out, or use an API key upstream.',
  seed: 'The web app cannot repeat an answer. Use an API key upstream.',
  presencePenalty: 'The web app has no penalties. Say in the prompt what to avoid.',
  frequencyPenalty: 'The web app has no penalties. Say in the prompt what to avoid.',
  maxOutputTokens: 'The web app has no length limit. Ask for a short answer in the prompt.',
  responseLogprobs: 'The web app gives no probabilities. Use an API key upstream.',
  logprobs: 'The web app gives no probabilities. Use an API key upstream.',
  speechConfig: 'The web app does not speak. Use an API key upstream.',
  mediaResolution: 'The web app chooses how closely it looks at media.',
}

/**
 * Reads the settings of a request; each one that is left out or approximated is reported.
 *
 * @throws {GenerationError} `unsupported` where leaving it out would give a wrong answer.
 */
export function readSettings(request: GenerateContentRequest, warn: (warning: Warning) => void): Settings {
  const config = request.generationConfig ?? {}
  for (const [name, remedy] of Object.entries(IGNORED)) {
    const value = config[name]
    if (value !== undefined && value !== null)
      warn({ setting: `generationConfig.${name}`, message: `Ignored. ${remedy}` })
  }
  if ((config.candidateCount ?? 1) > 1) {
    refuse('generationConfig.candidateCount', 'The web app gives one answer at a time. Send the request several times.')
  }
  if (request.cachedContent !== undefined) {
    refuse('cachedContent', 'The web app has no content cache. Send the content itself.')
  }
  const modalities = (config.responseModalities ?? []).map((modality) => modality.toUpperCase())
  if (modalities.includes('AUDIO')) {
    refuse('generationConfig.responseModalities', 'The web app does not answer with speech. Use an API key upstream.')
  }
  if (request.safetySettings !== undefined && request.safetySettings.length > 0) {
    warn({ setting: 'safetySettings', message: 'Ignored. The web app has its own safety rules.' })
  }
  warnTools(request, warn)
  const thinking = readThinking(config.thinkingConfig, warn)
  const { aspectRatio, imageSize } = config.imageConfig ?? {}
  return {
    ...thinking,
    includeThoughts: config.thinkingConfig?.includeThoughts !== false,
    stopSequences: (config.stopSequences ?? []).filter((stop) => stop !== ''),
    instructions: jsonInstructions(config, warn),
    wantsImage: modalities.includes('IMAGE'),
    ...(typeof aspectRatio === 'string' ? { aspectRatio } : {}),
    ...(typeof imageSize === 'string' ? { imageSize } : {}),
  }
}

function refuse(field: string, message: string): never {
  throw new GenerationError('unsupported', message, { field })
}

function warnTools({ tools = [] }: GenerateContentRequest, warn: (warning: Warning) => void): void {
  if (tools.some((tool) => (tool.functionDeclarations?.length ?? 0) > 0)) {
    warn({
      setting: 'tools.functionDeclarations',
      message: 'Ignored. The web app has no function calling. Put prompted-tools in front of this upstream.',
    })
  }
  for (const name of ['googleSearch', 'urlContext', 'codeExecution']) {
    if (!tools.some((tool) => tool[name] !== undefined)) continue
    warn({ setting: `tools.${name}`, message: 'Ignored. The web app decides by itself when to use this tool.' })
  }
}

type ThinkingConfig = NonNullable<GenerateContentRequest['generationConfig']>['thinkingConfig']

function readThinking(config: ThinkingConfig, warn: (warning: Warning) => void): { extendedThinking: boolean } {
  const { thinkingBudget: budget, thinkingLevel } = config ?? {}
  const level = thinkingLevel?.toUpperCase()
  if (level === 'HIGH' || (budget !== undefined && budget >= 16_384)) return { extendedThinking: true }
  if (budget !== undefined && budget !== -1) {
    warn({
      setting: 'generationConfig.thinkingConfig.thinkingBudget',
      message: 'Approximated. The web app knows standard thinking, and extended thinking from 16 384 tokens on.',
    })
  }
  return { extendedThinking: false }
}

function jsonInstructions(
  { responseMimeType, responseSchema, responseJsonSchema }: NonNullable<GenerateContentRequest['generationConfig']>,
  warn: (warning: Warning) => void,
): string[] {
  const schema = responseJsonSchema ?? responseSchema
  if (responseMimeType !== 'application/json' && schema === undefined) return []
  warn({
    setting: schema === undefined ? 'generationConfig.responseMimeType' : 'generationConfig.responseSchema',
    message: 'Approximated. The web app is asked for JSON in words, which it may not follow. Check what comes back.',
  })
  const asked = 'Answer with one JSON value only: no code fence, no words around it.'
  return schema === undefined ? [asked] : [asked, `It must fit this JSON schema: ${JSON.stringify(schema)}`]
}
