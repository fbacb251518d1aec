import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { bodyTooLarge, joinChunks, parseJson } from '../read-body.ts'
import type { TransportResponse } from '../transport.ts'

/** Bytes held before the socket is paused. */
const HIGH_WATER_BYTES = 65_536

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

type ChunkResult = IteratorResult<Uint8Array, undefined>

interface Waiter<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

export interface ExchangeOptions {
  signal?: AbortSignal | undefined
  /** Turns what undici reports into what a caller may see. */
  explain: (error: unknown) => unknown
}

/**
 * One exchange on the wire: undici's handler, the response and its body in one object.
 *
 * undici's own `request` would put a Node stream and an abort wrapper in between for each call; this is the
 * same state machine without them. `answer` settles once with this object or with the failure.
 */
export class Exchange implements Dispatcher.DispatchHandler, TransportResponse {
  status = 0
  readonly body: AsyncIterable<Uint8Array> & AsyncIterator<Uint8Array, undefined>
  #headers: IncomingHttpHeaders = {}
  #controller: Dispatcher.DispatchController | undefined
  #answer: Waiter<Exchange> | undefined
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #ended = false
  #failed = false
  #failure: unknown
  #next: Waiter<ChunkResult> | undefined
  /** Set while the whole body is gathered. */
  #whole: (Waiter<Uint8Array> & { maxBytes: number }) | undefined
  readonly #signal: AbortSignal | undefined
  readonly #explain: (error: unknown) => unknown
  readonly #onFree = (): void => this.#end()
  readonly #onAbort = (): void => this.#abort(this.#signal?.reason)

  constructor({ signal, explain }: ExchangeOptions) {
    this.#signal = signal
    this.#explain = explain
    signal?.addEventListener('abort', this.#onAbort)
    const body = {
      next: () => this.#read(),
      return: async () => this.#leave(),
      [Symbol.asyncIterator]: () => body,
    }
    this.body = body
  }

  answer(start: (handler: Dispatcher.DispatchHandler) => void): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject }
      try {
        start(this)
      } catch (error) {
        this.#fail(this.#explain(error))
      }
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#failed) controller.abort(asError(this.#failure))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.status = status
    this.#headers = headers
    this.#answer?.resolve(this)
    this.#answer = undefined
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const next = this.#next
    if (next !== undefined) {
      this.#next = undefined
      next.resolve({ done: false, value: chunk })
      return
    }
    this.#queue.push(chunk)
    this.#queuedBytes += chunk.byteLength
    if (this.#whole !== undefined) {
      if (this.#queuedBytes > this.#whole.maxBytes) this.#abort(bodyTooLarge(this.#whole.maxBytes))
    } else if (this.#queuedBytes > HIGH_WATER_BYTES) controller.pause()
  }

  onResponseEnd(): void {
    // undici offers the connection again one turn of the loop later. Ending with it, not before, lets a call
    // that follows at once use the same connection instead of paying for a new handshake.
    queueMicrotask(() => setImmediate(this.#onFree))
  }

  #end(): void {
    if (this.#ended) return
    this.#finish()
    this.#next?.resolve(DONE)
    this.#next = undefined
    const whole = this.#whole
    this.#whole = undefined
    whole?.resolve(this.#takeAll())
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(this.#explain(error))
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  setCookies(): string[] {
    const value: string | string[] | undefined = this.#headers['set-cookie']
    return typeof value === 'string' ? [value] : (value ?? [])
  }

  bytes(maxBytes = Infinity): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#failed) return reject(this.#failure)
      if (this.#signal?.aborted === true) return reject(this.#signal.reason)
      if (Number(this.#headers['content-length'] ?? 0) > maxBytes || this.#queuedBytes > maxBytes) {
        this.#abort(bodyTooLarge(maxBytes))
        return reject(bodyTooLarge(maxBytes))
      }
      if (this.#ended) return resolve(this.#takeAll())
      this.#whole = { resolve, reject, maxBytes }
      this.#controller?.resume()
    })
  }

  async text(maxBytes?: number): Promise<string> {
    return new TextDecoder().decode(await this.bytes(maxBytes))
  }

  async json(maxBytes?: number): Promise<unknown> {
    return parseJson(await this.text(maxBytes))
  }

  async discard(): Promise<void> {
    this.#leave()
  }

  #read(): Promise<ChunkResult> {
    if (this.#signal?.aborted === true) return Promise.reject(this.#signal.reason as Error)
    const chunk = this.#queue.shift()
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.byteLength
      if (this.#queuedBytes === 0 && !this.#ended) this.#controller?.resume()
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#failed) return Promise.reject(this.#failure as Error)
    if (this.#ended) return Promise.resolve(DONE)
    return new Promise((resolve, reject) => (this.#next = { resolve, reject }))
  }

  #takeAll(): Uint8Array {
    const bytes = joinChunks(this.#queue, this.#queuedBytes)
    this.#queue = []
    this.#queuedBytes = 0
    return bytes
  }

  /** The reader has gone: nothing more is wanted, and that is no failure. */
  #leave(): IteratorReturnResult<undefined> {
    this.#queue = []
    this.#queuedBytes = 0
    if (this.#ended) return DONE
    this.#finish()
    this.#next?.resolve(DONE)
    this.#next = undefined
    this.#controller?.abort(new Error('The reader left'))
    return DONE
  }

  #abort(reason: unknown): void {
    if (this.#ended) return
    this.#fail(reason)
    this.#controller?.abort(asError(reason))
  }

  #fail(failure: unknown): void {
    if (this.#ended) return
    this.#failed = true
    this.#failure = failure
    this.#finish()
    for (const waiter of [this.#answer, this.#next, this.#whole]) waiter?.reject(failure)
    this.#answer = this.#next = this.#whole = undefined
  }

  #finish(): void {
    this.#ended = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted')
}
