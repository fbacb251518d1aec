import type { MarkModel } from './marks.ts'
import { PICTURE_KERNELS, resizePlane, type Kernel } from './resize.ts'

/** A mark laid on a picture: its maps on a box whose top left corner is (`x`,`y`) in the picture. */
export interface LaidMark {
  x: number
  y: number
  width: number
  height: number
  /** Opacity, 0…1, row major. */
  alpha: Float32Array
  /** `alpha·colour`: the level the mark adds to black, 0…255. */
  light: Float32Array
  rounding: MarkModel['rounding']
}

const lights = new WeakMap<MarkModel, Float32Array>()

function lightOf(model: MarkModel): Float32Array {
  let light = lights.get(model)
  if (light === undefined) {
    light = Float32Array.from(model.alpha, (alpha, i) => alpha * model.colour[i]!)
    lights.set(model, light)
  }
  return light
}

/** Lays a mark at whole pixels, as it was drawn. */
export function layNative(model: MarkModel, x: number, y: number): LaidMark {
  const { size, alpha, rounding } = model
  return { x, y, width: size, height: size, alpha, light: lightOf(model), rounding }
}

/** Zeros around a mark before it is resampled, so that its border fades instead of being stretched. */
const PADDING = 8

function padded(plane: Float32Array, size: number): Float32Array {
  const side = size + 2 * PADDING
  const out = new Float32Array(side * side)
  for (let y = 0; y < size; y++) {
    out.set(plane.subarray(y * size, (y + 1) * size), (y + PADDING) * side + PADDING)
  }
  return out
}

/**
 * Lays a mark that was resized together with its picture.
 *
 * @param x Where the mark was in the native picture, in its pixels.
 * @param scaleX Pixels of this picture per native pixel.
 */
export function layScaled(
  model: MarkModel,
  x: number,
  y: number,
  scaleX: number,
  scaleY: number,
  kernel: Kernel = PICTURE_KERNELS[0]!,
): LaidMark {
  const left = Math.floor(x * scaleX) - 1
  const top = Math.floor(y * scaleY) - 1
  const width = Math.ceil((x + model.size) * scaleX) + 1 - left
  const height = Math.ceil((y + model.size) * scaleY) + 1 - top
  const resampling = {
    kernel,
    stepX: 1 / scaleX,
    stepY: 1 / scaleY,
    shiftX: left / scaleX - x + PADDING,
    shiftY: top / scaleY - y + PADDING,
    width,
    height,
  }
  const side = model.size + 2 * PADDING
  const alpha = resizePlane(padded(model.alpha, model.size), side, resampling)
  const light = resizePlane(padded(lightOf(model), model.size), side, resampling)
  for (let i = 0; i < alpha.length; i++) {
    alpha[i] = Math.max(0, alpha[i]!)
    light[i] = Math.min(Math.max(0, light[i]!), alpha[i]! * 255)
  }
  return { x: left, y: top, width, height, alpha, light, rounding: 'nearest' }
}
