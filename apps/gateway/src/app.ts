import {
  type Authorize,
  type ContentGenerator,
  type DialectOptions,
  type MediaOptions,
  type Outcome,
} from '@castorjs/content-generator'
import { createGeminiNativeHandler, isGeminiNative } from '@castorjs/gemini-native-adapter'
import { createOpenAIHandler } from '@castorjs/openai-adapter'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { LimitHeaders } from './callers/limit-headers.ts'
import type { Config } from './config-schema.ts'
import { MEDIA_PATH } from './media/open-media-store.ts'
import type { Connections } from './server.ts'
import type { ServerInfo } from './server-info.ts'
import { CONTENT_SECURITY_POLICY, statusPage } from './status-page.ts'
import type { Readiness } from './telemetry/readiness.ts'
import { refuseOtherMethods } from './wrong-method.ts'

/** A path and what answers behind it. Every mount speaks every dialect. */
export interface Mount {
  /** `/` or a prefix such as `/gemini_official`. */
  path: string
  generator: ContentGenerator
}

interface Health {
  status: 'ok' | 'degraded'
  [part: string]: unknown
}

export interface AppOptions {
  config: Pick<Config, 'corsOrigins' | 'apiKeys' | 'maxBodyBytes' | 'strictModel'>
  mounts: readonly Mount[]
  authorize: Authorize
  limitHeaders: LimitHeaders
  connections: Connections
  /** What runs here at this moment: accounts come and go. */
  info: () => ServerInfo
  health: () => Health
  /** Whether at least one account can serve, and why not. */
  ready: () => Promise<Readiness>
  /** Routes for the operator. */
  admin: Hono
  /** The operator's defaults for pictures and clips. */
  media: MediaOptions
  /** Serves what the media store keeps, by signed links that need no key. */
  serveMedia: (request: Request) => Promise<Response>
  onOutcome: (mount: string, outcome: Outcome) => void
}

type Handler = (request: Request) => Promise<Response>

/** The whole server as one `fetch`: small routes of its own, then the mounts, longest prefix first. */
export function createApp({
  config,
  mounts,
  authorize,
  limitHeaders,
  connections,
  info,
  health,
  ready,
  admin,
  media,
  serveMedia,
  onOutcome,
}: AppOptions): Hono {
  const app = new Hono()
  app.use(corsFor(config))
  app.get('/health', (context) => context.json(health()))
  app.get('/ready', async (context) => {
    const readiness = await ready()
    return context.json(readiness, readiness.ready ? 200 : 503)
  })
  app.route('/', admin)
  app.get('/api/info', (context) => context.json(info()))
  refuseOtherMethods(app, { '/health': 'GET', '/ready': 'GET', '/api/info': 'GET' })
  app.on(['GET', 'HEAD'], `${MEDIA_PATH}/*`, (context) => serveMedia(context.req.raw))
  app.get('/', (context) => {
    context.header('content-security-policy', CONTENT_SECURITY_POLICY)
    return context.html(statusPage(info(), new URL(context.req.url).origin))
  })

  const ordered = [...mounts].sort((left, right) => right.path.length - left.path.length)
  for (const mount of ordered) {
    const handler = createMountHandler(mount, {
      generator: mount.generator,
      authorize,
      otherHeaders: (caller) => limitHeaders(caller?.id),
      maxBodyBytes: config.maxBodyBytes,
      strictModel: config.strictModel,
      media,
      onOutcome: (outcome) => onOutcome(mount.path, outcome),
    })
    if (mount.path === '/') {
      app.get('/api/models', (context) => handler(modelsRequest(context.req.raw, connections)))
      refuseOtherMethods(app, { '/api/models': 'GET' })
      app.all('*', (context) => handler(context.req.raw))
    } else {
      app.all(`${mount.path}/*`, (context) => handler(context.req.raw))
    }
  }
  return app
}

/** One mount in every dialect; the path decides which, and for the model list the headers. */
function createMountHandler(mount: Mount, options: DialectOptions): Handler {
  const basePath = mount.path === '/' ? '' : mount.path
  const openai = createOpenAIHandler({ ...options, basePath })
  const native = createGeminiNativeHandler(options)
  return (request) => (isGeminiNative(request) ? native(request) : openai(request))
}

/** `/api/models` of the reference servers is the OpenAI list under another name. */
function modelsRequest(request: Request, { connectionOf, remember }: Connections): Request {
  const url = new URL(request.url)
  url.pathname = '/v1/models'
  const alias = new Request(url, { headers: request.headers, signal: request.signal })
  const connection = connectionOf(request)
  if (connection !== undefined) remember(alias, connection)
  return alias
}

/** Headers that browser clients send, and those of ours that they may read. */
const CORS_HEADERS = {
  allowMethods: ['GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD'],
  exposeHeaders: [
    'x-request-id',
    'x-castor-upstream',
    'x-castor-served-model',
    'x-castor-warnings',
    'x-castor-usage',
    'x-castor-joined',
    'x-ratelimit-limit-requests',
    'x-ratelimit-remaining-requests',
    'x-ratelimit-reset-requests',
    'x-should-retry',
    'retry-after',
  ],
  maxAge: 86_400,
}

/**
 * Browser clients. Without a key every page in the operator's browser could reach a local server, so then
 * only pages of this machine may.
 */
function corsFor({ corsOrigins, apiKeys }: Pick<Config, 'corsOrigins' | 'apiKeys'>): ReturnType<typeof cors> {
  const any = corsOrigins.includes('*')
  const open = apiKeys.length > 0
  const middleware = cors({
    ...CORS_HEADERS,
    origin: (origin) => {
      if (any && open) return origin
      if (corsOrigins.includes(origin)) return origin
      return any && /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin) ? origin : null
    },
  })
  // Most clients are no browsers; they skip the work.
  return (context, next) => (context.req.raw.headers.has('origin') ? middleware(context, next) : next())
}
