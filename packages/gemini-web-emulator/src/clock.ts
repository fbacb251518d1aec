/** Time of the emulated service: real time plus what a test has skipped. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number
  /** Moves the clock forward. Timers of the event loop are not touched. */
  advance(ms: number): void
  reset(): void
}

export function createClock(base: () => number = Date.now): Clock {
  let skipped = 0
  return {
    now: () => base() + skipped,
    advance(ms) {
      skipped += ms
    },
    reset() {
      skipped = 0
    },
  }
}

/** Waits; returns early when the signal fires. Never rejects, and holds no timer for 0. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
}
