import type { CallerKeys, CallerKeySettings } from '@castorjs/caller-keys'
import { GenerationError, readJson } from '@castorjs/content-generator'
import type { Context, Hono } from 'hono'
import type { UpstreamName } from '../config-schema.ts'
import { shownName } from '../shown-name.ts'
import { refuseOtherMethods } from '../wrong-method.ts'

/** Paths that only the operator may use. */
export const KEY_PATHS = ['/api/keys', '/api/keys/*'] as const

const METHODS = {
  '/api/keys': 'GET, POST',
  '/api/keys/:id': 'GET, PATCH, DELETE',
  '/api/keys/:id/rotate': 'POST',
} as const

const MAX_BODY_BYTES = 1024 * 1024
const UPSTREAMS: readonly string[] = ['gemini-web', 'gemini-api', 'code-assist'] satisfies UpstreamName[]
const SETTINGS = ['name', 'upstreams', 'models', 'limits', 'expiresAt', 'enabled'] as const
/** A form that sends back what it was shown has these too. */
const SHOWN = ['id', 'createdAt']

/** Callers' keys at run time. A key is shown when it is made and when it is rotated, and never again. */
export function mountKeyRoutes(app: Hono, keys: CallerKeys): void {
  app.get('/api/keys', async (context) => context.json({ keys: await keys.list() }))
  app.post('/api/keys', async (context) => {
    const settings = (await readSettings(context.req.raw)) as CallerKeySettings
    return context.json(await keys.create(settings), 201)
  })
  app.get('/api/keys/:id', async (context) => {
    const id = context.req.param('id')
    // The list is read anew; a single one may be remembered from before another process changed it.
    return found(
      context,
      (await keys.list()).find((key) => key.id === id),
    )
  })
  app.patch('/api/keys/:id', async (context) => {
    const changes = await readSettings(context.req.raw)
    return found(context, await keys.update(context.req.param('id'), changes))
  })
  app.post('/api/keys/:id/rotate', async (context) => found(context, await keys.rotate(context.req.param('id'))))
  app.delete('/api/keys/:id', async (context) => {
    const deleted = await keys.remove(context.req.param('id'))
    return found(context, deleted ? { deleted } : undefined)
  })
  refuseOtherMethods(app, METHODS)
}

async function readSettings(request: Request): Promise<Partial<CallerKeySettings>> {
  const body = await readJson(request, { maxBytes: MAX_BODY_BYTES })
  if (typeof body !== 'object' || body === null) throw wrong('The body must be a JSON object.')
  const settings: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(body)) {
    if (SHOWN.includes(field)) continue
    // What is misspelt would be no restriction at all.
    if (!SETTINGS.some((setting) => setting === field)) {
      const name = shownName(field)
      throw wrong(`\`${name}\` is not a setting of a key. There are ${SETTINGS.join(', ')}.`, name)
    }
    // Nulls lift a restriction: JSON has no undefined.
    settings[field] = value ?? undefined
  }
  if (typeof settings['expiresAt'] === 'string') settings['expiresAt'] = readTime(settings['expiresAt'])
  const { upstreams } = settings
  if (Array.isArray(upstreams) && !upstreams.every((name) => UPSTREAMS.includes(name as string))) {
    throw wrong(`\`upstreams\` must be some of ${UPSTREAMS.join(', ')}.`, 'upstreams')
  }
  return settings
}

function readTime(text: string): number {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0]
  const at = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw wrong('`expiresAt` must be a time such as 2026-12-31T23:59:00Z, or milliseconds since 1970.', 'expiresAt')
}

/** `Date` takes 30 February for 2 March. */
function isDay(day: string): boolean {
  const at = Date.parse(day)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day)
}

/** What was asked for, or that there is none. */
function found(context: Context, answer: object | undefined): Response {
  if (answer !== undefined) return context.json(answer)
  const message = 'There is no key of this id. GET /api/keys lists them.'
  return context.json({ error: { message, type: 'invalid_request', param: 'id', code: 'key_not_found' } }, 404)
}

function wrong(message: string, field?: string): GenerationError {
  return new GenerationError('invalid_request', message, field === undefined ? {} : { field })
}
