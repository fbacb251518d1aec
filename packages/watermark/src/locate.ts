import { nativeCandidates, scaledCandidates, type Candidate, type PlacedModel } from './candidates.ts'
import { WatermarkError } from './error.ts'
import { weighBound, weighSteps, type BoundEvidence, type StepEvidence } from './evidence.ts'
import { checkRawImage, wholeWindow, type PixelWindow, type RawImage } from './image.ts'
import type { LaidMark } from './lay.ts'

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

/** The figures behind a decision. */
export interface Evidence {
  bound: BoundEvidence
  /** At full and at half size. */
  steps: readonly [StepEvidence, StepEvidence]
}

export interface LocateOptions {
  /** Confidence below which nothing counts as found, 0…1. Default 0.5. */
  minConfidence?: number
  /** True when metadata says that a visible mark was drawn: only the place is in question. Default false. */
  declared?: boolean
  /** Marks of your own, measured by `calibrate`. */
  models?: readonly PlacedModel[]
  /** Look for marks that were resized with the picture. Default true. */
  scaled?: boolean
}

/** Nats at which confidence is one half: a native place, a declared mark, a mark that was resized. */
const HALFWAY = { native: 45, declared: 20, scaled: 90 } as const

interface Verdict {
  laid: LaidMark
  confidence: number
  gain: number
  evidence: Evidence
}

/** More than this share of the samples far below the bound refutes a mark. */
const REFUTED = 0.004

function judge(window: PixelWindow, laid: LaidMark, halfway: number): Verdict | 'refuted' | undefined {
  const bound = weighBound(window, laid)
  if (bound.farBelow > bound.samples * REFUTED) return 'refuted'
  const steps = weighSteps(window, laid)
  const gain = steps[0].gain + steps[1].gain
  if (gain <= 0) return undefined
  const best = steps[0].gain >= steps[1].gain ? steps[0] : steps[1]
  return { laid, gain, confidence: isClean(best) ? gain / (gain + halfway) : 0, evidence: { bound, steps } }
}

/** The outline vanishes, at about the strength the mark is drawn with, nearly all around, and nothing is left of it. */
function isClean(step: StepEvidence): boolean {
  return (
    step.strength > 0.8 &&
    step.strength < 1.25 &&
    step.octantsFor >= 5 &&
    step.octantsAgainst <= 1 &&
    step.after < 0.25 + 0.3 * step.before
  )
}

/** Parts of a pixel by which a resized mark may lie beside the computed place. */
const SHIFTS = [-0.5, 0, 0.5] as const

function judgeCandidate(window: PixelWindow, candidate: Candidate, declared: boolean): Verdict | 'refuted' | undefined {
  const halfway = candidate.scale !== 1 ? HALFWAY.scaled : declared ? HALFWAY.declared : HALFWAY.native
  let best: Verdict | undefined
  let refuted = true
  const look = (shiftX: number, shiftY: number) => {
    for (const laid of candidate.lay(shiftX, shiftY)) {
      if (!contains(window, laid)) continue
      const verdict = judge(window, laid, halfway)
      if (verdict === 'refuted') continue
      refuted = false
      if (verdict === undefined) return
      if (best === undefined || better(verdict, best, LEAD)) best = verdict
    }
  }
  look(0, 0)
  if (candidate.scale !== 1 && best !== undefined) {
    for (const shiftX of SHIFTS) for (const shiftY of SHIFTS) if (shiftX !== 0 || shiftY !== 0) look(shiftX, shiftY)
  }
  return best ?? (refuted ? 'refuted' : undefined)
}

/** Nats by which a less likely way of drawing a mark must lead: picking the wrong one leaves a contour. */
const LEAD = 25

function better(a: Verdict, b: Verdict, lead = 0): boolean {
  return a.confidence > 0 === b.confidence > 0 ? a.gain > b.gain + lead : a.confidence > 0
}

function contains(window: PixelWindow, laid: LaidMark): boolean {
  return (
    laid.x >= window.x &&
    laid.y >= window.y &&
    laid.x + laid.width <= window.x + window.width &&
    laid.y + laid.height <= window.y + window.height
  )
}

/** `locate` on a part of a picture; marks that do not lie wholly inside it are passed over. */
export function locateInWindow(
  window: PixelWindow,
  { minConfidence = 0.5, declared = false, models = [], scaled = true }: LocateOptions = {},
): Location {
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    throw new WatermarkError('invalid_option', `minConfidence must lie between 0 and 1, not ${minConfidence}`)
  }
  let best: { candidate: Candidate; verdict: Verdict } | undefined
  let tried = 0
  let refuted = 0
  const judgeAll = (candidates: readonly Candidate[]) => {
    for (const candidate of candidates) {
      const verdict = judgeCandidate(window, candidate, declared)
      tried++
      if (verdict === 'refuted') refuted++
      else if (verdict !== undefined && (best === undefined || better(verdict, best.verdict))) {
        best = { candidate, verdict }
      }
    }
  }
  judgeAll(nativeCandidates(window, models))
  if (scaled && (best === undefined || best.verdict.confidence < minConfidence)) judgeAll(scaledCandidates(window))

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
