import { createFetchTransport } from '@castorjs/http-transport'
import type { TransportRequest, TransportResponse } from '@castorjs/http-transport'
import { createAddressPolicy } from './address-policy.ts'
import { createDeadlines } from './deadlines.ts'
import { refuse, tooLarge, toFetchError } from './refusal.ts'
import { checkUrl, resolveTarget } from './target.ts'
import type { ResolveHost } from './target.ts'

/** A request that must go to one of `addresses` and nowhere else; absent when the host was not resolved by us. */
export interface PinnedRequest extends TransportRequest {
  addresses?: readonly string[]
}

/** One exchange. Every `Transport` is one, though only a pinning transport is proof against DNS that changes its mind. */
export type PinnedTransport = (url: string, request: PinnedRequest) => Promise<TransportResponse>

export interface GuardedFetchOptions {
  /**
   * Addresses of a host name. Absent, names are not resolved by us: names of private networks are still refused
   * by their form, but only a runtime that cannot reach private networks (Workers) is safe then.
   */
  resolve?: ResolveHost
  /** Default: Web fetch. */
  transport?: PinnedTransport
  /** Limit on the decoded body. Default 104 857 600 (100 MB). */
  maxBytes?: number
  /** Deadline from the call to the last byte. Default 20 000. */
  timeoutMs?: number
  /** Longest silence. Default 10 000. */
  idleMs?: number
  /** Default 3. Each hop is checked like the first. */
  maxRedirects?: number
  /** Default true. */
  allowHttp?: boolean
  /** Private places that may be fetched from: `host:port`, or networks such as `192.168.1.0/24`. Default none. */
  allowPrivate?: readonly string[]
}

export interface GuardedRequest {
  signal: AbortSignal
  /** Limit for this call, in place of the option. */
  maxBytes?: number
  /** Value of the `accept` header. Default none. */
  accept?: string
}

export interface GuardedResponse {
  /** Where the file was found, after redirects. */
  url: string
  /** Always 2xx. */
  status: number
  /** What the server calls it: lower case, without parameters. Do not trust it: look at the bytes. */
  mimeType?: string
  /** What the server announced. Absent for a streamed or compressed reply. */
  sizeBytes?: number
  /** The bytes as they arrive. Throws `too_large` past the limit and `invalid_request` past a deadline. May be read once. */
  body: AsyncIterable<Uint8Array>
  /** The whole body. */
  bytes(): Promise<Uint8Array>
}

/** Fetches a URL that a stranger gave. */
export type GuardedFetch = (url: string, request: GuardedRequest) => Promise<GuardedResponse>

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/**
 * Makes a fetch that only reaches public hosts, within limits of size and time.
 *
 * It throws `GenerationError`: `invalid_request` for a URL that may not or cannot be fetched, `too_large`, or `aborted`.
 * Each has `fileUri` set to the URL exactly as given; the message names the host at most.
 *
 * @throws {TypeError} when an entry of `allowPrivate` cannot be read.
 */
export function createGuardedFetch({
  resolve,
  transport = createFetchTransport(),
  maxBytes: defaultMaxBytes = 104_857_600,
  timeoutMs = 20_000,
  idleMs = 10_000,
  maxRedirects = 3,
  allowHttp = true,
  allowPrivate = [],
}: GuardedFetchOptions = {}): GuardedFetch {
  const policy = createAddressPolicy(allowPrivate)

  return async (fileUri, { signal, maxBytes = defaultMaxBytes, accept }) => {
    let url = checkUrl(fileUri, { fileUri, allowHttp })
    const deadlines = createDeadlines(fileUri, { signal, timeoutMs, idleMs })
    const headers = { 'accept-encoding': 'identity', ...(accept === undefined ? {} : { accept }) }
    try {
      for (let hop = 0; ; hop++) {
        const addresses = await deadlines.race(resolveTarget(url, { fileUri, policy, resolve }))
        const response = await deadlines.race(
          transport(url.href, { headers, signal: deadlines.signal, ...(addresses === undefined ? {} : { addresses }) }),
        )
        const location = REDIRECTS.includes(response.status) ? response.header('location') : undefined
        if (location === undefined) return await receive(response)
        await response.discard()
        if (hop >= maxRedirects) {
          throw refuse(
            fileUri,
            `${url.host} redirects more than ${maxRedirects} times. Use the URL of the file itself.`,
          )
        }
        url = checkUrl(location, { fileUri, allowHttp, base: url })
      }
    } catch (error) {
      deadlines.clear()
      throw toFetchError(error, fileUri, url.host, deadlines.signal)
    }

    async function receive(response: TransportResponse): Promise<GuardedResponse> {
      if (response.status < 200 || response.status > 299) {
        await response.discard()
        throw refuse(
          fileUri,
          `${url.host} answered ${response.status} for this file. Check that the URL opens without signing in.`,
        )
      }
      const sizeBytes = readSize(response)
      if (sizeBytes !== undefined && sizeBytes > maxBytes) {
        await response.discard()
        throw tooLarge(fileUri, url.host, maxBytes)
      }
      const mimeType = response.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
      const body = read(response)
      return {
        url: url.href,
        status: response.status,
        ...(mimeType === undefined || mimeType === '' ? {} : { mimeType }),
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
        body,
        bytes: () => gather(body),
      }
    }

    async function* read(response: TransportResponse): AsyncGenerator<Uint8Array> {
      let size = 0
      try {
        for await (const chunk of response.body) {
          deadlines.touch()
          size += chunk.byteLength
          if (size > maxBytes) throw tooLarge(fileUri, url.host, maxBytes)
          yield chunk
          deadlines.touch()
        }
      } catch (error) {
        throw toFetchError(error, fileUri, url.host, deadlines.signal)
      } finally {
        deadlines.clear()
      }
    }
  }
}

/** What the server says of the size, unless compression makes it something else. */
function readSize(response: TransportResponse): number | undefined {
  const text = response.header('content-length')
  if (text === undefined || !/^\d+$/.test(text) || response.header('content-encoding') !== undefined) return undefined
  return Number(text)
}

async function gather(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.byteLength, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}
