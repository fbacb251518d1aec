import type { PlacedModel } from './candidates.ts'
import type { Limits } from './limits.ts'
import { locateInWindow, type LocateOptions, type NotFoundReason, type Placement } from './locate.ts'
import type { PixelWindow } from './image.ts'

/** What all file doors take. */
export interface FileOptions extends Limits {
  /** Confidence below which nothing counts as found, 0…1. Default 0.5. */
  minConfidence?: number
  /** Marks of your own, measured by `calibrate`. */
  models?: readonly PlacedModel[]
  /** Look for marks that were resized with the picture. Default true. */
  scaled?: boolean
  /** Only look: report what would be removed and give the bytes back as they were. Default false. */
  dryRun?: boolean
}

/** A mark that was found in a file, as plain JSON. */
export interface FoundMark {
  mark: string
  x: number
  y: number
  width: number
  height: number
  scale: number
  lossless: boolean
  confidence: number
}

/** What all file doors give. */
export interface FileResult {
  /** The new file; the very same bytes that came in when nothing was changed. */
  bytes: Uint8Array
  /** False when `bytes` is the input. */
  changed: boolean
  /** Every mark that was found; pictures edited twice may carry two. */
  marks: FoundMark[]
  /** Why nothing was found; absent when a mark was. */
  reason?: NotFoundReason
  /** Confidence of the last mark found, or of the best guess. */
  confidence: number
  /** True when a DigitalSourceType was missing and was written. */
  sourceTypeWritten: boolean
}

export function notFound(bytes: Uint8Array, reason: NotFoundReason, confidence: number): FileResult {
  return { bytes, changed: false, marks: [], reason, confidence, sourceTypeWritten: false }
}

function toFoundMark({ mark, x, y, width, height, scale, lossless }: Placement, confidence: number): FoundMark {
  return { mark, x, y, width, height, scale, lossless, confidence }
}

/** Marks in one picture; more have not been seen. */
const MOST_MARKS = 3

/**
 * Finds marks until none is left, calling `take` for each, which must take it off the window before the next look.
 *
 * @returns The marks, or why there was none.
 */
export function takeMarks(
  window: PixelWindow,
  options: LocateOptions,
  take: (placement: Placement) => void,
): { marks: FoundMark[]; reason?: NotFoundReason; confidence: number } {
  const marks: FoundMark[] = []
  let confidence = 0
  while (marks.length < MOST_MARKS) {
    // What metadata declares is one mark: the second needs evidence of its own.
    const location = locateInWindow(window, { ...options, declared: options.declared === true && marks.length === 0 })
    if (!location.found) {
      if (marks.length === 0) return { marks, reason: location.reason, confidence: location.confidence }
      break
    }
    confidence = location.confidence
    marks.push(toFoundMark(location.placement, confidence))
    take(location.placement)
  }
  return { marks, confidence }
}
