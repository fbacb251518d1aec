import { GeminiWebError } from './error.ts'

/** A controller that follows other signals until it is released. */
export interface LinkedController {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  release(): void
}

const followers = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `leave` when `source` aborts, until the returned function is called. However many follow one signal, it has
 * one listener: the signal of a whole client has a follower for everything that runs.
 */
function follow(source: AbortSignal, leave: () => void): () => void {
  let all = followers.get(source)
  if (all === undefined) {
    const set = new Set<() => void>()
    source.addEventListener('abort', () => [...set].forEach((each) => each()), { once: true })
    followers.set(source, (all = set))
  }
  all.add(leave)
  return () => void all.delete(leave)
}

/** Makes a controller that aborts with the first of the given signals. */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedController {
  const controller = new AbortController()
  const releases: (() => void)[] = []
  for (const source of sources) {
    if (source === undefined) continue
    if (source.aborted) {
      controller.abort(source.reason)
      break
    }
    releases.push(follow(source, () => controller.abort(source.reason)))
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release() {
      for (const release of releases) release()
    },
  }
}

/**
 * Runs one exchange with a time limit.
 *
 * @throws {GeminiWebError} `stalled` when the time is over; the work's signal is aborted first.
 */
export async function within<Result>(
  ms: number,
  what: string,
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const linked = linkSignals(...signals)
  const timer = setTimeout(() => {
    linked.abort(new GeminiWebError('stalled', `${what} took longer than ${Math.round(ms / 1000)} seconds`))
  }, ms)
  try {
    linked.signal.throwIfAborted()
    return await work(linked.signal)
  } finally {
    clearTimeout(timer)
    linked.release()
  }
}

/** Waits, unless one of the signals aborts: then it throws that signal's reason. */
export async function sleep(ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  const linked = linkSignals(...signals)
  try {
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        reject(linked.signal.reason as Error)
      }
      const timer = setTimeout(() => {
        linked.signal.removeEventListener('abort', leave)
        resolve()
      }, ms)
      if (linked.signal.aborted) leave()
      else linked.signal.addEventListener('abort', leave, { once: true })
    })
  } finally {
    linked.release()
  }
}

/** A timer that does not keep a program alive, where the platform knows such timers. */
export function backgroundTimer(work: () => void, ms: number): () => void {
  const timer: unknown = setTimeout(work, ms)
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref()
  return () => clearTimeout(timer as ReturnType<typeof setTimeout>)
}

/** Waits for work that others share: an abort ends the waiting, not the work. */
export function waitFor<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error)
    if (signal.aborted) leave()
    const release = follow(signal, leave)
    work.finally(release).then(resolve, reject)
  })
}
