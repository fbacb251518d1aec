import { countRequest } from './answer/tokens.ts'
import { serveCatalogue, serveCounting } from './catalogue.ts'
import { createCodeAssist, type CodeAssistAccount } from './code-assist.ts'
import { createControlState, type EmulatorControls, type Operation } from './controls.ts'
import { createFileStore } from './files.ts'
import { generate } from './generate.ts'
import { CODE_ASSIST_MODELS, methodsOf, MODELS, type EmulatedModel } from './models.ts'
import { createOAuth } from './oauth.ts'
import type { GenerateRequest } from './request.ts'
import { invalid, modelNotFound, RPC, RpcError } from './rpc-error.ts'
import { CODE_ASSIST_COUNT, CODE_ASSIST_GENERATE, GENERATE_CONTENT } from './strict/fields.ts'
import { parseMessage } from './strict/message.ts'
import { errorResponse, htmlResponse, jsonResponse, never } from './wire.ts'

export interface GeminiApiEmulatorOptions {
  /** API keys and the project of each. Default `{ 'emulator-key': 'emulator-project' }`. */
  keys?: Record<string, string>
  /** Pause before each chunk of a stream, in milliseconds. Default 0. */
  chunkDelayMs?: number
  /** Polls that an uploaded video stays PROCESSING. Default 2. */
  processingPolls?: number
  /** Largest JSON body, in bytes; more is 413 with a page. Default 100 MB. */
  maxBodyBytes?: number
  /** Largest file of the Files API, in bytes. Default 2 GB. */
  maxFileBytes?: number
  /** Access tokens that Code Assist accepts from the start. Default `['emulator-access-token']`. */
  accessTokens?: readonly string[]
  /** Refresh tokens accepted from the start. Default `['emulator-refresh-token']`. */
  refreshTokens?: readonly string[]
  /** OAuth clients: id to secret. Default: any client. */
  clients?: Record<string, string>
  codeAssist?: CodeAssistAccount
}

export interface GeminiApiEmulator {
  /** Like `fetch`, for any host: the path decides. */
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  readonly controls: EmulatorControls
  /** Ends every answer that is still being sent. */
  close: () => Promise<void>
}

const MODEL_PATH = /^\/(v1beta|v1alpha|v1)\/models(?:\/(.+?))?(?::([A-Za-z]+))?$/
const FILES_PATH = /^\/(v1beta|v1alpha|v1)\/files(?:\/([\w-]+))?$/
const UPLOAD_PATH = /^\/upload\/(v1beta|v1alpha|v1)\/files$/
const INTERNAL_PATH = /^\/v1internal(?::([A-Za-z]+)|\/(operations\/[\w-]+))$/

