import type { SessionState, SessionStore } from '@castorjs/gemini-web-client'
import { withLock, type StateStore } from '@castorjs/state-store'

/** Where a session of the web app is kept. */
const KEY = (label: string): string => `web-session/${label}`
/** A renewal asks Google once and writes once; a holder that died frees it after this. */
const LOCK_MS = 20_000

/**
 * Keeps one account's session in the state. A write is durable when it resolves, so a renewed ticket is never used
 * before it is safe; with a shared state one process renews at a time and the others read what it wrote.
 */
export function createSessionStore(state: StateStore, label: string): SessionStore {
  return {
    async load() {
      const record = await state.get(KEY(label))
      return record?.value as SessionState | undefined
    },
    async save(session) {
      await state.set(KEY(label), session)
    },
    async exclusive(work) {
      const done = await withLock(state, KEY(label), () => work(), { ttlMs: LOCK_MS, waitMs: 2 * LOCK_MS })
      // Whoever held the lock that long is stuck; its ticket runs out while everybody waits.
      return done === undefined ? work() : done.value
    },
  }
}
