import type { ModelInfo } from '@castorjs/content-generator'

/** Code Assist has no list of its own; these are known to Gemini CLI. Source: `code-assist.md` section 5. */
export const CODE_ASSIST_MODELS: readonly string[] = [
  'gemini-2.5-pro',
  'gemini-2.5-flash',
  'gemini-2.5-flash-lite',
  'gemini-3-pro-preview',
  'gemini-3.1-pro-preview',
  'gemini-3-flash-preview',
  'gemini-3-flash',
  'gemini-3.1-flash-lite',
  'gemini-3.5-flash-lite',
]

/** What this host calls models that have another name in the Gemini API. */
export const MODEL_NAMES: Readonly<Record<string, string>> = { 'gemini-3.5-flash': 'gemini-3-flash' }

/** The list as the middle shows it, each also under its `-thinking` name. */
export function describeModels(names: readonly string[]): ModelInfo[] {
  return names.flatMap((name) => {
    const info = {
      displayName: name,
      inputTokenLimit: 1_048_576,
      outputTokenLimit: 65_536,
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
      thinking: true,
    }
    return [
      { ...info, name },
      { ...info, name: `${name}-thinking` },
    ]
  })
}
