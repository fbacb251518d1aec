import { throwIfAborted } from '@castorjs/content-generator'
import { refuse } from './refusal.ts'

export interface FetchDeadlines {
  /** Aborts when the caller leaves or a deadline passes; its reason says which. */
  signal: AbortSignal
  /** Waits for a step that may not know our signal, such as a DNS lookup. */
  race<T>(step: Promise<T>): Promise<T>
  /** Something happened: silence is counted from now. */
  touch(): void
  /** Ends both deadlines. */
  clear(): void
}

export interface FetchDeadlineOptions {
  signal: AbortSignal
  timeoutMs: number
  idleMs: number
}

/** One deadline for the whole and one for silence, joined with the caller's signal. */
export function createDeadlines(fileUri: string, { signal, timeoutMs, idleMs }: FetchDeadlineOptions): FetchDeadlines {
  throwIfAborted(signal)
  const own = new AbortController()
  const leave = (): void => own.abort(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  const whole = setTimeout(() => expire(`The file was not downloaded within ${timeoutMs / 1000} seconds.`), timeoutMs)
  let idle = setTimeout(onIdle, idleMs)
  let touchedAt = performance.now()

  function expire(what: string): void {
    own.abort(refuse(fileUri, `${what} Use a faster host or a smaller file, or send the data itself.`))
    clear()
  }

  // Chunks come often, so they only write down the time; the one timer looks and sleeps for what is left.
  function onIdle(): void {
    const rest = touchedAt + idleMs - performance.now()
    if (rest > 0) idle = setTimeout(onIdle, rest)
    else expire(`The host of the file said nothing for ${idleMs / 1000} seconds.`)
  }

  function clear(): void {
    clearTimeout(whole)
    clearTimeout(idle)
    signal.removeEventListener('abort', leave)
  }

  return {
    signal: own.signal,
    race: (step) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => reject(own.signal.reason as Error)
        if (own.signal.aborted) return onAbort()
        own.signal.addEventListener('abort', onAbort, { once: true })
        void step.then(resolve, reject).finally(() => own.signal.removeEventListener('abort', onAbort))
        touchedAt = performance.now()
      }),
    touch() {
      touchedAt = performance.now()
    },
    clear,
  }
}
