import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import { TransportError, isTransportError, readSystemCode } from '../error.ts'
import type { Transport, TransportRequest } from '../transport.ts'
import { ConnectFailure } from './connector.ts'
import { withDecodedBody } from './decoded.ts'
import { createDispatcher } from './dispatcher.ts'
import { Exchange } from './exchange.ts'

export interface NodeTransportOptions {
  /** `http://user:pass@host:port`, `https://…` (CONNECT tunnel) or `socks5://user:pass@host:port`; the proxy resolves names. Default: none. */
  proxy?: string
  /** Limit on the headers of one reply. Default 262 144: the page of the Gemini web app sends more than Node's 16 384. */
  maxHeaderBytes?: number
  /** Limit on reaching the server, or the proxy and the server through it. Default 15 000. */
  connectTimeoutMs?: number
  /** How long an idle connection is kept when the server gives no hint. Default 30 000. */
  keepAliveMs?: number
  /** Connections per origin; more requests wait. Default: no limit. */
  maxConnections?: number
  /** Resolves names in place of `dns.lookup`. Not used behind a proxy for the server's name. */
  lookup?: LookupFunction
  /** PEM certificates to trust in place of the built-in ones. */
  ca?: string
}

export type NodeTransport = Transport & {
  /** Ends every exchange and connection. Calls made later reject with `network`. */
  close(): Promise<void>
}

/**
 * A transport on undici, with one connection pool and at most one proxy.
 *
 * It has no deadline but the one on connecting: give each call a `signal`.
 *
 * @throws {TypeError} when `proxy` is not a URL of a supported scheme.
 */
export function createNodeTransport({
  proxy,
  maxHeaderBytes = 262_144,
  connectTimeoutMs = 15_000,
  keepAliveMs = 30_000,
  maxConnections,
  lookup,
  ca,
}: NodeTransportOptions = {}): NodeTransport {
  const dispatcher = createDispatcher({
    proxy,
    maxHeaderBytes,
    connectTimeoutMs,
    keepAliveMs,
    maxConnections,
    lookup,
    ca,
  })

  const transport: Transport = async (url, request = {}) => {
    const { method = 'GET', headers, signal } = request
    signal?.throwIfAborted()
    const target = parseUrl(url)
    const upload = toUpload(request.body)
    const exchange = new Exchange({
      signal,
      explain: (error) =>
        upload.failed === error && upload.failed !== undefined ? error : toTransportError(error, target.host),
    })
    const options: Dispatcher.DispatchOptions = {
      origin: target.origin,
      path: target.pathname + target.search,
      method,
      // undici's ProxyAgent adds `host` to the object it is given.
      headers: proxy === undefined || headers === undefined ? headers : { ...headers },
      body: upload.body as Dispatcher.DispatchOptions['body'],
    }
    await exchange.answer((handler) => dispatcher.dispatch(options, handler))
    return exchange.header('content-encoding') === undefined || method === 'HEAD'
      ? exchange
      : withDecodedBody(exchange, target.host)
  }

  return Object.assign(transport, { close: () => dispatcher.destroy() })
}

function parseUrl(url: string): URL {
  try {
    return new URL(url)
  } catch {
    // Node's own error keeps the whole input.
    throw new TypeError('The URL to call is not valid')
  }
}

interface Upload {
  body: TransportRequest['body']
  /** What the caller's iterable threw, to be thrown on as it is. */
  failed?: unknown
}

function toUpload(body: TransportRequest['body']): Upload {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return { body }
  const upload: Upload = { body: read(body) }
  async function* read(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks
    } catch (error) {
      upload.failed = error
      throw error
    }
  }
  return upload
}

function toTransportError(error: unknown, host: string): Error {
  if (isTransportError(error)) return error
  if (error instanceof ConnectFailure) {
    const options = error.systemCode === undefined ? {} : { systemCode: error.systemCode }
    if (error.party === 'proxy')
      return new TransportError('proxy', `The proxy cannot be used to reach ${host}: ${error.message}`, options)
    return new TransportError('network', `Cannot reach ${host}: ${error.message}`, options)
  }
  const systemCode = readSystemCode(error)
  // A header or path that HTTP does not allow. undici names the header, never its value.
  if (systemCode === 'UND_ERR_INVALID_ARG')
    return new TypeError(error instanceof Error ? error.message : 'invalid request')
  if (systemCode === undefined) return new TransportError('network', `The exchange with ${host} broke off`)
  return new TransportError('network', `The exchange with ${host} failed: ${WORDS[systemCode] ?? systemCode}`, {
    systemCode,
  })
}

const WORDS: Record<string, string> = {
  UND_ERR_SOCKET: 'the server closed the connection',
  UND_ERR_HEADERS_OVERFLOW: 'its headers are larger than `maxHeaderBytes`',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'its body is shorter or longer than announced',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'our body is shorter or longer than its content-length',
  UND_ERR_DESTROYED: 'the transport is closed',
  UND_ERR_CLOSED: 'the transport is closed',
}
