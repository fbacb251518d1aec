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
export { RENEWAL_FLOOR_MS, type RotationOutcome } from './rotation.ts'
export { rankImport, type ImportRank, type SessionState, type SessionStore } from './session-state.ts'
export type { BaseUrls } from './wire.ts'
export type { Drift } from './drift.ts'
export type { Patience } from './watch.ts'
export type { Chats, ListChatsOptions, ReadChatOptions } from './chats.ts'
export type { Gems } from './gems.ts'
export type {
  DownloadedImage,
  DownloadedMedia,
  DownloadOptions,
  ImageOptions,
  MediaDownloads,
  MediaPolling,
  MediaStatus,
} from './media.ts'
export type { PlannedResearch, Research, ResearchStatus, RunningResearch } from './research.ts'
export type { Quota } from './quota.ts'
export type { FileData, UploadOptions } from './upload.ts'
export type {
  CanvasDocument,
  ChatList,
  ChatSummary,
  ChatTurn,
  FeatureQuota,
  FileReference,
  Gem,
  GemInput,
  GeneratedImage,
  MediaFile,
  Music,
  ResearchPlan,
  ResearchReport,
  ToolName,
  Usage,
  WebImage,
  WebModel,
} from '@castorjs/gemini-web-protocol'
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
