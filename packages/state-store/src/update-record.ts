import { isStateError, StateError } from './error.ts'
import type { StateStore, WriteOptions } from './state-store.ts'

/** Tries before giving up on a record that keeps changing. */
const MAX_TRIES = 50

/**
 * Reads, changes and writes a record so that no write of anybody is lost.
 *
 * @param change Gets the value there is, or `undefined`. May be called several times. Returning `undefined` leaves the
 * record. Where a record is there but `unreadable` it gets `undefined` and the error; what it returns takes its place.
 * @returns What was written, or `undefined`.
 * @throws {StateError} `conflict` when the record changed under every one of 50 tries.
 */
export async function updateRecord<T>(
  store: StateStore,
  key: string,
  change: (value: unknown, unreadable?: StateError) => T | undefined,
  options: WriteOptions = {},
): Promise<T | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await store.get(key).catch(orUnreadable)
    const value = isStateError(found) ? change(undefined, found) : change(found?.value)
    if (value === undefined) return undefined
    if ((await store.compareAndSet(key, found?.version ?? 0, value, options)) !== undefined) return value
  }
  throw new StateError('conflict', `The record "${key}" changed under ${MAX_TRIES} tries to update it`)
}

function orUnreadable(error: unknown): StateError {
  if (isStateError(error) && error.code === 'unreadable' && error.version !== undefined) return error
  throw error
}
