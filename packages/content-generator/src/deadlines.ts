import { GenerationError, throwIfAborted, toGenerationError } from './error.ts'
import type { ContentGenerator } from './generator.ts'

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
    async *generateContentStream(request, options) {
      const { signal } = options
      throwIfAborted(signal)
      const own = new AbortController()
      const leave = (): void => own.abort(signal.reason)
      signal.addEventListener('abort', leave, { once: true })

      // One timer for the whole stream: it looks when the wait began and sleeps for the rest.
      let started = false
      let ended = false
      let waitingSince: number | undefined = performance.now()
      let timer = setTimeout(look, firstChunkMs)
      function look(): void {
        const limit = started ? idleMs : firstChunkMs
        const rest = waitingSince === undefined ? limit : waitingSince + limit - performance.now()
        if (rest > 0) timer = setTimeout(look, rest)
        else own.abort(timeout(started ? 'continue its answer' : 'start answering', limit))
      }
      try {
        for await (const chunk of upstream.generateContentStream(request, { ...options, signal: own.signal })) {
          // The consumer's own pauses do not count.
          waitingSince = undefined
          if (!started) {
            started = true
            clearTimeout(timer)
            timer = setTimeout(look, idleMs)
          }
          yield chunk
          waitingSince = performance.now()
        }
        ended = true
      } catch (error) {
        throw toGenerationError(error, own.signal)
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        // A loop that was left early: the upstream must hear of it before its iterator returns.
        if (!ended) own.abort(LEFT)
      }
    },
  }
}

/** Made once: an abort without a reason builds an exception with a stack, which costs more than the rest. */
const LEFT = new GenerationError('aborted', 'The answer was left before it was complete.')

function timeout(what: string, ms: number): GenerationError {
  return new GenerationError(
    'upstream_timeout',
    `The upstream did not ${what} within ${Math.round(ms / 1000)} seconds. Send the request again, or raise the deadline in the configuration.`,
  )
}
