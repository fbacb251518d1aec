import type { PlacedModel } from './candidates.ts'
import { FULL_COVERAGE } from './coverage.ts'
import { WatermarkError } from './error.ts'
import { checkRawImage, type RawImage } from './image.ts'

/** Where the new mark is, and what it is to be called. */
export interface CalibrateOptions {
  /** Name for the mark; appears in placements. Default `calibrated`. */
  name?: string
  /** Side of the mark's square, in pixels; even. */
  size: number
  /** Distance of the square from the right and bottom edge, in pixels. */
  margin: number
  /** What happens to fractions when the mark is drawn. Default `nearest`. */
  rounding?: 'floor' | 'nearest'
}

/** A measured mark: plain JSON. `toPlacedModel` makes it usable by `locate` and the file doors. */
export interface CalibratedMark {
  name: string
  size: number
  margin: number
  rounding: 'floor' | 'nearest'
  /** Opacity where the mark is full, 0…1. */
  opacity: number
  /** Coverage of each pixel in sixteenths, row by row, one digit (base 17) a pixel. */
  levels: string[]
  /** Mean and largest distance of the measured opacity from the snapped one, in levels of 255. */
  meanError: number
  maxError: number
  /** True when the measurement falls onto the sixteen levels: the sign that size, margin and opacity are right. */
  snapped: boolean
  /** Pictures that were used. */
  pictures: number
}

/** Pixels around the square that show the background. */
const SURROUND = 6
/** A mean error above this share of one level's step means that the measurement does not snap. */
const SNAP_SHARE = 0.25
/** Backgrounds this near to white tell nothing about a white mark. */
const BRIGHTEST = 225

/** Per picture and channel: the box, and what the picture would be without a mark. */
interface Sample {
  marked: Float32Array
  background: number
  /** Spread of the surround: how uniform the picture is. */
  spread: number
}

function sample({ width, height, data }: RawImage, size: number, margin: number): Sample[] {
  const left = width - margin - size
  const top = height - margin - size
  return [0, 1, 2].map((channel) => {
    const marked = new Float32Array(size * size)
    let sum = 0
    let squares = 0
    let count = 0
    for (let y = -SURROUND; y < size + SURROUND; y++) {
      for (let x = -SURROUND; x < size + SURROUND; x++) {
        const px = left + x
        const py = top + y
        if (px < 0 || py < 0 || px >= width || py >= height) continue
        const value = data[(py * width + px) * 4 + channel]!
        if (x >= 0 && y >= 0 && x < size && y < size) marked[y * size + x] = value
        else {
          sum += value
          squares += value * value
          count++
        }
      }
    }
    const background = sum / Math.max(1, count)
    return { marked, background, spread: Math.sqrt(Math.max(0, squares / Math.max(1, count) - background ** 2)) }
  })
}

/** Opacity by least squares of (marked − background) on (255 − background); flatter pictures weigh more. */
function fitOpacity(samples: readonly Sample[], size: number, bias: number): Float64Array {
  const alpha = new Float64Array(size * size)
  let norm = 0
  for (const { marked, background, spread } of samples) {
    const room = 255 - background
    const weight = 1 / (1 + spread * spread)
    norm += weight * room * room
    for (let i = 0; i < alpha.length; i++) alpha[i]! += weight * room * (marked[i]! - background)
  }
  for (let i = 0; i < alpha.length; i++) alpha[i] = alpha[i]! / norm + bias / 255
  return alpha
}

/** The mean of the four quarter turns: the mark has that symmetry, and no mirror symmetry. */
function turnedMean(alpha: Float64Array, size: number): Float64Array {
  const mean = new Float64Array(alpha.length)
  const last = size - 1
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      mean[y * size + x] =
        (alpha[y * size + x]! +
          alpha[x * size + last - y]! +
          alpha[(last - y) * size + last - x]! +
          alpha[(last - x) * size + y]!) /
        4
    }
  }
  return mean
}

/** Full opacity of the two generations so far; a measurement this near is taken for it. */
const KNOWN_OPACITIES = [128 / 255, 0.3]

