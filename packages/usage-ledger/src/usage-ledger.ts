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
   * @throws {LedgerQueryError} naming the field when a day is not a day, or `from` comes after `to`.
   */
  rows(query?: LedgerQuery): Promise<LedgerRow[]>
  flush(): Promise<void>
  /**
   * Writes what is left and stops.
   * @throws {Error} saying how many requests are lost, when that could not be written; what the store threw is its cause.
   */
  close(): Promise<void>
}

/** A query that cannot be answered; `field` is the part that is wrong. */
export class LedgerQueryError extends RangeError {
  override readonly name = 'LedgerQueryError'
  readonly field: 'from' | 'to'

  constructor(field: 'from' | 'to', message: string) {
    super(message)
    this.field = field
  }
}

/**
 * A row as it is stored. `marks` has the number of the last write of each process that wrote it: a write whose
 * acknowledgement got lost is not counted again.
 */
type StoredRow = LedgerRow & { marks?: Record<string, number> }

/** One write of a row, repeated as it is until it is acknowledged. */
interface Write {
  row: LedgerRow
  mark: number
}

const DAY_MS = 86_400_000
/** Processes that a row remembers. A write is repeated before so many others have written. */
const MAX_MARKS = 32
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
  /** Names this process in the marks. */
  const writer = `w${crypto.randomUUID().slice(0, 8)}`
  let lastMark = 0
  const unwritten = new Map<string, LedgerRow>()
  /** The write that failed: whether the store has it, its next try shows. Nothing else is tried before. */
  let doubtful: Write | undefined
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

  async function write({ row, mark }: Write): Promise<void> {
    const key = `${prefix}${row.day}/${await hash(idOf(row))}`
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const record = await store.get(key)
      const { marks = {}, ...stored }: StoredRow = (record?.value as StoredRow | undefined) ?? emptyRow(row)
      if ((marks[writer] ?? 0) >= mark) return
      const next: StoredRow = { ...addRow(stored, row), marks: addMark(marks, writer, mark) }
      const version = await store.compareAndSet(key, record?.version ?? 0, next, { ttlMs: (keepDays + 1) * DAY_MS })
      if (version !== undefined) return
    }
    throw new Error(`The usage of ${row.day} kept changing while it was written`)
  }

  async function writeAll(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (doubtful !== undefined) await write(doubtful)
    doubtful = undefined
    // What comes in meanwhile is for the next time.
    const batch = Array.from(unwritten)
    for (const [id, row] of batch) {
      unwritten.delete(id)
      doubtful = { row, mark: ++lastMark }
      await write(doubtful)
      doubtful = undefined
    }
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
      if (from !== '') checkDay('from', from)
      checkDay('to', to)
      if (from > to) throw new LedgerQueryError('from', `\`from\` (${from}) comes after \`to\` (${to})`)
      await flush()
      const rows: LedgerRow[] = []
      for await (const { value } of store.list(prefix + commonStart(from, to))) {
        const { marks: _, ...row } = value as StoredRow
        if (row.day < from || row.day > to) continue
        if (NAMES.every((field) => names[field] === undefined || names[field] === row[field])) rows.push(row)
      }
      return rows.sort((left, right) => (idOf(left) < idOf(right) ? -1 : 1))
    },
    flush,
    async close() {
      try {
        await flush()
      } catch (cause) {
        const rows = doubtful === undefined ? [] : [doubtful.row]
        const requests = [...rows, ...unwritten.values()].reduce((sum, row) => sum + row.requests, 0)
        const what = requests === 1 ? 'one request' : `${requests} requests`
        throw new Error(`The usage of ${what} could not be written`, { cause })
      }
    },
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

function checkDay(field: 'from' | 'to', day: string): void {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : Number.NaN
  // `Date` takes 30 February for 2 March.
  if (!Number.isNaN(at) && dayOf(at) === day) return
  throw new LedgerQueryError(field, `\`${field}\` must be a day such as 2026-11-20`)
}

/** What all days from one to another begin with: a question about this month need not read the others. */
function commonStart(from: string, to: string): string {
  let length = 0
  while (length < from.length && from[length] === to[length]) length++
  return from.slice(0, length)
}

/** The marks with a new one, which counts as the youngest; the oldest make room. */
function addMark(marks: Record<string, number>, writer: string, mark: number): Record<string, number> {
  const others = Object.entries(marks).filter(([name]) => name !== writer)
  return Object.fromEntries([...others.slice(1 - MAX_MARKS), [writer, mark]])
}

async function hash(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
