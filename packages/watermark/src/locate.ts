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

/** The best of some candidates, and how many of them were refuted. */
interface Search {
  best?: { candidate: Candidate; verdict: Verdict }
  tried: number
  refuted: number
}

function search(window: PixelWindow, candidates: readonly Candidate[], options: LocateOptions): Search {
  const result: Search = { tried: candidates.length, refuted: 0 }
  for (const candidate of candidates) {
    const verdict = judgeCandidate(window, candidate, options)
    if (verdict === 'refuted') result.refuted++
    else if (verdict !== undefined && (result.best === undefined || better(verdict, result.best.verdict))) {
      result.best = { candidate, verdict }
    }
  }
  return result
}

/** What is left of an outline in pixels that were never lossy, in nats a sample, when the right mark was taken off. */
const TRACE = 0.25
/** A resized mark must leave less than this share of what the native one leaves to be preferred. */
const CLEARLY_LESS = 0.6

/** A mark that was halved or doubled lies where a native one would, but that one does not vanish as cleanly. */
function isCleaner(resized: Verdict | undefined, native: Verdict): boolean {
  if (resized === undefined || resized.confidence === 0 || resized.gain <= native.gain) return false
  return resized.evidence.steps[0].after < CLEARLY_LESS * native.evidence.steps[0].after
}

/** `locate` on a part of a picture; marks that do not lie wholly inside it are passed over. */
export function locateInWindow(window: PixelWindow, options: LocateOptions = {}): Location {
  const { minConfidence = 0.5, models = [], scaled = true, noise = 0 } = options
  if (!(minConfidence >= 0 && minConfidence <= 1)) {
    throw new WatermarkError('invalid_option', `minConfidence must lie between 0 and 1, not ${minConfidence}`)
  }
  const native = search(window, nativeCandidates(window, models), options)
  const sure = (native.best?.verdict.confidence ?? 0) >= minConfidence && native.best?.verdict.confidence !== 0
  const mayBeResized = !sure || (noise === 0 && native.best!.verdict.evidence.steps[0].after > TRACE)
  const resized: Search =
    scaled && mayBeResized
      ? search(
          window,
          scaledCandidates(window).filter((candidate) => looksMarked(window, candidate)),
          options,
        )
      : { tried: 0, refuted: 0 }
  const prefersResized =
    native.best === undefined ||
    (sure
      ? isCleaner(resized.best?.verdict, native.best.verdict)
      : resized.best !== undefined && better(resized.best.verdict, native.best.verdict))
  const best = prefersResized ? (resized.best ?? native.best) : native.best
  if (best === undefined) {
    const tried = native.tried + resized.tried
    const refuted = native.refuted + resized.refuted
    const reason = tried === 0 ? 'too_small' : refuted === tried ? 'refuted' : 'no_outline'
    return { found: false, reason, confidence: 0 }
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
