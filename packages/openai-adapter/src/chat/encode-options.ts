import type { FinishReason, Usage } from '@castorjs/content-generator'

/** What an encoder of chat answers needs besides the request's shape. */
export interface ChatEncodeOptions {
  /** Default a new `chatcmpl-…`. */
  id?: string
  /** Seconds since 1970. Default now. */
  created?: number
  /** How pictures are handed out: as Markdown in the text, in `images`, or both. Default `both`. */
  pictures?: 'both' | 'markdown' | 'field'
  /** Longest line of a stream, in bytes: Open WebUI reads no longer ones. Default 131 072. */
  maxLineBytes?: number
  /** Guess of the prompt's tokens, asked for only where the upstream counts nothing. */
  promptTokens?: () => number
  /** Whether the answer may be grounded in searches, so that its text must be kept to place the citations. */
  grounded?: boolean
  onUsage?: (usage: Usage) => void
  /** A call was handed out with this id and signature. */
  onSignature?: (callId: string, signature: string) => void
}

/** Source: `dialects.md` section 6.7. */
export const FINISH_REASONS: Record<FinishReason, 'stop' | 'length' | 'tool_calls' | 'content_filter'> = {
  stop: 'stop',
  length: 'length',
  'tool-call': 'tool_calls',
  'content-filter': 'content_filter',
  // `withAnswers` makes an error of it before an encoder sees it; this is for those who do without.
  'malformed-call': 'stop',
  other: 'stop',
}
