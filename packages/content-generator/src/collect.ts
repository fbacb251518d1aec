import { GenerationError } from './error.ts'
import type { Candidate, GenerateContentResponse, Part } from './schema.ts'

/**
 * Joins a chunk stream into one whole answer: neighbouring texts of one kind become one part, a signed part
 * stays a part of its own, the last usage wins.
 *
 * @throws {GenerationError} `upstream_unavailable` when the stream ended without a finish reason. A blocked
 * prompt is returned as it is, with `promptFeedback` and no candidate.
 */
export async function collect(chunks: AsyncIterable<GenerateContentResponse>): Promise<GenerateContentResponse> {
  const whole: GenerateContentResponse = {}
  const candidates = new Map<number, CandidateInProgress>()
  for await (const chunk of chunks) {
    const { candidates: fresh = [], ...rest } = chunk
    Object.assign(whole, rest)
    for (const candidate of fresh) {
      const index = candidate.index ?? 0
      let known = candidates.get(index)
      if (known === undefined) candidates.set(index, (known = { fields: {}, parts: [], texts: [] }))
      extend(known, candidate)
    }
  }
  if (candidates.size > 0) whole.candidates = [...candidates.values()].map(finish)
  const complete = whole.candidates?.some((candidate) => candidate.finishReason !== undefined) ?? false
  if (!complete && whole.promptFeedback?.blockReason === undefined) {
    throw new GenerationError(
      'upstream_unavailable',
      'The upstream closed the stream before the answer was complete. Send the request again.',
    )
  }
  return whole
}

interface CandidateInProgress {
  fields: Candidate
  parts: Part[]
  /** Pieces of the text part being joined; joined once at the end, not per chunk. */
  texts: string[]
}

function extend(known: CandidateInProgress, { content, ...fields }: Candidate): void {
  Object.assign(known.fields, fields)
  for (const part of content?.parts ?? []) {
    const last = known.parts.at(-1)
    if (last !== undefined && isPlainText(part) && isPlainText(last) && last.thought === part.thought) {
      known.texts.push(part.text ?? '')
      continue
    }
    closeText(known)
    known.parts.push({ ...part })
    if (isPlainText(part)) known.texts.push(part.text ?? '')
  }
}

function closeText(known: CandidateInProgress): void {
  const last = known.parts.at(-1)
  if (last !== undefined && known.texts.length > 0) last.text = known.texts.join('')
  known.texts = []
}

/** True when nothing but text, and perhaps the thought flag, is on the part. */
function isPlainText(part: Part): boolean {
  if (part.text === undefined) return false
  for (const field in part) if (field !== 'text' && field !== 'thought') return false
  return true
}

function finish(known: CandidateInProgress): Candidate {
  closeText(known)
  const parts = known.parts.filter((part) => !isPlainText(part) || part.text !== '')
  return { ...known.fields, content: { role: 'model', parts } }
}
