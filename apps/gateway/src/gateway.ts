import { withDeadlines, type ContentGenerator } from '@castorjs/content-generator'
import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import type { Logger } from 'pino'
import { createApp, type Mount, type ServerInfo } from './app.ts'
import type { Config, MountConfig, UpstreamName } from './config-schema.ts'
import { createDoor } from './door.ts'
import { createLog, logOutcome } from './log.ts'
import { createConnections, startServer } from './server.ts'
import { openGeminiWeb } from './upstreams/gemini-web.ts'
import { routeByModel } from './upstreams/route-by-model.ts'
import { VERSION } from './version.ts'

/** A running server. */
export interface Gateway {
  url: string
  port: number
  info: ServerInfo
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
 * @throws Node's own error when the address is taken.
 */
export async function startGateway(
  config: Config,
  { log = createLog(config.log), demo = false }: GatewayOptions = {},
): Promise<Gateway> {
  const mediaFetch = createNodeGuardedFetch(config.remoteFiles)
  const web = openGeminiWeb({
    config,
    mediaFetch,
    storeFor: () => undefined,
    onChange: ({ account, ...change }) => log.warn({ account: account?.label, ...change }, 'account state changed'),
  })
  const upstreams: Record<UpstreamName, ContentGenerator> = { 'gemini-web': web.generator }
  const mounts = config.mounts.map((mount): Mount => ({
    path: mount.path,
    generator: withDeadlines(generatorOf(mount, upstreams), config.deadlines),
    description: mount.upstreams
      .map((route) => (routeName(route) === 'gemini-web' ? web.description : routeName(route)))
      .join(', then '),
  }))

  const connections = createConnections()
  const info: ServerInfo = {
    name: 'castor',
    version: VERSION,
    demo,
    startedAt: new Date().toISOString(),
    mounts: config.mounts.map(({ path, upstreams: routes }, index) => ({
      path,
      upstream: routes.map(routeName).join(', '),
      description: mounts[index]?.description ?? '',
    })),
  }
  const app = createApp({
    config,
    mounts,
    authorize: createDoor(config, connections.connectionOf),
    connections,
    info,
    health: () => ({ status: 'ok', demo }),
    onOutcome: (mount, outcome) => logOutcome(log, mount, outcome),
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
      info,
      async close(graceMs) {
        await server.close(graceMs)
        await web.close()
      },
    }
  } catch (error) {
    await web.close()
    throw error
  }
}

type RouteConfig = MountConfig['upstreams'][number]

function routeName(route: RouteConfig): UpstreamName {
  return typeof route === 'string' ? route : route.use
}

function generatorOf(mount: MountConfig, upstreams: Record<UpstreamName, ContentGenerator>): ContentGenerator {
  const routes = mount.upstreams.map((route) => ({
    upstream: upstreams[routeName(route)],
    ...(typeof route === 'string' ? {} : { models: route.models }),
  }))
  return routeByModel(mount.path, routes, { fallback: mount.fallback })
}
