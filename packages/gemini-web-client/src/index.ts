export {
  createGeminiWebClient,
  PROMPT_LIMIT_BYTES,
  type ClientStatus,
  type GeminiWebClient,
  type GeminiWebClientOptions,
  type TurnOptions,
} from './client.ts'
export type { Chat, ChatOptions } from './chat.ts'
export type { ChatState, WebReply } from './reply.ts'
export type { TurnEvent } from './turn.ts'
export type { OfferedModel } from './models.ts'
export type { RotationOutcome } from './rotation.ts'
export type { SessionState, SessionStore } from './session-state.ts'
export type { BaseUrls } from './wire.ts'
export type { Drift } from './drift.ts'
export type { Patience } from './watch.ts'
export type { ProtocolOverrides } from './stream-generate.ts'
export { readCookies, type CookieInput, type CookiePair, type ImportedCookie } from './cookies/read-cookies.ts'
export {
  GEMINI_WEB_ERRORS,
  GeminiWebError,
  isGeminiWebError,
  type GeminiWebErrorCode,
  type GeminiWebErrorOptions,
  type GeminiWebFault,
} from './error.ts'
