import { forwardDct, inverseDct } from './dct.ts'

/** One component's samples around a mark: a rectangle of whole blocks inside a plane. */
export interface MarkedPlane {
  /** Decoded samples, 0…255, of a plane with `stride` samples a row and `rows` rows. */
  samples: Float32Array
  stride: number
  rows: number
  /** The blocks that change, in samples; multiples of 8. */
  x: number
  y: number
  width: number
  height: number
  /** The mark on that rectangle: opacity, and what it adds to black. */
  alpha: Float32Array
  light: Float32Array
  /** Quantisation steps, natural order. */
  quant: Float32Array
  /** Stored coefficients of the rectangle's blocks, row by row, natural order. */
  stored: Int16Array
}

/** How the search is set. Tuned on made-up pictures at quality 75 and 95; see the README's table. */
const SMOOTH = {
  rounds: 20,
  /** Share of the way to the neighbours that one round goes where there is no mark. */
  step: 0.035,
  /** Levels of difference at which an edge begins to be left alone: a part of it, and one per mean quantisation step. */
  edge: 2,
  edgePerStep: 0.4,
}

/** The plain inverse, in floating point. */
function invertPlainly({ samples, stride, x, y, width, height, alpha, light }: MarkedPlane): Float32Array {
  const original = new Float32Array(width * height)
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      const marked = samples[(y + row) * stride + x + column]!
      original[i] = (marked - light[i]!) / (1 - alpha[i]!)
    }
  }
  return original
}

/** How rough the picture is around the mark: 60th percentile of |Laplacian|/4 where there is no mark, in levels. */
function measureTexture({ samples, stride, rows, x, y, width, height, alpha }: MarkedPlane): number {
  const values: number[] = []
  for (let row = Math.max(1, y); row < Math.min(rows - 1, y + height); row++) {
    for (let column = Math.max(1, x); column < Math.min(stride - 1, x + width); column++) {
      if (alpha[(row - y) * width + column - x]! > 0) continue
      const at = row * stride + column
      const laplacian =
        samples[at - 1]! + samples[at + 1]! + samples[at - stride]! + samples[at + stride]! - 4 * samples[at]!
      values.push(Math.abs(laplacian) / 4)
    }
  }
  values.sort((a, b) => a - b)
  return values[Math.floor(values.length * 0.6)] ?? 0
}

/**
 * The smoothest original whose marked blocks still quantise to what the file stores.
 *
 * The plain inverse doubles the ringing that JPEG left at the mark's own edge: a ghost outline. Every original inside the
 * cells of the stored coefficients explains the file as well, so the search walks towards the smoothest: a small
 * edge-preserving step on the original, the mark laid on again, every coefficient clamped into its cell, the mark taken
 * off again.
 */
export function findSmoothOriginal(plane: MarkedPlane): Float32Array {
  const { rounds, step, edge, edgePerStep } = SMOOTH
  const { samples, stride, rows, x, y, width, height, alpha, light, quant, stored } = plane
  const texture = measureTexture(plane)
  const calm = 1 + (texture / 2) ** 2
  // The working plane has one sample more on each side: the fixed neighbours.
  const wide = width + 2
  const work = new Float32Array(wide * (height + 2))
  for (let row = -1; row <= height; row++) {
    for (let column = -1; column <= width; column++) {
      const fromY = Math.min(rows - 1, Math.max(0, y + row))
      const fromX = Math.min(stride - 1, Math.max(0, x + column))
      work[(row + 1) * wide + column + 1] = samples[fromY * stride + fromX]!
    }
  }
  const setOriginal = (original: Float32Array) => {
    for (let row = 0; row < height; row++)
      work.set(original.subarray(row * width, (row + 1) * width), (row + 1) * wide + 1)
  }
  const original = invertPlainly(plane)
  const weight = alpha.map((value) => (step * (1 + 6 * value)) / calm)
  const block = new Float32Array(64)
  const across = width >> 3
  const lows = new Float32Array(stored.length)
  const highs = new Float32Array(stored.length)
  for (let i = 0; i < stored.length; i++) {
    const level = (i & 63) === 0 ? 1024 : 0
    lows[i] = (stored[i]! - 0.5) * quant[i & 63]! + level
    highs[i] = (stored[i]! + 0.5) * quant[i & 63]! + level
  }
  const threshold = edge + (edgePerStep * quant.reduce((sum, value) => sum + value, 0)) / 64
  const softness = 1 / (threshold * threshold)
  for (let round = 0; round < rounds; round++) {
    setOriginal(original)
    for (let row = 0, i = 0; row < height; row++) {
      let at = (row + 1) * wide + 1
      for (let column = 0; column < width; column++, i++, at++) {
        const here = work[at]!
        const a = work[at - 1]! - here
        const b = work[at + 1]! - here
        const c = work[at - wide]! - here
        const d = work[at + wide]! - here
        const pull =
          a / (1 + a * a * softness) +
          b / (1 + b * b * softness) +
          c / (1 + c * c * softness) +
          d / (1 + d * d * softness)
        original[i] = (here + weight[i]! * pull) * (1 - alpha[i]!) + light[i]!
      }
    }
    for (let at = 0, by = 0; by < height; by += 8) {
      for (let bx = 0; bx < across; bx++, at += 64) {
        const corner = by * width + bx * 8
        forwardDct(original, corner, width, block)
        for (let i = 0; i < 64; i++) {
          const value = block[i]!
          block[i] = value < lows[at + i]! ? lows[at + i]! : value > highs[at + i]! ? highs[at + i]! : value
        }
        inverseDct(block, original, corner, width)
      }
    }
    for (let i = 0; i < original.length; i++) original[i] = (original[i]! - light[i]!) / (1 - alpha[i]!)
  }
  return original
}
