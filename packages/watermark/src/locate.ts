import { nativeCandidates, scaledCandidates, type Candidate, type PlacedModel } from './candidates.ts'
import { WatermarkError } from './error.ts'
import { checkRawImage, wholeWindow, type PixelWindow, type RawImage } from './image.ts'
import { better, judge, LEAD, type Evidence, type Verdict } from './judge.ts'
import type { LaidMark } from './lay.ts'
import { looksMarked } from './glance.ts'

/** A mark at its place: what `remove` needs. Plain data; it may cross to a worker. */
export interface Placement {
  /** `v1-48`, `v1-96`, `v2-48`, `v2-96`, or the name of a calibrated mark. */
  mark: string
  /** The square that is touched, in pixels of the picture. */
  x: number
  y: number
  width: number
  height: number
  /** Pixels of this picture per pixel of the native mark; 1 unless the picture was resized. */
  scale: number
  /** True when the pixels were stored without loss since the mark was drawn. */
  lossless: boolean
  /** The maps, see `LaidMark`. */
  laid: LaidMark
}

/**
 * Why nothing was found.
 *
 * - `too_small`: no mark fits into the picture.
 * - `refuted`: at every place a sample is darker than any mark leaves it.
 * - `no_outline`: no outline at any place.
 * - `unsure`: something like an outline, below the confidence bar.
 */
export type NotFoundReason = 'too_small' | 'refuted' | 'no_outline' | 'unsure'

/** What was found. `confidence` is 0…1; 0.5 is the default bar. */
export type Location =
  | { found: true; placement: Placement; confidence: number; evidence: Evidence }
  | { found: false; reason: NotFoundReason; confidence: number }

export interface LocateOptions {
  /** Confidence below which nothing counts as found, 0…1. Default 0.5. */
  minConfidence?: number
  /** True when metadata says that a visible mark was drawn: only the place is in question. Default false. */
  declared?: boolean
  /** Marks of your own, measured by `calibrate`. */
  models?: readonly PlacedModel[]
  /** Look for marks that were resized with the picture. Default true. */
  scaled?: boolean
  /**
   * How far lossy storage has moved the levels at an edge. Default 0: the pixels may still come from a lossy file, but
   * then more evidence is asked for. The JPEG door reads it off the file's tables.
   */
  noise?: number
}

/** Parts of a pixel by which a resized mark may lie beside the computed place. */
const SHIFTS = [-0.5, 0, 0.5] as const

function judgeCandidate(
  window: PixelWindow,
  candidate: Candidate,
  { declared = false, noise = 0 }: LocateOptions,
): Verdict | 'refuted' | undefined {
  const resized = candidate.scale !== 1
  const prior = resized ? 'scaled' : declared ? 'declared' : 'native'
  let best: Verdict | undefined
  let refuted = true
  const look = (options: readonly LaidMark[], lead: number) => {
    for (const laid of options) {
      if (!contains(window, laid)) continue
      const verdict = judge(window, laid, { prior, noise })
      if (verdict === 'refuted') continue
      refuted = false
      if (verdict === undefined) return
      if (best === undefined || better(verdict, best, lead)) best = verdict
    }
  }
  look(candidate.lay(), LEAD)
  if (resized && best !== undefined) {
    let shift: readonly [number, number] = [0, 0]
    for (const x of SHIFTS) {
      for (const y of SHIFTS) {
        const before: Verdict | undefined = best
        if (x !== 0 || y !== 0) look(candidate.lay(x, y), 0)
        if (best !== before) shift = [x, y]
      }
    }
    look(candidate.lay(...shift, true), 0)
  }
  return best ?? (refuted ? 'refuted' : undefined)
}

function contains(window: PixelWindow, laid: LaidMark): boolean {
  return (
    laid.x >= window.x &&
    laid.y >= window.y &&
    laid.x + laid.width <= window.x + window.width &&
    laid.y + laid.height <= window.y + window.height
  )
}

/** A mark that was halved or doubled lies where a native one would, but does not vanish as cleanly. */
function leavesTrace({ evidence: { steps } }: Verdict): boolean {
  return steps[0].after > 0.15
}

/** `locate` on a part of a picture; marks that do not lie wholly inside it are passed over. */
export function locateInWindow(window: PixelWindow, options: LocateOptions = {}): Location {
  const { minConfidence = 0.5, models = [], scaled = true } = options
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    throw new WatermarkError('invalid_option', `minConfidence must lie between 0 and 1, not ${minConfidence}`)
  }
  let best: { candidate: Candidate; verdict: Verdict } | undefined
  let tried = 0
  let refuted = 0
  const judgeAll = (candidates: readonly Candidate[]) => {
    for (const candidate of candidates) {
      const verdict = judgeCandidate(window, candidate, options)
      tried++
      if (verdict === 'refuted') refuted++
      else if (verdict !== undefined && (best === undefined || better(verdict, best.verdict))) {
        best = { candidate, verdict }
      }
    }
  }
  judgeAll(nativeCandidates(window, models))
  if (scaled && (best === undefined || best.verdict.confidence < minConfidence || leavesTrace(best.verdict))) {
    judgeAll(scaledCandidates(window).filter((candidate) => looksMarked(window, candidate)))
  }

  if (best === undefined) {
    return {
      found: false,
      reason: tried === 0 ? 'too_small' : refuted === tried ? 'refuted' : 'no_outline',
      confidence: 0,
    }
  }
  const { candidate, verdict } = best
  const { laid, confidence, evidence } = verdict
  if (confidence === 0 || confidence < minConfidence) return { found: false, reason: 'unsure', confidence }
  const { x, y, width, height } = laid
  const lossless = candidate.scale === 1 && evidence.bound.below === 0
  const placement = { mark: candidate.mark, x, y, width, height, scale: candidate.scale, lossless, laid }
  return { found: true, placement, confidence, evidence }
}

/**
 * Looks for a visible mark: which, where, and how sure.
 *
 * Evidence, cheapest first: what metadata says (`declared`), the bound (no sample under a mark is darker than the mark's
 * own light) and the step (the outline must vanish at a trial removal, at the right strength, all around). Most pictures
 * carry no mark, so the bar is set against false alarms. The picture is only read.
 *
 * @throws {WatermarkError} `invalid_image`, `invalid_option`.
 */
export function locate(image: RawImage, options?: LocateOptions): Location {
  checkRawImage(image)
  return locateInWindow(wholeWindow(image), options)
}
