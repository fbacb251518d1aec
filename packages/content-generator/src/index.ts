export {
  ContentSchema,
  GenerateContentRequestSchema,
  type Candidate,
  type Content,
  type CountTokensResponse,
  type EmbedContentRequest,
  type EmbedContentResponse,
  type FileData,
  type FunctionCall,
  type FunctionDeclaration,
  type FunctionResponse,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerationConfig,
  type GroundingMetadata,
  type InlineData,
  type ModelInfo,
  type Part,
  type ThinkingConfig,
  type Tool,
  type ToolConfig,
  type UsageMetadata,
} from './schema.ts'
export type {
  ContentGenerator,
  GenerateOptions,
  MediaOptions,
  RetryHint,
  ServedBy,
  Tally,
  Warning,
} from './generator.ts'
export {
  ERRORS,
  GenerationError,
  isGenerationError,
  readUpstreamCode,
  throwIfAborted,
  toGenerationError,
  type ErrorCode,
  type ErrorRow,
  type Fault,
  type GenerationErrorOptions,
} from './error.ts'
export { finalChunk, partsChunk, textPart, thoughtPart, type ChunkFields } from './parts.ts'
export {
  createEventReader,
  readFinishReason,
  toEvents,
  type EventReader,
  type FinishReason,
  type GenerationEvent,
} from './events.ts'
export { collect } from './collect.ts'
export { mapValues, openOnPull } from './streams.ts'
export { addUsage, estimateTokens, readUsage, type Usage } from './usage.ts'
export { withAnswers } from './answer.ts'
export {
  EFFORTS,
  ignoresSampling,
  lowestThinking,
  readModelFamily,
  refusesPrefill,
  thinkingForEffort,
  type Effort,
  type ModelFamily,
} from './model-family.ts'
export { withDeadlines, type Deadlines } from './deadlines.ts'
export { rawJson, rememberRawJson } from './raw-json.ts'
export { validate } from './validate.ts'
export { awaitFirst, type AwaitFirstOptions } from './http/first-chunk.ts'
export { EVENT_STREAM_HEADERS, eventStreamResponse, type EventStreamOptions } from './http/event-stream.ts'
export { readBody, readJson } from './http/read-json.ts'
export { retryHeaders } from './http/error-headers.ts'
export { authorizeRequest, createKeyCheck, readApiKey, type Authorize, type Caller } from './http/authorize.ts'
export {
  serveExchange,
  type DialectOptions,
  type EncodeErrorBody,
  type Exchange,
  type Outcome,
  type StreamShape,
} from './http/exchange.ts'
export { readMediaOptions, readSize } from './http/media-options.ts'
export { modelsDialect } from './http/models-dialect.ts'
export { readRetryHint } from './http/retry-hint.ts'
export { readSessionId } from './http/session-id.ts'
export { inlineBytes, readInlineBytes } from './media/inline-bytes.ts'
