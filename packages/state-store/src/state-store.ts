export interface StateRecord {
  key: string
  /** JSON. A fresh copy each time. */
  value: unknown
  /** Grows with every write in the store; never used twice, not even for a record that was deleted and made again. */
  version: number
  /** Milliseconds since 1970, by the home's clock; absent for a record that stays. */
  expiresAt?: number
}

export interface WriteOptions {
  /** Life of the record from now. Default: it stays. */
  ttlMs?: number
}

export interface CountOptions {
  /** Added to the counter; may be negative. 0 reads it. Default 1. */
  by?: number
  /** Life of the counter from its first count; later counts do not prolong it. Default: it stays. */
  ttlMs?: number
  /** The counter is left as it is if it would pass this. Default: no limit. */
  max?: number
}

export interface Count {
  /** False when `max` stood in the way. */
  counted: boolean
  /** What the counter is now. */
  value: number
  /** Milliseconds since 1970, by the home's clock. */
  expiresAt?: number
}

/** A lock that is held for a time. */
export interface Lease {
  name: string
  /** Grows with every lock given out. Hand it to what the lock protects, so that a late holder can be told apart. */
  token: number
  /** Milliseconds since 1970, by the home's clock. */
  readonly expiresAt: number
  /** Holds on for another while from now. @returns False when the lock is lost; someone else may hold it. */
  renew(ttlMs?: number): Promise<boolean>
  /** Gives it back. @returns False when it was lost before. */
  release(): Promise<boolean>
}

export interface StateStatus {
  home: 'memory' | 'file' | 'redis'
  ok: boolean
  /** When `ok` last changed. Milliseconds since 1970. */
  since: number
  /** Why it is not ok, in words for the operator. */
  reason?: string
  /** What was found damaged and repaired when it was opened, and what about the home is a danger to the state. */
  warnings: readonly string[]
}

/**
 * Small durable records, counters and locks. The three do not share names.
 *
 * Keys are 1 to 512 characters without control characters. Every method throws `StateError`; a write that was
 * acknowledged is durable as far as the home can be (see each home).
 */
export interface StateStore {
  /** True when other processes may use the same state at the same time. */
  readonly shared: boolean
  get(key: string): Promise<StateRecord | undefined>
  /** @param value JSON of at most 1 MiB. @returns The record's version. */
  set(key: string, value: unknown, options?: WriteOptions): Promise<number>
  /**
   * Writes only if nobody wrote in between.
   *
   * @param version What `get` said; 0 when there must be no record.
   * @returns The new version, or nothing when the record is another one now.
   */
  compareAndSet(key: string, version: number, value: unknown, options?: WriteOptions): Promise<number | undefined>
  /** @param version Delete only this one. @returns False when there was nothing to delete. */
  delete(key: string, version?: number): Promise<boolean>
  /** Records whose key begins so, by key. Records written meanwhile may or may not be among them. */
  list(prefix: string): AsyncIterable<StateRecord>
  /** Counts, and says where the counter stands, in one step. */
  count(key: string, options?: CountOptions): Promise<Count>
  resetCount(key: string): Promise<void>
  /** Takes a lock for a time. @returns Nothing when someone holds it. */
  tryLock(name: string, ttlMs: number): Promise<Lease | undefined>
  /**
   * Drops history: what was overwritten, deleted or has expired is gone from the home afterwards, as far as that is in
   * its hands (a file is written anew; Redis keeps its own log).
   */
  compact(): Promise<void>
  /** How the home is, as far as it is known without asking. */
  status(): StateStatus
  /** Waits for what is being written and lets go. Locks that are held run out by themselves. */
  close(): Promise<void>
}
