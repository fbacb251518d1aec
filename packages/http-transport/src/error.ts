const BRAND = Symbol.for('@castorjs/http-transport/error')

/**
 * - `network`: the server was not reached, or the exchange broke off.
 * - `proxy`: the proxy was not reached, refused us or could not reach the server.
 * - `too_large`: the body is longer than the limit the reader gave.
 */
export type TransportErrorCode = 'network' | 'proxy' | 'too_large'

export interface TransportErrorOptions {
  /** What the platform called it, such as `ECONNREFUSED`. */
  systemCode?: string
}

/** Why an exchange failed. Holds the host at most: no path, query, header, credential or original error is inside. */
export class TransportError extends Error {
  readonly code: TransportErrorCode
  /** What the platform called it, such as `ECONNREFUSED` or `UND_ERR_CONNECT_TIMEOUT`; absent when it said nothing. */
  readonly systemCode?: string

  constructor(code: TransportErrorCode, message: string, { systemCode }: TransportErrorOptions = {}) {
    super(message)
    this.name = 'TransportError'
    this.code = code
    if (systemCode !== undefined) this.systemCode = systemCode
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises a TransportError of any installed copy of this package. */
export function isTransportError(value: unknown): value is TransportError {
  return value instanceof Error && BRAND in value
}

/** The `code` of a system error, if it looks like one; looks into `cause` once, where Web fetch keeps it. */
export function readSystemCode(error: unknown): string | undefined {
  for (const candidate of [error, error instanceof Error ? error.cause : undefined]) {
    if (typeof candidate !== 'object' || candidate === null || !('code' in candidate)) continue
    if (typeof candidate.code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(candidate.code)) return candidate.code
  }
  return undefined
}
