import { GenerationError } from '@castorjs/content-generator'
import { Piscina } from 'piscina'
import type { PicturePlan, PictureResult } from './picture.ts'

export interface PicturePool {
  /** Works on a picture in another thread. `file` is copied, not taken. */
  process(file: Uint8Array, plan: PicturePlan, signal: AbortSignal): Promise<PictureResult>
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
  const pool = new Piscina<{ file: Uint8Array; plan: PicturePlan }, PictureResult>({
    filename: worker.href,
    minThreads: 0,
    maxThreads: threads,
    maxQueue: maxQueued,
    idleTimeout: 60_000,
  })
  return {
    async process(file, plan, signal) {
      try {
        return await pool.run({ file, plan }, { signal })
      } catch (error) {
        if (error instanceof Error && /queue/i.test(error.message)) {
          throw new GenerationError(
            'upstream_unavailable',
            'Too many pictures are being worked on. Send the request again in a moment.',
            {
              retryAfterMs: 5_000,
              fault: 'castor',
              cause: error,
            },
          )
        }
        throw error
      }
    },
    close: () => pool.destroy(),
  }
}
