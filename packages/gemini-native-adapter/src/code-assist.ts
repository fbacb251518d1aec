import {
  GenerationError,
  rawJson,
  type GenerateContentRequest,
  type GenerateContentResponse,
} from '@castorjs/content-generator'
import { decodeGenerateContent } from './generate-content.ts'

/** The project every caller has. It means nothing here; Gemini CLI wants one. */
const PROJECT = 'castor'

const TIER = {
  id: 'standard-tier',
  name: 'Castor',
  isDefault: true,
  userDefinedCloudaicompanionProject: false,
  hasOnboardedPreviously: true,
}
const SETTING = { cloudaicompanionProject: PROJECT, freeTierDataCollectionOptin: false }
const ONBOARDED = {
  name: 'operations/castor',
  done: true,
  response: { cloudaicompanionProject: { id: PROJECT, name: PROJECT } },
}

/**
 * The housekeeping calls of Code Assist and what is answered to them: everybody has a seat, nothing is measured.
 * Source: `code-assist.md` sections 1 and 3.
 */
export const HOUSEKEEPING: Readonly<Record<string, unknown>> = {
  loadCodeAssist: { currentTier: TIER, allowedTiers: [TIER], cloudaicompanionProject: PROJECT },
  onboardUser: ONBOARDED,
  'operations/castor': ONBOARDED,
  retrieveUserQuota: { buckets: [] },
  getCodeAssistGlobalUserSetting: SETTING,
  setCodeAssistGlobalUserSetting: SETTING,
  listExperiments: {},
  fetchAdminControls: {},
  recordCodeAssistMetrics: {},
}

/** A generation as Gemini CLI sends it. */
export interface CodeAssistCall {
  request: GenerateContentRequest
  sessionId?: string
}

/**
 * Takes a request out of Code Assist's envelope: `{model, project, user_prompt_id, request}`.
 *
 * @throws {GenerationError} `invalid_request`, naming the first offending field.
 */
export function decodeCodeAssist(body: unknown): CodeAssistCall {
  const { model, request } = asObject(body)
  if (typeof model !== 'string' || model === '') {
    throw new GenerationError('invalid_request', '`model` is missing; it must be a string.', { field: 'model' })
  }
  const { session_id: snake, sessionId = snake, ...inner } = asObject(request)
  return {
    request: decodeGenerateContent(inner, model),
    ...(typeof sessionId === 'string' && sessionId !== '' ? { sessionId } : {}),
  }
}

/** The same of `countTokens`, whose model is inside the request. */
export function decodeCodeAssistCount(body: unknown): GenerateContentRequest {
  const { model, ...request } = asObject(asObject(body).request)
  return decodeGenerateContent(request, typeof model === 'string' ? model : '')
}

/** A chunk in its envelope, in the upstream's own letters. */
export function encodeCodeAssist(chunk: GenerateContentResponse, traceId: string): string {
  return `{"response":${rawJson(chunk)},"traceId":${JSON.stringify(traceId)}}`
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
