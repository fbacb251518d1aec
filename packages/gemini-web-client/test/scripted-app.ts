import {
  ackMessage,
  buildAccountStatus,
  buildAppPage,
  contextMessage,
  createFrameEncoder,
  encodeBatchReply,
  messageEntry,
  readBatchRequest,
  readForm,
  readPromptForm,
  RPC,
  snapshotMessage,
  titleMessage,
  trailerEntries,
  type ReadPrompt,
} from '@castorjs/gemini-web-protocol'
import type { Transport, TransportRequest, TransportResponse } from '@castorjs/http-transport'

/** What a scripted host answers. */
export interface Scripted {
  status?: number
  headers?: Record<string, string>
  cookies?: string[]
  /** Text, or pieces that arrive one by one; `'hang'` keeps the connection open until it is aborted. */
  body?: string | readonly (string | Uint8Array | Error)[]
}

export interface ScriptedRequest {
  url: URL
  headers: Record<string, string>
  body: string
}

type Script = (request: ScriptedRequest) => Scripted | Promise<Scripted>

export interface ScriptedApp {
  transport: Transport
  requests: ScriptedRequest[]
  /** Requests to a path that ends so. */
  to(path: string): ScriptedRequest[]
  /** Bodies that were handed out and neither read to the end nor let go. */
  open: number
}

export interface ScriptedAppOptions {
  page?: Script
  rotate?: Script
  generate?: Script
  /** Replies to single RPCs, by id: a payload or a refusal. */
  rpc?: (id: string, payload: unknown, request: ScriptedRequest) => unknown
  /** Whole replies to batches; `undefined` leaves it to `rpc`. */
  batch?: (ids: readonly string[], request: ScriptedRequest) => Scripted | undefined
  other?: Script
}

const TOKEN = 'ADtestToken:1790000000000'

const DEFAULTS: Required<Omit<ScriptedAppOptions, 'rpc' | 'batch'>> = {
  page: () => ({ body: buildAppPage({ token: TOKEN, buildLabel: 'boq_test_p0', sessionId: '-1' }) }),
  rotate: () => ({ cookies: ['__Secure-1PSIDTS=sidts-renewed; Domain=.google.com; Path=/; Secure'] }),
  generate: (request) => ({ body: answer(promptOf(request).prompt) }),
  other: () => ({ status: 404, body: 'not found' }),
}

/** A web app of a few lines, for tests that need one exact reply. It is no judge: the emulator is. */
export function scriptedApp(options: ScriptedAppOptions = {}): ScriptedApp {
  const scripts = { ...DEFAULTS, ...options }
  const app: ScriptedApp = { transport, requests: [], to, open: 0 }

  function to(path: string): ScriptedRequest[] {
    return app.requests.filter((request) => request.url.pathname.endsWith(path))
  }

  async function transport(
    url: string,
    { headers = {}, body = '', signal }: TransportRequest = {},
  ): Promise<TransportResponse> {
    signal?.throwIfAborted()
    const request = { url: new URL(url), headers, body: await readBody(body) }
    app.requests.push(request)
    return respond(await choose(request), app, signal)
  }

  function choose(request: ScriptedRequest): Scripted | Promise<Scripted> {
    const { pathname } = request.url
    if (pathname.endsWith('/app')) return scripts.page(request)
    if (pathname.endsWith('/RotateCookies')) return scripts.rotate(request)
    if (pathname.endsWith('/StreamGenerate')) return scripts.generate(request)
    if (pathname.endsWith('/batchexecute')) return batch(request)
    return scripts.other(request)
  }

  function batch(request: ScriptedRequest): Scripted {
    const calls = readBatchRequest(readForm(request.body).fReq ?? '') ?? []
    const whole = options.batch?.(
      calls.map((call) => call.id),
      request,
    )
    if (whole !== undefined) return whole
    const results = calls.map(({ id, payload, slot }) => {
      const given = options.rpc?.(id, payload, request) ?? (id === RPC.status ? accountStatus() : [])
      const result = isRefusal(given) ? { id, refusal: given.refusal } : { id, payload: given }
      return slot === undefined ? result : { ...result, slot }
    })
    return { body: encodeBatchReply(results) }
  }

  return app
}

