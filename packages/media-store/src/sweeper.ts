import type { MediaStore, SweepResult } from './media-store.ts'

export interface SweeperOptions {
  /** Default 600 000 (ten minutes). */
  everyMs?: number
  onSweep?: (result: SweepResult) => void
  onError?: (error: unknown) => void
}

/** Sweeps a store now and then. The timer does not keep a process alive. Returns what stops it. */
export function startSweeper(
  store: MediaStore,
  { everyMs = 600_000, onSweep, onError }: SweeperOptions = {},
): () => void {
  const timer: unknown = setInterval(() => {
    store.sweep().then(onSweep, onError ?? (() => undefined))
  }, everyMs)
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref()
  return () => clearInterval(timer as ReturnType<typeof setInterval>)
}
