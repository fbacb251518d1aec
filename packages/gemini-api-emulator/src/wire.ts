import type { Fault } from './faults.ts'
import { errorBody, RpcError } from './rpc-error.ts'

/** A JSON answer as Google's front end sends it. */
export function jsonResponse(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body, null, 2), {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
  })
}

/** An error before the first byte; with `alt=sse` Google often wraps it in an array. */
export function errorResponse(error: RpcError, array = false): Response {
  const body = errorBody(error)
  return jsonResponse(array ? [body] : body, error.code)
}

/** A page of the front end. */
export function htmlResponse(code: number): Response {
  const page = `<!DOCTYPE html>\n<html lang=en>\n  <title>Error ${code}</title>\n  <p><b>${code}.</b> <ins>That’s an error.</ins>\n</html>\n`
  return new Response(page, { status: code, headers: { 'content-type': 'text/html; charset=UTF-8' } })
}

export type StreamForm = 'sse' | 'array'

export interface StreamPlan {
  form: StreamForm
  chunks: readonly unknown[]
  fault: Fault | undefined
  chunkDelayMs: number
  /** Ends the stream from the caller's or the emulator's side. */
  signal: AbortSignal
  onEnd: () => void
}

/** Answers with chunks, each sent as soon as the reader has room. A fault ends it as planned. */
export function streamResponse({ form, chunks, fault, chunkDelayMs, signal, onEnd }: StreamPlan): Response {
  const encoder = new TextEncoder()
  const end = endOf(fault, chunks.length)
  let next = 0
  let over = false
  function finish(): void {
    if (over) return
    over = true
    signal.removeEventListener('abort', leave)
    onEnd()
  }
  let leave = (): void => finish()
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        leave = () => {
          if (over) return
          finish()
          controller.error(signal.reason)
        }
        signal.addEventListener('abort', leave, { once: true })
      },
      async pull(controller) {
        if (chunkDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, chunkDelayMs))
        if (over) return
        if (next < end.after) {
          const json = JSON.stringify(chunks[next])
          const piece = form === 'sse' ? `data: ${json}\r\n\r\n` : `${next === 0 ? '[' : ',\r\n'}${json}`
          next++
          controller.enqueue(encoder.encode(piece))
          return
        }
        if (end.how === 'stall') return new Promise(() => undefined)
        finish()
        if (end.how === 'reset') return controller.error(new TypeError('terminated'))
        if (end.how === 'late-error' && fault?.kind === 'late-error') {
          const json = JSON.stringify(errorBody(new RpcError(fault.code, fault.status, fault.message)))
          controller.enqueue(
            encoder.encode(form === 'sse' ? `data: ${json}\r\n\r\n` : `${next === 0 ? '[' : ',\r\n'}${json}`),
          )
        }
        if (form === 'array') controller.enqueue(encoder.encode(next === 0 ? '[]' : ']'))
        controller.close()
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  )
  const type = form === 'sse' ? 'text/event-stream' : 'application/json; charset=UTF-8'
  return new Response(body, { headers: { 'content-type': type } })
}

function endOf(fault: Fault | undefined, count: number): { how: Fault['kind'] | 'close'; after: number } {
  switch (fault?.kind) {
    case 'late-error':
    case 'reset':
    case 'truncate':
    case 'stall':
      return { how: fault.kind, after: Math.min(fault.afterChunks ?? 1, count - 1) }
    default:
      return { how: 'close', after: count }
  }
}

/** Waits until one of the signals ends it; for requests that get no answer. */
export function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
