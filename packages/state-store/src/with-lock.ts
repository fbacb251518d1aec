import { StateError } from './error.ts'
import type { Lease, StateStore } from './state-store.ts'

export interface WithLockOptions {
  /** How long the lock outlives a dead holder. Default 10 000. */
  ttlMs?: number
  /** How long to wait for it. Default 0: one try. */
  waitMs?: number
  /** Ends the waiting, and is handed on to the work. */
  signal?: AbortSignal
}

/** Longest pause between two tries for a lock. */
const TRY_EVERY_MS = 250

/**
 * Does something while holding a lock, which is renewed until it is done.
 *
 * @param work Gets the lease, and a signal that aborts when the lock is lost or the caller leaves.
 * @returns What the work returned, or nothing when the lock was not to be had.
 */
export async function withLock<T>(
  store: StateStore,
  name: string,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
  { ttlMs = 10_000, waitMs = 0, signal }: WithLockOptions = {},
): Promise<{ value: T } | undefined> {
  const lease = await waitForLock(store, name, ttlMs, waitMs, signal)
  if (lease === undefined) return undefined
  const own = new AbortController()
  const leave = (): void => own.abort(signal?.reason)
  signal?.addEventListener('abort', leave, { once: true })
  if (signal?.aborted === true) leave()
  const lose = (): void => own.abort(new StateError('conflict', `The lock "${name}" was lost`))
  let heldUntil = performance.now() + ttlMs

  const timer = setInterval(() => {
    const askedAt = performance.now()
    lease.renew().then(
      (held) => (held ? (heldUntil = askedAt + ttlMs) : lose()),
      // The home may come back before the lock runs out.
      () => performance.now() >= heldUntil && lose(),
    )
  }, ttlMs / 3)
  try {
    return { value: await work(lease, own.signal) }
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', leave)
    // Where it cannot be given back it runs out.
    await lease.release().catch(() => false)
  }
}

async function waitForLock(
  store: StateStore,
  name: string,
  ttlMs: number,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<Lease | undefined> {
  const until = performance.now() + waitMs
  for (let pause = 10; ; pause = Math.min(pause * 2, TRY_EVERY_MS)) {
    signal?.throwIfAborted()
    const lease = await store.tryLock(name, ttlMs)
    if (lease !== undefined) return lease
    if (performance.now() >= until) return undefined
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, Math.max(1, until - performance.now()))))
  }
}
