import type { Context, Hono } from 'hono'
import { refuseOtherMethods } from '../wrong-method.ts'
import type { OpenUpstream } from './open-upstream.ts'

/** Paths that only the operator may use. */
export const UPSTREAM_PATHS = ['/api/upstreams', '/api/upstreams/*'] as const

/** An upstream as the operator knows it. */
export type NamedUpstream = Pick<OpenUpstream, 'describe' | 'controls'> & { name: string }

const ACTION_PATH = '/api/upstreams/:upstream/accounts/:id/:action{pause|resume|reset}'
const METHODS = { '/api/upstreams': 'GET', [ACTION_PATH]: 'POST' } as const

/** The accounts of every upstream: how they are, and what ends a rest or takes them out of use. */
export function mountUpstreamRoutes(app: Hono, upstreams: readonly NamedUpstream[]): void {
  app.get('/api/upstreams', async (context) =>
    context.json({
      upstreams: await Promise.all(
        upstreams.map(async ({ name, describe, controls }) => ({
          name,
          description: describe(),
          accounts: await controls.list(),
        })),
      ),
    }),
  )

  app.post(ACTION_PATH, async (context) => {
    const { upstream, id, action } = context.req.param()
    const controls = upstreams.find(({ name }) => name === upstream)?.controls
    if (controls === undefined) return notFound(context, 'upstream')
    const done = action === 'reset' ? await controls.reset(id) : await controls.setPaused(id, action === 'pause')
    if (!done) return notFound(context, 'account')
    return context.json((await controls.list()).find((account) => account.id === id))
  })

  refuseOtherMethods(app, METHODS)
}

function notFound(context: Context, what: 'upstream' | 'account'): Response {
  const message = `There is no ${what} of this name. GET /api/upstreams lists them.`
  const param = what === 'account' ? 'id' : what
  return context.json({ error: { message, type: 'invalid_request', param, code: `${what}_not_found` } }, 404)
}
