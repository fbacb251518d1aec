import { HOSTS, hostNameOf, isDownloadHost, type HostName } from '@castorjs/gemini-web-protocol'
import {
  isTransportError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '@castorjs/http-transport'
import type { CookieChange, CookieChoice, CookieJar } from './cookies/cookie-jar.ts'
import { GeminiWebError } from './error.ts'

/** Base URL of each host, or one for all of them; for tests and mirrors. */
export type BaseUrls = string | Partial<Record<HostName, string>>

interface WireRequest extends TransportRequest {
  /** Default `all`. */
  cookies?: CookieChoice
  /** Name of the host to assume when the URL is already on a replaced base. */
  host?: HostName
}

/** The one place that sends anything: it puts cookies on and takes cookies off. */
export interface Wire {
  /** Everything that came; `send` may hold some of it back. */
  readonly jar: CookieJar
  /**
   * One exchange with a host of the web app, by its public URL.
   *
   * @throws {GeminiWebError} `network`; before anything is sent, `media_refused` for a URL outside the web app's hosts and
   * what `beforeSend` throws.
   */
  send(url: string, request?: WireRequest): Promise<TransportResponse>
  /** The public name and URL of something a reply pointed to; undefined for a stranger's URL. */
  locate(url: string, near: HostName): Place | undefined
}

interface Place {
  /** Absent for a host of Google's that has no name here. */
  host?: HostName
  /** Public URL. */
  url: string
}

export interface WireOptions {
  transport: Transport
  /** Takes the cookies of each reply. */
  jar: CookieJar
  /** The cookies that are sent. Default: those of `jar`. */
  kept?: Pick<CookieJar, 'header'>
  baseUrls?: BaseUrls
  /** Called when a reply changed the cookies; a promise is awaited before the reply is used when the ticket changed. */
  onCookies?: (change: CookieChange) => Promise<void>
  /** Called before each exchange; what it throws is thrown in its place. */
  beforeSend?: () => void
}

export function createWire({ transport, jar, kept = jar, baseUrls = {}, onCookies, beforeSend }: WireOptions): Wire {
  const bases = readBases(baseUrls)

  function locate(url: string, near: HostName): Place | undefined {
    if (!URL.canParse(url)) return undefined
    const parsed = new URL(url)
    const host = hostNameOf(parsed.host)
    if (parsed.protocol === 'https:') {
      if (host !== undefined) return { host, url }
      if (isDownloadHost(parsed.host)) return { url }
    }
    for (const name of [near, ...bases.keys()]) {
      const base = bases.get(name)
      if (base === undefined || (url !== base && !/^[/?]/.test(url.slice(base.length)))) continue
      if (url.startsWith(base)) return { host: name, url: HOSTS[name] + url.slice(base.length) }
    }
    return undefined
  }

  return {
    jar,
    locate,
    async send(url, { cookies = 'all', host: near = 'app', ...request } = {}) {
      const place = locate(url, near)
      if (place === undefined) {
        throw new GeminiWebError('media_refused', 'The address is not one of the web app, so no cookie may go there')
      }
      beforeSend?.()
      const base = place.host === undefined ? undefined : bases.get(place.host)
      const target = base === undefined ? place.url : base + place.url.slice(new URL(place.url).origin.length)
      const cookie = kept.header(place.url, cookies)
      const headers = cookie === undefined ? request.headers : { ...request.headers, cookie }
      let response: TransportResponse
      try {
        response = await transport(target, { ...request, ...(headers === undefined ? {} : { headers }) })
      } catch (error) {
        throw toWireError(error, request.signal)
      }
      const lines = response.setCookies()
      if (lines.length > 0) {
        const change = jar.merge(place.url, lines)
        if (change.changed) {
          const saved = onCookies?.(change)
          if (change.ticket) await saved
        }
      }
      return response
    },
  }
}

function readBases(baseUrls: BaseUrls): Map<HostName, string> {
  const names = Object.keys(HOSTS) as HostName[]
  const bases = new Map<HostName, string>()
  for (const name of names) {
    const base = typeof baseUrls === 'string' ? baseUrls : baseUrls[name]
    if (base === undefined) continue
    if (!URL.canParse(base)) {
      throw new GeminiWebError('invalid_argument', `The base URL of host ${name} is not a URL`, { field: 'baseUrls' })
    }
    bases.set(name, base.replace(/\/+$/, ''))
  }
  return bases
}

/** Makes a failure of the transport ours; an abort stays what it is. */
export function toWireError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason
  if (!isTransportError(error)) return error
  if (error.code === 'too_large') return new GeminiWebError('drift', error.message, { cause: error })
  return new GeminiWebError('network', error.message, { cause: error })
}

/** The text of a reply, with failures made ours. */
export async function readText(response: TransportResponse, maxBytes: number, signal?: AbortSignal): Promise<string> {
  try {
    return await response.text(maxBytes)
  } catch (error) {
    throw toWireError(error, signal)
  }
}
