import { DOWNLOAD_COOKIES, HOSTS, ROTATE_COOKIES, TICKET_COOKIES } from '@castorjs/gemini-web-protocol'
import { Cookie, CookieJar as ToughJar } from 'tough-cookie'
import { isDate, isSendable, SESSION_COOKIE, TICKET_COOKIE, type ImportedCookie } from './read-cookies.ts'

/** Which cookies a request carries: what a browser would send, the rotation pair, the download set, or none. */
export type CookieChoice = 'all' | 'pair' | 'download' | 'none'

export interface CookieChange {
  /** Any cookie has another value than before. */
  changed: boolean
  /** A new session ticket is among them; one that is taken away is none. */
  ticket: boolean
}

/** The cookies of one account, with domain and path rules. Cookies of other sites than google.com are never kept. */
export interface CookieJar {
  /** Value of the `Cookie` header for a URL of the web app; undefined when there is none to send. */
  header(url: string, choice?: CookieChoice): string | undefined
  /** Takes every `Set-Cookie` line of a reply. */
  merge(url: string, lines: readonly string[]): CookieChange
  /** Takes cookies of an export; returns how many were kept. */
  add(cookies: readonly ImportedCookie[]): number
  get(name: string): string | undefined
  /** When the session cookie ends, or ended: it is in the jar no more then. Unix milliseconds; undefined when nobody said. */
  readonly sessionEndMs: number | undefined
  /** Everything, as plain data that `add` takes back. */
  export(): ImportedCookie[]
  clear(): void
}

/** Where bare cookies belong. */
const HOME = `${HOSTS.app}/`
const HOME_DOMAIN = 'google.com'

/** A cookie that ran out is sent for no longer than this. */
const MATCHES_LIVE_MS = 1_000
const MOST_MATCHES = 32

/** Creates an empty jar. */
export function createCookieJar(): CookieJar {
  let jar = new ToughJar()
  /** What matches a URL, until a cookie changes or a moment has passed. Matching costs more than all the rest of a call. */
  const matching = new Map<string, Cookie[]>()
  let matchedAt = 0
  let sessionEndMs: number | undefined

  function cookiesFor(url: string): Cookie[] {
    const now = performance.now()
    if (now - matchedAt > MATCHES_LIVE_MS || matching.size >= MOST_MATCHES) forget()
    const end = url.indexOf('?')
    const place = end < 0 ? url : url.slice(0, end)
    const known = matching.get(place)
    if (known !== undefined) return known
    if (matching.size === 0) matchedAt = now
    const cookies = jar.getCookiesSync(url)
    matching.set(place, cookies)
    return cookies
  }

  function forget(): void {
    matching.clear()
  }

  function valueOf(url: string, name: string): string | undefined {
    return cookiesFor(url).find((cookie) => cookie.key === name)?.value
  }

  function named(names: ReadonlySet<string>): string | undefined {
    return join(cookiesFor(HOME).filter((cookie) => names.has(cookie.key) && cookie.hostOnly !== true))
  }

  /** A reply ends the session by setting its cookie to a time gone by: then it ended now. */
  function noteSession(cookie: Cookie): void {
    if (cookie.key !== SESSION_COOKIE) return
    const atMs = cookie.expiryTime() ?? Number.POSITIVE_INFINITY
    sessionEndMs = atMs <= Date.now() ? Date.now() : isDate(atMs) ? atMs : undefined
  }

  return {
    header(url, choice = 'all') {
      if (choice === 'none') return undefined
      if (choice === 'pair') return named(new Set(ROTATE_COOKIES))
      return choice === 'download' ? named(DOWNLOAD_COOKIES) : join(cookiesFor(url))
    },
    merge(url, lines) {
      const change: CookieChange = { changed: false, ticket: false }
      const parsed = lines.flatMap((line) => Cookie.parse(line) ?? []).map(withEnd)
      const ours = parsed.filter((cookie) => isHome(cookie.domain ?? new URL(url).hostname))
      if (ours.length === 0) return change
      const before = new Map(cookiesFor(url).map(({ key, value }) => [key, value]))
      for (const cookie of ours) {
        jar.setCookieSync(cookie, url, { ignoreError: true })
        noteSession(cookie)
      }
      forget()
      for (const { key } of ours) {
        if (valueOf(url, key) === before.get(key)) continue
        change.changed = true
        if (TICKET_COOKIES.includes(key) && valueOf(url, key) !== undefined) change.ticket = true
      }
      return change
    },
    add(cookies) {
      let kept = 0
      for (const cookie of cookies) {
        if (!addCookie(jar, cookie)) continue
        kept++
        if (cookie.name === SESSION_COOKIE) sessionEndMs = isDate(cookie.expiresMs) ? cookie.expiresMs : undefined
      }
      forget()
      return kept
    },
    get: (name) => valueOf(HOME, name),
    get sessionEndMs() {
      return sessionEndMs
    },
    export() {
      const cookies = jar.serializeSync()?.cookies ?? []
      return cookies.flatMap((plain) => {
        const cookie = Cookie.fromJSON(plain)
        return cookie === undefined ? [] : [toPlain(cookie)]
      })
    },
    clear() {
      jar = new ToughJar()
      sessionEndMs = undefined
      forget()
    },
  }
}

