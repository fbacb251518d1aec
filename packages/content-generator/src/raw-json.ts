import type { GenerateContentResponse } from './schema.ts'

const texts = new WeakMap<GenerateContentResponse, string>()

/**
 * Remembers the JSON text a chunk was parsed from, so that a dialect that sends the chunk on untouched need
 * not write it again. Whoever changes a chunk makes a new object and so loses the text, as it must be.
 */
export function rememberRawJson(chunk: GenerateContentResponse, json: string): GenerateContentResponse {
  texts.set(chunk, json)
  return chunk
}

/** The chunk as JSON: the upstream's own text where it is known, else written now. */
export function rawJson(chunk: GenerateContentResponse): string {
  return texts.get(chunk) ?? JSON.stringify(chunk)
}