/** A strict local Gemini API, Code Assist and Google sign-in, behind one `fetch`. */
export function createGeminiApiEmulator(options: GeminiApiEmulatorOptions = {}): GeminiApiEmulator {
  const {
    chunkDelayMs = 0,
    processingPolls = 2,
    maxBodyBytes = 100_000_000,
    maxFileBytes = 2_000_000_000,
    accessTokens = ['emulator-access-token'],
    refreshTokens = ['emulator-refresh-token'],
  } = options
  const keys = new Map(Object.entries(options.keys ?? { 'emulator-key': 'emulator-project' }))
  const state = createControlState()
  const files = createFileStore({ processingPolls, maxFileBytes })
  const oauth = createOAuth({ accessTokens, refreshTokens, clients: options.clients })
  const codeAssist = createCodeAssist(options.codeAssist ?? {})
  const closing = new AbortController()
  let active = 0

  async function serve(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const { pathname: path } = url
    const model = MODEL_PATH.exec(path)
    if (model !== null) return serveModel(request, url, model)
    const upload = UPLOAD_PATH.exec(path)
    if (upload !== null) {
      note(request, url, 'upload', undefined)
      return (
        (await simpleFault('upload', request)) ?? files.upload(request, url, projectOf(request, url), upload[1] ?? '')
      )
    }
    const file = FILES_PATH.exec(path)
    if (file !== null) {
      note(request, url, 'files', undefined)
      const fault = await simpleFault('files', request)
      return fault ?? files.serve(request.method, file[2] ?? '', projectOf(request, url), file[1] ?? '')
    }
    const internal = INTERNAL_PATH.exec(path)
    if (internal !== null) return serveInternal(request, url, internal[1] ?? '', internal[2])
    if (path === '/token') return serveToken(request, url)
    if (path === '/o/oauth2/v2/auth') {
      note(request, url, 'authorize', undefined)
      return oauth.authorize(url)
    }
    return htmlResponse(404)
  }

  async function serveModel(request: Request, url: URL, match: RegExpExecArray): Promise<Response> {
    const [, version = '', given = '', method = ''] = match
    const name = decodeURIComponent(given).replace(/^models\//, '')
    if (method === '') {
      note(request, url, 'models', undefined)
      const fault = await simpleFault('models', request)
      if (fault !== undefined) return fault
      projectOf(request, url)
      return request.method === 'GET' ? serveCatalogue(name, version, url) : htmlResponse(404)
    }
    const operation = OPERATIONS[method]
    const body = await readBody(request)
    note(request, url, operation ?? 'other', body)
    const project = projectOf(request, url)
    const model = MODELS.find((known) => known.name === name)
    if (model === undefined || operation === undefined || !methodsOf(model).includes(method)) {
      throw modelNotFound(name, version, method)
    }
    if (operation === 'generateContent' || operation === 'streamGenerateContent') {
      const parsed = parseMessage(body, GENERATE_CONTENT) as GenerateRequest
      const sse = url.searchParams.get('alt') === 'sse'
      const form = operation === 'generateContent' ? undefined : sse ? 'sse' : 'array'
      return answer(request, parsed, model, project, operation, form, (response) => response)
    }
    return (await simpleFault(operation, request)) ?? serveCounting(operation, body)
  }

  function answer(
    request: Request,
    parsed: GenerateRequest,
    model: EmulatedModel,
    project: string,
    operation: Operation,
    form: 'sse' | 'array' | undefined,
    wrap: (response: Record<string, unknown>) => unknown,
  ): Promise<Response> {
    return generate({
      request: parsed,
      model,
      project,
      form,
      fault: state.takeFault(operation),
      script: state.script,
      findFile: files.find,
      chunkDelayMs,
      signal: AbortSignal.any([request.signal, closing.signal]),
      wrap,
      onBegin: () => active++,
      onEnd: () => active--,
    })
  }

  async function serveInternal(request: Request, url: URL, method: string, operationName?: string): Promise<Response> {
    const operation = operationName === undefined ? (OPERATIONS[method] ?? 'other') : 'operation'
    const body = request.method === 'POST' ? await readBody(request) : undefined
    note(request, url, operation, body)
    const token = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? ''
    if (!oauth.accepts(token)) {
      throw new RpcError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.')
    }
    const generates = operation === 'generateContent' || operation === 'streamGenerateContent'
    const fault = generates ? undefined : await simpleFault(operation, request)
    if (fault !== undefined) return fault
    if (operationName !== undefined) return codeAssist.operation(operationName)
    switch (method) {
      case 'loadCodeAssist':
        return codeAssist.load(body)
      case 'onboardUser':
        return codeAssist.onboard(body)
      case 'retrieveUserQuota':
        return codeAssist.quota(body)
      case 'countTokens': {
        const { request: counted } = parseMessage(body, CODE_ASSIST_COUNT) as {
          request?: GenerateRequest & { model?: string }
        }
        if (counted?.model?.startsWith('models/') !== true) throw invalid('Request contains an invalid argument.')
        return jsonResponse({ totalTokens: countRequest(counted) })
      }
      case 'generateContent':
      case 'streamGenerateContent':
        return serveCodeAssistGeneration(request, url, body, operation)
      case 'getCodeAssistGlobalUserSetting':
      case 'setCodeAssistGlobalUserSetting':
        return jsonResponse({ cloudaicompanionProject: codeAssist.project, freeTierDataCollectionOptin: false })
      case 'listExperiments':
      case 'fetchAdminControls':
      case 'recordCodeAssistMetrics':
        return jsonResponse({})
      default:
        return htmlResponse(404)
    }
  }

  function serveCodeAssistGeneration(
    request: Request,
    url: URL,
    body: unknown,
    operation: Operation,
  ): Promise<Response> {
    const wrapper = parseMessage(body, CODE_ASSIST_GENERATE) as {
      model?: string
      project?: string
      request?: GenerateRequest
    }
    const model = CODE_ASSIST_MODELS.find((known) => known.name === wrapper.model)
    if (model === undefined) throw new RpcError(404, 'NOT_FOUND', 'Requested entity was not found.')
    if (wrapper.project !== codeAssist.project && codeAssist.project !== null) {
      throw new RpcError(403, 'PERMISSION_DENIED', 'Permission denied on resource project.', [
        { '@type': `${RPC}ErrorInfo`, reason: 'CONSUMER_INVALID', domain: 'googleapis.com', metadata: {} },
      ])
    }
    const sse = url.searchParams.get('alt') === 'sse'
    const form = operation === 'generateContent' ? undefined : sse ? 'sse' : 'array'
    const wrap = ({ responseId, ...response }: Record<string, unknown>): unknown => ({ response, traceId: responseId })
    return answer(request, wrapper.request ?? {}, model, '', operation, form, wrap)
  }

  async function serveToken(request: Request, url: URL): Promise<Response> {
    const form = new URLSearchParams(await request.text())
    note(request, url, 'token', Object.fromEntries(form))
    const fault = state.takeFault('token')
    if (fault !== undefined && fault.kind !== 'oauth-error')
      return (await runFault(fault, request)) ?? htmlResponse(500)
    return oauth.token(form, fault)
  }

  async function readBody(request: Request): Promise<unknown> {
    const text = await request.text()
    if (text.length > maxBodyBytes) throw new FrontEndPage(413)
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw invalid('Invalid JSON payload received. Unexpected end of string.')
    }
  }

  /** The project a request's credentials belong to. */
  function projectOf(request: Request, url: URL): string {
    const key = request.headers.get('x-goog-api-key') ?? url.searchParams.get('key')
    const bearer = request.headers.get('authorization')?.replace(/^Bearer /, '')
    if (key === null && bearer !== undefined) {
      if (oauth.accepts(bearer)) return request.headers.get('x-goog-user-project') ?? 'oauth'
      throw new RpcError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.')
    }
    if (key === null) {
      const message =
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
      throw new RpcError(403, 'PERMISSION_DENIED', message)
    }
    const project = keys.get(key)
    if (project !== undefined) return project
    throw invalid('API key not valid. Please pass a valid API key.', [
      {
        '@type': `${RPC}ErrorInfo`,
        reason: 'API_KEY_INVALID',
        domain: 'googleapis.com',
        metadata: { service: 'generativelanguage.googleapis.com' },
      },
    ])
  }

  function note(request: Request, url: URL, operation: Operation, body: unknown): void {
    state.record({
      operation,
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(request.headers),
      body,
    })
  }

  async function simpleFault(operation: Operation, request: Request): Promise<Response | undefined> {
    const fault = state.takeFault(operation)
    return fault === undefined ? undefined : runFault(fault, request)
  }

  /** A fault of a method that gives one whole answer. */
  async function runFault(
    fault: NonNullable<ReturnType<typeof state.takeFault>>,
    request: Request,
  ): Promise<Response | undefined> {
    switch (fault.kind) {
      case 'error':
        return errorResponse(new RpcError(fault.code, fault.status, fault.message, fault.details), fault.array)
      case 'html':
        return htmlResponse(fault.code)
      case 'json':
        return jsonResponse(fault.body)
      case 'reset':
        throw new TypeError('fetch failed')
      case 'silent':
        active++
        return never(AbortSignal.any([request.signal, closing.signal])).finally(() => active--)
      default:
        return undefined
    }
  }

  return {
    async fetch(input, init) {
      const request = new Request(input, init)
      request.signal.throwIfAborted()
      try {
        return await serve(request)
      } catch (error) {
        if (error instanceof FrontEndPage) return htmlResponse(error.code)
        if (!(error instanceof RpcError)) throw error
        return errorResponse(error, new URL(request.url).searchParams.get('alt') === 'sse')
      }
    },
    controls: {
      requests: state.requests,
      get active() {
        return active
      },
      fail: state.fail,
      answerWith: state.answerWith,
      clear: state.clear,
      addKey: (key, project) => void keys.set(key, project),
      removeKey: (key) => void keys.delete(key),
      expireAccessTokens: () => oauth.expireAll(),
    },
    async close() {
      closing.abort(new DOMException('The emulator was closed', 'AbortError'))
    },
  }
}

/** Refused by the front end, before anybody who speaks JSON saw it. */
class FrontEndPage extends Error {
  readonly code: number

  constructor(code: number) {
    super(`Front end page ${code}`)
    this.code = code
  }
}

const OPERATIONS: Record<string, Operation> = {
  generateContent: 'generateContent',
  streamGenerateContent: 'streamGenerateContent',
  countTokens: 'countTokens',
  embedContent: 'embedContent',
  batchEmbedContents: 'batchEmbedContents',
  loadCodeAssist: 'loadCodeAssist',
  onboardUser: 'onboardUser',
  retrieveUserQuota: 'retrieveUserQuota',
}