function isRefusal(value: unknown): value is { refusal: { status: number; code?: number } } {
  return typeof value === 'object' && value !== null && 'refusal' in value
}

async function readBody(body: NonNullable<TransportRequest['body']>): Promise<string> {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return new TextDecoder('latin1').decode(body)
  let text = ''
  for await (const chunk of body) text += new TextDecoder('latin1').decode(chunk)
  return text
}

function respond(
  { status = 200, headers = {}, cookies = [], body = '' }: Scripted,
  app: ScriptedApp,
  signal?: AbortSignal,
): TransportResponse {
  const pieces = typeof body === 'string' ? [body] : body
  const type =
    typeof pieces[0] === 'string' && pieces[0].startsWith('<')
      ? 'text/html; charset=utf-8'
      : 'application/json; charset=utf-8'
  const all: Record<string, string> = { 'content-type': type, ...headers }
  app.open++
  let held = true
  function letGo(): void {
    if (held) app.open--
    held = false
  }
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of pieces) {
        signal?.throwIfAborted()
        if (piece instanceof Error) throw piece
        if (piece === 'hang') await untilAbort(signal)
        else yield typeof piece === 'string' ? new TextEncoder().encode(piece) : piece
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      letGo()
    }
  }
  const iterator = read()
  async function bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    for await (const chunk of iterator) chunks.push(chunk)
    return new Uint8Array(chunks.flatMap((chunk) => [...chunk]))
  }
  const text = async (): Promise<string> => new TextDecoder().decode(await bytes())
  return {
    status,
    header: (name) => all[name],
    setCookies: () => cookies,
    body: iterator,
    bytes,
    text,
    json: async () => JSON.parse(await text()) as unknown,
    async discard() {
      letGo()
      await iterator.return(undefined)
    },
  }
}

function untilAbort(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** The decoded prompt of a StreamGenerate request. */
export function promptOf(request: ScriptedRequest): ReadPrompt {
  const { prompt } = readPromptForm(request.body)
  if (prompt === undefined) throw new Error('The request holds no prompt')
  return prompt
}

/** Status of an account with the line-up of October 2026. */
export function accountStatus(code = 1000): unknown[] {
  return buildAccountStatus({
    code,
    models: [
      { id: 'cf41b0e0dd7d53e5', label: 'Fast', mode: 6, name: '3.5 Flash-Lite' },
      { id: '56fdd199312815e2', label: 'Fast', mode: 1, name: '3.8 Flash' },
      { id: 'e051ce1aa80aa576', label: 'Thinking', mode: 2, name: '3.8 Flash Thinking' },
      { id: 'e6fa609c3fa255c0', label: 'Pro', mode: 3, name: '3.1 Pro' },
    ],
  })
}

export interface AnswerOptions {
  snapshots?: readonly string[]
  thoughts?: string
  model?: { id: string; name: string }
  context?: string | null
  title?: string
}

const IDS = { chatId: 'c_1', responseId: 'r_1' }

/** Frames of an answer, one piece per frame. */
export function answerFrames(
  text: string,
  {
    snapshots = [],
    thoughts,
    model = { id: '56fdd199312815e2', name: '3.8 Flash' },
    context = 'ctx',
    title,
  }: AnswerOptions = {},
): string[] {
  const encoder = createFrameEncoder()
  const candidate = (body: string, complete: boolean) => ({
    id: 'rc_1',
    text: body,
    complete,
    ...(thoughts === undefined ? {} : { thoughts }),
  })
  const frames = [ackMessage({ responseId: 'r_1' })]
  for (const snapshot of snapshots) frames.push(snapshotMessage({ ...IDS, candidates: [candidate(snapshot, false)] }))
  frames.push(
    snapshotMessage({
      ...IDS,
      candidates: [candidate(text, true)],
      final: true,
      modelId: model.id,
      modelName: model.name,
    }),
  )
  if (title !== undefined) frames.push(titleMessage({ ...IDS, title }))
  if (context !== null) frames.push(contextMessage({ ...IDS, contextToken: context }))
  const pieces = frames.map((message) => encoder.push([messageEntry(message)]))
  return [...pieces, encoder.push(trailerEntries({ ms: 1 })), encoder.end()]
}

export function answer(text: string, options?: AnswerOptions): string {
  return answerFrames(text, options).join('')
}
