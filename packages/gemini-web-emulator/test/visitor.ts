import {
  batchExecuteUrl,
  buildBatchRequest,
  buildForm,
  buildPromptForm,
  formHeaders,
  generateHeaders,
  HOSTS,
  readBatchReply,
  readPageTokens,
  readReply,
  readXsrfToken,
  streamGenerateUrl,
  type BatchReply,
  type ModelHeaderOptions,
  type PageTokens,
  type PromptRequest,
  type ReplySnapshot,
} from '@castorjs/gemini-web-protocol'
import {
  createGeminiWebEmulator,
  DEMO_ACCOUNTS,
  type GeminiWebEmulator,
  type GeminiWebEmulatorOptions,
} from '../src/index.ts'

/** Ids of models by a short name. */
export const MODEL = {
  flash: 'fbb127bbb056c959',
  thinking: '5bf011840784117a',
  pro: '9d8ca3786ebdfbea',
  paidPro: 'e6fa609c3fa255c0',
  paidFlash: '56fdd199312815e2',
} as const

export interface Ask extends Partial<Omit<PromptRequest, 'prompt'>> {
  model?: keyof typeof MODEL
  header?: Partial<ModelHeaderOptions>
  /** Headers added or, when empty, left out. */
  headers?: Record<string, string>
  /** Goes on after this reply. */
  after?: ReplySnapshot
  signal?: AbortSignal
  rt?: boolean
}

/** A person with a browser, in front of an emulator. */
export interface Visitor {
  cookies: Map<string, string>
  tokens: PageTokens
  cookieHeader(): string
  request(url: string, init?: RequestInit): Promise<Response>
  page(path?: string): Promise<Response>
  send(prompt: string, ask?: Ask): Promise<Response>
  ask(prompt: string, ask?: Ask): Promise<ReplySnapshot>
  call(id: string, payload: unknown): Promise<BatchReply>
  rotate(body?: string, cookies?: string): Promise<Response>
  upload(name: string, mimeType: string, data: Uint8Array | string): Promise<string>
}

/** Cookies of a demo account, or none for a guest. */
export function cookiesOf(name: string | undefined): Map<string, string> {
  const spec = DEMO_ACCOUNTS.find((account) => account.name === name)
  if (spec === undefined) return new Map()
  return new Map([
    ['__Secure-1PSID', spec.session],
    ['__Secure-1PSIDTS', spec.ticket ?? ''],
  ])
}

export function createVisitor(emulator: Pick<GeminiWebEmulator, 'fetch'>, name?: string): Visitor {
  const cookies = cookiesOf(name)
  const visitor: Visitor = {
    cookies,
    tokens: {},
    cookieHeader: () => [...cookies].map(([key, value]) => `${key}=${value}`).join('; '),
    async request(url, init = {}) {
      const headers = new Headers(init.headers)
      if (!headers.has('cookie') && cookies.size > 0) headers.set('cookie', visitor.cookieHeader())
      const response = await emulator.fetch(new Request(url, { ...init, headers, redirect: 'manual' }))
      for (const line of response.headers.getSetCookie()) {
        const [, key, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (key !== undefined && value !== undefined) cookies.set(key, value)
      }
      return response
    },
    async page(path = '/app') {
      const response = await visitor.request(HOSTS.app + path)
      visitor.tokens = readPageTokens(await response.clone().text())
      return response
    },
    send(prompt, ask = {}) {
      const { model, header, headers = {}, after, rt = true, signal, ...rest } = ask
      const requestId = '11111111-2222-4333-8444-555555555555'
      const continuation =
        after === undefined
          ? {}
          : {
              continuation: {
                chatId: after.chatId ?? '',
                responseId: after.responseId ?? '',
                candidateId: after.candidateId ?? '',
                contextToken: after.contextToken ?? '',
              },
            }
      const all = {
        ...formHeaders(),
        ...generateHeaders({
          requestId,
          ...(model === undefined ? {} : { model: { modelId: MODEL[model], ...header } }),
        }),
        ...headers,
      }
      return visitor.request(streamGenerateUrl(HOSTS.app, { framed: rt }), {
        method: 'POST',
        headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
        body: buildPromptForm({ prompt, requestId, ...continuation, ...rest }, visitor.tokens.token),
        ...(signal === undefined ? {} : { signal }),
      })
    },
    async ask(prompt, ask) {
      const response = await visitor.send(prompt, ask)
      const body = await response.text()
      const token = response.status === 400 ? readXsrfToken(body) : undefined
      if (token === undefined) return readReply(body)
      visitor.tokens.token = token
      return readReply(await (await visitor.send(prompt, ask)).text())
    },
    async call(id, payload) {
      const response = await visitor.request(batchExecuteUrl(HOSTS.app, { rpcIds: [id] }), {
        method: 'POST',
        headers: formHeaders(),
        body: buildForm({
          fReq: buildBatchRequest([{ id, payload }]),
          ...(visitor.tokens.token === undefined ? {} : { token: visitor.tokens.token }),
        }),
      })
      return readBatchReply(await response.text())
    },
    rotate: (body = '[000,"-0000000000000000000"]', pair) =>
      visitor.request('https://accounts.google.com/RotateCookies', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          origin: 'https://accounts.google.com',
          cookie:
            pair ??
            `__Secure-1PSID=${cookies.get('__Secure-1PSID')}; __Secure-1PSIDTS=${cookies.get('__Secure-1PSIDTS')}`,
        },
        body,
      }),
    async upload(name, mimeType, data) {
      const form = new FormData()
      form.set('file', new Blob([typeof data === 'string' ? data : Uint8Array.from(data)], { type: mimeType }), name)
      const response = await visitor.request('https://content-push.googleapis.com/upload', {
        method: 'POST',
        headers: { 'push-id': visitor.tokens.pushId ?? 'feeds/mcudyrk2a4khkz', 'x-tenant-id': 'bard-storage' },
        body: form,
      })
      return response.text()
    },
  }
  return visitor
}

/** An emulator whose clock only moves when it is told to. */
export function quietEmulator(options: GeminiWebEmulatorOptions = {}): GeminiWebEmulator {
  return createGeminiWebEmulator({ now: () => 1_790_000_000_000, ...options })
}

/** A visitor who has loaded the page. */
export async function signedIn(emulator: Pick<GeminiWebEmulator, 'fetch'>, name = 'ada'): Promise<Visitor> {
  const visitor = createVisitor(emulator, name)
  await visitor.page()
  return visitor
}
