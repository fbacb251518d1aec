import type { CallerKeys } from '@castorjs/caller-keys'
import { ERRORS, GenerationError, toGenerationError } from '@castorjs/content-generator'
import { isStateError } from '@castorjs/state-store'
import type { UsageLedger } from '@castorjs/usage-ledger'
import { Hono } from 'hono'
import { ACCOUNT_PATHS, mountAccountRoutes } from './accounts/account-routes.ts'
import type { WebAccounts } from './accounts/web-accounts.ts'
import { KEY_PATHS, mountKeyRoutes } from './callers/key-routes.ts'
import type { Metrics } from './metrics.ts'
import { mountUsageRoutes } from './telemetry/usage-routes.ts'
import { mountUpstreamRoutes, UPSTREAM_PATHS, type NamedUpstream } from './upstreams/upstream-routes.ts'
import { refuseOtherMethods } from './wrong-method.ts'

export interface AdminRoutesOptions {
  authorize: (request: Request) => Promise<unknown>
  keys: CallerKeys
  ledger: UsageLedger
  metrics: Metrics
  accounts: WebAccounts
  upstreams: readonly NamedUpstream[]
  /** What nobody foresaw: for the log. */
  onInternal: (error: GenerationError) => void
}

const RETRY_MS = 2_000

/** What the operator looks at and turns: accounts, keys, usage, metrics. JSON in and out; errors in OpenAI's shape. */
export function createAdminRoutes({
  authorize,
  keys,
  ledger,
  metrics,
  accounts,
  upstreams,
  onInternal,
}: AdminRoutesOptions): Hono {
  const app = new Hono()
  const guarded = ['/metrics', '/api/usage', ...KEY_PATHS, ...ACCOUNT_PATHS, ...UPSTREAM_PATHS]
  for (const path of guarded) {
    app.use(path, async (context, next) => {
      await authorize(context.req.raw)
      await next()
      // Keys and states are of this moment and for nobody else.
      context.header('cache-control', 'no-store')
    })
  }
  app.onError((thrown, context) => {
    const error = isStateError(thrown) ? toUnavailable(thrown) : toGenerationError(thrown)
    if (error.code === 'internal') onInternal(error)
    const { message, code, field = null, retryAfterMs } = error
    if (retryAfterMs !== undefined) context.header('retry-after', String(Math.ceil(retryAfterMs / 1_000)))
    return context.json({ error: { message, type: code, param: field, code } }, ERRORS[code].status as 400)
  })

  app.get('/metrics', async (context) => {
    const { body, contentType } = await metrics.text()
    return context.body(body, 200, { 'content-type': contentType })
  })
  mountAccountRoutes(app, accounts)
  mountUpstreamRoutes(app, upstreams)
  mountKeyRoutes(app, keys)
  mountUsageRoutes(app, ledger)
  refuseOtherMethods(app, { '/metrics': 'GET', '/api/usage': 'GET' })
  return app
}

/** The words of a state error are for the operator, and so is this API. */
function toUnavailable(error: Error): GenerationError {
  return new GenerationError('upstream_unavailable', `${error.message}. Nothing is certain to have changed.`, {
    retryAfterMs: RETRY_MS,
    fault: 'castor',
    cause: error,
  })
}
