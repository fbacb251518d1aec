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

export const SESSION_COOKIE = '__Secure-1PSID'
export const TICKET_COOKIE = '__Secure-1PSIDTS'

/** Cookies of one host: a header does not say so, and they must not travel to others. */
export const OF_THE_APP_ONLY: ReadonlySet<string> = new Set(['OSID', '__Secure-OSID', 'COMPASS'])

/** Splits the value of a `Cookie` header. Values may hold equals signs, and quotes when pasted by hand. */
export function readCookiePairs(text: string): ExportedCookie[] {
  const cookies: ExportedCookie[] = []
  for (const piece of text.split(/;|\r?\n/)) {
    const equals = piece.indexOf('=')
    if (equals <= 0) continue
    const name = piece.slice(0, equals).trim()
    const value = unquote(piece.slice(equals + 1).trim())
    if (name === '' || value === '') continue
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
