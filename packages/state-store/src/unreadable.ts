import type { StateError } from './error.ts'
import type { StateStatus } from './state-store.ts'

/** Records that were found not to open, and what the status of a store says of them. */
export interface UnreadableRecords {
  /** @param asked True when somebody needed just this record: then the store is not well. Passed over in a list, it is a warning. */
  note(key: string, error: StateError, options: { asked: boolean; expiresAt?: number | undefined }): void
  /** It was written anew, was deleted, or opens. */
  forget(key: string): void
  keys(): string[]
  addTo(status: StateStatus): StateStatus
}

interface Note {
  error: StateError
  asked: boolean
  since: number
  expiresAt: number
}

/** Most records that are remembered; a store with more of them has another trouble. */
const MAX_NOTES = 1000
/** So many are named, the others counted. */
const NAMED = 5

/** @param onNew Called once for each record that is found not to open. */
export function createUnreadableRecords(onNew: (error: StateError) => void = () => {}): UnreadableRecords {
  const notes = new Map<string, Note>()

  function dropExpired(): void {
    for (const [key, { expiresAt }] of notes) if (expiresAt <= Date.now()) notes.delete(key)
  }

  return {
    note(key, error, { asked, expiresAt = Infinity }) {
      const known = notes.get(key)
      if (known === undefined && notes.size >= MAX_NOTES) return
      const since = known?.since ?? Date.now()
      notes.set(key, { error, asked: asked || known?.asked === true, since, expiresAt })
      if (known === undefined) onNew(error)
    },
    forget: (key) => void notes.delete(key),
    keys: () => [...notes.keys()],
    addTo(status) {
      dropExpired()
      if (notes.size === 0) return status
      const all = [...notes.values()]
      const messages = all.slice(0, NAMED).map(({ error }) => error.message)
      const more = all.length - messages.length
      const warnings = [...status.warnings, ...messages, ...(more > 0 ? [`${more} more records do not open`] : [])]
      const asked = all.filter((note) => note.asked)
      const [first] = asked
      if (!status.ok || first === undefined) return { ...status, warnings }
      const others = asked.length > 1 ? ` (and ${asked.length - 1} more)` : ''
      return { ...status, ok: false, since: first.since, reason: first.error.message + others, warnings }
    },
  }
}
