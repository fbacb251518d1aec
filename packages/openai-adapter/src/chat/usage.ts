import { estimateTokens, type GenerateContentRequest, type Part, type Usage } from '@castorjs/content-generator'

/** OpenAI's `usage` object. Source: `dialects.md` section 6.8. */
export function encodeUsage({ inputTokens, cachedTokens, outputTokens, thoughtTokens, estimated }: Usage) {
  const completion = outputTokens + thoughtTokens
  return {
    prompt_tokens: inputTokens,
    completion_tokens: completion,
    total_tokens: inputTokens + completion,
    prompt_tokens_details: { cached_tokens: cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: thoughtTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    // Castor's own, only where the upstream counts nothing.
    ...(estimated ? { estimated: true } : {}),
  }
}

/** A guess at the prompt tokens of a request, for upstreams that count nothing. */
export function estimatePrompt(request: GenerateContentRequest): number {
  let tokens = 0
  const parts: Part[] = [...(request.systemInstruction?.parts ?? [])]
  for (const turn of request.contents) parts.push(...(turn.parts ?? []))
  for (const part of parts) {
    if (part.text !== undefined) tokens += estimateTokens(part.text)
    else if (part.functionCall !== undefined) tokens += estimateTokens(JSON.stringify(part.functionCall.args ?? {}))
    else if (part.functionResponse !== undefined)
      tokens += estimateTokens(JSON.stringify(part.functionResponse.response))
    else tokens += TOKENS_PER_FILE
  }
  return tokens
}

/** What Gemini counts for a small picture. */
const TOKENS_PER_FILE = 258

/** Counts text as it passes, to guess its tokens only if nobody else counts them. */
export function createTextCount() {
  let narrow = 0
  let wide = 0
  return {
    add(text: string): void {
      let beyond = 0
      for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) beyond++
      wide += beyond
      narrow += text.length - beyond
    },
    /** The same measure as `estimateTokens`. */
    tokens: () => Math.ceil(narrow / 4 + wide / 1.5),
  }
}
