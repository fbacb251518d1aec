import { GenerationError, readUpstreamCode } from './error.ts'
import type { Candidate, GenerateContentResponse, GroundingMetadata, Part } from './schema.ts'
import { readUsage, type Usage } from './usage.ts'

/** Why an answer ended, in five words that every dialect can translate. */
export type FinishReason = 'stop' | 'length' | 'tool-call' | 'content-filter' | 'malformed-call' | 'other'

/** The reading of a chunk stream, for encoders of other dialects. Nobody produces these but this file. */
export type GenerationEvent =
  | { type: 'start'; id: string | undefined; model: string | undefined }
  | { type: 'text-delta'; text: string; signature?: string }
  | { type: 'thought-delta'; text: string; signature?: string }
  | {
      type: 'tool-call'
      id: string | undefined
      name: string
      arguments: Record<string, unknown>
      signature?: string
    }
  | { type: 'code'; language: string; code: string; id?: string }
  | { type: 'code-result'; outcome: string; output: string; id?: string }
  | { type: 'media'; mimeType: string; data?: string; url?: string; signature?: string }
  | { type: 'citation'; url: string; title?: string }
  | { type: 'grounding'; metadata: GroundingMetadata }
  | { type: 'finish'; reason: FinishReason; rawReason?: string; usage?: Usage }

const FILTERED = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'LANGUAGE',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
])

const MALFORMED = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MALFORMED_RESPONSE',
])

/** Translates a finish reason; `STOP` with a call in the answer is `tool-call`. Source: `dialects.md` 6.7. */
export function readFinishReason(reason: string, hasCall: boolean): FinishReason {
  if (reason === 'MAX_TOKENS' || reason === 'CONTINUATION') return 'length'
  if (FILTERED.has(reason)) return 'content-filter'
  if (MALFORMED.has(reason)) return 'malformed-call'
  if (hasCall) return 'tool-call'
  return reason === 'STOP' ? 'stop' : 'other'
}

export interface EventReader {
  /** Events of one chunk, in order. */
  read(chunk: GenerateContentResponse): GenerationEvent[]
  /**
   * The end of the stream: the `finish` event.
   * @throws {GenerationError} `blocked` when the prompt was refused, `upstream_unavailable` when the stream
   * ended without a finish reason.
   */
  finish(): GenerationEvent[]
}

/** A reader of one answer. Only the first candidate is read; the finish event waits for the last usage. */
export function createEventReader(): EventReader {
  let started = false
  let hasCall = false
  let usage: Usage | undefined
  let rawReason: string | undefined
  let blockReason: string | undefined

  function readCandidate(candidate: Candidate, events: GenerationEvent[]): void {
    for (const part of candidate.content?.parts ?? []) {
      const event = readPart(part)
      if (event === undefined) continue
      if (event.type === 'tool-call') hasCall = true
      events.push(event)
    }
    const sources = candidate.citationMetadata?.citationSources ?? candidate.citationMetadata?.citations ?? []
    for (const { uri, title } of sources) {
      if (uri !== undefined) events.push({ type: 'citation', url: uri, ...(title === undefined ? {} : { title }) })
    }
    if (candidate.groundingMetadata !== undefined) {
      events.push({ type: 'grounding', metadata: candidate.groundingMetadata })
    }
    if (candidate.finishReason !== undefined) rawReason = candidate.finishReason
  }

  return {
    read(chunk) {
      const events: GenerationEvent[] = []
      if (!started) {
        started = true
        events.push({ type: 'start', id: chunk.responseId, model: chunk.modelVersion })
      }
      if (chunk.usageMetadata !== undefined) usage = readUsage(chunk.usageMetadata)
      const candidate = chunk.candidates?.[0]
      if (candidate !== undefined) readCandidate(candidate, events)
      else if (chunk.promptFeedback?.blockReason !== undefined) blockReason = chunk.promptFeedback.blockReason
      return events
    },
    finish() {
      if (rawReason === undefined && blockReason !== undefined) {
        const code = readUpstreamCode(blockReason) ?? 'OTHER'
        throw new GenerationError('blocked', `The upstream refused this prompt for its content (${code}).`, {
          upstreamCode: code,
        })
      }
      if (rawReason === undefined) {
        throw new GenerationError(
          'upstream_unavailable',
          'The upstream closed the stream before the answer was complete. Send the request again.',
        )
      }
      const reason = readFinishReason(rawReason, hasCall)
      return [{ type: 'finish', reason, rawReason, ...(usage === undefined ? {} : { usage }) }]
    },
  }
}

function readPart(part: Part): GenerationEvent | undefined {
  const signature = part.thoughtSignature === undefined ? {} : { signature: part.thoughtSignature }
  if (part.text !== undefined) {
    if (part.text === '' && part.thoughtSignature === undefined) return undefined
    return { type: part.thought === true ? 'thought-delta' : 'text-delta', text: part.text, ...signature }
  }
  if (part.functionCall !== undefined) {
    const { id, name, args } = part.functionCall
    return { type: 'tool-call', id, name, arguments: args ?? {}, ...signature }
  }
  // Drafts of image models come as thoughts; they are not results (dialects.md row 58).
  if (part.thought === true) return undefined
  if (part.inlineData !== undefined) {
    return { type: 'media', mimeType: part.inlineData.mimeType, data: part.inlineData.data, ...signature }
  }
  if (part.fileData !== undefined) {
    const mimeType = part.fileData.mimeType ?? 'application/octet-stream'
    return { type: 'media', mimeType, url: part.fileData.fileUri, ...signature }
  }
  if (part.executableCode !== undefined) {
    const { language = 'PYTHON', code = '', id } = part.executableCode
    return { type: 'code', language, code, ...(id === undefined ? {} : { id }) }
  }
  if (part.codeExecutionResult !== undefined) {
    const { outcome = 'OUTCOME_OK', output = '', id } = part.codeExecutionResult
    return { type: 'code-result', outcome, output, ...(id === undefined ? {} : { id }) }
  }
  return undefined
}

/** Reads a whole chunk stream as events. */
export async function* toEvents(chunks: AsyncIterable<GenerateContentResponse>): AsyncGenerator<GenerationEvent> {
  const reader = createEventReader()
  for await (const chunk of chunks) yield* reader.read(chunk)
  yield* reader.finish()
}
