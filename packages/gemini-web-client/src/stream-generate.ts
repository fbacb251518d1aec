import {
  buildPromptForm,
  generateHeaders,
  HOSTS,
  streamGenerateUrl,
  type FileReference,
  type MediaOptions,
  type ModelHeaderOptions,
  type PageTokens,
  type PromptRequest,
  type RpcName,
  type ToolName,
} from '@castorjs/gemini-web-protocol'
import type { TransportResponse } from '@castorjs/http-transport'
import type { ChosenModel } from './models.ts'
import { postForm } from './post.ts'
import type { ChatState } from './reply.ts'
import type { Session } from './session.ts'

/** A reply whose body is still to be read. */
export interface PostedTurn {
  response: TransportResponse
  /** The model that was asked for, when one was. */
  requested?: { modelId: string; displayName?: string }
}

export interface TurnRequest {
  prompt: string
  chat?: ChatState
  model?: ChosenModel
  files: readonly FileReference[]
  temporary: boolean
  gemId?: string
  tool?: ToolName
  media?: MediaOptions
}

/** Constants of the protocol that a self-hoster may replace without waiting for a release. */
export interface ProtocolOverrides {
  /** Slots of the request array, by index. */
  slots?: Readonly<Record<number, unknown>>
  /** Header values, by lower-case name. */
  headers?: Readonly<Record<string, string>>
  /** Fields of the model header, such as its era. */
  modelHeader?: Partial<ModelHeaderOptions>
  /** Ids of remote calls, by our name for them. */
  rpcIds?: Partial<Record<RpcName, string>>
  /** Keys on the app page, by our name for them. */
  pageKeys?: Partial<Record<keyof PageTokens, string>>
}

export interface PostTurnOptions {
  userAgent: string
  accountIndex?: number
  language: string
  /** One per client, for the model header. */
  sessionUuid: string
  overrides: ProtocolOverrides
}

/** Tools whose clients send random text in the attestation slots. Source: fact sheet section 3.2, slot 3. */
const ATTESTED: readonly ToolName[] = ['research', 'video']
const ATTESTATION_CHARACTERS = 2_640

/** Posts one turn; the reply has status 200 and its body is unread. */
export async function postTurn(
  session: Session,
  request: TurnRequest,
  { userAgent, accountIndex, language, sessionUuid, overrides }: PostTurnOptions,
  signal: AbortSignal,
): Promise<PostedTurn> {
  const { prompt, chat, model, files, temporary, gemId, tool, media } = request
  const requestId = crypto.randomUUID().toUpperCase()
  const inner: PromptRequest = {
    prompt,
    language,
    files,
    requestId,
    temporary,
    turn: chat?.turns ?? 0,
    ...(chat === undefined ? {} : { continuation: chat }),
    ...(gemId === undefined ? {} : { gemId }),
    ...(tool === undefined ? {} : { tool }),
    ...(tool !== undefined && ATTESTED.includes(tool) ? attestation() : {}),
    ...(media === undefined ? {} : { media }),
    ...(model?.header.mode === undefined ? {} : { mode: model.header.mode }),
    ...(model?.header.extendedThinking === true ? { extendedThinking: true } : {}),
    ...(overrides.slots === undefined ? {} : { slots: overrides.slots }),
  }
  const header = model === undefined ? undefined : { sessionUuid, ...model.header, ...overrides.modelHeader }
  const response = await postForm(
    session,
    {
      url: (query) => streamGenerateUrl(HOSTS.app, query),
      body: (token) => buildPromptForm(inner, token),
      headers: {
        ...generateHeaders({ requestId, ...(header === undefined ? {} : { model: header }) }),
        ...overrides.headers,
      },
    },
    { userAgent, signal, ...(accountIndex === undefined ? {} : { accountIndex }) },
  )
  if (model === undefined) return { response }
  const { displayName } = model
  return {
    response,
    requested: { modelId: model.header.modelId, ...(displayName === undefined ? {} : { displayName }) },
  }
}

function attestation(): Pick<PromptRequest, 'attestation' | 'nonce'> {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const noise = crypto.getRandomValues(new Uint8Array(ATTESTATION_CHARACTERS))
  let text = '!'
  for (const byte of noise) text += alphabet[byte & 63] ?? ''
  const nonce = Array.from(noise.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { attestation: text, nonce }
}
