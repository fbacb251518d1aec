import { serve, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import type { AddressInfo } from 'node:net'
import type { Connection, ConnectionOf } from './door.ts'

export interface RunningServer {
  /** Base URL on this machine. */
  url: string
  port: number
  /** Stops accepting, lets answers in progress finish for `graceMs`, then cuts the rest. */
  close: (graceMs?: number) => Promise<void>
}

export interface Connections {
  connectionOf: ConnectionOf
  remember: (request: Request, connection: Connection) => void
}

/** Which connection each request came over, for as long as the request lives. */
export function createConnections(): Connections {
  const known = new WeakMap<Request, Connection>()
  return {
    connectionOf: (request) => known.get(request),
    remember: (request, connection) => void known.set(request, connection),
  }
}

export interface ServerOptions {
  fetch: (request: Request) => Response | Promise<Response>
  connections: Connections
  host: string
  port: number
}

/**
 * Listens. Rejects with Node's own error when the address is taken.
 */
export function startServer({ fetch, connections, host, port }: ServerOptions): Promise<RunningServer> {
  return new Promise((resolve, reject) => {
    const server = serve({
      fetch: (request: Request, { incoming }: HttpBindings | Http2Bindings) => {
        connections.remember(request, { remoteAddress: incoming.socket.remoteAddress })
        return fetch(request)
      },
      hostname: host,
      port,
      serverOptions: { maxHeaderSize: 64 * 1024 },
    })
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      const address = server.address() as AddressInfo
      resolve({
        url: `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${address.port}`,
        port: address.port,
        close: (graceMs = 30_000) => closeServer(server as ClosableServer, graceMs),
      })
    })
  })
}

interface ClosableServer {
  close: (done: () => void) => unknown
  closeIdleConnections: () => void
  closeAllConnections: () => void
}

function closeServer(server: ClosableServer, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
