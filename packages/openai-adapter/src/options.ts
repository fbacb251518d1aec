import { withAnswers, type ContentGenerator, type DialectOptions } from '@castorjs/content-generator'
import { createSignatureMemory, type SignatureMemory } from './signature-memory.ts'

export interface OpenAIHandlerOptions extends DialectOptions {
  /**
   * Where the dialect is mounted, such as `/gemini_official`. Default: any prefix before `/v1` is accepted, so
   * that the same handler works at every mount.
   */
  basePath?: string
  /** Ask for summaries of the thinking, shown as `reasoning_content`, unless the caller says otherwise. Default true. */
  includeThoughts?: boolean
  /**
   * How chat answers hand out pictures: as Markdown in the text, in `message.images` as OpenRouter does, or both.
   * Default `both`.
   */
  pictures?: 'both' | 'markdown' | 'field'
  /** Longest line of a stream, in bytes. Default 131 072: Open WebUI reads no longer ones. */
  maxLineBytes?: number
  /** Model of image requests that name none, or one of OpenAI's. Default `gemini-2.5-flash-image`. */
  defaultImageModel?: string
  /** Model of `POST /v1/generate` without one. Default `gemini-2.5-flash`. */
  defaultModel?: string
}

/** The options with their defaults, and what a handler keeps between requests. */
export interface OpenAIContext {
  options: OpenAIHandlerOptions
  /** The upstream, asked once more after an empty answer. */
  generator: ContentGenerator
  signatures: SignatureMemory
  maxBodyBytes: number
  defaultImageModel: string
  defaultModel: string
}

export function createContext(options: OpenAIHandlerOptions): OpenAIContext {
  return {
    options,
    generator: withAnswers(options.generator),
    signatures: createSignatureMemory(),
    maxBodyBytes: options.maxBodyBytes ?? 100 * 1024 * 1024,
    defaultImageModel: options.defaultImageModel ?? 'gemini-2.5-flash-image',
    defaultModel: options.defaultModel ?? 'gemini-2.5-flash',
  }
}
