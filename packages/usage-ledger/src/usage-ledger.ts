import { addEntry, addRow, emptyRow, UNKNOWN, type LedgerRow, type RowName, type UsageEntry } from './ledger-row.ts'

/** Where rows are kept. A `StateStore` of `@castorjs/state-store` is one. */
export interface LedgerStore {
  get(key: string): Promise<{ value: unknown; version: number } | undefined>
  /** Writes only if nobody wrote in between; version 0 when there must be no record. Gives nothing when somebody did. */
  compareAndSet(key: string, version: number, value: unknown, options: { ttlMs: number }): Promise<number | undefined>
  list(prefix: string): AsyncIterable<{ key: string; value: unknown }>
}

export interface UsageLedgerOptions {
  store: LedgerStore
  /** Begins the key of every record. Default `usage/`. */
  prefix?: string
  /** How long rows are kept, in days. Default 90. */
  keepDays?: number
  /** Rows a day at most. What is beyond goes into rows whose account and model are `(other)`. Default 5 000. */
  maxRowsPerDay?: number
  /** How long a request may wait to be written, in milliseconds: what a crash can lose. Default 5 000. */
  flushMs?: number
  /** Clock, for tests. */
  now?: () => number
  /** Writing failed. It is tried again with the next request. */
  onError?: (error: unknown) => void
}

export interface LedgerQuery {
  /** First and last day, as `2026-11-20`. Default: all. */
  from?: string
  to?: string
  key?: string
  upstream?: string
  account?: string
  model?: string
}

export interface UsageLedger {
  /** Counts one request. Never throws, never waits. */
  record(entry: UsageEntry): void
  /**
   * Rows of all processes that share the store, by day and name; what this one has not written yet is written first.
   * @throws {RangeError} naming the field when a day is not a day.
   */
  rows(query?: LedgerQuery): Promise<LedgerRow[]>
  flush(): Promise<void>
  /** Writes what is left and stops. */
  close(): Promise<void>
}

const DAY_MS = 86_400_000
/** Longest name kept, in characters; names of models come from callers. */
const MAX_NAME = 200
const MAX_TRIES = 50
const OTHER = '(other)'

/** Counts what was used, a row for each day, key, upstream, account and model. Any number of processes may share it. */
export function createUsageLedger({
  store,
  prefix = 'usage/',
  keepDays = 90,
  maxRowsPerDay = 5_000,
  flushMs = 5_000,
  now = Date.now,
  onError = () => {},
}: UsageLedgerOptions): UsageLedger {
  let unwritten = new Map<string, LedgerRow>()
  let known = { day: '', ids: new Set<string>() }
  let timer: ReturnType<typeof setTimeout> | undefined
  let writing: Promise<void> = Promise.resolve()

  function nameOf({ key, upstream, account, model }: UsageEntry): RowName {
    const day = dayOf(now())
    if (known.day !== day) known = { day, ids: new Set() }
    const name = { day, key: short(key), upstream: short(upstream), account: short(account), model: short(model) }
    const id = idOf(name)
    if (known.ids.has(id) || known.ids.size < maxRowsPerDay) {
      known.ids.add(id)
      return name
    }
    return { ...name, account: OTHER, model: OTHER }
  }

  function later(): void {
    if (timer !== undefined) return
    timer = setTimeout(() => void flush().catch(onError), flushMs)
    // A ledger does not keep a process alive; `close` writes what is left.
    if (typeof timer === 'object') timer.unref()
  }

  async function write(row: LedgerRow): Promise<void> {
    const key = `${prefix}${row.day}/${await hash(idOf(row))}`
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const record = await store.get(key)
      const sum = addRow((record?.value as LedgerRow | undefined) ?? emptyRow(row), row)
      const version = await store.compareAndSet(key, record?.version ?? 0, sum, { ttlMs: (keepDays + 1) * DAY_MS })
      if (version !== undefined) return
    }
    throw new Error(`The usage of ${row.day} kept changing while it was written`)
  }

  async function writeAll(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const batch = [...unwritten.values()]
    unwritten = new Map()
    for (let index = 0; index < batch.length; index++) {
      const row = batch[index]
      if (row === undefined) continue
      try {
        await write(row)
      } catch (error) {
        for (const left of batch.slice(index)) keep(left)
        throw error
      }
    }
  }

  /** Puts a row back that could not be written. */
  function keep(row: LedgerRow): void {
    const id = idOf(row)
    const newer = unwritten.get(id)
    if (newer === undefined) unwritten.set(id, row)
    else addRow(newer, row)
  }

  function flush(): Promise<void> {
    writing = writing.catch(() => {}).then(writeAll)
    return writing
  }

  return {
    record(entry) {
      const name = nameOf(entry)
      const id = idOf(name)
      let row = unwritten.get(id)
      if (row === undefined) unwritten.set(id, (row = emptyRow(name)))
      addEntry(row, entry)
      later()
    },
    async rows({ from = '', to = '9999-12-31', ...names } = {}) {
      checkDay('from', from === '' ? '2000-01-01' : from)
      checkDay('to', to)
      await flush()
      const rows: LedgerRow[] = []
      for await (const { value } of store.list(prefix)) {
        const row = value as LedgerRow
        if (row.day < from || row.day > to) continue
        if (NAMES.every((field) => names[field] === undefined || names[field] === row[field])) rows.push(row)
      }
      return rows.sort((left, right) => (idOf(left) < idOf(right) ? -1 : 1))
    },
    flush,
    close: () => flush(),
  }
}

const NAMES = ['key', 'upstream', 'account', 'model'] as const

function idOf({ day, key, upstream, account, model }: RowName): string {
  return JSON.stringify([day, key, upstream, account, model])
}

function short(name: string | undefined): string {
  return name === undefined || name === '' ? UNKNOWN : name.slice(0, MAX_NAME)
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function checkDay(field: string, day: string): void {
  if (/^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day))) return
  throw new RangeError(`\`${field}\` must be a day such as 2026-11-20`)
}

async function hash(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
