import type { GenerateRequest } from '../request.ts'
import { invalid } from '../rpc-error.ts'

const CATEGORIES = new Set([
  'HARM_CATEGORY_HARASSMENT',
  'HARM_CATEGORY_HATE_SPEECH',
  'HARM_CATEGORY_SEXUALLY_EXPLICIT',
  'HARM_CATEGORY_DANGEROUS_CONTENT',
  'HARM_CATEGORY_CIVIC_INTEGRITY',
])
const THRESHOLDS = new Set(['BLOCK_LOW_AND_ABOVE', 'BLOCK_MEDIUM_AND_ABOVE', 'BLOCK_ONLY_HIGH', 'BLOCK_NONE', 'OFF'])

/** @throws {RpcError} 400. Source: `gemini-api.md` section 3.3. */
export function checkSafety({ safetySettings = [], labels }: GenerateRequest): void {
  if (labels !== undefined) throw invalid('labels parameter is not supported in Gemini API.')
  const seen = new Set<string>()
  safetySettings.forEach(({ category = '', threshold = '' }, index) => {
    const path = `GenerateContentRequest.safety_settings[${index}]`
    if (!CATEGORIES.has(category)) {
      throw invalid(
        `* ${path}: element predicate failed: $.category in (HarmCategory.HARM_CATEGORY_HATE_SPEECH, HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT, HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT, HarmCategory.HARM_CATEGORY_HARASSMENT, HarmCategory.HARM_CATEGORY_CIVIC_INTEGRITY)\n`,
      )
    }
    if (!THRESHOLDS.has(threshold))
      throw invalid(`Invalid value at 'safety_settings[${index}].threshold' (TYPE_ENUM), "${threshold}"`)
    if (seen.has(category)) throw invalid(`* ${path}: duplicate category ${category}\n`)
    seen.add(category)
  })
}
