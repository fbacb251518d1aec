import type { SessionState } from './session-state.ts'
import { backgroundTimer } from './within.ts'

/** Shortest time between two saves of counters, in milliseconds. */
const SAVE_EVERY_MS = 1_000

/** When a save that failed is tried again, in milliseconds. */
const AGAIN_MS = 2_000

/** Keeps the state of a session; what the store refused is tried again until it takes it. Saves never overlap; what changes during one is in the next. */
export interface SessionSaver {
  /** @throws What the store throws. */
  save(): Promise<void>
  /** Counters are saved at once, and those of a burst together. Never in the turn of the event loop that hands on a reply. */
  saveSoon(): void
  /** The store refused the last state. */
  readonly failed: boolean
  /** Waits for a save that is under way. */
  settle(): Promise<void>
  close(): Promise<void>
}

export interface SessionSaverOptions {
  /** What there is now. */
  take: () => SessionState
  /** Durable when it resolves. */
  keep: (state: SessionState) => Promise<void>
  onKept: (state: SessionState) => void
}

export function createSessionSaver({ take, keep, onKept }: SessionSaverOptions): SessionSaver {
  let saving: Promise<void> | undefined
  let dirty = false
  let failed = false
  let savedAt = Number.NEGATIVE_INFINITY
  let cancelSoon: (() => void) | undefined
  let closed = false

  async function saveAll(): Promise<void> {
    try {
      while (dirty) {
        dirty = false
        const state = take()
        await keep(state)
        failed = false
        savedAt = performance.now()
        onKept(state)
      }
    } catch (error) {
      failed = true
      // A new ticket perhaps, which nobody else has.
      saveAfter(AGAIN_MS)
      throw error
    } finally {
      saving = undefined
    }
  }

  function save(): Promise<void> {
    dirty = true
    // In a later turn: a store may throw at once, and what is over before it is noted here would stand for ever.
    saving ??= Promise.resolve().then(saveAll)
    return saving
  }

  async function settle(): Promise<void> {
    await saving?.catch(() => undefined)
  }

  function saveAfter(ms: number): void {
    if (closed) return
    cancelSoon ??= backgroundTimer(() => {
      cancelSoon = undefined
      save().catch(() => undefined)
    }, ms)
  }

  return {
    save,
    saveSoon: () => saveAfter(Math.max(0, savedAt + SAVE_EVERY_MS - performance.now())),
    get failed() {
      return failed
    },
    settle,
    async close() {
      await settle()
      closed = true
      // What the store refused once, a ticket perhaps, it may take now; nobody else has it.
      if (cancelSoon === undefined && !failed) return
      cancelSoon?.()
      await save().catch(() => undefined)
    },
  }
}

/** Where nothing is kept. */
export const NO_SAVER: SessionSaver = {
  save: () => Promise.resolve(),
  saveSoon: () => undefined,
  failed: false,
  settle: () => Promise.resolve(),
  close: () => Promise.resolve(),
}
