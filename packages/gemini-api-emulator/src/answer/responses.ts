import type { EmulatedModel } from '../models.ts'
import type { GenerateRequest, Part } from '../request.ts'
import type { Answer } from './answer.ts'
import { countParts, countRequest, countThoughts } from './tokens.ts'

export type GenerateResponse = Record<string, unknown>

let count = 0

/**
 * The chunks of an answer as Google sends them: each a response object with only what is new, usage in every one,
 * the finish reason in the last. `maxOutputTokens` counts thinking, so a small one leaves nothing.
 */
export function toResponses(
  answer: Answer,
  request: GenerateRequest,
  model: EmulatedModel,
  answering: string,
): GenerateResponse[] {
  const limit = request.generationConfig?.maxOutputTokens ?? Infinity
  const thoughtsTokenCount = Math.min(limit, countThoughts(request, model))
  const promptTokenCount = countRequest(request)
  const responseId = `emulated-${++count}`
  const responses: GenerateResponse[] = []
  const kept = shorten(answer.chunks, limit - thoughtsTokenCount)
  const chunks = kept.chunks.length === 0 ? [[]] : kept.chunks
  let candidatesTokenCount = 0
  chunks.forEach((parts, index) => {
    candidatesTokenCount += countParts(parts.filter((part) => part.thought !== true))
    const last = index === chunks.length - 1
    responses.push({
      candidates: [
        {
          ...(parts.length === 0 ? {} : { content: { parts, role: 'model' } }),
          ...(last
            ? { finishReason: kept.cut ? 'MAX_TOKENS' : (answer.finishReason ?? 'STOP'), ...answer.candidate }
            : {}),
          index: 0,
        },
      ],
      usageMetadata: {
        promptTokenCount,
        ...(candidatesTokenCount === 0 ? {} : { candidatesTokenCount }),
        ...(thoughtsTokenCount === 0 ? {} : { thoughtsTokenCount }),
        totalTokenCount: promptTokenCount + candidatesTokenCount + thoughtsTokenCount,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: promptTokenCount }],
      },
      modelVersion: answering,
      responseId,
    })
  })
  return responses
}

/** One whole answer from chunks, as the unary method gives it. */
export function joinResponses(responses: readonly GenerateResponse[]): GenerateResponse {
  const parts: Part[] = []
  let last: Record<string, unknown> = {}
  for (const response of responses) {
    const [candidate] = response.candidates as [{ content?: { parts: Part[] } }]
    last = candidate
    for (const part of candidate.content?.parts ?? []) {
      const before = parts.at(-1)
      const plain = part.text !== undefined && part.thoughtSignature === undefined
      if (
        plain &&
        before?.text !== undefined &&
        before.thoughtSignature === undefined &&
        before.thought === part.thought
      ) {
        before.text += part.text
      } else if (part.text === '' && before?.text !== undefined && part.thoughtSignature !== undefined) {
        before.thoughtSignature = part.thoughtSignature
      } else parts.push({ ...part })
    }
  }
  const content = parts.length === 0 ? {} : { content: { parts, role: 'model' } }
  return { ...responses.at(-1), candidates: [{ ...last, ...content }] }
}

function shorten(chunks: readonly Part[][], limit: number): { chunks: Part[][]; cut: boolean } {
  let left = limit
  const kept: Part[][] = []
  for (const parts of chunks) {
    const spent = countParts(parts.filter((part) => part.thought !== true))
    if (spent > left) return { chunks: kept, cut: true }
    left -= spent
    kept.push(parts)
  }
  return { chunks: kept, cut: false }
}
