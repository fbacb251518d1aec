/** What is known of one request when it is over. Holds no text, key or cookie. */
export interface UsageEntry {
  /** Id of the caller's key. */
  key?: string | undefined
  upstream?: string | undefined
  /** Label of the account. */
  account?: string | undefined
  model?: string | undefined
  /** Code of the failure; undefined for a request that was answered. */
  code?: string | undefined
  usage?: EntryUsage | undefined
  /** Pictures, clips and other files in the answer. */
  media?: number | undefined
  firstChunkMs?: number | undefined
}

/** Tokens of one request, as `readUsage` of the middle gives them. */
export interface EntryUsage {
  inputTokens: number
  cachedTokens: number
  outputTokens: number
  thoughtTokens: number
  estimated: boolean
}

/** Everything used under one key, on one account, for one model, on one day. */
export interface LedgerRow {
  /** UTC, as `2026-11-20`. */
  day: string
  key: string
  upstream: string
  account: string
  model: string
  requests: number
  /** Failed requests by code; they are among `requests`. */
  failures: Record<string, number>
  /** Prompt tokens, cached ones included. */
  inputTokens: number
  cachedTokens: number
  /** Answer without thinking. */
  outputTokens: number
  thoughtTokens: number
  /** How many of the input, output and thought tokens are guesses from text length. */
  estimatedTokens: number
  media: number
  firstChunk: { count: number; totalMs: number; maxMs: number }
}

export type RowName = Pick<LedgerRow, 'day' | 'key' | 'upstream' | 'account' | 'model'>

/** Stands for what was not known, such as the account of a request that was refused before it had one. */
export const UNKNOWN = '-'

export function emptyRow(name: RowName): LedgerRow {
  return {
    ...name,
    requests: 0,
    failures: {},
    inputTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    thoughtTokens: 0,
    estimatedTokens: 0,
    media: 0,
    firstChunk: { count: 0, totalMs: 0, maxMs: 0 },
  }
}

/** Counts one request into a row. */
export function addEntry(row: LedgerRow, { code, usage, media = 0, firstChunkMs }: UsageEntry): void {
  row.requests++
  row.media += media
  if (code !== undefined) row.failures[code] = (row.failures[code] ?? 0) + 1
  if (usage !== undefined) {
    row.inputTokens += usage.inputTokens
    row.cachedTokens += usage.cachedTokens
    row.outputTokens += usage.outputTokens
    row.thoughtTokens += usage.thoughtTokens
    if (usage.estimated) row.estimatedTokens += usage.inputTokens + usage.outputTokens + usage.thoughtTokens
  }
  if (firstChunkMs !== undefined) addFirstChunk(row, { count: 1, totalMs: firstChunkMs, maxMs: firstChunkMs })
}

/** Adds the numbers of another row; the names of the first stay. */
export function addRow(row: LedgerRow, other: LedgerRow): LedgerRow {
  row.requests += other.requests
  for (const [code, count] of Object.entries(other.failures)) row.failures[code] = (row.failures[code] ?? 0) + count
  row.inputTokens += other.inputTokens
  row.cachedTokens += other.cachedTokens
  row.outputTokens += other.outputTokens
  row.thoughtTokens += other.thoughtTokens
  row.estimatedTokens += other.estimatedTokens
  row.media += other.media
  addFirstChunk(row, other.firstChunk)
  return row
}

function addFirstChunk({ firstChunk }: LedgerRow, { count, totalMs, maxMs }: LedgerRow['firstChunk']): void {
  firstChunk.count += count
  firstChunk.totalMs += totalMs
  firstChunk.maxMs = Math.max(firstChunk.maxMs, maxMs)
}

/** Rows summed up by some of their names; the others become `*`. */
export function sumRows(rows: Iterable<LedgerRow>, by: readonly (keyof RowName)[]): LedgerRow[] {
  const sums = new Map<string, LedgerRow>()
  for (const row of rows) {
    const name: RowName = { day: '*', key: '*', upstream: '*', account: '*', model: '*' }
    for (const field of by) name[field] = row[field]
    const id = JSON.stringify(name)
    let sum = sums.get(id)
    if (sum === undefined) sums.set(id, (sum = emptyRow(name)))
    addRow(sum, row)
  }
  return [...sums.values()]
}
