import type { PicturePlan } from './picture.ts'

/** What the thread is given. */
export interface PictureJob {
  /** In shared memory, so that nobody copies it; it is only read. */
  file: Uint8Array
  /** Nothing to do but the encoding without it. */
  plan?: PicturePlan
  /** Give the file as base64. */
  base64: boolean
}

/** What comes back. */
export interface PictureOutcome {
  /** The new file, or base64 as ASCII; undefined when the file stays as it is. */
  bytes: Uint8Array<ArrayBuffer> | undefined
  /** Undefined when the file could not be read. */
  mimeType?: string
  /** What was asked for and not done, and why. */
  notes: string[]
}
