import { WatermarkError } from './error.ts'
import { checkRawImage, wholeWindow, type PixelWindow, type RawImage } from './image.ts'
import type { LaidMark } from './lay.ts'
import type { Placement } from './locate.ts'

/** What `remove` did. */
export interface RemovalReport {
  mark: string
  /** The square outside which no byte changed. */
  x: number
  y: number
  width: number
  height: number
  /** Pixels whose colour changed. */
  changedPixels: number
}

/**
 * Half a level: the middle of what truncation threw away when the first generation was drawn. It belongs to losslessly
 * stored pictures only, and is worth 4.8 dB there.
 */
const TRUNCATED = 0.5

interface Inverse {
  gain: Float32Array
  offset: Float32Array
}

const exactInverses = new WeakMap<Float32Array, Inverse>()
const lossyInverses = new WeakMap<Float32Array, Inverse>()

/** `original = marked·gain + offset`, with the half that rounds to the nearest level inside the offset. */
function inverseOf(laid: LaidMark, lossless: boolean): Inverse {
  const known = lossless ? exactInverses : lossyInverses
  let inverse = known.get(laid.light)
  if (inverse === undefined) {
    const bias = lossless && laid.rounding === 'floor' ? TRUNCATED : 0
    const gain = laid.alpha.map((alpha) => 1 / (1 - alpha))
    const offset = laid.light.map((light, i) => (light > 0 ? (bias - light) * gain[i]! : 0) + 0.5)
    inverse = { gain, offset }
    known.set(laid.light, inverse)
  }
  return inverse
}

/** `remove` on a part of a picture, in place. */
export function removeFromWindow(window: PixelWindow, placement: Placement): RemovalReport {
  const { laid, lossless, mark } = placement
  const { x, y, width, height } = laid
  const { gain, offset } = inverseOf(laid, lossless)
  const { data } = window
  let changedPixels = 0
  for (let row = 0; row < height; row++) {
    let at = ((y + row - window.y) * window.width + (x - window.x)) * 4
    for (let i = row * width; i < (row + 1) * width; i++, at += 4) {
      if (laid.alpha[i] === 0) continue
      let changed = false
      for (let c = at; c < at + 3; c++) {
        const marked = data[c]!
        const value = marked * gain[i]! + offset[i]!
        const original = value < 0 ? 0 : value > 255 ? 255 : Math.floor(value)
        if (original !== marked) {
          data[c] = original
          changed = true
        }
      }
      if (changed) changedPixels++
    }
  }
  return { mark, x, y, width, height, changedPixels }
}

/**
 * Takes a located mark off, in place: the reverse alpha blend with that generation's own rounding. Everything outside
 * the placement's square, and the alpha channel everywhere, stays bit for bit.
 *
 * @throws {WatermarkError} `invalid_image` when the pixels cannot be right or the placement lies outside them.
 */
export function remove(image: RawImage, placement: Placement): RemovalReport {
  checkRawImage(image)
  const { x, y, width, height, alpha, light } = placement.laid
  if (
    x < 0 ||
    y < 0 ||
    x + width > image.width ||
    y + height > image.height ||
    alpha.length !== width * height ||
    light.length !== alpha.length
  ) {
    throw new WatermarkError(
      'invalid_image',
      `The placement (${width}×${height} at ${x},${y}) does not fit into the picture`,
    )
  }
  return removeFromWindow(wholeWindow(image), placement)
}
