import type { LedgerRow } from './ledger-row.ts'

const COLUMNS: readonly [string, (row: LedgerRow) => string | number][] = [
  ['day', ({ day }) => day],
  ['key', ({ key }) => key],
  ['upstream', ({ upstream }) => upstream],
  ['account', ({ account }) => account],
  ['model', ({ model }) => model],
  ['requests', ({ requests }) => requests],
  ['failures', ({ failures }) => Object.values(failures).reduce((sum, count) => sum + count, 0)],
  [
    'failure_codes',
    ({ failures }) =>
      Object.entries(failures)
        .map(([code, count]) => `${code}=${count}`)
        .join(' '),
  ],
  ['input_tokens', ({ inputTokens }) => inputTokens],
  ['cached_tokens', ({ cachedTokens }) => cachedTokens],
  ['output_tokens', ({ outputTokens }) => outputTokens],
  ['thought_tokens', ({ thoughtTokens }) => thoughtTokens],
  ['estimated_tokens', ({ estimatedTokens }) => estimatedTokens],
  ['media', ({ media }) => media],
  ['first_chunk_mean_ms', ({ firstChunk: { count, totalMs } }) => (count === 0 ? '' : Math.round(totalMs / count))],
  ['first_chunk_max_ms', ({ firstChunk: { count, maxMs } }) => (count === 0 ? '' : Math.round(maxMs))],
]

/**
 * Rows as CSV (RFC 4180, with a header line). Text that a spreadsheet would take for a formula gets a leading
 * apostrophe: model names come from callers.
 */
export function toCsv(rows: Iterable<LedgerRow>): string {
  const lines = [COLUMNS.map(([name]) => name).join(',')]
  for (const row of rows) lines.push(COLUMNS.map(([, read]) => cell(read(row))).join(','))
  return `${lines.join('\r\n')}\r\n`
}

/** How a formula begins, full-width forms included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

function cell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) && value !== '-' ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
