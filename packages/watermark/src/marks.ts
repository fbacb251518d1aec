import { FULL_COVERAGE, starCoverage } from './coverage.ts'
import { resizePlane, SHARP_CUBIC } from './resize.ts'

/**
 * A mark as two square maps, row major. What is drawn is `colour·alpha + original·(1 − alpha)` per channel, on the
 * stored 8-bit values, without gamma.
 */
export interface MarkModel {
  /** `v1-48`, `v1-96`, `v2-48`, `v2-96`, or the name given to `calibrate`. */
  name: string
  /** Side of the square in pixels. */
  size: number
  /** Opacity, 0…1. */
  alpha: Float32Array
  /** Grey level that is blended in, 0…255. */
  colour: Float32Array
  /** What happened to the fraction when the mark was drawn. */
  rounding: 'floor' | 'nearest'
}

/** First generation: full opacity is 128/255. Source: captures on black, two sizes, three channels. */
const V1_LEVEL = 8 / 255
/** Second generation: full opacity. Source: captures on black. */
const V2_OPACITY = 0.3
/** The sprite the second generation enlarges. */
const SPRITE = 36

function white(length: number): Float32Array {
  return new Float32Array(length).fill(255)
}

function drawnModel(name: string, size: number, alphaPerLevel: number, rounding: MarkModel['rounding']): MarkModel {
  const alpha = Float32Array.from(starCoverage(size), (level) => level * alphaPerLevel)
  return { name, size, alpha, colour: white(alpha.length), rounding }
}

/** The sprite enlarged with straight alpha: opacity and colour are resized apart, so the edge is grey to black. */
function enlargedModel(name: string, size: number): MarkModel {
  const levels = starCoverage(SPRITE)
  const alphaSprite = Float32Array.from(levels, (level) => (V2_OPACITY * level) / FULL_COVERAGE)
  const whiteSprite = Float32Array.from(levels, (level) => (level > 0 ? 1 : 0))
  const resampling = { kernel: SHARP_CUBIC, stepX: SPRITE / size, stepY: SPRITE / size, width: size, height: size }
  const alpha = resizePlane(alphaSprite, SPRITE, resampling)
  const colour = resizePlane(whiteSprite, SPRITE, resampling)
  for (let i = 0; i < alpha.length; i++) {
    alpha[i] = Math.max(0, alpha[i]!)
    colour[i] = 255 * Math.min(1, Math.max(0, colour[i]!))
  }
  return { name, size, alpha, colour, rounding: 'nearest' }
}

/** The same light on black, but blended as white: what a renderer with premultiplied alpha would draw. */
function whiteEdged(model: MarkModel): MarkModel {
  const alpha = Float32Array.from(model.alpha, (value, i) => (value * model.colour[i]!) / 255)
  return { ...model, alpha, colour: white(alpha.length) }
}

/** The four native marks. */
export type NativeMark = 'v1-48' | 'v1-96' | 'v2-48' | 'v2-96'

const DRAW: Record<NativeMark, () => MarkModel[]> = {
  'v1-48': () => [drawnModel('v1-48', 48, V1_LEVEL, 'floor')],
  'v1-96': () => [drawnModel('v1-96', 96, V1_LEVEL, 'floor')],
  'v2-48': () => [drawnModel('v2-48', 48, V2_OPACITY / FULL_COVERAGE, 'nearest'), enlargedModel('v2-48', 48)],
  'v2-96': () => {
    const model = enlargedModel('v2-96', 96)
    return [model, whiteEdged(model)]
  },
}

const drawn = new Map<NativeMark, readonly MarkModel[]>()

/**
 * The maps of a native mark: the measured one first, then what else the same renderer could have drawn (`v2-48` as the
 * enlarged sprite, `v2-96` with a white edge). `locate` lets the residual choose. Drawn once and kept.
 */
export function markModels(mark: NativeMark): readonly MarkModel[] {
  let models = drawn.get(mark)
  if (models === undefined) {
    models = DRAW[mark]()
    drawn.set(mark, models)
  }
  return models
}
