/**
 * Where the web app lives and what a request to it looks like.
 * Source: fact sheet §0.4 (hosts), §1.4 (headers), §1.8 (account index), §3.1, §6.1 (queries).
 */

export type HostName =
  'app' | 'google' | 'accounts' | 'consent' | 'upload' | 'uploadMultipart' | 'images' | 'imageHop' | 'media'

/** Base URL of every host. A client replaces all of them to talk to an emulator. Source: fact sheet §0.4 [S]. */
export const HOSTS: Readonly<Record<HostName, string>> = {
  /** App page, StreamGenerate, batchexecute. */
  app: 'https://gemini.google.com',
  /** Optional warm-up, and the /sorry page. */
  google: 'https://www.google.com',
  /** Cookie rotation and sign-in redirects. */
  accounts: 'https://accounts.google.com',
  /** Consent redirect. */
  consent: 'https://consent.google.com',
  /** Resumable upload. */
  upload: 'https://push.clients6.google.com',
  /** Multipart upload. */
  uploadMultipart: 'https://content-push.googleapis.com',
  /** Pictures and thumbnails. */
  images: 'https://lh3.googleusercontent.com',
  /** Signed hop between two visits of the picture host. */
  imageHop: 'https://work.fife.usercontent.google.com',
  /** Video and music files. */
  media: 'https://contribution.usercontent.google.com',
}

const NAMES_BY_HOST = new Map(Object.entries(HOSTS).map(([name, base]) => [new URL(base).host, name as HostName]))

/** Which of our hosts a `Host` header means; undefined for a stranger. */
export function hostNameOf(host: string): HostName | undefined {
  return NAMES_BY_HOST.get(host.toLowerCase().replace(/:\d+$/, ''))
}

export const APP_PATH = '/app'
export const STREAM_GENERATE_PATH = '/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate'
export const BATCH_EXECUTE_PATH = '/_/BardChatUi/data/batchexecute'
export const ROTATE_COOKIES_PATH = '/RotateCookies'
export const ROTATE_PAGE_PATH = '/RotateCookiesPage'

/** Several accounts in one set of cookies are told apart by `/u/N`. Source: fact sheet §1.8 [M]. */
function accountPrefix(accountIndex: number | undefined): string {
  return accountIndex === undefined || accountIndex === 0 ? '' : `/u/${accountIndex}`
}

function join(base: string, path: string): URL {
  return new URL(base.replace(/\/$/, '') + path)
}

/** URL of the app page. */
export function appPageUrl(
  base: string,
  { accountIndex, language }: { accountIndex?: number; language?: string } = {},
): string {
  const url = join(base, accountPrefix(accountIndex) + APP_PATH)
  if (language !== undefined) url.searchParams.set('hl', language)
  return url.href
}

/** Query of the two POST endpoints. None of it is checked by the server; a browser sends all of it. Source: fact sheet §3.1 [S]. */
export interface RpcQuery {
  accountIndex?: number
  /** `bl`: label of the build, from the page. */
  buildLabel?: string
  /** `f.sid`: signed 64-bit number as text, from the page. */
  sessionId?: string
  /** `hl` */
  language?: string
  /** `_reqid`: grows by 100 000 per request from a random start. */
  requestNumber?: number
  /** `rt=c`. False asks for one array without lengths. Default true. */
  framed?: boolean
}

/** Step between two `_reqid` of one session. Source: fact sheet §3.1 [S]. */
export const REQUEST_NUMBER_STEP = 100_000

function rpcUrl(base: string, path: string, query: RpcQuery, first: Record<string, string>): string {
  const { accountIndex, buildLabel, sessionId, language, requestNumber, framed = true } = query
  const url = join(base, accountPrefix(accountIndex) + path)
  for (const [key, value] of Object.entries(first)) url.searchParams.set(key, value)
  if (buildLabel !== undefined) url.searchParams.set('bl', buildLabel)
  if (sessionId !== undefined) url.searchParams.set('f.sid', sessionId)
  if (language !== undefined) url.searchParams.set('hl', language)
  if (requestNumber !== undefined) url.searchParams.set('_reqid', String(requestNumber))
  if (framed) url.searchParams.set('rt', 'c')
  return url.href
}

/** URL of one generation. */
export function streamGenerateUrl(base: string, query: RpcQuery = {}): string {
  return rpcUrl(base, STREAM_GENERATE_PATH, query, {})
}

