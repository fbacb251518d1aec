import type { CallerKeys, CallerKeySettings } from '@castorjs/caller-keys'
import { ERRORS, GenerationError, readJson, toGenerationError } from '@castorjs/content-generator'
import { sumRows, toCsv, type RowName, type UsageLedger } from '@castorjs/usage-ledger'
import { Hono } from 'hono'
import { ACCOUNT_PATHS, mountAccountRoutes } from './accounts/account-routes.ts'
import type { WebAccounts } from './accounts/web-accounts.ts'
import type { Metrics } from './metrics.ts'

export interface AdminRoutesOptions {
  authorize: (request: Request) => Promise<unknown>
  keys: CallerKeys
  ledger: UsageLedger
  metrics: Metrics
  accounts: WebAccounts
}

const MAX_BODY_BYTES = 1024 * 1024
const NAMES = ['day', 'key', 'upstream', 'account', 'model'] as const

/** What the operator looks at and turns: keys, usage, metrics. JSON in and out; errors in OpenAI's shape. */
export function createAdminRoutes({ authorize, keys, ledger, metrics, accounts }: AdminRoutesOptions): Hono {
  const app = new Hono()
  const guarded = ['/metrics', '/api/keys', '/api/keys/*', '/api/usage', ...ACCOUNT_PATHS]
  for (const path of guarded) {
    app.use(path, async (context, next) => {
      await authorize(context.req.raw)
      await next()
    })
  }
  app.onError((thrown, context) => {
    const error = toGenerationError(thrown)
    const { message, code, field = null } = error
    return context.json({ error: { message, type: code, param: field, code } }, ERRORS[code].status as 400)
  })

  mountAccountRoutes(app, accounts)

  app.get('/metrics', async (context) => {
    const { body, contentType } = await metrics.text()
    return context.body(body, 200, { 'content-type': contentType })
  })

  app.get('/api/keys', async (context) => context.json({ keys: await keys.list() }))
  app.post('/api/keys', async (context) => {
    const settings = (await readSettings(context.req.raw)) as CallerKeySettings
    // The only time the key itself is ever shown.
    return context.json(await keys.create(settings), 201)
  })
  app.patch('/api/keys/:id', async (context) => {
    const changed = await keys.update(context.req.param('id'), await readSettings(context.req.raw))
    if (changed === undefined) throw unknownKey()
    return context.json(changed)
  })
  app.delete('/api/keys/:id', async (context) => {
    if (!(await keys.remove(context.req.param('id')))) throw unknownKey()
    return context.json({ deleted: true })
  })

  app.get('/api/usage', async (context) => {
    // `key` is taken: it is one of the places a client's API key may be.
    const { by, format, caller, key: _apiKey, ...query } = context.req.query()
    const rows = await readRows(ledger, { ...query, ...(caller === undefined ? {} : { key: caller }) })
    const sums = by === undefined ? rows : sumRows(rows, readNames(by))
    if (format === 'csv') return context.body(toCsv(sums), 200, { 'content-type': 'text/csv; charset=utf-8' })
    return context.json({ rows: sums })
  })
  return app
}

async function readSettings(request: Request): Promise<Partial<CallerKeySettings>> {
  const body = await readJson(request, { maxBytes: MAX_BODY_BYTES })
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new GenerationError('invalid_request', 'The body must be a JSON object.')
  }
  // Nulls lift a restriction: JSON has no undefined.
  return Object.fromEntries(Object.entries(body).map(([name, value]: [string, unknown]) => [name, value ?? undefined]))
}

function unknownKey(): GenerationError {
  return new GenerationError('invalid_request', 'There is no key of this id. GET /api/keys lists them.', {
    field: 'id',
  })
}

async function readRows(ledger: UsageLedger, query: Record<string, string>) {
  try {
    return await ledger.rows(query)
  } catch (error) {
    if (error instanceof RangeError) throw new GenerationError('invalid_request', `${error.message}.`)
    throw error
  }
}

function readNames(by: string): (keyof RowName)[] {
  return by.split(',').map((name) => {
    const known = NAMES.find((each) => each === name)
    if (known === undefined) {
      throw new GenerationError('invalid_request', `\`by\` must be some of ${NAMES.join(', ')}, with commas.`, {
        field: 'by',
      })
    }
    return known
  })
}
