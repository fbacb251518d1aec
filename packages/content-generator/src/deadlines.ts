import { GenerationError, throwIfAborted, toGenerationError } from './error.ts'
import type { ContentGenerator } from './generator.ts'
import type { GenerateContentResponse } from './schema.ts'

export interface Deadlines {
  /** Longest wait for the first chunk, in milliseconds. Default 180 000. */
  firstChunkMs?: number
  /** Longest silence between chunks, in milliseconds. Default 120 000. */
  idleMs?: number
}

/**
 * Gives an upstream its two deadlines: time to the first chunk, and silence between chunks. There is no total
 * timeout: a long answer is not an error.
 *
 * @throws {GenerationError} `upstream_timeout` from the stream; the upstream's signal is aborted first.
 */
export function withDeadlines(
  upstream: ContentGenerator,
  { firstChunkMs = 180_000, idleMs = 120_000 }: Deadlines = {},
): ContentGenerator {
  return {
    ...upstream,
    generateContentStream: (request, options) => ({
      [Symbol.asyncIterator]() {
        const { signal } = options
        const shared = options.controller?.signal === signal ? options.controller : undefined
        const own = shared ?? new AbortController()
        const leave = (): void => own.abort(signal.reason)
        let iterator: AsyncIterator<GenerateContentResponse> | undefined
        let started = false
        let ended = false
        let waitingSince: number | undefined
        // One timer for the whole stream: it looks when the wait began and sleeps for the rest.
        let timer: ReturnType<typeof setTimeout> | undefined

        function look(): void {
          const limit = started ? idleMs : firstChunkMs
          const rest = waitingSince === undefined ? limit : waitingSince + limit - performance.now()
          if (rest > 0) timer = setTimeout(look, rest)
          else own.abort(timeout(started ? 'continue its answer' : 'start answering', limit))
        }

        function begin(): AsyncIterator<GenerateContentResponse> {
          throwIfAborted(signal)
          timer = setTimeout(look, Math.min(firstChunkMs, idleMs))
          if (shared !== undefined) return upstream.generateContentStream(request, options)[Symbol.asyncIterator]()
          signal.addEventListener('abort', leave, { once: true })
          const linked = { ...options, signal: own.signal, controller: own }
          return upstream.generateContentStream(request, linked)[Symbol.asyncIterator]()
        }

        function end(): void {
          ended = true
          clearTimeout(timer)
          if (shared === undefined) signal.removeEventListener('abort', leave)
        }

        function pass(next: IteratorResult<GenerateContentResponse>): IteratorResult<GenerateContentResponse> {
          // The consumer's own pauses do not count.
          waitingSince = undefined
          started = true
          if (next.done === true) end()
          return next
        }

        function fail(error: unknown): never {
          end()
          throw toGenerationError(error, own.signal)
        }

        return {
          next() {
            if (ended) return Promise.resolve(DONE)
            waitingSince = performance.now()
            try {
              return (iterator ??= begin()).next().then(pass, fail)
            } catch (error) {
              return Promise.reject(error as Error)
            }
          },
          async return() {
            // A loop that was left early: the upstream must hear of it before its iterator returns.
            if (!ended && shared === undefined) own.abort(LEFT)
            end()
            await iterator?.return?.()
            return DONE
          },
        }
      },
    }),
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** Made once: an abort without a reason builds an exception with a stack, which costs more than the rest. */
const LEFT = new GenerationError('aborted', 'The answer was left before it was complete.')

function timeout(what: string, ms: number): GenerationError {
  return new GenerationError(
    'upstream_timeout',
    `The upstream did not ${what} within ${Math.round(ms / 1000)} seconds. Send the request again, or raise the deadline in the configuration.`,
  )
}
