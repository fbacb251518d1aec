import { socksConnector } from 'fetch-socks'
import type { LookupFunction } from 'node:net'
// The file, not the package: Bun puts a shim that cannot dispatch in the place of 'undici'.
import { Agent, Client, Pool, ProxyAgent, buildConnector } from 'undici/index.js'
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
    return new Agent({ ...client, factory: createPool, connect: withConnectFailures(buildConnector(socket), false) })
  }
  const proxy = readProxy(options.proxy)
  if (proxy.protocol.startsWith('socks')) {
    const target = {
      type: 5 as const,
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: Number(proxy.port || 1080),
      ...readCredentials(proxy),
    }
    return new Agent({
      ...client,
      factory: createPool,
      connect: withConnectFailures(socksConnector(target, socket), true),
    })
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
      const wrapped = typeof connect === 'function' ? { connect: withConnectFailures(connect, true) } : {}
      return createPool(origin, { ...rest, ...wrapped })
    },
  })
}

function createPool(origin: string | URL, options: object): Pool {
  const { connections } = options as Pool.Options
  // With a limit the pool waits for each of its clients to come back, so none may be taken away.
  return new Pool(origin, connections === undefined ? { ...options, factory: createClient } : options)
}

/**
 * After an abort undici's client connects again, only to drop the aborted request: a handshake for nothing, and a
 * socket that idles. So the client goes with its socket; the event makes the pool forget it.
 */
function createClient(origin: URL, options: object): Client {
  const client = new Client(origin, options)
  client.on('disconnect', (url, targets, error) => {
    if (client.destroyed || error.code !== 'UND_ERR_INFO' || error.message !== 'aborted') return
    client.emit('connectionError', url, targets, error)
    void client.destroy()
  })
  return client
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
  return { userId: decode(username), password: decode(password) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError('`proxy` has a % in its user or password that begins no percent-encoding; write it as %25')
  }
}
