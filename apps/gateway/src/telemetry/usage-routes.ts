import { GenerationError } from '@castorjs/content-generator'
import {
  LedgerQueryError,
  sumRows,
  toCsv,
  type LedgerRow,
  type RowName,
  type UsageLedger,
} from '@castorjs/usage-ledger'
import type { Hono } from 'hono'
import { canonicalModel } from '../model-name.ts'
import { shownName } from '../shown-name.ts'

const NAMES = ['day', 'key', 'upstream', 'account', 'model'] as const
const FILTERS = ['from', 'to', 'caller', 'upstream', 'account', 'model'] as const
type Filters = Partial<Record<(typeof FILTERS)[number], string>>

/** The ledger, as JSON or CSV. */
export function mountUsageRoutes(app: Hono, ledger: UsageLedger): void {
  app.get('/api/usage', async (context) => {
    const twice = Object.entries(context.req.queries()).find(([, values]) => values.length > 1)?.[0]
    if (twice !== undefined) throw wrong(twice, 'is given more than once; several names of `by` have commas')
    // `key` is taken: it is one of the places a client's API key may be.
    const { by, format = 'json', key: _apiKey, ...filters } = context.req.query()
    if (format !== 'json' && format !== 'csv') throw wrong('format', 'must be json or csv')
    // A misspelt filter would give everything.
    const unknown = Object.keys(filters).find((name) => !FILTERS.some((filter) => filter === name))
    if (unknown !== undefined) throw wrong(unknown, `is no filter; there are ${FILTERS.join(', ')}`)
    const names = by === undefined ? undefined : readNames(by)
    const rows = await readRows(ledger, filters)
    const sums = names === undefined ? rows : sumRows(rows, names)
    if (format === 'json') return context.json({ rows: sums })
    return context.body(toCsv(sums), 200, {
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="castor-usage.csv"',
    })
  })
}

async function readRows(ledger: UsageLedger, { caller, model, ...filters }: Filters): Promise<LedgerRow[]> {
  try {
    return await ledger.rows({
      ...filters,
      ...(caller === undefined ? {} : { key: caller }),
      ...(model === undefined ? {} : { model: canonicalModel(model) }),
    })
  } catch (error) {
    if (!(error instanceof LedgerQueryError)) throw error
    throw new GenerationError('invalid_request', `${error.message}.`, { field: error.field })
  }
}

function readNames(by: string): (keyof RowName)[] {
  return by.split(',').map((name) => {
    const known = NAMES.find((each) => each === name)
    if (known === undefined) throw wrong('by', `must be some of ${NAMES.join(', ')}, with commas`)
    return known
  })
}

function wrong(name: string, what: string): GenerationError {
  const field = shownName(name)
  return new GenerationError('invalid_request', `\`${field}\` ${what}.`, { field })
}
