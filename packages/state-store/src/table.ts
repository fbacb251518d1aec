import type { Count, CountOptions, StateRecord } from './state-store.ts'

/**
 * One change, as it is written to a log. Absolute, so that applying it twice, or in the middle of a later snapshot,
 * does no harm. Records: `r`, their JSON text `v` (absent: deleted) and version `n`. Counters: `c` and `v`. `e` is when it expires.
 */
export type Change = { r: string; v?: string; n: number; e?: number } | { c: string; v?: number; e?: number }

interface Row {
  text: string
  version: number
  expiresAt: number | undefined
}

interface Counter {
  value: number
  expiresAt: number | undefined
}

interface Lock {
  token: number
  expiresAt: number
}

/** Records, counters and locks in Maps. Every step is synchronous, so nothing comes between check and act. */
export class Table {
  readonly #records = new Map<string, Row>()
  readonly #counters = new Map<string, Counter>()
  readonly #locks = new Map<string, Lock>()
  readonly #now: () => number
  #sequence = 0

  constructor(now: () => number) {
    this.#now = now
  }

  get(key: string): StateRecord | undefined {
    const row = this.#alive(this.#records, key)
    return row === undefined ? undefined : toRecord(key, row)
  }

  /** @param version Undefined writes whatever is there; 0 only where nothing is. */
  set(
    key: string,
    text: string,
    version: number | undefined,
    ttlMs: number | undefined,
  ): (Change & { n: number }) | undefined {
    if (version !== undefined && (this.#alive(this.#records, key)?.version ?? 0) !== version) return undefined
    const expiresAt = ttlMs === undefined ? undefined : this.#now() + ttlMs
    const change = { r: key, v: text, n: this.#next(), ...(expiresAt === undefined ? {} : { e: expiresAt }) }
    this.apply(change)
    return change
  }

  delete(key: string, version: number | undefined): Change | undefined {
    const row = this.#alive(this.#records, key)
    if (row === undefined || (version !== undefined && row.version !== version)) return undefined
    const change = { r: key, n: this.#next() }
    this.apply(change)
    return change
  }

  /** Keys that begin so, sorted as Redis sorts them: by bytes. */
  keys(prefix: string): string[] {
    return [...this.#records.keys()]
      .filter((key) => key.startsWith(prefix) && this.#alive(this.#records, key) !== undefined)
      .toSorted(byBytes)
  }

  count(key: string, { by = 1, ttlMs, max = Infinity }: CountOptions): { count: Count; change?: Change } {
    const counter = this.#alive(this.#counters, key)
    const value = (counter?.value ?? 0) + by
    if (by === 0 || value > max) return { count: toCount(by === 0, counter ?? { value: 0, expiresAt: undefined }) }
    const expiresAt =
      counter === undefined ? (ttlMs === undefined ? undefined : this.#now() + ttlMs) : counter.expiresAt
    const change = { c: key, v: value, ...(expiresAt === undefined ? {} : { e: expiresAt }) }
    this.apply(change)
    return { count: toCount(true, { value, expiresAt }), change }
  }

  resetCount(key: string): Change | undefined {
    if (!this.#counters.has(key)) return undefined
    this.#counters.delete(key)
    return { c: key }
  }

  lock(name: string, ttlMs: number): Lock | undefined {
    if (this.#alive(this.#locks, name) !== undefined) return undefined
    const lock = { token: this.#next(), expiresAt: this.#now() + ttlMs }
    this.#locks.set(name, lock)
    return lock
  }

  renew(name: string, token: number, ttlMs: number): number | undefined {
    const lock = this.#alive(this.#locks, name)
    if (lock?.token !== token) return undefined
    lock.expiresAt = this.#now() + ttlMs
    return lock.expiresAt
  }

  unlock(name: string, token: number): boolean {
    return this.#alive(this.#locks, name)?.token === token && this.#locks.delete(name)
  }

  /** Replays a change. */
  apply(change: Change): void {
    if ('c' in change) {
      if (change.v === undefined) this.#counters.delete(change.c)
      else this.#counters.set(change.c, { value: change.v, expiresAt: change.e })
      return
    }
    this.#sequence = Math.max(this.#sequence, change.n)
    if (change.v === undefined) this.#records.delete(change.r)
    else this.#records.set(change.r, { text: change.v, version: change.n, expiresAt: change.e })
  }

  /** Everything that is alive, as changes from nothing. Locks are left out: they are held by living processes. */
  *snapshot(): Generator<Change> {
    for (const [key, row] of this.#records) {
      if (this.#alive(this.#records, key) === undefined) continue
      yield { r: key, v: row.text, n: row.version, ...(row.expiresAt === undefined ? {} : { e: row.expiresAt }) }
    }
    for (const [key, counter] of this.#counters) {
      if (this.#alive(this.#counters, key) === undefined) continue
      yield { c: key, v: counter.value, ...(counter.expiresAt === undefined ? {} : { e: counter.expiresAt }) }
    }
  }

  /** Drops what has expired. */
  purge(): void {
    for (const key of this.#records.keys()) this.#alive(this.#records, key)
    for (const key of this.#counters.keys()) this.#alive(this.#counters, key)
    for (const key of this.#locks.keys()) this.#alive(this.#locks, key)
  }

  /** Grows even where the last numbers were lost with the state: it is the time in microseconds, or one more. */
  #next(): number {
    this.#sequence = Math.max(this.#sequence + 1, this.#now() * 1000)
    return this.#sequence
  }

  #alive<T extends { expiresAt: number | undefined }>(map: Map<string, T>, key: string): T | undefined {
    const found = map.get(key)
    if (found?.expiresAt === undefined || found.expiresAt > this.#now()) return found
    map.delete(key)
    return undefined
  }
}

function toRecord(key: string, { text, version, expiresAt }: Row): StateRecord {
  const record = { key, value: JSON.parse(text) as unknown, version }
  return expiresAt === undefined ? record : { ...record, expiresAt }
}

function toCount(counted: boolean, { value, expiresAt }: Counter): Count {
  return expiresAt === undefined ? { counted, value } : { counted, value, expiresAt }
}

const encoder = new TextEncoder()

function byBytes(a: string, b: string): number {
  const left = encoder.encode(a)
  const right = encoder.encode(b)
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
