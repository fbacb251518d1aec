import { GenerationError } from '@castorjs/content-generator'
import { readGoogleError, toUpstreamError, toWireError, type GoogleError } from '@castorjs/gemini-api-client/wire'
import type { Transport, TransportResponse } from '@castorjs/http-transport'
import { notServed } from './account-error.ts'
import type { TokenSource } from './auth/token-source.ts'

/** Calls of `v1internal`, signed; a refused token is renewed and the call sent once more. */
export interface CodeAssistApi {
  /** The response of a success, its body unread, or what Google said. */
  send(path: string, body: unknown, signal: AbortSignal): Promise<TransportResponse | { refusal: GoogleError }>
  /** Parsed JSON of a success. @throws {GenerationError} for anything else. */
  json(path: string, body: unknown, signal: AbortSignal): Promise<Record<string, unknown>>
  toError(refusal: GoogleError, model?: string): GenerationError
}

export interface CodeAssistApiOptions {
  baseUrl: string
  apiVersion: string
  tokens: TokenSource
  transport: Transport
  label: string
  now: () => number
}

const MAX_BODY_BYTES = 4_000_000

/** Cool-down after a 429 that says nothing: between a hiccup and a dislike of the request, in milliseconds. */
const BARE_WAIT_MS = 60_000

export function createCodeAssistApi({
  baseUrl,
  apiVersion,
  tokens,
  transport,
  label,
  now,
}: CodeAssistApiOptions): CodeAssistApi {
  const root = `${baseUrl.replace(/\/+$/, '')}/${apiVersion}`

  function toError(refusal: GoogleError, model?: string): GenerationError {
    if (refusal.status === 403 && refusal.reason === 'VALIDATION_REQUIRED') {
      const { validation_link: given } = refusal.metadata
      const link = refusal.helpUrl ?? (typeof given === 'string' ? given : undefined)
      return notServed(label, { reasonCode: refusal.reason, reasonMessage: refusal.message, link })
    }
    return toUpstreamError(refusal, { now: now(), bareWaitMs: BARE_WAIT_MS, ...(model === undefined ? {} : { model }) })
  }

  async function sendOnce(path: string, body: unknown, token: string, signal: AbortSignal): Promise<TransportResponse> {
    return transport(`${root}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    })
  }

  async function send(
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<TransportResponse | { refusal: GoogleError }> {
    try {
      const token = await tokens.get(signal)
      let response = await sendOnce(path, body, token, signal)
      if (response.status === 401) {
        await response.discard()
        response = await sendOnce(path, body, await tokens.get(signal, token), signal)
      }
      if (response.status >= 200 && response.status < 300) return response
      return { refusal: readGoogleError(response.status, await response.text(MAX_BODY_BYTES)) }
    } catch (error) {
      throw toWireError(error, signal)
    }
  }

  return {
    send,
    toError,
    async json(path, body, signal) {
      const response = await send(path, body, signal)
      if ('refusal' in response) throw toError(response.refusal)
      try {
        const parsed = await response.json(MAX_BODY_BYTES)
        if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
      } catch (error) {
        throw toWireError(error, signal)
      }
      throw new GenerationError('protocol_drift', 'Code Assist answered with something that is no object.')
    },
  }
}
