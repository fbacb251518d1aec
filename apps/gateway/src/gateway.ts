import type { AccountPool, PoolChange, PoolState } from '@castorjs/account-pool'
import { createCallerKeys } from '@castorjs/caller-keys'
import { withDeadlines, type ContentGenerator, type MediaOptions } from '@castorjs/content-generator'
import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import { createRequestLimits } from '@castorjs/request-limits'
import type { StateStore } from '@castorjs/state-store'
import { createUsageLedger } from '@castorjs/usage-ledger'
import type { Logger } from 'pino'
import { isHealthy } from './accounts/check-web-session.ts'
import type { Trouble } from './accounts/trouble.ts'
import { createAdminRoutes } from './admin-routes.ts'
import { createApp, type Mount } from './app.ts'
import { keysOverState } from './callers/keys-over-state.ts'
import { createLimitHeaders } from './callers/limit-headers.ts'
import { withCallerPolicy, withUpstreamPermission, type CallerPolicy } from './callers/with-caller-policy.ts'
import type { Config, MountConfig, UpstreamName } from './config-schema.ts'
import { withDelivery, type DeliveringGenerator } from './delivery/with-delivery.ts'
import { createAdminDoor, createDoor } from './door.ts'
import { causeOf, createLog, logOutcome } from './log.ts'
import { createMetrics } from './metrics.ts'
import { openMediaShelf } from './media/open-media-store.ts'
import { createPicturePool } from './media/picture-pool.ts'
import { withMedia } from './media/with-media.ts'
import type { ServerInfo } from './server-info.ts'
import { createConnections, startServer } from './server.ts'
import { openState } from './state/open-state.ts'
import { keptPoolState } from './state/pool-records.ts'
import { openSharedRedis } from './state/shared-redis.ts'
import { toAccountNews, toRenewalNews } from './telemetry/account-events.ts'
import { toLedgerEntry } from './telemetry/ledger-entry.ts'
import { createModelNames } from './telemetry/model-names.ts'
import { readReadiness } from './telemetry/readiness.ts'
import { openTraces } from './telemetry/traces.ts'
import { readWebhookAddress } from './telemetry/webhook-address.ts'
import { createWebhook, type Webhook } from './telemetry/webhook.ts'
import { withTally } from './telemetry/with-tally.ts'
import { openCodeAssist, readCodeAssistLogins } from './upstreams/code-assist.ts'
import { openGeminiApi } from './upstreams/gemini-api.ts'
import { openGeminiWeb } from './upstreams/gemini-web.ts'
import { listedModels } from './upstreams/listed-models.ts'
import { notConfigured, type Missing } from './upstreams/not-configured.ts'
import type { OpenUpstream } from './upstreams/open-upstream.ts'
import { createPausedAccounts } from './upstreams/paused-accounts.ts'
import { requireAccount } from './upstreams/require-account.ts'
import { routeByModel, takes } from './upstreams/route-by-model.ts'
import type { WebSession } from './upstreams/web-session.ts'
import { VERSION } from './version.ts'

/** A running server. */
export interface Gateway {
  url: string
  port: number
  /** What runs here at this moment. */
  readonly info: ServerInfo
  /** True while a guest answers in the web app's place, because there is no account. */
  readonly isGuest: boolean
  /** Accounts of the web app: states, pause, reset. */
  accounts: AccountPool<WebSession>
  /** Stops accepting, lets answers in progress finish for `graceMs` (default 30 000), then ends everything. */
  close: (graceMs?: number) => Promise<void>
}

export interface GatewayOptions {
  log?: Logger
  /** True when the upstreams are emulators; said on every page and in `/api/info`. */
  demo?: boolean
}

/**
 * Wires a configuration together and listens.
 *
 * @throws {ConfigError} when nothing could be served, or a login cannot be read. @throws Node's own error when the address is taken.
 */
