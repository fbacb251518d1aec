import type { GenerateContentResponse } from './schema.ts'

/** Not enumerable, so that a copy with changes does not carry the old text along. */
const TEXT = Symbol('raw JSON')

type Remembering = GenerateContentResponse & { [TEXT]?: string }

/**
 * Remembers the JSON text a chunk was parsed from, so that a dialect that sends the chunk on untouched need
 * not write it again. Whoever changes a chunk makes a new object and so loses the text, as it must be.
 */
export function rememberRawJson(chunk: GenerateContentResponse, json: string): GenerateContentResponse {
  return Object.defineProperty(chunk, TEXT, { value: json, configurable: true })
}

/** The chunk as JSON: the upstream's own text where it is known, else written now. */
export function rawJson(chunk: GenerateContentResponse): string {
  return (chunk as Remembering)[TEXT] ?? JSON.stringify(chunk)
}
