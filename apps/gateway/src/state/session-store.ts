import { GeminiWebError, type SessionState, type SessionStore } from '@castorjs/gemini-web-client'
import { isStateError, updateRecord, withLock, type StateStore } from '@castorjs/state-store'

/** Where a session of the web app is kept. */
export const sessionKey = (label: string): string => `web-session/${label}`
/** A renewal asks Google once and writes once; a holder that died frees it after this. */
const LOCK_MS = 20_000

/** A session's place in the state, and the end of it. */
export interface AccountSessionStore extends SessionStore {
  /** Writes nothing from now on: the account was removed, or another session of it took over. */
  retire(): void
}

/**
 * Keeps one account's session in the state. A write is durable when it resolves, so a renewed ticket is never used
 * before it is safe; with a shared state one process renews at a time and the others read what it wrote. A process
 * that still holds older cookies never overwrites newer ones.
 */
export function createSessionStore(state: StateStore, label: string): AccountSessionStore {
  let retired = false
  let saved: { ticketAtMs: number | undefined; rotatedAtMs: number | undefined } | undefined
  return {
    retire() {
      retired = true
    },
    async load() {
      const record = await state.get(sessionKey(label)).catch(toClientError)
      const session = record?.value as SessionState | undefined
      saved ??= { ticketAtMs: session?.ticketAtMs, rotatedAtMs: session?.rotatedAtMs }
      return session
    },
    async save(session) {
      if (retired) return
      try {
        await updateRecord(state, sessionKey(label), (stored) =>
          retired ? undefined : newest(stored as SessionState | undefined, session),
        )
        saved = { ticketAtMs: session.ticketAtMs, rotatedAtMs: session.rotatedAtMs }
      } catch (error) {
        // Counters and page tokens can wait for the next save. A renewal is never begun, and its ticket never used,
        // without a place to keep it.
        const renewal = session.ticketAtMs !== saved?.ticketAtMs || session.rotatedAtMs !== saved?.rotatedAtMs
        if (renewal || !isStateError(error) || error.code !== 'unavailable') return toClientError(error)
      }
    },
    async exclusive(work) {
      const times = { ttlMs: LOCK_MS, waitMs: 2 * LOCK_MS }
      const done = await withLock(state, sessionKey(label), () => work(), times).catch(toClientError)
      // Whoever held the lock that long is stuck; its ticket runs out while everybody waits.
      return done === undefined ? work() : done.value
    },
  }
}

/** A state that is away is no bug: another account may do, whose session this process has at hand. */
function toClientError(error: unknown): never {
  if (!isStateError(error)) throw error
  throw new GeminiWebError('unavailable', 'The state that keeps this session cannot be reached', { cause: error })
}

/** Of two states of one account the one with the newer import, then with the newer ticket; and the later renewal. */
function newest(stored: SessionState | undefined, next: SessionState): SessionState {
  if (stored === undefined) return next
  const storedIsNewer = isMissing(stored.imports.at(-1), next.imports)
  const nextIsNewer = !storedIsNewer && isMissing(next.imports.at(-1), stored.imports)
  if (nextIsNewer) return next
  const kept = storedIsNewer || (stored.ticketAtMs ?? 0) > (next.ticketAtMs ?? 0) ? stored : next
  const rotatedAtMs = storedIsNewer ? stored.rotatedAtMs : later(stored.rotatedAtMs, next.rotatedAtMs)
  return { ...kept, ...(rotatedAtMs === undefined ? {} : { rotatedAtMs }) }
}

function isMissing(mark: string | undefined, marks: readonly string[]): boolean {
  return mark !== undefined && !marks.includes(mark)
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one
}