export async function startGateway(
  config: Config,
  { log = createLog(config.log), demo = false }: GatewayOptions = {},
): Promise<Gateway> {
  const logins = await readCodeAssistLogins(config.codeAssist)
  const state = await openState(config, (message) => log.warn(message))
  for (const warning of state.status().warnings) log.warn(warning)
  await requireAccount(config, state).catch(async (error: unknown) => {
    await state.close()
    throw error
  })
  const redis = await openSharedRedis({
    config,
    onSwitch: (pool, reason) =>
      log.warn({ pool, reason }, reason === undefined ? 'this pool is shared again' : 'this pool goes on alone'),
  }).catch(async (error: unknown) => {
    await state.close()
    throw error
  })
  const shelf = await openMediaShelf(config, state, (error) =>
    log.warn({ reason: nameOf(error) }, 'media sweep failed'),
  )
  const pictures = createPicturePool({ worker: PICTURE_WORKER, threads: config.media.threads })
  const mediaFetch = createNodeGuardedFetch(config.remoteFiles)
  const webhook = openWebhook(config, state, log)
  const traces = await openTraces(process.env, VERSION, (message) => log.warn(message))
  const onChange =
    (upstream: UpstreamName) =>
    (change: PoolChange, trouble?: Trouble): void => {
      log.warn({ ...change, account: change.account?.label, cause: trouble?.cause }, 'account state changed')
      webhook?.send(toAccountNews(upstream, change, trouble))
    }
  const poolState = (name: UpstreamName): PoolState =>
    redis?.poolState(name) ??
    keptPoolState(state, name, (error) =>
      log.warn({ reason: nameOf(error) }, 'rests were not written; it is tried again'),
    )
  const web = await openGeminiWeb({
    config,
    mediaFetch,
    state,
    onChange: onChange('gemini-web'),
    onNotice(notice) {
      log[notice.quiet === true ? 'debug' : 'warn']({ account: notice.account, notice: notice.type }, notice.message)
      webhook?.send(toRenewalNews(notice))
    },
    onChecked(account, steps) {
      const lines = steps.map(({ name, outcome, message }) => `${name} ${outcome}: ${message}`)
      log[isHealthy(steps) ? 'info' : 'warn']({ account, steps: lines }, 'account checked')
    },
    poolState: poolState('gemini-web'),
  })
  const keys = createCallerKeys({ store: state })
  const ledger = createUsageLedger({
    store: state,
    keepDays: config.usageDays,
    onError: (error) => log.warn({ reason: nameOf(error) }, 'usage was not written; it is tried again'),
  })
  const lookup = keysOverState(keys, ['local', 'anyone', 'admin', ...config.apiKeys.map(({ id }) => id)])
  const configured = new Map(config.apiKeys.map(({ id, limits = {} }) => [id, limits]))
  const policy: CallerPolicy = {
    keyOf: lookup.keyOf,
    limitsOf: (caller, key) => key?.limits ?? configured.get(caller) ?? {},
    limits: createRequestLimits({
      ...config.limits,
      ...(redis === undefined ? {} : { redis: redis.client, prefix: redis.limitsPrefix }),
    }),
  }
  const common = (name: UpstreamName) => ({
    egress: config.egress,
    mediaFetch,
    onChange: onChange(name),
    poolState: poolState(name),
    paused: createPausedAccounts(state, name),
  })
  const officialApi =
    config.geminiApi.keys.length > 0
      ? await openGeminiApi({ config: config.geminiApi, ...common('gemini-api') })
      : undefined
  const codeAssist =
    logins.length > 0
      ? await openCodeAssist({ config: config.codeAssist, logins, ...common('code-assist') })
      : undefined
  const opened: Partial<Record<UpstreamName, OpenUpstream>> = {
    'gemini-web': web,
    ...(officialApi === undefined ? {} : { 'gemini-api': officialApi }),
    ...(codeAssist === undefined ? {} : { 'code-assist': codeAssist }),
  }
  const upstreams = Object.entries(opened).map(([name, upstream]) => ({ name, ...upstream }))
  const modelNames = createModelNames(listedModels())
  const metrics = createMetrics({ upstreams, modelNames, stateIsWell: () => state.status().ok })
  const mountConfigs = config.mounts ?? defaultMounts(config)
  const deliveries: DeliveringGenerator[] = []
  function delivering(generator: ContentGenerator): ContentGenerator {
    if (!config.delivery.enabled) return withTally(generator)
    const delivery = withDelivery(generator, config.delivery)
    deliveries.push(delivery)
    return withTally(delivery)
  }
  const mounts = mountConfigs.map((mount): Mount => ({
    path: mount.path,
    generator: delivering(
      withMedia(
        withCallerPolicy(withDeadlines(generatorOf(mount, opened, policy), config.deadlines), {
          ...policy,
          upstreamsFor: (model) => mount.upstreams.filter((route) => takes(modelsOf(route), model)).map(routeName),
        }),
        {
          pictures,
          keep: shelf.keep,
          onKeepFailed: (error) => log.warn({ reason: nameOf(error) }, 'the media store did not take a file'),
          onWorkFailed: (error) => log.warn({ reason: nameOf(error) }, 'a picture could not be worked on'),
        },
      ),
    ),
  }))

  /** Each part is closed whatever another one does; what that cost is a sentence in the log. */
  async function end(): Promise<void> {
    const parts: [lost: string, close: () => unknown][] = [
      ['an answer without a reader was not ended', () => Promise.all(deliveries.map((delivery) => delivery.close()))],
      ['the media store was not closed', () => shelf.close()],
      ['the metrics were not closed', () => metrics.close()],
      ['what the web app gave last may be lost', web.close],
      ['the pool of the Gemini API was not closed', () => officialApi?.close()],
      ['the pool of Code Assist was not closed', () => codeAssist?.close()],
      ['the last usage is lost', () => ledger.close()],
      ['a picture was not finished', () => pictures.close()],
      ['the webhook did not get the last events', () => webhook?.close()],
      ['the last traces were not sent', () => traces?.close()],
      ['the connection to Redis was not closed', () => redis?.close()],
      ['the state was not closed', () => state.close()],
    ]
    for (const [lost, close] of parts) {
      try {
        await close()
      } catch (error) {
        log.warn({ reason: reasonOf(error) }, lost)
      }
    }
  }

  const connections = createConnections()
  const startedAt = new Date().toISOString()
  const info = (): ServerInfo => ({
    name: 'castor',
    version: VERSION,
    demo,
    startedAt,
    mounts: mountConfigs.map(({ path, upstreams: routes }) => ({
      path,
      upstream: routes.map(routeName).join(', '),
      description: routes.map((route) => opened[routeName(route)]?.describe() ?? 'not configured').join(', then '),
    })),
  })
  const app = createApp({
    config,
    mounts,
    authorize: createDoor({ config, connectionOf: connections.connectionOf, callerKeys: lookup }),
    limitHeaders: createLimitHeaders({
      limits: policy.limits,
      limitsOf: async (caller) => policy.limitsOf(caller, await policy.keyOf(caller)),
    }),
    admin: createAdminRoutes({
      authorize: createAdminDoor({ config, connectionOf: connections.connectionOf }),
      keys,
      ledger,
      metrics,
      accounts: web.accounts,
      upstreams,
      onInternal: (error) => log.error({ stack: causeOf(error) }, error.message),
    }),
    connections,
    info,
    media: mediaDefaults(config.media),
    serveMedia: shelf.handle,
    health: () => ({
      status: state.status().ok && (redis?.alone.length ?? 0) === 0 ? 'ok' : 'degraded',
      demo,
      state: state.status(),
      // Pools that go on with this process's own memory while Redis is away.
      ...(redis === undefined ? {} : { alone: redis.alone, aloneBecause: redis.reason }),
    }),
    ready: () => readReadiness({ upstreams, waitMs: config.pacing.waitMs }),
    onOutcome(mount, outcome) {
      logOutcome(log, mount, outcome)
      metrics.observe(outcome)
      traces?.record(mount, outcome)
      ledger.record(toLedgerEntry(outcome, modelNames))
    },
  })
  try {
    const server = await startServer({
      fetch: (request) => app.fetch(request),
      connections,
      host: config.host ?? (config.apiKeys.length > 0 || config.allowAnyone ? '0.0.0.0' : '127.0.0.1'),
      port: config.port,
    })
    return {
      url: server.url,
      port: server.port,
      get info() {
        return info()
      },
      get isGuest() {
        return web.isGuest()
      },
      accounts: web.pool,
      async close(graceMs) {
        await server.close(graceMs)
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

/** Beside this file once built; the tests use the built one too, because a thread cannot load TypeScript. */
const PICTURE_WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../dist/media/picture-worker.js' : './media/picture-worker.js',
  import.meta.url,
)

function mediaDefaults({ removeWatermark, original }: Config['media']): MediaOptions {
  return { ...(removeWatermark ? { removeVisibleMark: true } : {}), ...(original ? { original: true } : {}) }
}

function openWebhook({ webhookUrl = '' }: Config, state: StateStore, log: Logger): Webhook | undefined {
  const address = readWebhookAddress(webhookUrl)
  if (address === undefined) return undefined
  return createWebhook({ address, state, onFailed: (reason) => log.warn({ reason }, 'the webhook got no event') })
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}

/** With what is behind it, where that is known. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? `${nameOf(error)}: ${cause.message}` : nameOf(error)
}

type RouteConfig = MountConfig['upstreams'][number]

function routeName(route: RouteConfig): UpstreamName {
  return typeof route === 'string' ? route : route.use
}

/** The patterns of a route, where it has any. */
function modelsOf(route: RouteConfig): { models?: readonly string[] } {
  return typeof route === 'string' ? {} : { models: route.models }
}

/** The mounts of the reference documents. `/gemini` is the web app while there is no key for the official API. */
function defaultMounts({ defaultUpstream, geminiApi }: Config): MountConfig[] {
  const mount = (path: string, upstream: UpstreamName): MountConfig => ({
    path,
    upstreams: [upstream],
    fallback: false,
  })
  return [
    mount('/', defaultUpstream),
    mount('/gemini_official', 'gemini-web'),
    mount('/gemini', geminiApi.keys.length > 0 ? 'gemini-api' : 'gemini-web'),
    mount('/gemini_cli', 'code-assist'),
  ]
}

function generatorOf(
  mount: MountConfig,
  opened: Partial<Record<UpstreamName, Pick<OpenUpstream, 'generator'>>>,
  { keyOf }: CallerPolicy,
): ContentGenerator {
  const routes = mount.upstreams.map((route) => {
    const name = routeName(route)
    const upstream = opened[name]?.generator ?? notConfigured(name, REMEDIES[name])
    return { upstream: withUpstreamPermission(upstream, keyOf), ...modelsOf(route) }
  })
  return routeByModel(mount.path, routes, { fallback: mount.fallback })
}

const REMEDIES: Record<UpstreamName, Missing> = {
  'gemini-web': { what: 'session of the Gemini web app', remedy: 'Set SECURE_1PSID and SECURE_1PSIDTS.' },
  'gemini-api': { what: 'key for the Gemini API', remedy: 'Set GEMINI_API_KEY.' },
  'code-assist': {
    what: 'login for Code Assist',
    remedy: 'Run `castor login code-assist` and set CODE_ASSIST_CREDENTIALS.',
  },
}
