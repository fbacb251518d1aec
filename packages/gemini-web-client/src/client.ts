import {
  DEFAULT_USER_AGENT,
  PAGE_KEYS,
  readChatPayload,
  readChatTurns,
  RPC,
  chatSourcePath,
  type Candidate,
  type FileReference,
  type MediaOptions,
  type ToolName,
  type WebModel,
} from '@castorjs/gemini-web-protocol'
import { createFetchTransport, type Transport } from '@castorjs/http-transport'
import { createAccountInfo } from './account.ts'
import { createBatch } from './batch-execute.ts'
import { createChat, type Chat, type ChatOptions } from './chat.ts'
import { createChats, type Chats } from './chats.ts'
import { createDriftLog, type Drift } from './drift.ts'
import { GeminiWebError } from './error.ts'
import { createGems, type Gems } from './gems.ts'
import { createLimiter } from './limiter.ts'
import { createMediaDownloads, type MediaDownloads, type MediaPolling } from './media.ts'
import { chooseModel, offeredModels, type OfferedModel } from './models.ts'
import type { SessionOptions } from './options.ts'
import { readQuota, type Quota } from './quota.ts'
import type { ChatState, WebReply } from './reply.ts'
import { createResearch, type Research } from './research.ts'
import type { RotationOutcome } from './rotation.ts'
import { createSession } from './session.ts'
import type { SessionState } from './session-state.ts'
import { postTurn, type PostedTurn, type ProtocolOverrides } from './stream-generate.ts'
import { runTurn, type Turn, type TurnEvent } from './turn.ts'
import { createUploader, type FileData, type UploadOptions } from './upload.ts'
import type { Patience } from './watch.ts'
import { waitFor } from './within.ts'

/** The prompt's tail is cut silently above this. UTF-8 bytes. Source: fact sheet section 12. */
export const PROMPT_LIMIT_BYTES = 130_000

export interface GeminiWebClientOptions extends Omit<SessionOptions, 'userAgent'> {
  /** Default: over the platform's `fetch`. */
  transport?: Transport
  userAgent?: string
  /** Generations at a time. Default 2. */
  maxConcurrent?: number
  /** Whether turns of one chat wait for each other. Default true. */
  serialChats?: boolean
  /** Attempts of a turn, all before any output. Default 2. */
  attempts?: number
  /** Time limits of a reply, in milliseconds. */
  patience?: Partial<Patience>
  /** Time limit of a control call, in milliseconds. Default 30 000. */
  controlTimeoutMs?: number
  /** How a broken answer is read back from its chat. Default: every 10 s for 450 s. */
  recovery?: { pollMs?: number; totalMs?: number }
  /** Pauses and limits of waiting for video, music and research, in milliseconds. */
  polling?: Partial<MediaPolling & { researchMs: number; researchTotalMs: number }>
  /** Time limit of one upload, in milliseconds. Default 600 000. */
  uploadTimeoutMs?: number
  /** Line-up for guests and for accounts whose own list cannot be read. */
  models?: readonly WebModel[]
  /** Constants of the protocol to replace. */
  protocol?: ProtocolOverrides
  /** Clock, Unix milliseconds; for tests. */
  now?: () => number
  /** Between 0 and 1; for tests. */
  random?: () => number
}

export interface TurnOptions {
  /** Model id, mode name (`fast`, `thinking`, `pro`, …), label or display name. Default: the account's own default. */
  model?: string
  extendedThinking?: boolean
  /** Fail when another model answers. Default false. */
  strictModel?: boolean
  /** What {@link GeminiWebClient.upload} returned. */
  files?: readonly FileReference[]
  /** Leaves no trace in the account; no original pictures, video or research. Default false. */
  temporary?: boolean
  gemId?: string
  tool?: ToolName
  media?: MediaOptions
  /** Goes on in a chat: the `chat` of the last reply. */
  chat?: ChatState
  attempts?: number
  signal?: AbortSignal
  /** Called before the turn is posted, for each attempt. What failed without it never left this machine. */
  onPost?: () => void
}

