import type { PixelWindow } from './image.ts'
import type { LaidMark } from './lay.ts'
import { halvePlane, layOut, TIERS, type Layout, type Tier } from './layout.ts'

/** Strengths the outline is tried at; 1 is the mark as it is drawn. */
const STRENGTHS = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5] as const
const NONE = 0
const FULL = 4
const OCTANTS = 8
/** An octant takes sides when its outline gains or loses this many nats. */
const TAKES_SIDES = 4
/** What is nearly white shows no mark and loses a little to rounding: up to this share of the whole gain. */
const SLACK = 0.05

/** What the outline says on one scale. A nat is a factor e in likelihood; see `Likelihood` in the README. */
export interface StepEvidence {
  /** How much more natural the outline is after a trial removal than before, in nats. */
  gain: number
  /** Opacity at which the outline vanishes, as a fraction of the mark's own; 0 when the gain is not positive. */
  strength: number
  /** Mean cost of a step across the outline before the removal, less that of a step elsewhere. */
  before: number
  /** The same after the removal: what is left of a ghost. */
  after: number
  /** Octants (one side of one arm each) in which the outline speaks for and against the mark. */
  octantsFor: number
  octantsAgainst: number
  /** Colour channels in which it speaks against: a grey mark shows in all three or, on full colour, in none. */
  channelsAgainst: number
}

interface Planes {
  width: number
  colour: readonly Float32Array[]
}

/** The picture on the layout's box. */
function cut(window: PixelWindow, layout: Layout): Planes {
  const { left, top, width, height } = layout
  const colour = [0, 1, 2].map(() => new Float32Array(width * height))
  const [red, green, blue] = colour as [Float32Array, Float32Array, Float32Array]
  for (let y = 0, at = 0; y < height; y++) {
    let from = ((top + y - window.y) * window.width + (left - window.x)) * 4
    for (let x = 0; x < width; x++, at++, from += 4) {
      red[at] = window.data[from]!
      green[at] = window.data[from + 1]!
      blue[at] = window.data[from + 2]!
    }
  }
  return { width, colour }
}

/** Typical step between neighbours off the outline, per octant: 60th percentile, plus the rounding of storage. */
function measureTexture(planes: Planes, { plain }: Tier, floor: number): Float64Array {
  const histograms = Array.from({ length: OCTANTS }, () => new Uint32Array(256))
  for (let i = 0; i < plain.count; i++) {
    const histogram = histograms[plain.octant[i]!]!
    for (const colour of planes.colour) {
      histogram[Math.min(255, Math.round(Math.abs(colour[plain.from[i]!]! - colour[plain.to[i]!]!) * 2))]!++
    }
  }
  return Float64Array.from(histograms, (histogram) => {
    let total = 0
    for (const n of histogram) total += n
    let seen = 0
    let bin = 0
    while (bin < 255 && seen + histogram[bin]! < total * 0.6) seen += histogram[bin++]!
    return floor + bin / 2
  })
}

/**
 * Cost of the outline's steps, octant by octant, when the mark is taken off at `strength`: the log of a Cauchy density,
 * so that one hard edge of the picture itself weighs little.
 */
function outlineCosts(planes: Planes, tier: Tier, texture: Float64Array, strength: number) {
  const costs = new Float64Array(OCTANTS)
  const { outline, alpha, light } = tier
  const [red, green, blue] = planes.colour as [Float32Array, Float32Array, Float32Array]
  for (let i = 0; i < outline.count; i++) {
    const from = outline.from[i]!
    const to = outline.to[i]!
    const octant = outline.octant[i]!
    const keepFrom = 1 - strength * alpha[from]!
    const keepTo = 1 - strength * alpha[to]!
    // Steps are compared in units of the marked picture, so that taking a mark off does not look rough by itself.
    const keep = (keepFrom + keepTo) / (2 * texture[octant]!)
    const a = keep / keepFrom
    const b = keep / keepTo
    const base = strength * (light[to]! * b - light[from]! * a)
    const r = red[from]! * a - red[to]! * b + base
    const g = green[from]! * a - green[to]! * b + base
    const u = blue[from]! * a - blue[to]! * b + base
    costs[octant]! += Math.log((1 + r * r) * (1 + g * g) * (1 + u * u))
  }
  return costs
}

function plainCost(planes: Planes, { plain }: Tier, texture: Float64Array): number {
  let sum = 0
  for (let i = 0; i < plain.count; i++) {
    const scale = texture[plain.octant[i]!]!
    for (const colour of planes.colour) {
      const ratio = (colour[plain.from[i]!]! - colour[plain.to[i]!]!) / scale
      sum += Math.log(1 + ratio * ratio)
    }
  }
  return sum / Math.max(1, plain.count * 3)
}

