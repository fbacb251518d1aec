import { sessionOf, ticketExpiry, type CookieJar } from './cookies/cookie-jar.ts'
import { SESSION_COOKIE, TICKET_COOKIE, type ImportedCookie } from './cookies/read-cookies.ts'

/** What survives a restart, as plain JSON. It holds secrets: keep it in a file only its owner can read. */
export interface SessionState {
  version: 1
  cookies: ImportedCookie[]
  /** Fingerprints of the exports that were taken in, newest last: an old export never overwrites newer cookies. */
  imports: string[]
  /** When the server was last asked to rotate, Unix milliseconds. */
  rotatedAtMs?: number
  /** When the ticket was last renewed or confirmed, Unix milliseconds. */
  ticketAtMs?: number
  /** The last request token and when it came; only good for the session in `cookies`. */
  token?: { value: string; fetchedAtMs: number }
}

/** Where a session is kept between runs. A `save` must be durable when its promise resolves: a renewed ticket is not used before. */
export interface SessionStore {
  load(): Promise<SessionState | undefined> | SessionState | undefined
  save(state: SessionState): Promise<void> | void
  /** Runs `work` while no other process does the same; for several processes on one account. */
  exclusive?<Result>(work: () => Promise<Result>): Promise<Result>
}

/** How many exports are remembered. */
const IMPORTS_KEPT = 20

/** Fingerprint of an export: the session and ticket in it, hashed. */
async function fingerprint(cookies: readonly ImportedCookie[]): Promise<string> {
  const value = (name: string): string => cookies.find((cookie) => cookie.name === name)?.value ?? ''
  const bytes = new TextEncoder().encode(`${value(SESSION_COOKIE)}\n${value(TICKET_COOKIE)}`)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface MergedSession {
  imports: string[]
  /** False when the stored cookies were newer and the export was left out. */
  imported: boolean
}

/**
 * Fills a jar from what was stored and what was given now. An export that was taken in before never comes back;
 * one of the same session whose ticket expires no later than the stored one is older and is left out too.
 */
export async function fillJar(
  jar: CookieJar,
  stored: SessionState | undefined,
  given: readonly ImportedCookie[] | undefined,
): Promise<MergedSession> {
  const imports = stored?.imports ?? []
  if (stored !== undefined) jar.add(stored.cookies)
  if (given === undefined) return { imports, imported: false }
  const mark = await fingerprint(given)
  const rank = await rankImport(stored, given)
  if (rank !== 'newer' && sessionOf(jar) !== undefined) {
    return { imports: rank === 'known' ? imports : [...imports, mark].slice(-IMPORTS_KEPT), imported: false }
  }
  const session = given.find((cookie) => cookie.name === SESSION_COOKIE)?.value
  if (sessionOf(jar) !== session) jar.clear()
  jar.add(given)
  return { imports: [...imports.filter((one) => one !== mark), mark].slice(-IMPORTS_KEPT), imported: true }
}

/**
 * How an export stands to what is stored: `known` was taken in before, `older` is of the same session with a ticket
 * that ends no later. Only a `newer` one replaces cookies.
 */
export async function rankImport(
  stored: SessionState | undefined,
  given: readonly ImportedCookie[],
): Promise<'newer' | 'known' | 'older'> {
  if (stored === undefined) return 'newer'
  if (stored.imports.includes(await fingerprint(given))) return 'known'
  return isOlder(given, stored.cookies) ? 'older' : 'newer'
}

function isOlder(given: readonly ImportedCookie[], stored: readonly ImportedCookie[]): boolean {
  const session = (list: readonly ImportedCookie[]): string | undefined =>
    list.find((cookie) => cookie.name === SESSION_COOKIE)?.value
  if (session(given) !== session(stored)) return false
  const givenExpiry = ticketExpiry(given)
  const storedExpiry = ticketExpiry(stored)
  return givenExpiry !== undefined && storedExpiry !== undefined && givenExpiry <= storedExpiry
}
