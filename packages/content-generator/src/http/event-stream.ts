/** Options of `eventStreamResponse`. */
export interface EventStreamOptions {
  /** Aborts the upstream. Called first when the client leaves: a quiet upstream would hang the close otherwise. */
  abort: (reason?: unknown) => void
  /** The dialect's harmless sign of life. Default a comment, `: ping`. */
  heartbeat?: string
  /** Silence after which a heartbeat is sent, in milliseconds. Default 10 000; 0 sends none. */
  heartbeatMs?: number
  /** What a failure in mid-stream looks like in this dialect. The stream ends after it. */
  encodeError: (error: unknown) => string
  /** Runs once when the stream is over, however it ended. */
  onEnd?: () => void
  headers?: Record<string, string>
}

/** Headers of a stream that no proxy should hold back. */
export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * Sends text, already in event-stream form, as a `Response`. Pulls only as fast as the client reads; keeps
 * silent connections alive; on a disconnect aborts the upstream, then ends the source.
 */
export function eventStreamResponse(
  source: AsyncIterable<string>,
  { abort, heartbeat = ': ping\n\n', heartbeatMs = 10_000, encodeError, onEnd, headers }: EventStreamOptions,
): Response {
  const iterator = source[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const beat = encoder.encode(heartbeat)
  let timer: ReturnType<typeof setInterval> | undefined
  let lastSent = performance.now()
  let over = false

  function end(): void {
    if (over) return
    over = true
    clearInterval(timer)
    onEnd?.()
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (heartbeatMs === 0) return
        timer = setInterval(() => {
          if (performance.now() - lastSent < heartbeatMs || (controller.desiredSize ?? 0) <= 0) return
          lastSent = performance.now()
          controller.enqueue(beat)
        }, heartbeatMs / 4)
      },
      async pull(controller) {
        try {
          const next = await iterator.next()
          if (over) return
          if (next.done === true) {
            end()
            controller.close()
            return
          }
          lastSent = performance.now()
          controller.enqueue(encoder.encode(next.value))
        } catch (error) {
          if (over) return
          end()
          controller.enqueue(encoder.encode(encodeError(error)))
          controller.close()
        }
      },
      async cancel(reason) {
        end()
        abort(reason)
        await iterator.return?.()
      },
    },
    // The heartbeat must find room while a pull is pending, hence 1 and not 0.
    { highWaterMark: 1 },
  )
  return new Response(body, { headers: { ...EVENT_STREAM_HEADERS, ...headers } })
}
