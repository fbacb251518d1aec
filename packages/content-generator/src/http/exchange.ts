import { ERRORS, GenerationError, toGenerationError } from '../error.ts'
import type { ContentGenerator, GenerateOptions, MediaOptions, ServedBy, Tally, Warning } from '../generator.ts'
import { addUsage, type Usage } from '../usage.ts'
import { authorizeRequest, type Authorize, type Caller } from './authorize.ts'
import { retryHeaders } from './error-headers.ts'
import { eventStreamResponse } from './event-stream.ts'
import { awaitFirst } from './first-chunk.ts'
import { jsonBody } from './json-body.ts'
import { readRetryHint } from './retry-hint.ts'

/** What every dialect's handler needs. */
export interface DialectOptions {
  generator: ContentGenerator
  authorize: Authorize
  /** Largest request body, in bytes. Default 100 MiB. */
  maxBodyBytes?: number
  /** Silence after which a stream sends a sign of life, in milliseconds. Default 10 000; 0 sends none. */
  heartbeatMs?: number
  /** How long a stream waits for its first chunk before it commits to status 200, in milliseconds. Default 10 000. */
  commitAfterMs?: number
  /** The operator's defaults for pictures and clips. */
  media?: MediaOptions
  /** Fail where the upstream answers with another model than asked for. */
  strictModel?: boolean
  /** Called exactly once per request, when its answer is over. */
  onOutcome?: (outcome: Outcome) => void
  /**
   * Headers of answers for which no generator told any, such as an error before it or a list of models. The caller is
   * undefined where none was let in. Must not throw.
   */
  otherHeaders?: (caller: Caller | undefined) => Promise<Readonly<Record<string, string>>>
}

/** What happened to one request. Holds no text, key or cookie: fit for logs, metrics and a ledger. */
export interface Outcome {
  requestId: string
  dialect: string
  method: string
  /** Path without the query. */
  path: string
  caller: string | undefined
  /** The trace this request is a part of, as the caller's W3C `traceparent` has it. */
  traceparent: string | undefined
  /** Model asked for. */
  model: string | undefined
  served: ServedBy | undefined
  stream: boolean
  /** HTTP status sent; 499 when the caller left first. A failure in mid-stream keeps its 200. */
  status: number
  error: GenerationError | undefined
  warnings: readonly Warning[]
  /** What the dialect told the caller; where the answer was cut short, what was counted until then. */
  usage: Usage | undefined
  /** Pictures, clips and other files in the answer. */
  media: number
  /** Time to the first chunk, in milliseconds, also of an answer sent whole; undefined when there was none. */
  firstChunkMs: number | undefined
  durationMs: number
}

/** One request on its way through a dialect: who asks, how to stop it, what to say about it at the end. */
export interface Exchange {
  readonly requestId: string
  readonly url: Readonly<URL>
  readonly caller: Caller | undefined
  /** Options to hand to the generator. */
  readonly options: GenerateOptions
  /** Adds a warning, once per setting. */
  warn(warning: Warning): void
  /**
   * Tells the model and whether the caller wants a stream, for the outcome. Comes before `options` are used: those of a
   * stream have a signal of its own.
   */
  describe(fields: { model?: string; stream?: boolean }): void
  /** Tells the tokens spent, for the outcome. */
  spend(usage: Usage): void
  /** A JSON answer. */
  json(body: unknown, init?: { status?: number; headers?: Record<string, string> }): Response
  /** Any other answer: bytes, a JSON array written piece by piece. */
  respond(body: BodyInit | null, init: { status?: number; headers: Record<string, string> }): Response
  /**
   * An event stream. Waits for the first piece while a status can still be chosen.
   * @throws {GenerationError} what the source threw before its first piece.
   */
  stream(source: AsyncIterable<string>, shape: StreamShape): Promise<Response>
}

/** What a stream looks like in a dialect. */
export interface StreamShape {
  encodeError: (error: GenerationError) => string
  heartbeat?: string
  headers?: Record<string, string>
}

/** How a dialect answers a failure that came before the first byte. */
export type EncodeErrorBody = (
  error: GenerationError,
  exchange: { requestId: string },
) => {
  body: unknown
  /** Where the dialect has a status of its own. */
  status?: number
}

