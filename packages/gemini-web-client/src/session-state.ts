import { createCookieJar, sessionOf, ticketExpiry, type CookieJar } from './cookies/cookie-jar.ts'
import { SESSION_COOKIE, TICKET_COOKIE, type ImportedCookie } from './cookies/read-cookies.ts'

/** What survives a restart, as plain JSON. It holds secrets: keep it in a file only its owner can read. */
export interface SessionState {
  version: 1
  cookies: ImportedCookie[]
  /** Fingerprints of the exports that were taken in, newest last: an old export never overwrites newer cookies. */
  imports: string[]
  /**
   * Other cookies of the same session, of which nobody knows whether they are older or newer than those in use. They take
   * their place when those are refused, and go when the ticket is renewed.
   */
  spare?: ImportedCookie[]
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
  const value = (name: string): string => valueIn(cookies, name) ?? ''
  const bytes = new TextEncoder().encode(`${value(SESSION_COOKIE)}\n${value(TICKET_COOKIE)}`)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface MergedSession {
  imports: string[]
  /** True when the export is in use now. */
  imported: boolean
  spare: ImportedCookie[] | undefined
  /** True when it differs from what was stored. */
  changed: boolean
}

/**
 * Fills a jar from what was stored and what was given now. An export that was taken in before never comes back;
 * one of the same session whose ticket expires no later than the stored one is older and is left out too. One whose age
 * nobody knows is kept as a spare: cookies that may work are not given up for others that may not.
 */
export async function fillJar(
  jar: CookieJar,
  stored: SessionState | undefined,
  given: readonly ImportedCookie[] | undefined,
): Promise<MergedSession> {
  const imports = stored?.imports ?? []
  const spare = stored?.spare
  if (stored !== undefined) jar.add(stored.cookies)
  if (given === undefined) return { imports, imported: false, spare, changed: false }
  const mark = await fingerprint(given)
  const rank = await rankImport(stored, given)
  const withMark = [...imports.filter((one) => one !== mark), mark].slice(-IMPORTS_KEPT)
  // One whose session has ended is no good in the place of one that goes on, nor beside it.
  const over = isOver(given)
  if ((rank !== 'newer' || over) && sessionOf(jar) !== undefined) {
    if (rank === 'known') return { imports, imported: false, spare, changed: false }
    const beside = rank === 'unclear' && !over
    return { imports: withMark, imported: false, spare: beside ? [...given] : spare, changed: true }
  }
  const session = given.find((cookie) => cookie.name === SESSION_COOKIE)?.value
  if (sessionOf(jar) !== session) jar.clear()
  jar.add(given)
  return { imports: withMark, imported: true, spare: undefined, changed: true }
}

function isOver(given: readonly ImportedCookie[]): boolean {
  const trial = createCookieJar()
  trial.add(given)
  return sessionOf(trial) === undefined
}

/**
 * How an export stands to what is stored.
 *
 * - `newer`: of another session, or of the same one with a ticket that ends later.
 * - `known`: it was taken in before.
 * - `older`: of the same session with a ticket that ends no later.
 * - `unclear`: of the same session, and one of the two does not say when its ticket ends.
 */
export type ImportRank = 'newer' | 'known' | 'older' | 'unclear'

export async function rankImport(
  stored: SessionState | undefined,
  given: readonly ImportedCookie[],
): Promise<ImportRank> {
  if (stored === undefined) return 'newer'
  if (stored.imports.includes(await fingerprint(given))) return 'known'
  if (valueIn(given, SESSION_COOKIE) !== valueIn(stored.cookies, SESSION_COOKIE)) return 'newer'
  if (valueIn(given, TICKET_COOKIE) === valueIn(stored.cookies, TICKET_COOKIE)) return 'older'
  const givenExpiry = ticketExpiry(given)
  const storedExpiry = ticketExpiry(stored.cookies)
  if (givenExpiry === undefined || storedExpiry === undefined) return 'unclear'
  return givenExpiry <= storedExpiry ? 'older' : 'newer'
}

function valueIn(cookies: readonly ImportedCookie[], name: string): string | undefined {
  return cookies.find((cookie) => cookie.name === name)?.value
}
