import type { RawImage } from '../src/image.ts'
import type { LaidMark } from '../src/lay.ts'
import { markModels, type MarkModel, type NativeMark } from '../src/marks.ts'

/** The native places. */
export const PLACES: Record<NativeMark, number> = { 'v1-48': 32, 'v1-96': 64, 'v2-48': 96, 'v2-96': 192 }
export const MARKS = Object.keys(PLACES) as NativeMark[]

export function copyOf(image: RawImage): RawImage {
  return { ...image, data: image.data.slice() }
}

/**
 * Draws a mark the way the app does, on a copy: `colour·α + original·(1 − α)`, the first generation truncated and the
 * second rounded. The 1e-6 keeps exact products from falling to the level below.
 */
export function withMark(
  image: RawImage,
  mark: NativeMark,
  margin = PLACES[mark],
  model: MarkModel = markModels(mark)[0]!,
): RawImage {
  const marked = copyOf(image)
  const left = image.width - margin - model.size
  const top = image.height - margin - model.size
  for (let y = 0; y < model.size; y++) {
    for (let x = 0; x < model.size; x++) {
      const i = y * model.size + x
      const at = ((top + y) * image.width + left + x) * 4
      for (let c = at; c < at + 3; c++) {
        const value = model.alpha[i]! * model.colour[i]! + image.data[c]! * (1 - model.alpha[i]!)
        marked.data[c] = model.rounding === 'floor' ? Math.floor(value + 1e-6) : Math.round(value)
      }
    }
  }
  return marked
}

/** Largest error and PSNR over the pixels the mark changes. */
export function compareUnderMark(a: RawImage, b: RawImage, laid: LaidMark) {
  let worst = 0
  let sum = 0
  let count = 0
  for (let i = 0; i < laid.alpha.length; i++) {
    if (laid.alpha[i] === 0) continue
    const at = ((laid.y + Math.floor(i / laid.width)) * a.width + laid.x + (i % laid.width)) * 4
    for (let c = at; c < at + 3; c++) {
      const error = Math.abs(a.data[c]! - b.data[c]!)
      worst = Math.max(worst, error)
      sum += error * error
    }
    count += 3
  }
  return { worst, psnr: sum === 0 ? Infinity : 10 * Math.log10((255 * 255 * count) / sum) }
}

/** Largest and mean squared error over the colours of a box. */
export function compare(a: RawImage, b: RawImage, box: { x: number; y: number; width: number; height: number }) {
  let worst = 0
  let sum = 0
  for (let y = box.y; y < box.y + box.height; y++) {
    for (let x = box.x; x < box.x + box.width; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (y * a.width + x) * 4 + c
        const error = Math.abs(a.data[at]! - b.data[at]!)
        worst = Math.max(worst, error)
        sum += error * error
      }
    }
  }
  const meanSquare = sum / (box.width * box.height * 3)
  return { worst, psnr: meanSquare === 0 ? Infinity : 10 * Math.log10((255 * 255) / meanSquare) }
}