/** URL of a batch of calls. `sourcePath` is `/app`, or `/app/<chat id without c_>`. */
export function batchExecuteUrl(
  base: string,
  { rpcIds, sourcePath, ...query }: RpcQuery & { rpcIds: readonly string[]; sourcePath?: string },
): string {
  const path = sourcePath ?? accountPrefix(query.accountIndex) + APP_PATH
  return rpcUrl(base, BATCH_EXECUTE_PATH, query, { rpcids: rpcIds.join(','), 'source-path': path })
}

/** Page path of a chat, for `source-path`. */
export function chatSourcePath(chatId: string, accountIndex?: number): string {
  return `${accountPrefix(accountIndex)}${APP_PATH}/${chatId.replace(/^c_/, '')}`
}

export function rotateCookiesUrl(base: string): string {
  return join(base, ROTATE_COOKIES_PATH).href
}

/** URL of the hidden frame that refreshes the counters. Source: fact sheet §2.2 [M]. */
export function rotatePageUrl(base: string, origin: string = HOSTS.app): string {
  const url = join(base, ROTATE_PAGE_PATH)
  url.search = new URLSearchParams({ og_pid: '658', rot: '3', origin, exp_id: '0' }).toString()
  return url.href
}

export type AppRoute = 'app' | 'stream-generate' | 'batch-execute'

/** What a path on the app host asks for, for the emulator; undefined for a page we do not know. */
export function readAppPath(pathname: string): { accountIndex: number; route: AppRoute } | undefined {
  const account = /^\/u\/(\d+)(?=\/)/.exec(pathname)
  const path = pathname.slice(account?.[0].length ?? 0)
  const accountIndex = Number(account?.[1] ?? 0)
  if (path === STREAM_GENERATE_PATH) return { accountIndex, route: 'stream-generate' }
  if (path === BATCH_EXECUTE_PATH) return { accountIndex, route: 'batch-execute' }
  if (path === APP_PATH || path.startsWith(`${APP_PATH}/`)) return { accountIndex, route: 'app' }
  return undefined
}

/** Content type of every POST; anything else is HTTP 400. Source: fact sheet §1.4 [M]. */
export const FORM_CONTENT_TYPE = 'application/x-www-form-urlencoded;charset=UTF-8'

/** A desktop browser. Guests without a user agent got 400. Source: fact sheet §1.4 [W]. */
export const DEFAULT_USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36'

export interface BrowserHeaderOptions {
  userAgent?: string
  /** Origin of the app. Default that of {@link HOSTS}. */
  origin?: string
  accountIndex?: number
  /** From {@link buildAuthorization}; optional. */
  authorization?: string
}

/** Headers of a page load. */
export function pageHeaders({
  userAgent = DEFAULT_USER_AGENT,
  language = 'en-US,en;q=0.9',
}: { userAgent?: string; language?: string } = {}): Record<string, string> {
  return {
    'user-agent': userAgent,
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'accept-language': language,
  }
}

/** Headers of both POST endpoints; cookies are the caller's. Source: fact sheet §1.4 [S]. */
export function formHeaders({
  userAgent = DEFAULT_USER_AGENT,
  origin = HOSTS.app,
  accountIndex,
  authorization,
}: BrowserHeaderOptions = {}): Record<string, string> {
  return {
    'user-agent': userAgent,
    'content-type': FORM_CONTENT_TYPE,
    accept: '*/*',
    origin,
    referer: `${origin}/`,
    'x-same-domain': '1',
    ...(accountIndex === undefined ? {} : { 'x-goog-authuser': String(accountIndex) }),
    ...(authorization === undefined ? {} : { authorization }),
  }
}

export interface AuthorizationInput {
  /** Value of the cookie SAPISID. */
  sapisid: string
  /** Value of `__Secure-1PAPISID`. */
  sapisid1p?: string
  /** Value of `__Secure-3PAPISID`. */
  sapisid3p?: string
  /** Unix time in seconds. */
  seconds: number
  origin?: string
}

/** The optional Authorization line: SHA-1 of `<seconds> <cookie> <origin>`, one part per cookie. Source: fact sheet §1.4 [M]. */
export async function buildAuthorization({
  sapisid,
  sapisid1p,
  sapisid3p,
  seconds,
  origin = HOSTS.app,
}: AuthorizationInput): Promise<string> {
  const parts: Array<[string, string | undefined]> = [
    ['SAPISIDHASH', sapisid],
    ['SAPISID1PHASH', sapisid1p],
    ['SAPISID3PHASH', sapisid3p],
  ]
  const lines: string[] = []
  for (const [scheme, secret] of parts) {
    if (secret === undefined) continue
    const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(`${seconds} ${secret} ${origin}`))
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
    lines.push(`${scheme} ${seconds}_${hex}`)
  }
  return lines.join(' ')
}
