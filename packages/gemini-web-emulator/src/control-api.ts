import { Hono, type Context } from 'hono'
import type { AccountChange, Controls, Scenario } from './controls.ts'
import type { AccountSpec } from './accounts.ts'
import type { Fault } from './faults.ts'
import { emulatorBaseUrls, SERVED_HOSTS } from './locate.ts'
import type { ScriptedAnswer } from './scripted.ts'
import { ControlError, type SettingsPatch } from './settings.ts'

/** The controls over HTTP, for tests in any language. JSON in, JSON out; a mistake is a 400 that names the field. */
export function controlApi(controls: Controls): Hono {
  const api = new Hono()
  const done = (context: Context): Response => context.json({ ok: true })
  api.onError((error, context) => {
    if (error instanceof ControlError)
      return context.json({ error: { field: error.field, message: error.message } }, 400)
    throw error
  })
  api.notFound((context) =>
    context.json({ error: { message: `There is nothing at ${context.req.path}. See GET /__emulator` } }, 404),
  )

  api.get('/', (context) =>
    context.json({
      name: 'castor-emulator',
      hosts: SERVED_HOSTS,
      baseUrls: emulatorBaseUrls(new URL(context.req.url).origin),
      paths: api.routes.filter(({ path }) => path !== '/').map(({ method, path }) => `${method} /__emulator${path}`),
    }),
  )
  api.get('/health', done)
  api.get('/settings', (context) => context.json(controls.settings))
  api.patch('/settings', async (context) => {
    controls.set(await readJson<SettingsPatch>(context))
    return context.json(controls.settings)
  })
  api.post('/scenario', async (context) => {
    controls.play(await readJson<Scenario>(context))
    return done(context)
  })
  api.get('/faults', (context) => context.json(controls.faults))
  api.post('/faults', async (context) => {
    for (const fault of await readList<Fault>(context)) controls.fail(fault)
    return done(context)
  })
  api.delete('/faults', (context) => {
    controls.clearFaults()
    return done(context)
  })
  api.get('/answers', (context) => context.json(controls.answers))
  api.post('/answers', async (context) => {
    for (const answer of await readList<ScriptedAnswer>(context)) controls.answer(answer)
    return done(context)
  })
  api.delete('/answers', (context) => {
    controls.clearAnswers()
    return done(context)
  })
  api.get('/requests', (context) => context.json(controls.requests))
  api.delete('/requests', (context) => {
    controls.clearRequests()
    return done(context)
  })
  api.post('/clock', async (context) => {
    const { advanceMs } = await readJson<{ advanceMs: number }>(context)
    return context.json({ nowMs: controls.advance(advanceMs) })
  })
  api.get('/accounts', (context) => context.json(controls.accounts()))
  api.post('/accounts', async (context) => {
    for (const spec of await readList<AccountSpec>(context)) controls.addAccount(spec)
    return done(context)
  })
  api.patch('/accounts/:name', async (context) => {
    controls.changeAccount(context.req.param('name'), await readJson<AccountChange>(context))
    return done(context)
  })
  api.post('/accounts/:name/expire-ticket', (context) => {
    controls.expireTicket(context.req.param('name'))
    return done(context)
  })
  api.post('/accounts/:name/expire-token', (context) => {
    controls.expireToken(context.req.param('name'))
    return done(context)
  })
  api.post('/accounts/:name/revoke', (context) => {
    controls.revoke(context.req.param('name'))
    return done(context)
  })
  api.post('/reset', (context) => {
    controls.reset()
    return done(context)
  })
  return api
}

/** The body; what is inside is checked by the controls. */
async function readJson<Body>(context: Context): Promise<Body> {
  let value: unknown
  try {
    value = await context.req.json()
  } catch {
    throw new ControlError('body', 'The body must be JSON')
  }
  if (typeof value !== 'object' || value === null) throw new ControlError('body', 'The body must be a JSON object')
  return value as Body
}

/** One item or a list of them. */
async function readList<Item>(context: Context): Promise<Item[]> {
  const value = await readJson<Item | Item[]>(context)
  return Array.isArray(value) ? value : [value]
}
