import { type GenerationError } from '@castorjs/content-generator'
import type { Transport, TransportRequest, TransportResponse } from '@castorjs/http-transport'
import { readGoogleError, type GoogleError } from './wire/google-error.ts'
import { toWireError } from './wire/transport-error.ts'
import { toUpstreamError } from './wire/upstream-error.ts'

/** Longest error body that is read, in bytes. */
const MAX_ERROR_BYTES = 1_000_000
/** Longest whole answer, in bytes: a list of models, a batch of embeddings. */
const MAX_ANSWER_BYTES = 64_000_000

/** An answer that is no success. */
interface Refusal {
  refusal: GoogleError
}

/** Calls of the Gemini API with the key in the header. */
export interface Api {
  /** The response of a success, its body unread; else what Google said. */
  send(path: string, request: TransportRequest & { signal: AbortSignal }): Promise<TransportResponse | Refusal>
  /** Parsed JSON of a success. @throws {GenerationError} for anything else. */
  json(
    path: string,
    request: TransportRequest & { signal: AbortSignal },
    model?: string,
  ): Promise<Record<string, unknown>>
  /** Refused, in our words. */
  toError(refusal: GoogleError, model?: string): GenerationError
}

export interface ApiOptions {
  baseUrl: string
  apiVersion: string
  /** Sent with every call; the key is among them. */
  headers: Record<string, string>
  transport: Transport
  now: () => number
}

export function createApi({ baseUrl, apiVersion, headers, transport, now }: ApiOptions): Api {
  const root = baseUrl.replace(/\/+$/, '')
  const toError = (refusal: GoogleError, model?: string): GenerationError => {
    return toUpstreamError(refusal, { now: now(), ...(model === undefined ? {} : { model }) })
  }

  async function send(
    path: string,
    request: TransportRequest & { signal: AbortSignal },
  ): Promise<TransportResponse | Refusal> {
    // The upload prefix stands before the version; an upload URL is whole already.
    const url = /^https?:/.test(path)
      ? path
      : path.startsWith('upload/')
        ? `${root}/upload/${apiVersion}/${path.slice(7)}`
        : `${root}/${apiVersion}/${path}`
    try {
      const response = await transport(url, { ...request, headers: { ...headers, ...request.headers } })
      if (response.status >= 200 && response.status < 300) return response
      return { refusal: readGoogleError(response.status, await response.text(MAX_ERROR_BYTES)) }
    } catch (error) {
      throw toWireError(error, request.signal)
    }
  }

  return {
    send,
    toError,
    async json(path, request, model) {
      const response = await send(path, request)
      if ('refusal' in response) throw toError(response.refusal, model)
      try {
        const body = await response.json(MAX_ANSWER_BYTES)
        return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
      } catch (error) {
        throw toWireError(error, request.signal)
      }
    },
  }
}

/** A request with a JSON body. */
export function post(body: unknown, signal: AbortSignal): TransportRequest & { signal: AbortSignal } {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal }
}