/** Full opacity: the middle of the star's body, where every pixel is covered. */
function bodyOpacity(alpha: Float64Array, size: number): number {
  const middle: number[] = []
  for (let y = Math.floor(size * 0.42); y < size * 0.58; y++) {
    for (let x = Math.floor(size * 0.42); x < size * 0.58; x++) middle.push(alpha[y * size + x]!)
  }
  middle.sort((a, b) => a - b)
  const measured = middle[middle.length >> 1]!
  return KNOWN_OPACITIES.find((known) => Math.abs(known - measured) < 0.004) ?? measured
}

/**
 * Measures a mark from pictures of your own: for the day your account gets a new one.
 *
 * One black picture is enough; otherwise several nearly uniform ones, the flatter the fewer (two at a grain of 1 level,
 * eight at 3, thirty-two at 8). The opacity is averaged over the four quarter turns and snapped to sixteenths of its
 * full value, which is how the app draws.
 *
 * @throws {WatermarkError} `invalid_image`, `invalid_option`.
 */
export function calibrate(images: readonly RawImage[], options: CalibrateOptions): CalibratedMark {
  const { name = 'calibrated', size, margin, rounding = 'nearest' } = options
  if (images.length === 0) throw new WatermarkError('invalid_option', 'calibrate needs at least one picture')
  if (!Number.isInteger(size) || size < 8 || size % 2 !== 0) {
    throw new WatermarkError('invalid_option', `size must be an even number of pixels from 8 on, not ${size}`)
  }
  if (!Number.isInteger(margin) || margin < 0) {
    throw new WatermarkError('invalid_option', `margin must be whole pixels from 0 on, not ${margin}`)
  }
  const samples = images.flatMap((image) => {
    checkRawImage(image)
    if (Math.min(image.width, image.height) < size + margin) {
      throw new WatermarkError('invalid_image', `A picture of ${image.width}×${image.height} has no room for the mark`)
    }
    return sample(image, size, margin)
  })
  const useful = samples.filter(({ background }) => background < BRIGHTEST)
  if (useful.length === 0) {
    throw new WatermarkError('invalid_image', 'Every picture is too bright to show a white mark; use dark ones')
  }
  const measured = turnedMean(fitOpacity(useful, size, rounding === 'floor' ? 0.5 : 0), size)
  const opacity = bodyOpacity(measured, size)
  if (!(opacity > 0.02 && opacity < 0.98)) {
    throw new WatermarkError('invalid_image', `There is no half-transparent mark there (opacity ${opacity.toFixed(3)})`)
  }
  const levels = Uint8Array.from(measured, (alpha) =>
    Math.min(FULL_COVERAGE, Math.max(0, Math.round((alpha / opacity) * FULL_COVERAGE))),
  )
  let total = 0
  let maxError = 0
  for (let i = 0; i < levels.length; i++) {
    const error = Math.abs(measured[i]! - (levels[i]! * opacity) / FULL_COVERAGE) * 255
    total += error
    maxError = Math.max(maxError, error)
  }
  const meanError = total / levels.length
  return {
    name,
    size,
    margin,
    rounding,
    opacity,
    levels: Array.from({ length: size }, (_, y) =>
      Array.from(levels.subarray(y * size, (y + 1) * size), (level) => level.toString(17)).join(''),
    ),
    meanError,
    maxError,
    snapped: meanError < (SNAP_SHARE * opacity * 255) / FULL_COVERAGE,
    pictures: images.length,
  }
}

/**
 * A calibrated mark as `locate` and the file doors take it (`options.models`).
 *
 * @throws {WatermarkError} `invalid_option` when the levels do not fit the size.
 */
export function toPlacedModel({ name, size, margin, rounding, opacity, levels }: CalibratedMark): PlacedModel {
  if (levels.length !== size || levels.some((row) => row.length !== size || !/^[0-9a-g]*$/.test(row))) {
    throw new WatermarkError('invalid_option', `levels must be ${size} rows of ${size} digits 0…g`)
  }
  const alpha = Float32Array.from(levels.join(''), (digit) => (parseInt(digit, 17) * opacity) / FULL_COVERAGE)
  return { margin, model: { name, size, alpha, colour: new Float32Array(alpha.length).fill(255), rounding } }
}