function join(cookies: readonly Cookie[]): string | undefined {
  return cookies.length === 0 ? undefined : cookies.map((cookie) => `${cookie.key}=${cookie.value}`).join('; ')
}

/** An age becomes an end: plain data has no field for it, and the library counts it from the last use. */
function withEnd(cookie: Cookie): Cookie {
  if (typeof cookie.maxAge !== 'number') return cookie
  const atMs = cookie.maxAge <= 0 ? 0 : Date.now() + cookie.maxAge * 1_000
  cookie.expires = isDate(atMs) ? new Date(atMs) : 'Infinity'
  cookie.maxAge = null
  return cookie
}

function isHome(domain: string): boolean {
  const bare = domain.replace(/^\./, '').toLowerCase()
  return bare === HOME_DOMAIN || bare.endsWith(`.${HOME_DOMAIN}`)
}

/** Exports come from strangers: what is no cookie, no place or no date is left out before the library sees it. */
function addCookie(jar: ToughJar, { name, value, domain, path, expiresMs, hostOnly }: ImportedCookie): boolean {
  const bare = (domain ?? HOME_DOMAIN).replace(/^\.+/, '').toLowerCase()
  if (!isSendable({ name, value }) || !isHome(bare)) return false
  const alone = hostOnly === true || name.startsWith('__Host-')
  const cookie = new Cookie({
    key: name,
    value,
    domain: alone ? null : bare,
    path: path?.startsWith('/') === true ? path : '/',
    secure: true,
    httpOnly: true,
    expires: isDate(expiresMs) ? new Date(expiresMs) : 'Infinity',
  })
  const host = alone && bare === HOME_DOMAIN ? new URL(HOME).hostname : bare === HOME_DOMAIN ? `www.${bare}` : bare
  const place = `https://${host}${cookie.path}`
  if (!URL.canParse(place) || new URL(place).hostname !== host) return false
  return jar.setCookieSync(cookie, place, { ignoreError: true }) !== undefined
}

function toPlain(cookie: Cookie): ImportedCookie {
  return {
    name: cookie.key,
    value: cookie.value,
    domain: cookie.domain ?? HOME_DOMAIN,
    path: cookie.path ?? '/',
    hostOnly: cookie.hostOnly === true,
    ...(cookie.expires instanceof Date ? { expiresMs: cookie.expires.getTime() } : {}),
  }
}

/** The account session, if the jar holds one: the identity that caches are bound to. */
export function sessionOf(jar: CookieJar): string | undefined {
  return jar.get(SESSION_COOKIE)
}

/** Expiry of the imported ticket, the only hint of its age in an export. */
export function ticketExpiry(cookies: readonly ImportedCookie[]): number | undefined {
  return cookies.find((cookie) => cookie.name === TICKET_COOKIE)?.expiresMs
}
