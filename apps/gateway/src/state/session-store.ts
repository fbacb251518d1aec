import { GenerationError } from '@castorjs/content-generator'
import type { SessionState, SessionStore } from '@castorjs/gemini-web-client'
import { isStateError, updateRecord, withLock, type StateStore } from '@castorjs/state-store'

/** Where a session of the web app is kept, by the name of its record: an account's own, or one that several share. */
export const sessionKey = (home: string): string => `web-session/${home}`
/** A renewal asks Google once and writes once; a holder that died frees it after this. */
const LOCK_MS = 20_000

/** A session's place in the state, and the end of it. */
export interface AccountSessionStore extends SessionStore {
  /** Its place from now on; nothing is copied. */
  moveTo(home: string): void
  /** The account was removed or another session of it took over: what is not there any more is not written again. */
  retire(): void
}

/**
 * Keeps one account's session in the state. A write is durable when it resolves, so a renewed ticket is never used
 * before it is safe; with a shared state one process renews at a time and the others read what it wrote. A process
 * that still holds older cookies never overwrites newer ones.
 */
export function createSessionStore(state: StateStore, place: string): AccountSessionStore {
  let home = place
  let retired = false
  let saved: { ticketAtMs: number | undefined; rotatedAtMs: number | undefined } | undefined
  return {
    moveTo(other) {
      home = other
    },
    retire() {
      retired = true
    },
    async load() {
      const record = await state.get(sessionKey(home)).catch(toClientError)
      const session = record?.value as SessionState | undefined
      saved ??= { ticketAtMs: session?.ticketAtMs, rotatedAtMs: session?.rotatedAtMs }
      return session
    },
    async save(session) {
      try {
        await updateRecord(state, sessionKey(home), (stored) => {
          // A ticket that is renewed while the session is being replaced is the newest there is of it.
          if (retired && stored === undefined) return undefined
          return newest(stored as SessionState | undefined, session)
        })
        saved = { ticketAtMs: session.ticketAtMs, rotatedAtMs: session.rotatedAtMs }
      } catch (error) {
        // Counters and page tokens can wait for the next save. A renewal is never begun, and its ticket never used,
        // without a place to keep it.
        const renewal = session.ticketAtMs !== saved?.ticketAtMs || session.rotatedAtMs !== saved?.rotatedAtMs
        if (renewal || !isStateError(error) || error.code !== 'unavailable') return toClientError(error)
      }
    },
    async exclusive(work) {
      const done = await withRenewalLock(state, home, 2 * LOCK_MS, work).catch(toClientError)
      // Whoever held the lock that long is stuck; its ticket runs out while everybody waits.
      return done === undefined ? work() : done.value
    },
  }
}

/** Runs work while nobody else renews the session of this home; undefined when somebody held it for so long. */
export function withRenewalLock<Result>(
  state: StateStore,
  home: string,
  waitMs: number,
  work: () => Promise<Result>,
): Promise<{ value: Result } | undefined> {
  return withLock(state, sessionKey(home), () => work(), { ttlMs: LOCK_MS, waitMs })
}

/**
 * A state that is away is no bug and nobody's account at fault: another one may do, whose session this process has at
 * hand.
 */
function toClientError(error: unknown): never {
  if (!isStateError(error)) throw error
  const message =
    error.code === 'unavailable'
      ? 'The state that keeps this session cannot be reached. Try again in a moment.'
      : `The state that keeps this session cannot be used: ${error.message}`
  throw new GenerationError('upstream_unavailable', message, { fault: 'castor', retryAfterMs: RETRY_MS, cause: error })
}

const RETRY_MS = 2_000

/** Of two states of one account the one with the newer import, then with the newer ticket; and the later renewal. */
function newest(stored: SessionState | undefined, next: SessionState): SessionState {
  if (stored === undefined) return next
  const storedIsNewer = isMissing(stored.imports.at(-1), next.imports)
  const nextIsNewer = !storedIsNewer && isMissing(next.imports.at(-1), stored.imports)
  // Google counts its minute per session, whoever exported the cookies again in between.
  if (nextIsNewer) return isOneSession(stored, next) ? withRotation(next, stored.rotatedAtMs) : next
  const kept = storedIsNewer || (stored.ticketAtMs ?? 0) > (next.ticketAtMs ?? 0) ? stored : next
  if (storedIsNewer && !isOneSession(stored, next)) return kept
  return withRotation(kept, kept === stored ? next.rotatedAtMs : stored.rotatedAtMs)
}

/** The same with the later of two renewals: Google counts its minute per session. */
export function withRotation(session: SessionState, otherMs: number | undefined): SessionState {
  const rotatedAtMs = later(session.rotatedAtMs, otherMs)
  return { ...session, ...(rotatedAtMs === undefined ? {} : { rotatedAtMs }) }
}

export function isOneSession(one: SessionState, other: SessionState): boolean {
  return sessionIn(one.cookies) === sessionIn(other.cookies)
}

/** Value of the session cookie. Secret. */
export function sessionIn(cookies: readonly { name: string; value: string }[]): string | undefined {
  return cookies.find(({ name }) => name === '__Secure-1PSID')?.value
}

function isMissing(mark: string | undefined, marks: readonly string[]): boolean {
  return mark !== undefined && !marks.includes(mark)
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one
}