export interface ClientStatus {
  kind: 'account' | 'guest'
  /** Status code of the account, 1000 when all is well; absent before the first call. */
  code?: number
  meaning?: string
  /** What the account may use: 1 free, 2 advanced, 3 and 4 more. Source: fact sheet section 1.5. */
  capacity?: number
  /** Generations that run and that wait for a place. */
  running: number
  waiting: number
  /** The account's session cookie is gone; calls throw `signed_out`, and say when it ended. */
  sessionEnded?: true
  /** When the app page was read, Unix milliseconds. */
  pageAtMs?: number
  /** Unix milliseconds. */
  ticketAtMs?: number
  rotatedAtMs?: number
  lastRotation?: RotationOutcome
  /** What the last renewal came to that was answered: one that came too soon says nothing. Absent before the first. */
  renewalRefused?: boolean
  /** The store refused the last state. */
  saveFailed?: true
  buildLabel?: string
  /** Google's number of the account, from the app page: the same person has the same one. Absent when the page leaves it out. */
  accountNumber?: string
}

export interface GeminiWebClient {
  /** Signs in, reads the model list and starts the rotation clock. Other calls do it by themselves when needed. */
  start(signal?: AbortSignal): Promise<void>
  status(): ClientStatus
  models(signal?: AbortSignal): Promise<OfferedModel[]>
  /** Runs a turn; nothing is sent until the first event is pulled. The last event is the whole reply. */
  stream(prompt: string, options?: TurnOptions): AsyncGenerator<TurnEvent>
  generate(prompt: string, options?: TurnOptions): Promise<WebReply>
  /** A chat that remembers its ids; from nothing, or from the `chat` of an earlier reply. */
  chat(options?: ChatOptions): Chat
  /** Uploads a file, to be sent with a turn. A stream is sent as it comes. */
  upload(data: FileData, options: UploadOptions): Promise<FileReference>
  readonly chats: Chats
  readonly gems: Gems
  readonly media: MediaDownloads
  readonly research: Research
  quota(signal?: AbortSignal): Promise<Quota>
  /** Renews the session ticket now; `too-soon` within a minute of the last time. */
  rotate(): Promise<RotationOutcome>
  /** The next call asks anew how the account is, whatever is known: somebody else saw it fail. */
  recheck(): void
  /** Shapes of the web app that were not as we know them, since this client was made. */
  drifts(): Drift[]
  /** Cookies and times, as plain data to keep. */
  export(): SessionState
  /** Ends everything that runs and frees every timer and socket. */
  close(): Promise<void>
}

const PATIENCE: Patience = { firstMs: 60_000, idleMs: 120_000, workingMs: 450_000, tailMs: 1_500 }
/** First message of a turn with a tool. Source: fact sheet section 5.3. */
const TOOL_FIRST_MS = 180_000

const POLLING = {
  videoMs: 8_000,
  musicMs: 2_000,
  notReadyMs: 10_000,
  totalMs: 360_000,
  researchMs: 10_000,
  researchTotalMs: 1_800_000,
}
/** One hop of a download. An original picture takes up to 22 s. Source: fact sheet section 8.3. */
const HOP_MS = 120_000

