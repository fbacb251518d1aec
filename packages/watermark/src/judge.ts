import { weighBound, weighSteps, type BoundEvidence, type StepEvidence } from './evidence.ts'
import type { PixelWindow } from './image.ts'
import type { LaidMark } from './lay.ts'

/** The figures behind a decision. */
export interface Evidence {
  bound: BoundEvidence
  /** At full and at half size. */
  steps: readonly [StepEvidence, StepEvidence]
}

/** A mark weighed at a place. */
export interface Verdict {
  laid: LaidMark
  /** 0…1; 0 when the outline does not vanish cleanly, however much it gains. */
  confidence: number
  gain: number
  evidence: Evidence
}

/** What was known before looking: a native place, a mark that metadata declares, a mark that was resized. */
export type Prior = 'native' | 'declared' | 'scaled'

/** Nats at which confidence is one half. */
const HALFWAY: Record<Prior, number> = { native: 45, declared: 20, scaled: 90 }
/** Traces of lossy storage blur the test, so more is asked for. */
const LOSSY_FACTOR = 3

/** More than this share of the samples far below the bound refutes a mark; chroma of a lossy file may bleed that much. */
const REFUTED = 0.1
/** In pixels that were never lossy there is next to none. */
const REFUTED_EXACTLY = 0.004

/** Weighs one mark at one place. Undefined when nothing speaks for it. */
export function judge(
  window: PixelWindow,
  laid: LaidMark,
  { prior, noise }: { prior: Prior; noise: number },
): Verdict | 'refuted' | undefined {
  const bound = weighBound(window, laid)
  const farBelow = bound.farBelow / Math.max(1, bound.samples)
  if (farBelow > REFUTED) return 'refuted'
  const steps = weighSteps(window, laid, noise)
  if (steps === undefined) return undefined
  const gain = steps[0].gain + steps[1].gain
  if (gain <= 0) return undefined
  const halfway = HALFWAY[prior]
  let confidence = 0
  const clean = farBelow <= REFUTED_EXACTLY && (vanishes(steps) || (bound.below === 0 && vanishesExactly(steps)))
  if (clean) confidence = gain / (gain + halfway)
  else if (vanishesLossily(steps)) confidence = gain / (gain + halfway * LOSSY_FACTOR)
  return { laid, gain, confidence, evidence: { bound, steps } }
}

/** The outline vanishes, at about the strength the mark is drawn with, nearly all around, and nothing is left of it. */
function vanishes([full, half]: Evidence['steps']): boolean {
  const step = full.gain >= half.gain ? full : half
  return (
    isNear(step, 0.8, 1.2) &&
    isNear(half, 0.7, 1.3) &&
    step.octantsFor >= 5 &&
    step.octantsAgainst <= 1 &&
    step.channelsAgainst === 0 &&
    step.after < 0.25 + 0.3 * step.before
  )
}

/** On white and full colour most of the outline does not show. What shows must then fit all the better. */
function vanishesExactly(steps: Evidence['steps']): boolean {
  return (
    steps[0].gain + steps[1].gain > PARTIAL_GAIN &&
    steps.every(
      (step) =>
        isNear(step, 0.94, 1.06) &&
        step.octantsFor >= 3 &&
        step.octantsAgainst + step.channelsAgainst === 0 &&
        step.after < 0.1 + 0.15 * step.before,
    )
  )
}

/** Nats asked for when only a part of the outline shows. */
const PARTIAL_GAIN = 200

/** The same at half size only, where lossy storage has done less, with room for the ringing it left; but all around. */
function vanishesLossily([full, half]: Evidence['steps']): boolean {
  return (
    full.gain > 0 &&
    isNear(half, 0.72, 1.25) &&
    half.octantsFor >= 5 &&
    half.octantsAgainst === 0 &&
    half.channelsAgainst + full.channelsAgainst === 0 &&
    half.after < 0.1 + 0.6 * half.before
  )
}

function isNear({ strength }: StepEvidence, least: number, most: number): boolean {
  return strength > least && strength < most
}

/** Nats by which a less likely way of drawing a mark must lead: picking the wrong one leaves a contour. */
export const LEAD = 50

export function better(a: Verdict, b: Verdict, lead = 0): boolean {
  return a.confidence > 0 === b.confidence > 0 ? a.gain > b.gain + lead : a.confidence > 0
}
