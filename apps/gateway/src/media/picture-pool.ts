import { GenerationError } from '@castorjs/content-generator'
import { Piscina } from 'piscina'
import type { PictureJob, PictureOutcome } from './picture-job.ts'
import { toSharedMemory } from './shared-memory.ts'

export interface PicturePool {
  /** Works on a picture in another thread. The file is only read. */
  process(job: PictureJob, signal: AbortSignal): Promise<PictureOutcome>
  close(): Promise<void>
}

export interface PicturePoolOptions {
  /** The built worker file. */
  worker: URL
  /** Threads. Default 1: pictures are rare and streams are not to be starved of a core. */
  threads?: number
  /** Pictures that may wait. Default 32. */
  maxQueued?: number
}

/** Pixel work off the main thread, so that a picture of 4096² never delays a stream. Threads end after a quiet minute. */
export function createPicturePool({ worker, threads = 1, maxQueued = 32 }: PicturePoolOptions): PicturePool {
  const pool = new Piscina<PictureJob, PictureOutcome>({
    filename: worker.href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 60_000,
    // The thread loads built files: conditions and loaders that serve this process from its sources are not for it.
    execArgv: [],
  })
  // A thread that fails before its first picture tells nobody but the pool; whoever waits would wait for ever.
  let failure = new AbortController()
  pool.on('error', (error: unknown) => {
    failure.abort(error)
    failure = new AbortController()
  })
  let taken = 0
  return {
    async process(job, signal) {
      if (taken >= threads + maxQueued) {
        throw new GenerationError(
          'upstream_unavailable',
          'Too many pictures are being worked on. Send the request again in a moment.',
          { retryAfterMs: 5_000, fault: 'castor' },
        )
      }
      const failed = failure.signal
      taken++
      try {
        const file = await toSharedMemory(job.file)
        return await pool.run({ ...job, file }, { signal: AbortSignal.any([signal, failed]) })
      } catch (error) {
        signal.throwIfAborted()
        if (failed.aborted) {
          throw new GenerationError('internal', 'The thread that works on pictures did not start. See the log.', {
            cause: failed.reason,
          })
        }
        throw error
      } finally {
        taken--
      }
    },
    close: () => pool.destroy(),
  }
}
