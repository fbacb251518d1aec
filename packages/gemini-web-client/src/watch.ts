import { GeminiWebError } from './error.ts'

export interface Patience {
  /** Longest wait for the first message, in milliseconds. */
  firstMs: number
  /** Longest time without progress. */
  idleMs: number
  /** The same while the app says that it thinks, works with a tool or queues. */
  workingMs: number
  /** How long a finished reply may keep its connection open. */
  tailMs: number
}

/** Why a watch ended a reply that was complete: not an error. */
export const TAIL = new Error('The reply was complete but its connection stayed open')

/** Watches one reply for progress. One timer, however many chunks. */
export interface Watch {
  /** Something new arrived. `working` allows a longer pause until the next. */
  progress(working: boolean): void
  /** The reply is complete; only its end is awaited. */
  complete(): void
  /** The reader is busy elsewhere; its time does not count. */
  pause(): void
  resume(): void
  stop(): void
}

/** @param end Called with `TAIL` or with the error when the patience is over. */
export function createWatch(patience: Patience, end: (reason: unknown) => void): Watch {
  let limit = patience.firstMs
  let since = performance.now()
  let paused = false
  let started = false
  let completed = false
  let timer = setTimeout(look, limit)

  function look(): void {
    const rest = paused ? limit : since + limit - performance.now()
    // Never longer than the shortest limit: the limit may change while the timer sleeps.
    if (rest > 0) timer = setTimeout(look, completed ? rest : Math.min(rest, patience.idleMs))
    else if (completed) end(TAIL)
    else end(stalled(started, limit))
  }

  return {
    progress(working) {
      started = true
      since = performance.now()
      if (!completed) limit = working ? patience.workingMs : patience.idleMs
    },
    complete() {
      if (completed) return
      completed = true
      limit = patience.tailMs
      since = performance.now()
      clearTimeout(timer)
      timer = setTimeout(look, limit)
    },
    pause() {
      paused = true
    },
    resume() {
      paused = false
      since = performance.now()
    },
    stop: () => clearTimeout(timer),
  }
}

function stalled(started: boolean, limit: number): GeminiWebError {
  const seconds = Math.round(limit / 1000)
  return new GeminiWebError(
    'stalled',
    started ? `The answer made no progress for ${seconds} seconds` : `No answer began within ${seconds} seconds`,
  )
}
