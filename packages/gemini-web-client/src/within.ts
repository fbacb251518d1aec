import { GeminiWebError } from './error.ts'

const followers = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back when a signal aborts, with one listener on it however many follow: a client's signal is shared by
 * everything that runs, and Node warns above ten. Returns the way out. A signal that has aborted calls no one.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const known = followers.get(signal)
  if (known !== undefined) known.add(callback)
  else {
    const all = new Set([callback])
    followers.set(signal, all)
    signal.addEventListener('abort', callAll)
  }
  return () => {
    const all = followers.get(signal)
    all?.delete(callback)
    if (all?.size !== 0) return
    followers.delete(signal)
    signal.removeEventListener('abort', callAll)
  }
}

function callAll(this: AbortSignal): void {
  for (const callback of followers.get(this) ?? []) callback()
}

/** A controller that follows other signals until it is released. */
export interface LinkedController {
  readonly signal: AbortSignal
  abort: (reason: unknown) => void
  release: () => void
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
    releases.push(onAbort(source, () => controller.abort(source.reason)))
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
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    linked.signal.throwIfAborted()
    const slept = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
    await waitFor(slept, linked.signal)
  } finally {
    clearTimeout(timer)
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
export async function waitFor<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work
  let release: (() => void) | undefined
  try {
    return await new Promise<Result>((resolve, reject) => {
      const leave = (): void => reject(signal.reason as Error)
      if (signal.aborted) leave()
      else release = onAbort(signal, leave)
      work.then(resolve, reject)
    })
  } finally {
    release?.()
  }
}
