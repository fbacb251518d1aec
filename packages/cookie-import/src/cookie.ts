/** One cookie as it was exported. */
export interface ExportedCookie {
  name: string
  value: string
  /** With a leading dot for a whole domain; absent where the form has none, such as a header. */
  domain?: string
  path?: string
  /** Unix time in milliseconds; absent for a session cookie or when the form has no field for it. */
  expiresMs?: number
  hostOnly?: boolean
}

/** What one form of export says: cookies, and the addresses they were sent to. */
export interface RawExport {
  cookies: ExportedCookie[]
  /** URLs of the requests, for the `/u/N` in them. */
  urls: string[]
  /** Values of `X-Goog-AuthUser`. */
  authUsers: string[]
}

/** Appends however many; a spread into `push` fails above some hundred thousand, which a pasted file may hold. */
export function addAll<One>(list: One[], more: readonly One[]): void {
  for (const one of more) list.push(one)
}

export const SESSION_COOKIE = '__Secure-1PSID'
export const TICKET_COOKIE = '__Secure-1PSIDTS'

/** Cookies of one host: a header does not say so, and they must not travel to others. */
export const OF_THE_APP_ONLY: ReadonlySet<string> = new Set(['OSID', '__Secure-OSID', 'COMPASS'])

/** What may stand in a `Cookie` header: what browsers store, without what nobody has seen in a cookie of Google's. */
const NAME = /^[!-:<>-~]+$/
const VALUE = /^[\t -:<-~]+$/

/** False for what can be no cookie: control characters, line ends, semicolons, letters outside of ASCII. */
export function isSendable({ name, value }: Pick<ExportedCookie, 'name' | 'value'>): boolean {
  return NAME.test(name) && VALUE.test(value)
}

/** Between 1601, where Chrome's clock begins, and 1970. */
const CHROME_EPOCH_MS = 11_644_473_600_000
/** 1970 in Chrome's microseconds; as milliseconds it is beyond every date. */
const CHROME_FROM = CHROME_EPOCH_MS * 1_000
/** The year 5138 in seconds, 1973 in milliseconds. */
const MILLISECONDS_FROM = 100_000_000_000
const LAST_DATE_MS = 8.64e15

/**
 * When a cookie ends, in Unix milliseconds, told from the size of the number: tools write seconds, Firefox since 142
 * milliseconds, Chrome's own database microseconds since 1601. Undefined for a session cookie (0, -1), and for what is no date.
 */
function readExpiry(time: number): number | undefined {
  if (!(time > 0)) return undefined
  const ms = time >= CHROME_FROM ? time / 1_000 - CHROME_EPOCH_MS : time > MILLISECONDS_FROM ? time : time * 1_000
  return ms <= LAST_DATE_MS ? Math.round(ms) : undefined
}

/** The field of {@link readExpiry}, absent where there is none. */
export function expiryField(time: number): Pick<ExportedCookie, 'expiresMs'> {
  const expiresMs = readExpiry(time)
  return expiresMs === undefined ? {} : { expiresMs }
}

/** Splits the value of a `Cookie` header. Values may hold equals signs, and quotes when pasted by hand. */
export function readCookiePairs(text: string): ExportedCookie[] {
  const cookies: ExportedCookie[] = []
  for (const piece of text.split(/;|\r?\n/)) {
    const equals = piece.indexOf('=')
    if (equals <= 0) continue
    const name = piece.slice(0, equals).trim()
    const value = unquote(piece.slice(equals + 1).trim())
    // A lone value that ends in padding (`sidts-CjEB==`) is no pair: it would be told as a name, and names are not secret.
    if (name === '' || /^=*$/.test(value)) continue
    cookies.push(
      OF_THE_APP_ONLY.has(name) ? { name, value, domain: 'gemini.google.com', hostOnly: true } : { name, value },
    )
  }
  return cookies
}

export function unquote(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2')
}

/** True for google.com and what is below it; a cookie without a domain counts. */
export function isGoogles({ domain }: Pick<ExportedCookie, 'domain'>): boolean {
  if (domain === undefined) return true
  const bare = domain.replace(/^\./, '').toLowerCase()
  return bare === 'google.com' || bare.endsWith('.google.com')
}
