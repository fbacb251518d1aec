import { isTransportError, readSystemCode, TransportError } from './error.ts'
import { bodyTooLarge, parseJson, readBytes } from './read-body.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'

export interface FetchTransportOptions {
  /** Default `globalThis.fetch`, looked up at each call. */
  fetch?: typeof fetch
}

/**
 * A transport over Web fetch, for every runtime that has one.
 *
 * A browser hides redirects (status 0), adds headers of its own and refuses some of ours; servers' runtimes do not.
 */
export function createFetchTransport({ fetch: given }: FetchTransportOptions = {}): Transport {
  return async (url, request = {}) => {
    const signal = request.signal
    signal?.throwIfAborted()
    const host = readHost(url)
    try {
      return toResponse(await (given ?? fetch)(url, toRequestInit(request)), host, signal)
    } catch (error) {
      throw toTransportError(error, host, signal)
    }
  }
}

function readHost(url: string): string {
  if (!URL.canParse(url)) throw new TypeError('The URL to call is not valid')
  return new URL(url).host
}

type StreamingRequestInit = RequestInit & { duplex?: 'half' }

function toRequestInit({ method = 'GET', headers, body, signal }: TransportRequest): StreamingRequestInit {
  const init: StreamingRequestInit = { method, redirect: 'manual' }
  // workerd throws on fields it does not know; where the field exists, our cookies must not come from a jar.
  if ('credentials' in Request.prototype) init.credentials = 'omit'
  if (headers !== undefined) init.headers = headers
  if (signal !== undefined) init.signal = signal
  if (body === undefined) return init
  if (typeof body === 'string') init.body = body
  else if (body instanceof Uint8Array) init.body = body as Uint8Array<ArrayBuffer>
  else {
    init.body = toReadableStream(body)
    init.duplex = 'half'
  }
  return init
}

function toReadableStream(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

function toTransportError(error: unknown, host: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason
  // Only the platform's own failure is a TypeError; what a caller's body or fetch threw is the caller's to read.
  if (isTransportError(error) || !(error instanceof TypeError)) return error
  if (error.cause instanceof Error && !('code' in error.cause)) return error.cause
  const systemCode = readSystemCode(error)
  const reason = systemCode === undefined ? '' : ` (${systemCode})`
  return new TransportError(
    'network',
    `The exchange with ${host} failed${reason}`,
    systemCode === undefined ? {} : { systemCode },
  )
}

function toResponse(response: Response, host: string, signal: AbortSignal | undefined): TransportResponse {
  const body = toBody(response.body, (error) => toTransportError(error, host, signal))

  async function bytes(maxBytes?: number): Promise<Uint8Array> {
    const declared = Number(response.headers.get('content-length') ?? 0)
    if (maxBytes !== undefined && declared > maxBytes && !response.headers.has('content-encoding')) {
      await body.return()
      throw bodyTooLarge(maxBytes)
    }
    return readBytes(body, maxBytes)
  }

  async function text(maxBytes?: number): Promise<string> {
    return new TextDecoder().decode(await bytes(maxBytes))
  }

  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    setCookies: () => response.headers.getSetCookie(),
    body,
    bytes,
    text,
    json: async (maxBytes) => parseJson(await text(maxBytes)),
    async discard() {
      await body.return()
    },
  }
}

interface Body extends AsyncIterable<Uint8Array> {
  return(): Promise<IteratorResult<Uint8Array, undefined>>
}

/** Reads a stream; unlike a generator, `return` does not wait behind a pending `next`. */
function toBody(stream: ReadableStream<Uint8Array> | null, explain: (error: unknown) => unknown): Body {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  const iterator: AsyncIterator<Uint8Array, undefined> & Body = {
    async next() {
      if (stream === null) return { done: true, value: undefined }
      reader ??= stream.getReader()
      try {
        const read = await reader.read()
        return read.done ? { done: true, value: undefined } : { done: false, value: read.value }
      } catch (error) {
        throw explain(error)
      }
    },
    async return() {
      // A stream that already failed refuses to be cancelled; its socket is gone then.
      await (reader ?? stream)?.cancel().catch(() => undefined)
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
