import { socksConnector } from 'fetch-socks'
import type { LookupFunction } from 'node:net'
// The file, not the package: Bun puts a shim that cannot dispatch in the place of 'undici'.
import { Agent, Pool, ProxyAgent, buildConnector } from 'undici/index.js'
import type { Dispatcher } from 'undici'
import { withConnectFailures } from './connector.ts'

export interface DispatcherOptions {
  proxy: string | undefined
  maxHeaderBytes: number
  connectTimeoutMs: number
  keepAliveMs: number
  maxConnections: number | undefined
  lookup: LookupFunction | undefined
  ca: string | undefined
}

/** Builds the undici dispatcher: direct, through an HTTP CONNECT proxy, or through SOCKS. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { connectTimeoutMs, ca, lookup } = options
  const client: Agent.Options = {
    maxHeaderSize: options.maxHeaderBytes,
    keepAliveTimeout: options.keepAliveMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(options.maxConnections === undefined ? {} : { connections: options.maxConnections }),
  }
  const socket = {
    timeout: connectTimeoutMs,
    ...(ca === undefined ? {} : { ca }),
    ...(lookup === undefined ? {} : { lookup }),
  }
  if (options.proxy === undefined) {
    return new Agent({ ...client, connect: withConnectFailures(buildConnector(socket), false) })
  }
  const proxy = readProxy(options.proxy)
  if (proxy.protocol.startsWith('socks')) {
    const target = {
      type: 5 as const,
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: Number(proxy.port || 1080),
      ...readCredentials(proxy),
    }
    return new Agent({ ...client, connect: withConnectFailures(socksConnector(target, socket), true) })
  }
  const credentials = readCredentials(proxy)
  return new ProxyAgent({
    ...client,
    uri: proxy.origin,
    ...(credentials === undefined ? {} : { token: `Basic ${btoa(`${credentials.userId}:${credentials.password}`)}` }),
    proxyTls: socket,
    requestTls: socket,
    // The tunnel itself must have a deadline: a proxy may take the connection and say nothing.
    clientFactory: (origin, poolOptions) => new Pool(origin, { ...poolOptions, headersTimeout: connectTimeoutMs }),
    factory: (origin, poolOptions) => {
      const { connect, ...rest } = poolOptions as Pool.Options
      return new Pool(
        origin,
        typeof connect === 'function' ? { ...rest, connect: withConnectFailures(connect, true) } : { ...rest },
      )
    },
  })
}

/** @throws {TypeError} naming what is wrong, without the value, which may hold a password. */
function readProxy(text: string): URL {
  if (!URL.canParse(text))
    throw new TypeError('`proxy` is not a URL; write http://user:pass@host:port or socks5://user:pass@host:port')
  const url = new URL(text)
  if (!['http:', 'https:', 'socks5:', 'socks5h:', 'socks:'].includes(url.protocol)) {
    throw new TypeError(`\`proxy\` has the scheme ${url.protocol} but only http, https and socks5 are supported`)
  }
  if (url.hostname === '') throw new TypeError('`proxy` names no host; write http://host:port or socks5://host:port')
  return url
}

function readCredentials({ username, password }: URL): { userId: string; password: string } | undefined {
  if (username === '' && password === '') return undefined
  return { userId: decodeURIComponent(username), password: decodeURIComponent(password) }
}