function total(costs: Float64Array): number {
  let sum = 0
  for (const value of costs) sum += value
  return sum
}

function weigh(planes: Planes, tier: Tier, floor: number): StepEvidence {
  const texture = measureTexture(planes, tier, floor)
  const none = outlineCosts(planes, tier, texture, STRENGTHS[NONE])
  const full = outlineCosts(planes, tier, texture, STRENGTHS[FULL])
  const gain = total(none) - total(full)
  let octantsFor = 0
  let octantsAgainst = 0
  for (let o = 0; o < OCTANTS; o++) {
    const share = none[o]! - full[o]!
    if (share > TAKES_SIDES) octantsFor++
    else if (share < -TAKES_SIDES - SLACK * Math.max(0, gain)) octantsAgainst++
  }
  if (gain <= 0) return { gain, strength: 0, before: 0, after: 0, octantsFor, octantsAgainst, channelsAgainst: 0 }
  const around = plainCost(planes, tier, texture)
  const samples = Math.max(1, tier.outline.count * 3)
  const totals = STRENGTHS.map((strength, s) =>
    s === NONE ? total(none) : s === FULL ? total(full) : total(outlineCosts(planes, tier, texture, strength)),
  )
  return {
    gain,
    strength: lowest(totals),
    before: total(none) / samples - around,
    after: total(full) / samples - around,
    octantsFor,
    octantsAgainst,
    channelsAgainst: planes.colour.filter((colour) => channelGain(colour, tier, texture) < -TAKES_SIDES - SLACK * gain)
      .length,
  }
}

/** What one channel gains from a removal at full strength. */
function channelGain(colour: Float32Array, { outline, alpha, light }: Tier, texture: Float64Array): number {
  let gain = 0
  for (let i = 0; i < outline.count; i++) {
    const from = outline.from[i]!
    const to = outline.to[i]!
    const keepFrom = 1 - alpha[from]!
    const keepTo = 1 - alpha[to]!
    const scale = 1 / texture[outline.octant[i]!]!
    const before = (colour[from]! - colour[to]!) * scale
    const step = (colour[from]! - light[from]!) / keepFrom - (colour[to]! - light[to]!) / keepTo
    const after = (step * scale * (keepFrom + keepTo)) / 2
    gain += Math.log((1 + before * before) / (1 + after * after))
  }
  return gain
}

/** Where the cost is lowest, between the tried strengths: a parabola through the best and its neighbours. */
function lowest(totals: readonly number[]): number {
  const best = totals.indexOf(Math.min(...totals))
  if (best === 0 || best === totals.length - 1) return STRENGTHS[best]!
  const [left, middle, right] = [totals[best - 1]!, totals[best]!, totals[best + 1]!]
  const bend = left - 2 * middle + right
  return STRENGTHS[best]! + (bend > 0 ? (left - right) / (2 * bend) : 0) * 0.25
}

/**
 * The step evidence at full size and at half. Undefined when half size, which costs a quarter, already speaks against.
 *
 * @param noise Error that lossy storage makes at an edge, in levels; 0 for none.
 */
export function weighSteps(
  window: PixelWindow,
  mark: LaidMark,
  noise = 0,
): readonly [StepEvidence, StepEvidence] | undefined {
  const layout = layOut(window, mark)
  const planes = cut(window, layout)
  const [full, half] = layout.tiers
  const halved: Planes = {
    width: half.width,
    colour: planes.colour.map((plane) => halvePlane(plane, full.width, half.width, half.height)),
  }
  const coarse = weigh(halved, half, TIERS[1].floor + noise / 2)
  if (coarse.gain <= 0) return undefined
  return [weigh(planes, full, TIERS[0].floor + noise), coarse]
}

/** How many samples under the mark there are, and how many are darker than what it adds by itself. */
export interface BoundEvidence {
  samples: number
  /** Darker by more than rounding. */
  below: number
  /** Darker by more than a lossy file makes them. */
  farBelow: number
}

const LOSSY_SLACK = 14
/** Samples where the mark adds less than this say nothing. */
const FAINT = 20

/** Under a mark no sample is darker than `alpha·colour`: the cheapest refutation. */
export function weighBound(window: PixelWindow, mark: LaidMark): BoundEvidence {
  let samples = 0
  let below = 0
  let farBelow = 0
  for (let y = 0; y < mark.height; y++) {
    let at = ((mark.y + y - window.y) * window.width + (mark.x - window.x)) * 4
    for (let i = y * mark.width; i < (y + 1) * mark.width; i++, at += 4) {
      const light = mark.light[i]!
      if (light < FAINT) continue
      for (let c = 0; c < 3; c++) {
        const under = light - window.data[at + c]!
        if (under > 1) below++
        if (under > LOSSY_SLACK) farBelow++
      }
      samples += 3
    }
  }
  return { samples, below, farBelow }
}
