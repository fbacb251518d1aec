import { jsonrepair } from 'jsonrepair'

/** What clients write between calls and results, and how Gemini wants it. Source: `dialects.md` section 6.3. */

const THOUGHT_MARKER = '__thought__'

/** Splits LiteLLM's ids, which carry a signature behind a marker (row 7). */
export function splitCallId(id: string): { id: string; signature?: string } {
  const at = id.indexOf(THOUGHT_MARKER)
  if (at === -1) return { id }
  return { id: id.slice(0, at), signature: id.slice(at + THOUGHT_MARKER.length) }
}

/** Arguments as an object: `""` is none, broken JSON is mended or kept under `_raw`, other values under `value`. */
export function decodeArguments(text: string | Record<string, unknown> | null | undefined): Record<string, unknown> {
  if (typeof text === 'object' && text !== null) return text
  if (text == null || text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : { value }
  } catch {
    return repairArguments(text)
  }
}

/** A model's half-written JSON, mended where that gives an object. */
function repairArguments(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(jsonrepair(text))
    return isObject(value) ? value : { _raw: text }
  } catch {
    return { _raw: text }
  }
}

/** A result as an object: an object as it is, anything else under `output`. */
export function decodeResult(text: string): Record<string, unknown> {
  if (!text.trimStart().startsWith('{')) return { output: text }
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : { output: text }
  } catch {
    return { output: text }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
