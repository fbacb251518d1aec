import type {
  CountTokensResponse,
  EmbedContentRequest,
  EmbedContentResponse,
  GenerateContentRequest,
  GenerateContentResponse,
  ModelInfo,
} from './schema.ts'
import type { Usage } from './usage.ts'

/** A setting that was left out or approximated, in words a caller can act on. */
export interface Warning {
  /** The setting in the middle's words, such as `generationConfig.temperature`, or a dialect's own field. */
  setting: string
  /** What happened and what to do about it. Never holds a value the caller sent. */
  message: string
}

/** What the caller wants done with pictures and clips on their way out. */
export interface MediaOptions {
  /** Fetch the full-size file instead of the preview. */
  original?: boolean
  /** Exact size in pixels; reached by resizing and cropping where the upstream cannot draw it. */
  size?: { width: number; height: number }
  /** Remove the visible mark. Never touches the invisible one or any metadata. */
  removeVisibleMark?: boolean
  /** Bytes inside the answer, or a URL to fetch them from. Default `inline`. */
  delivery?: 'inline' | 'url'
  /** File format wanted: `png`, `jpeg`, `webp`. Default: as it comes. */
  format?: string
  /** Shape of a clip. */
  orientation?: 'landscape' | 'portrait'
}

/** Who answered. Known before the first chunk is handed out. */
export interface ServedBy {
  /** Name of the upstream: `gemini-web`, `gemini-api`, `code-assist`, … */
  upstream: string
  /** The model that really answered, as the upstream names it. */
  model?: string
  /** Label of the account, never a secret. */
  account?: string
}

/** What an answer has held so far, for the operator's books. */
export interface Tally {
  /** Pictures, clips and other files. */
  media: number
  /** Undefined until the upstream has accepted the turn. */
  usage: Usage | undefined
  /** When its first chunk came, on the clock of `performance.now()`. */
  firstChunkAt?: number | undefined
}

/** `likely`: the client repeats failed requests by itself; `declared`: this is such a repeat; `off`: never answer from before. */
export type RetryHint = 'off' | 'likely' | 'declared'

export interface GenerateOptions {
  /** Aborting ends the request, frees the socket and the lease. */
  signal: AbortSignal
  /**
   * The controller of `signal`, where the whole request has it to itself. A decorator may end the request with it
   * instead of making one of its own, which costs more than most decorators do.
   */
  controller?: AbortController
  requestId: string
  /**
   * One object for all that a caller's request asks for, such as several pictures. A decorator keeps there what it
   * decides once per request, under a symbol of its own.
   */
  shared?: Record<symbol, unknown>
  /** A stable, non-secret name of the caller: the id of the key it used. */
  caller?: string
  /** The client's own conversation id, where it sends one. */
  sessionId?: string
  /** What the client says about repeating this request by itself. Absent: it says nothing. */
  retry?: RetryHint
  media?: MediaOptions
  /** Origin under which the caller reached this server, such as `https://castor.example`; links begin with it. */
  origin?: string
  /** Fail instead of accepting another model than the one asked for. */
  strictModel?: boolean
  onWarning?: (warning: Warning) => void
  /**
   * Called before a turn, or a file that belongs to it, is sent to an upstream; at least once, whatever comes of it. What
   * failed without it has cost nobody anything.
   */
  onAsked?: () => void
  /** Called when the upstream is known, and again when the served model is. */
  onServed?: (served: ServedBy) => void
  /** Is given, once per answer, a function that tells at any time what the answer has held so far. */
  onTally?: (read: () => Tally) => void
  /** Headers for the answer, such as what is left of a limit. Called before the first chunk or the failure. */
  onHeaders?: (headers: Readonly<Record<string, string>>) => void
}

/**
 * Anything that can answer a `generateContent` request. Its contract (`describeContentGenerator` tests it):
 * the first chunk comes only once the upstream has accepted the turn; text only grows; exactly one
 * `finishReason`, in the last chunk with a candidate; failures throw `GenerationError`; an abort throws
 * `aborted` within a second; leaving the loop frees socket and lease; the request object is never changed; `onAsked` is
 * called before anything is sent.
 */
export interface ContentGenerator {
  readonly name: string
  /** Nothing is sent until the first chunk is pulled. */
  generateContentStream(
    request: GenerateContentRequest,
    options: GenerateOptions,
  ): AsyncIterable<GenerateContentResponse>
  countTokens?(request: GenerateContentRequest, options: GenerateOptions): Promise<CountTokensResponse>
  embedContent?(requests: readonly EmbedContentRequest[], options: GenerateOptions): Promise<EmbedContentResponse>
  models(options: GenerateOptions): Promise<ModelInfo[]>
}
