import { decodeImportText } from '@castorjs/cookie-import'
import { GenerationError, readBody, readJson } from '@castorjs/content-generator'
import type { Hono } from 'hono'
import { stream } from 'hono/streaming'
import type { CheckStep } from './check-web-session.ts'
import { refuseOtherMethods } from '../wrong-method.ts'
import { readAccountBodies, readProxy } from './read-account-body.ts'
import type { AddResult } from './add-account.ts'
import type { WebAccounts } from './web-accounts.ts'

/** A HAR file of a session is some tens of megabytes. */
const MAX_IMPORT_BYTES = 64 * 1024 * 1024
const MAX_BODY_BYTES = 64 * 1024

/** Paths that only the operator may use. */
export const ACCOUNT_PATHS = ['/api/accounts', '/api/accounts/*', '/api/cookies'] as const

const METHODS = {
  '/api/cookies': 'POST',
  '/api/accounts': 'GET, POST',
  '/api/accounts/:id': 'GET, DELETE',
  '/api/accounts/:id/proxy': 'PUT',
  '/api/accounts/:id/:action{check|renew|pause|resume|reset}': 'POST',
} as const

/** Accounts at run time. Secrets go in and never come out. */
export function mountAccountRoutes(app: Hono, accounts: WebAccounts): void {
  // Unknown accounts are told before anything else is looked at.
  app.use('/api/accounts/:id/*', async (context, next) => {
    if (accounts.entries.has(context.req.param('id'))) return next()
    const message = 'There is no account of this name. GET /api/accounts lists them.'
    return context.json({ error: { message, type: 'invalid_request', param: 'id', code: 'account_not_found' } }, 404)
  })

  app.get('/api/accounts', async (context) => context.json({ accounts: await accounts.list() }))
  app.get('/api/accounts/:id', async (context) => context.json(await accounts.get(context.req.param('id'))))

  app.post('/api/accounts', async (context) => {
    const results = await addAll(context.req.raw)
    const status = results.some(({ outcome }) => outcome === 'added') ? 201 : 200
    return context.json(results.length === 1 ? results[0] : { results }, status)
  })

  // The path and fields of the reference server. Source: reference document 004.
  app.post('/api/cookies', async (context) => {
    const results = await addAll(context.req.raw)
    return context.json({
      success: true,
      message: results.map(({ message }) => message).join(' '),
      accounts: results.map(({ account }) => account),
      results,
    })
  })

  app.post('/api/accounts/:id/check', async (context) => {
    const id = context.req.param('id')
    const steps = accounts.check(id, context.req.raw.signal)
    if (!/ndjson/.test(context.req.header('accept') ?? '')) {
      const list: CheckStep[] = []
      for await (const step of steps) list.push(step)
      return context.json({
        ok: list.every(({ outcome }) => outcome !== 'failed'),
        steps: list,
        account: await accounts.get(id),
      })
    }
    context.header('content-type', 'application/x-ndjson')
    return stream(context, async (out) => {
      for await (const step of steps) await out.writeln(JSON.stringify(step))
    })
  })
  app.post('/api/accounts/:id/renew', async (context) => {
    const id = context.req.param('id')
    return context.json({ ...(await accounts.renew(id)), account: await accounts.get(id) })
  })
  for (const [word, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    app.post(`/api/accounts/:id/${word}`, async (context) => {
      const id = context.req.param('id')
      await accounts.setPaused(id, paused)
      return context.json(await accounts.get(id))
    })
  }
  app.post('/api/accounts/:id/reset', async (context) => {
    const id = context.req.param('id')
    await accounts.reset(id)
    return context.json(await accounts.get(id))
  })
  app.put('/api/accounts/:id/proxy', async (context) => {
    const id = context.req.param('id')
    const proxy = readProxy(await readJson(context.req.raw, { maxBytes: MAX_BODY_BYTES }))
    const check = await accounts.setProxy(id, proxy)
    return context.json({ account: await accounts.get(id), check })
  })
  app.delete('/api/accounts/:id', async (context) => {
    await accounts.remove(context.req.param('id'))
    return context.json({ deleted: true })
  })

  refuseOtherMethods(app, METHODS)

  async function addAll(request: Request): Promise<AddResult[]> {
    const text = decodeImportText(await readBody(request, { maxBytes: MAX_IMPORT_BYTES }))
    const bodies = readAccountBodies(text)
    const results: AddResult[] = []
    for (const { found, options } of bodies) {
      try {
        results.push(await accounts.add(found, options))
      } catch (error) {
        if (bodies.length === 1 || !(error instanceof GenerationError)) throw error
        const before = results.length
        const rest = `Of the others, taken in: ${before}; not tried: ${bodies.length - before - 1}.`
        throw new GenerationError(error.code, `Number ${before + 1} of ${bodies.length}: ${error.message} ${rest}`, {
          field: `[${before}]`,
        })
      }
    }
    return results
  }
}
