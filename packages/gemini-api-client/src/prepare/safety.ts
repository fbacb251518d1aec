import type { GenerateContentRequest, Warning } from '@castorjs/content-generator'

type SafetySettings = NonNullable<GenerateContentRequest['safetySettings']>

const CATEGORIES = [
  'HARM_CATEGORY_HARASSMENT',
  'HARM_CATEGORY_HATE_SPEECH',
  'HARM_CATEGORY_SEXUALLY_EXPLICIT',
  'HARM_CATEGORY_DANGEROUS_CONTENT',
  'HARM_CATEGORY_CIVIC_INTEGRITY',
]

/**
 * The caller's settings without the categories that only Vertex knows; all filters off where the caller sets none.
 * Source: `gemini-api.md` section 3.3, reference document 002.
 */
export function prepareSafety(given: SafetySettings | undefined, warn: (warning: Warning) => void): SafetySettings {
  if (given === undefined) return CATEGORIES.map((category) => ({ category, threshold: 'OFF' }))
  const settings = new Map<string, SafetySettings[number]>()
  for (const setting of given) {
    if (CATEGORIES.includes(setting.category)) settings.set(setting.category, setting)
    else warn({ setting: 'safetySettings', message: 'The Gemini API does not know one of the categories; left out.' })
  }
  return [...settings.values()]
}