/**
 * Runs one request of a dialect: checks the caller, calls `serve`, turns what it throws into the dialect's error
 * answer, and reports the outcome once.
 */
export async function serveExchange(
  request: Request,
  dialect: string,
  options: DialectOptions,
  encodeErrorBody: EncodeErrorBody,
  serve: (exchange: Exchange) => Promise<Response>,
): Promise<Response> {
  const startedAt = performance.now()
  const requestId = request.headers.get('x-request-id')?.match(REQUEST_ID)?.[0] ?? crypto.randomUUID()
  const url = new URL(request.url)
  const warnings = new Map<string, Warning>()
  const extra: Record<string, string> = {}
  let told = false
  let served: ServedBy | undefined
  let firstChunkMs: number | undefined
  const facts: { model?: string; stream?: boolean } = {}
  const tallies: (() => Tally)[] = []
  let usage: Usage | undefined
  let stopFollowing: (() => void) | undefined
  let reported = false
  let streaming = false

  function report(status: number, error?: GenerationError): void {
    if (reported) return
    reported = true
    stopFollowing?.()
    const tally = sumTallies(tallies)
    options.onOutcome?.({
      requestId,
      dialect,
      method: request.method,
      path: url.pathname,
      caller: generateOptions.caller,
      traceparent: request.headers.get('traceparent')?.match(TRACEPARENT)?.[0],
      model: facts.model,
      served,
      stream: facts.stream ?? false,
      status,
      error,
      warnings: [...warnings.values()],
      usage: usage ?? tally.usage,
      media: tally.media,
      firstChunkMs: firstChunkMs ?? (tally.firstChunkAt === undefined ? undefined : tally.firstChunkAt - startedAt),
      durationMs: performance.now() - startedAt,
    })
  }

  function headers(): Record<string, string> {
    const all: Record<string, string> = { 'x-request-id': requestId, 'request-id': requestId, ...extra }
    if (served !== undefined) all['x-castor-upstream'] = served.upstream
    if (served?.model !== undefined) all['x-castor-served-model'] = headerText(served.model)
    if (warnings.size > 0) {
      const lines = [...warnings.values()].map(({ setting, message }) => `${setting}: ${message}`)
      all['x-castor-warnings'] = headerText(lines.join(' | ')).slice(0, MAX_WARNING_HEADER)
    }
    return all
  }

  function warn(warning: Warning): void {
    if (!warnings.has(warning.setting)) warnings.set(warning.setting, warning)
  }

  /** Warnings that came when the headers were out, as comments, which every reader of an event stream skips. */
  function createRemarks(): () => string {
    let told = warnings.size
    return () => {
      if (warnings.size === told) return ''
      const late = [...warnings.values()].slice(told)
      told = warnings.size
      return late.map(({ setting, message }) => `: castor-warning ${headerText(`${setting}: ${message}`)}\n\n`).join('')
    }
  }

  /** Notes when the first piece came. No generator: each one on the way costs time per chunk. */
  function timed(source: AsyncIterable<string>): AsyncIterable<string> {
    return {
      [Symbol.asyncIterator]() {
        const iterator = source[Symbol.asyncIterator]()
        return {
          next() {
            const next = iterator.next()
            if (firstChunkMs === undefined) next.then(noteFirst, () => undefined)
            return next
          },
          return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
        }
      },
    }
  }

  function noteFirst({ done }: IteratorResult<string>): void {
    if (done !== true) firstChunkMs ??= performance.now() - startedAt
  }

  const retry = readRetryHint(request)
  const generateOptions: GenerateOptions = {
    signal: request.signal,
    requestId,
    shared: {},
    origin: url.origin,
    onWarning: warn,
    onServed: (by) => (served = { ...served, ...by }),
    onTally: (read) => void tallies.push(read),
    onHeaders(more) {
      told = true
      Object.assign(extra, more)
    },
    ...(options.media === undefined ? {} : { media: { ...options.media } }),
    ...(options.strictModel === undefined ? {} : { strictModel: options.strictModel }),
    ...(retry === undefined ? {} : { retry }),
  }

  /** A stream ends also when its response is left. Only then: a controller costs more than the rest of this file. */
  function ownController(): AbortController {
    const own = new AbortController()
    const { signal } = request
    const leave = (): void => own.abort(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    stopFollowing = () => signal.removeEventListener('abort', leave)
    generateOptions.signal = own.signal
    return own
  }

  // A plain field and no getter: an object with a getter of its own has a shape of its own, for each request anew.
  const exchange: Omit<Exchange, 'caller'> & { caller: Caller | undefined } = {
    requestId,
    url,
    caller: undefined,
    options: generateOptions,
    warn,
    describe(fields) {
      Object.assign(facts, fields)
      if (fields.stream === true) generateOptions.controller ??= ownController()
    },
    spend: (spent) => void (usage = spent),
    json(body, init = {}) {
      return exchange.respond(jsonBody(body), {
        ...init,
        headers: { 'content-type': 'application/json', ...init.headers },
      })
    },
    respond(body, init) {
      return new Response(body, { status: init.status ?? 200, headers: { ...headers(), ...init.headers } })
    },
    async stream(source, shape) {
      const { signal, controller } = generateOptions
      if (controller === undefined) throw new TypeError('A stream is described as one before its options are used')
      const pieces = await awaitFirst(timed(source), { waitMs: options.commitAfterMs ?? 10_000 })
      streaming = true
      let failure: GenerationError | undefined
      return eventStreamResponse(pieces, {
        abort: (reason) => controller.abort(reason),
        encodeError: (error) => {
          failure = toGenerationError(error, signal)
          return shape.encodeError(failure)
        },
        onEnd: () =>
          queueMicrotask(() => {
            if (signal.aborted) report(499, failure ?? toGenerationError(undefined, signal))
            else report(200, failure)
          }),
        // A sign of life of its own means that comments are not allowed.
        ...(shape.heartbeat === undefined ? { remarks: createRemarks() } : { heartbeat: shape.heartbeat }),
        ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
        headers: { ...headers(), ...shape.headers },
      })
    },
  }

  /** Answers that no generator had a part in: an error before it, a list of models. */
  async function complete(response: Response): Promise<Response> {
    if (told || options.otherHeaders === undefined) return response
    for (const [name, value] of Object.entries(await options.otherHeaders(exchange.caller))) {
      response.headers.set(name, value)
    }
    return response
  }

  try {
    const caller = await authorizeRequest(options.authorize, request)
    exchange.caller = caller
    generateOptions.caller = caller.id
    const response = await complete(await serve(exchange))
    if (!streaming) report(response.status, response.status < 400 ? undefined : wrongAddress())
    return response
  } catch (thrown) {
    const error = toGenerationError(thrown, generateOptions.signal)
    const { body, status = ERRORS[error.code].status } = encodeErrorBody(error, { requestId })
    report(status, error)
    return complete(
      new Response(JSON.stringify(body), {
        status,
        headers: { 'content-type': 'application/json', ...headers(), ...retryHeaders(error) },
      }),
    )
  }
}

/** A dialect refuses these in words of its own, because they are about no generation; failures they are all the same. */
function wrongAddress(): GenerationError {
  return new GenerationError('invalid_request', 'There is no such endpoint, or it takes another method.')
}

function sumTallies(tallies: readonly (() => Tally)[]): Tally {
  const sum: Tally = { media: 0, usage: undefined }
  for (const read of tallies) {
    const { media, usage, firstChunkAt } = read()
    sum.media += media
    if (firstChunkAt !== undefined) sum.firstChunkAt = Math.min(firstChunkAt, sum.firstChunkAt ?? Infinity)
    if (usage !== undefined) sum.usage = sum.usage === undefined ? usage : addUsage(sum.usage, usage)
  }
  return sum
}

/** Version, trace id, parent id, flags. Source: https://www.w3.org/TR/trace-context/. All zeros are no ids. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=$|-)/
const REQUEST_ID = /^[\w.:-]{1,128}$/
const MAX_WARNING_HEADER = 2_000

/** Header values are visible ASCII; anything else is replaced. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, '?')
}
