import { GeminiWebError } from './error.ts'

export interface Patience {
  /** Longest wait for the first message, in milliseconds. Default 60 000; 180 000 with a tool. */
  firstMs: number
  /** Longest time without progress. Default 120 000. */
  idleMs: number
  /** The same while the app says that it thinks, works with a tool or queues. Default 450 000. */
  workingMs: number
  /** How long a finished reply may keep its connection open. Default 1 500. */
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
  // The limit may become shorter while the timer sleeps, so it never sleeps longer than the shortest.
  const shortest = Math.min(patience.firstMs, patience.idleMs, patience.workingMs)
  let limit = patience.firstMs
  let since = performance.now()
  let paused = false
  let started = false
  let completed = false
  let timer = setTimeout(look, shortest)

  function look(): void {
    const rest = paused ? limit : since + limit - performance.now()
    if (rest > 0) timer = setTimeout(look, Math.min(rest, completed ? limit : shortest))
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
