import { StateError } from './error.ts'
import type { StateStore, WriteOptions } from './state-store.ts'

/** Tries before giving up on a record that keeps changing. */
const MAX_TRIES = 50

/**
 * Reads, changes and writes a record so that no write of anybody is lost.
 *
 * @param change Gets the value there is, or `undefined`. May be called several times. Returning `undefined` leaves the record.
 * @returns What was written, or `undefined`.
 * @throws {StateError} `conflict` when the record changed under every one of 50 tries.
 */
export async function updateRecord<T>(
  store: StateStore,
  key: string,
  change: (value: unknown) => T | undefined,
  options: WriteOptions = {},
): Promise<T | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const record = await store.get(key)
    const value = change(record?.value)
    if (value === undefined) return undefined
    if ((await store.compareAndSet(key, record?.version ?? 0, value, options)) !== undefined) return value
  }
  throw new StateError('conflict', `The record "${key}" changed under ${MAX_TRIES} tries to update it`)
}
