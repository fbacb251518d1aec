import { isStateError } from './error.ts'
import type { StateRecord, StateStore } from './state-store.ts'

/** A record for a reader that can do without it, and writes it anew then: nothing where it is `unreadable` too. */
export function getIfReadable(store: StateStore, key: string): Promise<StateRecord | undefined> {
  return store.get(key).catch((error: unknown) => {
    if (isStateError(error) && error.code === 'unreadable') return undefined
    throw error
  })
}