/** Talks to the Gemini web app with your own signed-in session, or as a guest. */
export function createGeminiWebClient(options: GeminiWebClientOptions = {}): GeminiWebClient {
  const {
    transport = createFetchTransport(),
    userAgent = DEFAULT_USER_AGENT,
    maxConcurrent = 2,
    serialChats = true,
    controlTimeoutMs = 30_000,
    language = 'en',
    now = Date.now,
    random = Math.random,
    protocol = {},
    accountIndex,
    models,
  } = options
  const drifts = createDriftLog()
  const closing = new AbortController()
  const closed = closing.signal
  const sessionUuid = crypto.randomUUID().toUpperCase()
  let lastRotation: RotationOutcome | undefined
  let rotations = 0
  let renewalRefused: boolean | undefined

  const session = createSession(
    { ...options, userAgent },
    {
      transport,
      now,
      random,
      closed,
      timeoutMs: controlTimeoutMs,
      pageKeys: { ...PAGE_KEYS, ...protocol.pageKeys },
      onRotation(outcome) {
        lastRotation = outcome
        rotations++
        if (outcome !== 'too-soon') renewalRefused = outcome === 'refused'
      },
    },
  )
  const common = { userAgent, ...(accountIndex === undefined ? {} : { accountIndex }) }
  const batch = createBatch(session, {
    ...common,
    timeoutMs: controlTimeoutMs,
    closed,
    ...(protocol.rpcIds === undefined ? {} : { rpcIds: protocol.rpcIds }),
  })
  const account = createAccountInfo({ session, batch, now })
  const limiter = createLimiter({ max: maxConcurrent, serialChats })
  const modelOptions = models === undefined ? {} : { models }

  async function prepare(signal?: AbortSignal): Promise<void> {
    closed.throwIfAborted()
    await waitFor(session.prepare(), signal)
    await waitFor(account.prepare(), signal)
  }

  async function readNewest(
    chatId: string,
    responseId: string | undefined,
    signal?: AbortSignal,
  ): Promise<Candidate | undefined> {
    const payload = await batch.one(RPC.readChat, readChatPayload({ chatId, limit: 2 }), {
      ...(signal === undefined ? {} : { signal }),
      sourcePath: chatSourcePath(chatId, accountIndex),
    })
    const turns = drifts.read(() => readChatTurns(payload))
    const turn = responseId === undefined ? turns[0] : turns.find((one) => one.responseId === responseId)
    return turn?.candidates[0]
  }

  async function post(prompt: string, turn: TurnOptions, signal: AbortSignal): Promise<PostedTurn> {
    const { model: wanted, extendedThinking = false, files = [], temporary = false, gemId, tool, media, chat } = turn
    if (!session.account && (files.length > 0 || tool !== undefined || extendedThinking || gemId !== undefined)) {
      throw new GeminiWebError('needs_account', 'Files, tools, gems and extended thinking need a signed-in account')
    }
    const thinking = extendedThinking ? { extendedThinking } : {}
    const name = wanted ?? (extendedThinking ? 'fast' : undefined)
    const model = name === undefined ? undefined : chooseModel(name, account.status, { ...modelOptions, ...thinking })
    if (name !== undefined && model === undefined) {
      throw new GeminiWebError('unknown_model', 'This account is not offered the model asked for', { field: 'model' })
    }
    turn.onPost?.()
    return postTurn(
      session,
      {
        prompt,
        files,
        temporary,
        ...(model === undefined ? {} : { model }),
        ...(chat === undefined ? {} : { chat }),
        ...(gemId === undefined ? {} : { gemId }),
        ...(tool === undefined ? {} : { tool }),
        ...(media === undefined ? {} : { media }),
      },
      { ...common, language, sessionUuid, overrides: protocol },
      signal,
    )
  }

  const { pollMs = 10_000, totalMs = 450_000 } = options.recovery ?? {}
  const ports = {
    session,
    drifts,
    limiter,
    closed,
    prepare,
    confirm: (signal: AbortSignal) => waitFor(account.confirm(), signal),
    async refreshModels(signal: AbortSignal) {
      await waitFor(account.refresh(), signal)
    },
    readNewest,
    recovery: { pollMs, totalMs },
  }

  function stream(prompt: string, turn: TurnOptions = {}): AsyncGenerator<TurnEvent> {
    if (prompt.length * 3 > PROMPT_LIMIT_BYTES && new TextEncoder().encode(prompt).length > PROMPT_LIMIT_BYTES) {
      throw new GeminiWebError('prompt_too_long', `The prompt is longer than ${PROMPT_LIMIT_BYTES} bytes of UTF-8`, {
        field: 'prompt',
      })
    }
    const { chat, temporary = chat?.temporary ?? false, model = chat?.model, gemId = chat?.gemId } = turn
    const firstMs = turn.tool === undefined ? {} : { firstMs: TOOL_FIRST_MS }
    const whole: TurnOptions = {
      ...turn,
      temporary,
      ...(model === undefined ? {} : { model }),
      ...(gemId === undefined ? {} : { gemId }),
    }
    const running: Turn = {
      temporary,
      strictModel: turn.strictModel ?? false,
      patience: { ...PATIENCE, ...firstMs, ...options.patience },
      attempts: turn.attempts ?? options.attempts ?? 2,
      post: (signal) => post(prompt, whole, signal),
      ...(chat === undefined ? {} : { chat }),
      ...(model === undefined ? {} : { model }),
      ...(gemId === undefined ? {} : { gemId }),
    }
    return runTurn(running, ports, turn.signal)
  }

  async function generate(prompt: string, turn?: TurnOptions): Promise<WebReply> {
    for await (const event of stream(prompt, turn)) if (event.type === 'reply') return event.reply
    throw new GeminiWebError('empty_answer', 'The turn ended without a reply')
  }

  const polling = { ...POLLING, ...options.polling }
  const uploader = createUploader({
    session,
    prepare,
    userAgent,
    closed,
    now,
    timeoutMs: options.uploadTimeoutMs ?? 600_000,
  })

  return {
    chats: createChats({ batch, drifts, prepare, ...(accountIndex === undefined ? {} : { accountIndex }) }),
    gems: createGems({ batch, drifts, prepare, language }),
    media: createMediaDownloads({ ...common, session, batch, closed, hopMs: HOP_MS, readNewest, polling }),
    research: createResearch({ generate, readNewest, closed, polling }),
    upload: (data, uploadOptions) => uploader.upload(data, uploadOptions),
    async quota(signal) {
      await prepare(signal)
      return readQuota(batch, signal)
    },
    start: prepare,
    drifts: () => drifts.list(),
    status() {
      const { status } = account
      const { pageAtMs, ticketAtMs, rotatedAtMs } = session
      const { buildLabel, accountNumber } = session.page
      return {
        kind: session.account ? 'account' : 'guest',
        running: limiter.running,
        waiting: limiter.waiting,
        ...(status === undefined ? {} : { code: status.code, meaning: status.meaning, capacity: status.capacity }),
        ...(pageAtMs === undefined ? {} : { pageAtMs }),
        ...(ticketAtMs === undefined ? {} : { ticketAtMs }),
        ...(rotatedAtMs === undefined ? {} : { rotatedAtMs }),
        ...(lastRotation === undefined ? {} : { lastRotation }),
        ...(renewalRefused === undefined ? {} : { renewalRefused }),
        ...(session.ended ? { sessionEnded: true } : {}),
        ...(session.saveFailed ? { saveFailed: true } : {}),
        ...(buildLabel === undefined ? {} : { buildLabel }),
        ...(accountNumber === undefined ? {} : { accountNumber }),
      }
    },
    async models(signal) {
      await prepare(signal)
      return offeredModels(account.status, modelOptions)
    },
    stream,
    generate,
    chat: (chatOptions) => createChat(stream, chatOptions),
    async rotate() {
      const before = rotations
      await session.prepare()
      // Signing in has asked already, and a minute must pass.
      return rotations === before || lastRotation === undefined ? session.rotate() : lastRotation
    },
    recheck: () => session.doubt(),
    export: () => session.export(),
    async close() {
      await session.stopRenewing()
      closing.abort(new GeminiWebError('closed', 'The client was closed'))
      await session.close()
    },
  }
}
