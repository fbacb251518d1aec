import { isGoogles, isSendable, SESSION_COOKIE, TICKET_COOKIE, type ExportedCookie, type RawExport } from './cookie.ts'
import { CookieImportError } from './error.ts'

export type ImportForm = 'header' | 'curl' | 'powershell' | 'fetch' | 'cookies.txt' | 'json' | 'har' | 'firefox-profile'

/** A session that was found, and what can be said of it without asking Google. */
export interface CookieImport {
  form: ImportForm
  /** Secret. Of google.com only, each name once. */
  cookies: ExportedCookie[]
  /** Names of the cookies found, sorted; not secret. */
  names: string[]
  /** The N of `/u/N`, where the export tells which of several accounts was in use. */
  accountIndex: number | undefined
  /** The cookies bear the marks of a session that is bound to the browser's device: such a one cannot be renewed elsewhere. */
  deviceBound: boolean
  /** Unix milliseconds at which the session cookie itself ends, where the form says so. */
  sessionEndsMs: number | undefined
  /** What to know or do, in words for the operator. */
  advice: string[]
}

/** Cookies of sessions with a device-bound twin; a hint, since only a refused renewal is proof. Source: fact sheet sections 1.1 and 2.3. */
const BOUND_COOKIES = ['__Secure-1PSIDRTS', '__Secure-3PSIDRTS']

/**
 * Picks Google's cookies and says what they are.
 *
 * @throws {CookieImportError} `no_session`, naming what is there instead.
 */
export function describe(form: ImportForm, { cookies, urls, authUsers }: RawExport): CookieImport {
  const found = cookies.filter((cookie) => isGoogles(cookie) && cookie.name !== '' && cookie.value !== '')
  const google = lastOfEach(found.filter(isSendable))
  const session = google.find(({ name }) => name === SESSION_COOKIE)
  const names = [...new Set(google.map(({ name }) => name))].sort()
  // Without its ticket a session would look like an older export of itself, and take the place of a whole one.
  const damaged = [SESSION_COOKIE, TICKET_COOKIE].find(
    (name) => !names.includes(name) && found.some((cookie) => cookie.name === name),
  )
  if (damaged !== undefined) throw new CookieImportError('no_session', describeDamage(damaged))
  if (session === undefined) throw new CookieImportError('no_session', noSession(cookies.length, names))
  const deviceBound = names.some((name) => BOUND_COOKIES.includes(name))
  return {
    form,
    cookies: google,
    names,
    accountIndex: readAccountIndex(urls, authUsers),
    deviceBound,
    sessionEndsMs: session.expiresMs,
    advice: adviceOn(names, deviceBound, session),
  }
}

function adviceOn(names: readonly string[], deviceBound: boolean, { value, expiresMs }: ExportedCookie): string[] {
  const advice: string[] = []
  if (deviceBound) advice.push(BOUND_ADVICE)
  if (!names.includes(TICKET_COOKIE)) {
    advice.push(
      `${TICKET_COOKIE} is missing. Nearly every account needs it: copy it too, or export all cookies of google.com.`,
    )
  }
  if (!value.startsWith('g.a')) {
    advice.push(`${SESSION_COOKIE} does not look like Google's ("g.a…"). Check that it was copied whole.`)
  }
  if (expiresMs !== undefined && expiresMs < Date.now()) {
    advice.push(
      `${SESSION_COOKIE} ended on ${new Date(expiresMs).toISOString().slice(0, 10)}. Sign in again and export anew.`,
    )
  }
  return advice
}

/** What is known of a session whose cookies bear the marks of device binding, and what to do instead. */
export const BOUND_ADVICE =
  'The cookies bear the mark of a session that is bound to the device it was made on (__Secure-1PSIDRTS; Chrome 146 and newer, mainly on Windows). Such a session cannot be renewed elsewhere and dies within an hour or two. Sign in with Firefox, in a private window, export there, and close the window without signing out.'

const describeDamage = (name: string): string =>
  `${name} holds characters that no cookie has, so it was damaged on the way. Copy it again, or export to a file.`

function noSession(count: number, names: readonly string[]): string {
  if (names.length === 0) {
    return `The ${count} cookies are of other sites than google.com. Export those of gemini.google.com while you are signed in.`
  }
  const shown = names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '')
  const script = names.includes('SID') || names.includes('__Secure-3PSID')
  return `There is no session: ${SESSION_COOKIE} is missing (found: ${shown}). ${
    script
      ? 'It is an HttpOnly cookie, which scripts in the page cannot see: use a cookie extension or the developer tools.'
      : 'Sign in at gemini.google.com and export again.'
  }`
}

/** In time order, so the last value of a name and place is the newest. What a header repeats keeps the place it had. */
function lastOfEach(cookies: readonly ExportedCookie[]): ExportedCookie[] {
  const found = new Map<string, ExportedCookie>()
  for (const cookie of cookies) {
    const place = cookie.hostOnly === true ? (cookie.domain ?? '') : ''
    const key = `${cookie.name}\n${place}`
    const known = found.get(key)
    found.delete(key)
    found.set(key, known?.value === cookie.value ? { ...known, ...cookie } : cookie)
  }
  return [...found.values()]
}

function readAccountIndex(urls: readonly string[], authUsers: readonly string[]): number | undefined {
  const header = authUsers.map(Number).findLast((index) => Number.isInteger(index) && index >= 0)
  if (header !== undefined) return header
  const newestFirst = [...urls].reverse()
  // Other hosts of Google's are asked for other accounts at times, so the app's own addresses come first.
  return firstIndex(newestFirst, APP_PATH) ?? firstIndex(newestFirst, APP_QUERY) ?? firstIndex(newestFirst, ANY_PATH)
}

function firstIndex(urls: readonly string[], pattern: RegExp): number | undefined {
  for (const url of urls) {
    const index = pattern.exec(url)?.[1]
    if (index !== undefined) return Number(index)
  }
  return undefined
}

const APP_PATH = /^https?:\/\/gemini\.google\.com\/u\/(\d{1,2})(?:[/?]|$)/
const APP_QUERY = /^https?:\/\/gemini\.google\.com\/[^?#]*\?(?:[^#]*&)?authuser=(\d{1,2})(?:[&#]|$)/
const ANY_PATH = /^https?:\/\/[^/]*\bgoogle\.com\/u\/(\d{1,2})(?:[/?]|$)/
