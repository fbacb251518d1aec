/** What one emulated model is and can do. Source: `gemini-api.md` section 2. */
export interface EmulatedModel {
  name: string
  /** 2.5, 3, 3.1, … 4: rules change with it. */
  generation: number
  kind: 'text' | 'image' | 'speech' | 'embedding'
  displayName: string
  inputTokenLimit: number
  outputTokenLimit: number
  /** Levels it accepts, for generation 3 and later. */
  levels?: readonly string[]
  /** Range of `thinkingBudget` in tokens, for 2.5; `-1` is always accepted. */
  budget?: { min: number; max: number; off: boolean }
  /** Served by this other model without a word; `modelVersion` tells. */
  servedBy?: string
  /** A request whose last turn is the model's is refused. */
  refusesPrefill?: boolean
  /** Sampling parameters are refused, not ignored. */
  refusesSampling?: boolean
  imageSizes?: readonly string[]
  /** Output limit of a request that is not streamed. */
  unaryOutputTokenLimit?: number
}

const MILLION = 1_048_576

function text(name: string, generation: number, rest: Partial<EmulatedModel> = {}): EmulatedModel {
  const limits = { inputTokenLimit: MILLION, outputTokenLimit: 65_536 }
  return { name, generation, kind: 'text', displayName: toDisplayName(name), ...limits, ...rest }
}

function image(name: string, generation: number, imageSizes: readonly string[]): EmulatedModel {
  return text(name, generation, { kind: 'image', inputTokenLimit: 65_536, outputTokenLimit: 32_768, imageSizes })
}

function speech(name: string, generation: number): EmulatedModel {
  return text(name, generation, { kind: 'speech', inputTokenLimit: 8_192, outputTokenLimit: 16_384 })
}

const LOW_UP = ['LOW', 'MEDIUM', 'HIGH']
const ALL_LEVELS = ['MINIMAL', ...LOW_UP]
const STRICT = { refusesPrefill: true, refusesSampling: true }

export const MODELS: readonly EmulatedModel[] = [
  text('gemini-4-argon', 4, { levels: LOW_UP, unaryOutputTokenLimit: 32_768, refusesPrefill: true }),
  text('gemini-3.8-flash', 3.8, { levels: LOW_UP, ...STRICT }),
  text('gemini-3.7-flash', 3.8, { levels: LOW_UP, servedBy: 'gemini-3.8-flash', ...STRICT }),
  text('gemini-3.6-flash', 3.6, { levels: LOW_UP, ...STRICT }),
  text('gemini-3.5-flash', 3.6, { levels: LOW_UP, servedBy: 'gemini-3.6-flash', ...STRICT }),
  text('gemini-3.5-flash-lite', 3.5, { levels: ALL_LEVELS, refusesPrefill: true }),
  text('gemini-3.1-flash-lite', 3.1, { levels: ALL_LEVELS }),
  text('gemini-3.1-pro-preview', 3.1, { levels: LOW_UP }),
  text('gemini-3-flash-preview', 3, { levels: ALL_LEVELS }),
  text('gemini-2.5-pro', 2.5, { budget: { min: 128, max: 32_768, off: false } }),
  text('gemini-2.5-flash', 2.5, { budget: { min: 1, max: 24_576, off: true } }),
  text('gemini-2.5-flash-lite', 2.5, { budget: { min: 512, max: 24_576, off: true } }),
  image('gemini-nano-banana-2.1', 3.8, ['1K', '2K', '4K']),
  image('gemini-3.1-flash-image', 3.1, ['512', '1K', '2K', '4K']),
  image('gemini-3.1-flash-lite-image', 3.1, ['512', '1K', '2K']),
  image('gemini-3-pro-image', 3, ['1K', '2K', '4K']),
  image('gemini-2.5-flash-image', 2.5, []),
  speech('gemini-3.8-flash-tts', 3.8),
  speech('gemini-3.8-flash-lite-tts', 3.8),
  speech('gemini-3.1-flash-tts-preview', 3.1),
  text('gemini-embedding-2', 3, { kind: 'embedding', inputTokenLimit: 8_192, outputTokenLimit: 1 }),
]

/** Models of Code Assist; there is no list method there. Source: `code-assist.md` section 5. */
export const CODE_ASSIST_MODELS: readonly EmulatedModel[] = [
  text('gemini-3.1-pro-preview', 3.1, { levels: LOW_UP }),
  text('gemini-3-pro-preview', 3, { levels: ['LOW', 'HIGH'] }),
  text('gemini-3-flash-preview', 3, { levels: ALL_LEVELS }),
  text('gemini-3-flash', 3, { levels: ALL_LEVELS }),
  text('gemini-3.1-flash-lite', 3.1, { levels: ALL_LEVELS }),
  text('gemini-3.5-flash-lite', 3.5, { levels: ALL_LEVELS, refusesPrefill: true }),
  ...MODELS.filter((model) => model.generation === 2.5 && model.kind === 'text'),
]

export function methodsOf({ kind }: EmulatedModel): string[] {
  if (kind === 'embedding') return ['embedContent', 'batchEmbedContents', 'countTokens']
  return ['generateContent', 'streamGenerateContent', 'countTokens']
}

/** The model as the list shows it. */
export function describeModel(model: EmulatedModel): Record<string, unknown> {
  return {
    name: `models/${model.name}`,
    version: '001',
    displayName: model.displayName,
    description: `Emulated ${model.displayName}`,
    inputTokenLimit: model.inputTokenLimit,
    outputTokenLimit: model.outputTokenLimit,
    supportedGenerationMethods: methodsOf(model).filter((method) => method !== 'streamGenerateContent'),
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: 2,
    thinking: model.kind === 'text',
  }
}

function toDisplayName(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => (dash && ' ') + letter.toUpperCase())
}
