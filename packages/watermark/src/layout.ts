import type { PixelWindow } from './image.ts'
import type { LaidMark } from './lay.ts'

/** Pixels around the box that show what the picture is like without a mark. */
const SURROUND = 12

/** The two scales: full size, and half. `floor` is the step that storage alone makes, in levels. */
export const TIERS = [{ floor: 1.5 }, { floor: 1 }] as const

/** Neighbouring pixels, and the octant of the star each pair lies in. */
interface Pairs {
  from: Int32Array
  to: Int32Array
  octant: Uint8Array
  count: number
}

/** One scale of a layout: the maps, and which neighbours the outline runs between. */
export interface Tier {
  width: number
  height: number
  alpha: Float32Array
  light: Float32Array
  outline: Pairs
  plain: Pairs
}

/** A mark's box with its surround, cut at the picture's edge. */
export interface Layout {
  left: number
  top: number
  width: number
  height: number
  tiers: readonly [Tier, Tier]
}

/** At least this step in the mark between two pixels: the outline runs between them. */
const OUTLINE_STEP = 0.03
/** At most this step: the pair shows the picture alone. */
const PLAIN_STEP = 0.004
/** Plain pairs looked at per scale; more would only cost time. */
const PLAIN_SAMPLE = 1500

/** Averages 2×2 pixels: grain and the noise of lossy files lose weight, the outline keeps most of its own. */
export function halvePlane(plane: Float32Array, fullWidth: number, width: number, height: number): Float32Array {
  const out = new Float32Array(width * height)
  for (let y = 0, at = 0; y < height; y++) {
    let from = 2 * y * fullWidth
    for (let x = 0; x < width; x++, at++, from += 2) {
      out[at] = (plane[from]! + plane[from + 1]! + plane[from + fullWidth]! + plane[from + fullWidth + 1]!) / 4
    }
  }
  return out
}

function pairs(list: readonly number[], stride = 1): Pairs {
  const count = Math.ceil(list.length / 3 / stride)
  const out = { from: new Int32Array(count), to: new Int32Array(count), octant: new Uint8Array(count), count }
  for (let i = 0; i < count; i++) {
    out.from[i] = list[i * stride * 3]!
    out.to[i] = list[i * stride * 3 + 1]!
    out.octant[i] = list[i * stride * 3 + 2]!
  }
  return out
}

function createTier(
  width: number,
  height: number,
  alpha: Float32Array,
  light: Float32Array,
  centre: readonly [number, number],
): Tier {
  const outline: number[] = []
  const plain: number[] = []
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x
      const dx = x + 0.5 - centre[0]
      const dy = y + 0.5 - centre[1]
      const octant = (dx > 0 ? 1 : 0) | (dy > 0 ? 2 : 0) | (Math.abs(dx) > Math.abs(dy) ? 4 : 0)
      for (const next of [at + 1, at + width]) {
        const step = Math.max(Math.abs(alpha[at]! - alpha[next]!), Math.abs(light[at]! - light[next]!) / 255)
        if (step > OUTLINE_STEP) outline.push(at, next, octant)
        else if (step < PLAIN_STEP) plain.push(at, next, octant)
      }
    }
  }
  const stride = Math.max(1, Math.floor(plain.length / 3 / PLAIN_SAMPLE))
  return { width, height, alpha, light, outline: pairs(outline), plain: pairs(plain, stride | 1) }
}

/** Layouts that were not cut, by the mark's map: they do not depend on the picture. */
const whole = new WeakMap<Float32Array, readonly [Tier, Tier]>()

/** The mark's box with its surround, on two scales. */
export function layOut(window: PixelWindow, mark: LaidMark): Layout {
  const left = Math.max(window.x, mark.x - SURROUND)
  const top = Math.max(window.y, mark.y - SURROUND)
  const width = Math.min(window.x + window.width, mark.x + mark.width + SURROUND) - left
  const height = Math.min(window.y + window.height, mark.y + mark.height + SURROUND) - top
  const uncut = width === mark.width + 2 * SURROUND && height === mark.height + 2 * SURROUND
  const known = uncut ? whole.get(mark.light) : undefined
  if (known !== undefined) return { left, top, width, height, tiers: known }

  const alpha = new Float32Array(width * height)
  const light = new Float32Array(width * height)
  const dx = mark.x - left
  const dy = mark.y - top
  for (let y = 0; y < mark.height; y++) {
    for (let x = 0; x < mark.width; x++) {
      const to = (y + dy) * width + x + dx
      alpha[to] = mark.alpha[y * mark.width + x]!
      light[to] = mark.light[y * mark.width + x]!
    }
  }
  const centre = [dx + mark.width / 2, dy + mark.height / 2] as const
  const halfWidth = width >> 1
  const halfHeight = height >> 1
  const tiers = [
    createTier(width, height, alpha, light, centre),
    createTier(
      halfWidth,
      halfHeight,
      halvePlane(alpha, width, halfWidth, halfHeight),
      halvePlane(light, width, halfWidth, halfHeight),
      [centre[0] / 2, centre[1] / 2],
    ),
  ] as const
  if (uncut) whole.set(mark.light, tiers)
  return { left, top, width, height, tiers }
}
