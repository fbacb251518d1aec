import type { Logger } from 'pino'
import { closeInOrder } from '../close-in-order.ts'
import { startOrExit } from './start-or-exit.ts'

/** A signal within this time after the first is the same one, in milliseconds. */
const SAME_SIGNAL_MS = 1_000

/**
 * Starts something and keeps it until SIGINT or SIGTERM; then closes its parts in order, each whatever another does. A second
 * signal ends at once.
 */
export async function runUntilStopped(
  log: Logger,
  start: () => Promise<readonly (() => Promise<void>)[]>,
): Promise<void> {
  const parts = await startOrExit(start)
  let stoppingSince: number | undefined
  const stop = (): void => {
    if (stoppingSince !== undefined) {
      // One Ctrl-C under npm comes twice: the terminal signals everybody in front of it, and npm passes it on.
      if (performance.now() - stoppingSince < SAME_SIGNAL_MS) return
      process.exit(1)
    }
    stoppingSince = performance.now()
    log.info('Stopping: answers in progress may finish; press Ctrl-C again to end at once.')
    void closeInOrder(parts)
      .catch((error: unknown) =>
        log.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'not everything was closed'),
      )
      .then(() => process.exit(0))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}
