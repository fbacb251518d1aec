import { GeminiWebError } from '../error.ts'

/** One cookie as somebody exported it. */
export interface ImportedCookie {
  name: string
  value: string
  /** With a leading dot for a whole domain; absent in a bare header. */
  domain?: string
  path?: string
  /** Unix time in milliseconds; absent for a session cookie or when the form has no field for it. */
  expiresMs?: number
  hostOnly?: boolean
}

/** The account's session and its ticket, the two cookies everybody has at hand. */
export interface CookiePair {
  secure1psid: string
  secure1psidts?: string
}

/** Cookies in any of the forms people hold them in. */
export type CookieInput = string | CookiePair | readonly ImportedCookie[]

export const SESSION_COOKIE = '__Secure-1PSID'
export const TICKET_COOKIE = '__Secure-1PSIDTS'

/**
 * Reads cookies from a pair, a `Cookie` header (with or without its name), a Netscape `cookies.txt`, or the
 * JSON of a browser export (a list, `{cookies: […]}`, or one object of names and values).
 *
 * @throws {GeminiWebError} `invalid_cookies` when the input cannot be read or holds no session.
 */
export function readCookies(input: CookieInput): ImportedCookie[] {
  const list = toList(input).filter((cookie) => cookie.name !== '' && cookie.value !== '')
  const cookies = list.filter(isSendable)
  if (!cookies.some((cookie) => cookie.name === SESSION_COOKIE)) {
    throw new GeminiWebError(
      'invalid_cookies',
      list.length === 0
        ? 'The cookie text could not be read as a header, a cookies.txt or JSON'
        : list.some((cookie) => cookie.name === SESSION_COOKIE && !isSendable(cookie))
          ? `${SESSION_COOKIE} holds characters that no cookie has`
          : `The ${cookies.length} cookies given hold no session: ${SESSION_COOKIE} is missing`,
      { field: 'cookies' },
    )
  }
  return cookies
}

/** What may stand in a `Cookie` header, as far as Google's cookies go. */
const NAME = /^[!-:<>-~]+$/
const VALUE = /^[\t -:<-~]+$/

/** False for what no request could carry: control characters, line ends, semicolons, letters outside of ASCII. */
export function isSendable({ name, value }: Pick<ImportedCookie, 'name' | 'value'>): boolean {
  return NAME.test(name) && VALUE.test(value)
}

const LAST_DATE_MS = 8.64e15

/** True for Unix milliseconds that are a date; exports hold everything. */
export function isDate(ms: unknown): ms is number {
  return typeof ms === 'number' && Math.abs(ms) <= LAST_DATE_MS
}

/** Seconds of an export; 0 and -1 mark a session cookie. */
function expiryField(seconds: number): Pick<ImportedCookie, 'expiresMs'> {
  return seconds > 0 && isDate(seconds * 1_000) ? { expiresMs: seconds * 1_000 } : {}
}

function toList(input: CookieInput): ImportedCookie[] {
  if (typeof input !== 'string') return isPair(input) ? fromPair(input) : input.map((cookie) => ({ ...cookie }))
  const text = input.replace(/^\uFEFF/, '').trim()
  if (text.startsWith('[') || text.startsWith('{')) return fromJson(text)
  return looksLikeNetscape(text) ? fromNetscape(text) : fromHeader(text)
}

function isPair(input: CookiePair | readonly ImportedCookie[]): input is CookiePair {
  return !Array.isArray(input)
}

function fromPair({ secure1psid, secure1psidts = '' }: CookiePair): ImportedCookie[] {
  return [
    { name: SESSION_COOKIE, value: clean(secure1psid) },
    { name: TICKET_COOKIE, value: clean(secure1psidts) },
  ]
}

/** People paste values with quotes, with the name in front, or with a final semicolon. */
function clean(value: string): string {
  return value
    .trim()
    .replace(/^__Secure-1PSID(TS)?=/, '')
    .replace(/;$/, '')
    .replace(/^"(.*)"$/, '$1')
}

function fromHeader(text: string): ImportedCookie[] {
  const cookies: ImportedCookie[] = []
  for (const piece of text.replace(/^cookie:\s*/i, '').split(/;|\r?\n/)) {
    const equals = piece.indexOf('=')
    if (equals > 0) cookies.push({ name: piece.slice(0, equals).trim(), value: clean(piece.slice(equals + 1)) })
  }
  return cookies
}

function looksLikeNetscape(text: string): boolean {
  return (
    /^# (Netscape )?HTTP Cookie File/im.test(text) || text.split(/\r?\n/).some((line) => line.split('\t').length >= 7)
  )
}

/** Seven columns with tabs: domain, whole domain?, path, secure?, expiry in seconds (0 = session), name, value. */
function fromNetscape(text: string): ImportedCookie[] {
  const cookies: ImportedCookie[] = []
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/^#HttpOnly_/, '')
    if (line.startsWith('#')) continue
    const [domain, wholeDomain, path, , expires, name, value] = line.split('\t')
    if (domain === undefined || name === undefined || value === undefined) continue
    cookies.push({
      name: name.trim(),
      value: value.trim(),
      domain,
      path: path ?? '/',
      hostOnly: wholeDomain !== 'TRUE',
      ...expiryField(Number(expires)),
    })
  }
  return cookies
}

function fromJson(text: string): ImportedCookie[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new GeminiWebError('invalid_cookies', 'The cookie text begins like JSON but is not valid JSON', {
      field: 'cookies',
    })
  }
  const list = isRecord(parsed) && Array.isArray(parsed.cookies) ? parsed.cookies : parsed
  if (Array.isArray(list)) return list.flatMap(fromExport)
  if (!isRecord(list)) return []
  return Object.entries(list).flatMap(([name, value]) =>
    typeof value === 'string' ? [{ name, value: clean(value) }] : [],
  )
}

/** One entry of a browser extension's or of Playwright's export. */
function fromExport(entry: unknown): ImportedCookie[] {
  if (!isRecord(entry) || typeof entry.name !== 'string' || typeof entry.value !== 'string') return []
  const seconds = [entry.expirationDate, entry.expires, entry.expiry].find((value) => typeof value === 'number')
  return [
    {
      name: entry.name,
      value: entry.value,
      ...(typeof entry.domain === 'string' ? { domain: entry.domain } : {}),
      ...(typeof entry.path === 'string' ? { path: entry.path } : {}),
      ...(typeof entry.hostOnly === 'boolean' ? { hostOnly: entry.hostOnly } : {}),
      ...(typeof seconds === 'number' ? expiryField(seconds) : {}),
    },
  ]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
