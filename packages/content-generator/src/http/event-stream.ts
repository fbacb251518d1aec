/** Options of `eventStreamResponse`. */
export interface EventStreamOptions {
  /** Aborts the upstream. Called first when the client leaves: a quiet upstream would hang the close otherwise. */
  abort: (reason?: unknown) => void
  /** The dialect's harmless sign of life. Default a comment, `: ping`. */
  heartbeat?: string
  /** Silence after which a heartbeat is sent, in milliseconds. Default 10 000; 0 sends none. */
  heartbeatMs?: number
  /** Text to put in front of what is sent next, such as a warning in a comment; empty for none. */
  remarks?: () => string
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
  { abort, heartbeat = ': ping\n\n', heartbeatMs = 10_000, remarks, encodeError, onEnd, headers }: EventStreamOptions,
): Response {
  const iterator = source[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const beat = encoder.encode(heartbeat)
  let timer: ReturnType<typeof setInterval> | undefined
  let lastSent = performance.now()
  let over = false
  let pending: Promise<IteratorResult<string>> | undefined

  function take(): Promise<IteratorResult<string>> {
    const next = pending ?? iterator.next()
    pending = undefined
    return next
  }

  /** The next piece and those that are there already, so that a burst is one write and not a hundred. */
  async function takeReady(): Promise<string | undefined> {
    const first = await take()
    if (first.done === true) return undefined
    let text = first.value
    while (text.length < MAX_JOINED && !over) {
      pending = iterator.next()
      const next = await ifReady(pending)
      // An end or a failure stays for the next call: what came before it is sent first.
      if (next === undefined || next.done === true) break
      pending = undefined
      text += next.value
    }
    return text
  }

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
          const text = await takeReady()
          if (over) return
          if (text === undefined) {
            end()
            controller.close()
            return
          }
          lastSent = performance.now()
          controller.enqueue(encoder.encode(remarks === undefined ? text : remarks() + text))
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

/** Longest text that pieces are joined to, in characters. */
const MAX_JOINED = 32_768

/** Turns of the microtask queue a value may take from the upstream to here and still count as being there already. */
const READY_TURNS = 32

/** The value, if it is there without waiting for anything outside; undefined if not, or if it failed. */
async function ifReady<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  let value: Value | undefined
  let settled = false
  promise.then(
    (result) => {
      value = result
      settled = true
    },
    () => (settled = true),
  )
  const turn = Promise.resolve()
  for (let turns = 0; turns < READY_TURNS && !settled; turns++) await turn
  return value
}
