import type { UsageMetadata } from './schema.ts'

export interface Usage {
  /** Prompt tokens, cached and tool-use ones included. */
  inputTokens: number
  /** The cached share of `inputTokens`. */
  cachedTokens: number
  /** Reply tokens *without* thinking. OpenAI's and Anthropic's totals include it; their encoders add it back. */
  outputTokens: number
  /** Tokens spent thinking. */
  thoughtTokens: number
  /** True when the upstream gave no counts and we guessed from the text length. */
  estimated: boolean
}

/** The sum of what several answers spent; a guess where one of them is. */
export function addUsage(one: Usage, other: Usage): Usage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    thoughtTokens: one.thoughtTokens + other.thoughtTokens,
    estimated: one.estimated || other.estimated,
  }
}

/** Reads Google's counters; missing ones are 0. */
export function readUsage(metadata: UsageMetadata): Usage {
  return {
    inputTokens: (metadata.promptTokenCount ?? 0) + (metadata.toolUsePromptTokenCount ?? 0),
    cachedTokens: metadata.cachedContentTokenCount ?? 0,
    outputTokens: metadata.candidatesTokenCount ?? 0,
    thoughtTokens: metadata.thoughtsTokenCount ?? 0,
    estimated: metadata.estimated === true,
  }
}

/**
 * A guess at the token count of text: a quarter of the ASCII characters plus one per other character and a
 * half. Within about 20 % for English, code and CJK; always marked `estimated` where it is used.
 */
export function estimateTokens(text: string): number {
  let wide = 0
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) wide++
  return Math.ceil((text.length - wide) / 4 + wide / 1.5)
}
