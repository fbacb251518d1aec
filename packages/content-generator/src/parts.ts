import type { Candidate, GenerateContentResponse, Part, UsageMetadata } from './schema.ts'

/** A piece of answer text. */
export function textPart(text: string): Part {
  return { text }
}

/** A piece of thinking, which dialects keep apart from the answer. */
export function thoughtPart(text: string): Part {
  return { text, thought: true }
}

export interface ChunkFields {
  responseId?: string
  modelVersion?: string
  usageMetadata?: UsageMetadata
  candidate?: Omit<Candidate, 'content' | 'index' | 'finishReason'>
}

/** A chunk that carries new parts and does not end the answer. */
export function partsChunk(parts: Part[], { candidate, ...fields }: ChunkFields = {}): GenerateContentResponse {
  return { candidates: [{ index: 0, content: { role: 'model', parts }, ...candidate }], ...fields }
}

/** The last chunk: a finish reason in Google's words, with or without parts. */
export function finalChunk(
  finishReason: string,
  { candidate, ...fields }: ChunkFields = {},
  parts: Part[] = [],
): GenerateContentResponse {
  return { candidates: [{ index: 0, content: { role: 'model', parts }, finishReason, ...candidate }], ...fields }
}
