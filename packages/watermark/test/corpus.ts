/**
 * Made-up pictures: everything the tests and the bench measure on. Deterministic: a kind and a seed give the same bytes
 * everywhere. Nothing here is a photograph; dead leaves and 1/f clouds have the statistics of one.
 */
import { starCoverage } from '../src/coverage.ts'
import type { RawImage } from '../src/image.ts'

export type Random = () => number

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = (seed * 2654435761) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

type Colour = readonly [number, number, number]

interface Canvas {
  width: number
  height: number
  /** RGB planes interleaved, unclamped. */
  rgb: Float32Array
}

function canvas(width: number, height: number, colour: Colour = [0, 0, 0]): Canvas {
  const rgb = new Float32Array(width * height * 3)
  for (let i = 0; i < rgb.length; i++) rgb[i] = colour[(i % 3) as 0 | 1 | 2]
  return { width, height, rgb }
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function anyColour(random: Random): Colour {
  return [random() * 255, random() * 255, random() * 255]
}

/** Smooth value noise of one octave, 0…1, cells of `cell` pixels. */
function noiseField(width: number, height: number, cell: number, random: Random): Float32Array {
  const columns = Math.ceil(width / cell) + 2
  const rows = Math.ceil(height / cell) + 2
  const grid = Float32Array.from({ length: columns * rows }, () => random())
  const field = new Float32Array(width * height)
  const ease = (t: number) => t * t * (3 - 2 * t)
  for (let y = 0; y < height; y++) {
    const gy = Math.floor(y / cell)
    const ty = ease(y / cell - gy)
    for (let x = 0; x < width; x++) {
      const gx = Math.floor(x / cell)
      const tx = ease(x / cell - gx)
      const at = gy * columns + gx
      const top = grid[at]! * (1 - tx) + grid[at + 1]! * tx
      const bottom = grid[at + columns]! * (1 - tx) + grid[at + columns + 1]! * tx
      field[y * width + x] = top * (1 - ty) + bottom * ty
    }
  }
  return field
}

function clouds(width: number, height: number, random: Random, roughness: number): Float32Array {
  const field = new Float32Array(width * height)
  let amplitude = 1
  let total = 0
  for (let cell = 128; cell >= 1; cell /= 2) {
    const octave = noiseField(width, height, cell, random)
    for (let i = 0; i < field.length; i++) field[i]! += amplitude * octave[i]!
    total += amplitude
    amplitude *= roughness
  }
  for (let i = 0; i < field.length; i++) field[i]! /= total
  return field
}

function blur(image: Canvas): void {
  const { width, height, rgb } = image
  for (const step of [3, width * 3]) {
    const source = rgb.slice()
    for (let i = step; i < rgb.length - step; i++) {
      rgb[i] = 0.25 * source[i - step]! + 0.5 * source[i]! + 0.25 * source[i + step]!
    }
  }
  void height
}

function addNoise(image: Canvas, sigma: number, random: Random): void {
  for (let i = 0; i < image.rgb.length; i += 3) {
    const shared = normal(random) * sigma
    for (let c = 0; c < 3; c++) image.rgb[i + c]! += shared + normal(random) * sigma * 0.4
  }
}

/** Overlapping discs and boxes with a power law of sizes, each with a light gradient and grain of its own. */
function leaves(width: number, height: number, random: Random): Canvas {
  const image = canvas(width, height, anyColour(random))
  const smallest = 3 + random() * 10
  for (let n = 0; n < 900; n++) {
    const radius = Math.min(width / 2, smallest / Math.sqrt(random() + 0.0005))
    const cx = random() * width
    const cy = random() * height
    const colour = anyColour(random)
    const slope = [(random() - 0.5) * 1.5, (random() - 0.5) * 1.5] as const
    const grain = random() < 0.5 ? random() * 8 : 0
    const round = random() < 0.7
    for (let y = Math.max(0, Math.floor(cy - radius)); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, Math.floor(cx - radius)); x < Math.min(width, cx + radius); x++) {
        const dx = x - cx
        const dy = y - cy
        if (round && dx * dx + dy * dy > radius * radius) continue
        const light = slope[0] * dx + slope[1] * dy + (grain > 0 ? normal(random) * grain : 0)
        for (let c = 0; c < 3; c++) image.rgb[(y * width + x) * 3 + c] = colour[c as 0 | 1 | 2] + light
      }
    }
  }
  blur(image)
  addNoise(image, random() * 3, random)
  return image
}

function cloudy(width: number, height: number, random: Random): Canvas {
  const roughness = 0.35 + random() * 0.5
  const contrast = 0.5 + random() * 2.5
  const [from, to] = [anyColour(random), anyColour(random)]
  const image = canvas(width, height)
  const shape = clouds(width, height, random, roughness)
  const tint = clouds(width, height, random, roughness)
  for (let i = 0; i < shape.length; i++) {
    const t = 0.5 + (shape[i]! - 0.5) * contrast
    for (let c = 0; c < 3; c++) {
      const k = c as 0 | 1 | 2
      image.rgb[i * 3 + c] = from[k] * (1 - t) + to[k] * t + (tint[i]! - 0.5) * 40 * (c - 1)
    }
  }
  return image
}

function page(width: number, height: number, random: Random): Canvas {
  const dark = random() < 0.3
  const paper: Colour = dark
    ? [random() * 40, random() * 40, random() * 40]
    : [225 + random() * 30, 225 + random() * 30, 215 + random() * 40]
  const ink: Colour = dark ? [220, 220, 220] : [random() * 60, random() * 60, random() * 60]
  const image = canvas(width, height, paper)
  const size = 7 + Math.floor(random() * 14)
  for (let line = size; line < height; line += Math.round(size * 1.5)) {
    let x = 6 + random() * 20
    while (x < width - size) {
      if (random() < 0.16) {
        x += size * 0.7
        continue
      }
      const strokes = 2 + Math.floor(random() * 3)
      for (let s = 0; s < strokes; s++) {
        const upright = random() < 0.55
        const sx = Math.floor(x + random() * size * 0.5)
        const sy = Math.floor(line - size + random() * size * 0.6)
        const thick = Math.max(1, Math.round(size / 8))
        const [w, h] = upright ? [thick, Math.floor(size * 0.8)] : [Math.floor(size * 0.5), thick]
        for (let py = sy; py < Math.min(height, sy + h); py++) {
          if (py < 0) continue
          for (let px = sx; px < Math.min(width, sx + w); px++) {
            for (let c = 0; c < 3; c++) image.rgb[(py * width + px) * 3 + c] = ink[c as 0 | 1 | 2]
          }
        }
      }
      x += size * 0.75
    }
  }
  if (random() < 0.5) blur(image)
  return image
}

function gradient(width: number, height: number, random: Random): Canvas {
  const image = canvas(width, height)
  const [from, to] = [anyColour(random), anyColour(random)]
  const angle = random() * Math.PI * 2
  const radial = random() < 0.4
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = x / width - 0.5
      const v = y / height - 0.5
      const t = radial ? Math.hypot(u, v) * 1.4 : 0.5 + u * Math.cos(angle) + v * Math.sin(angle)
      for (let c = 0; c < 3; c++) {
        const k = c as 0 | 1 | 2
        image.rgb[(y * width + x) * 3 + c] = from[k] * (1 - t) + to[k] * t
      }
    }
  }
  if (random() < 0.5) addNoise(image, random() * 4, random)
  return image
}

function texture(width: number, height: number, random: Random): Canvas {
  const image = canvas(width, height)
  const [from, to] = [anyColour(random), anyColour(random)]
  const period = 3 + Math.floor(random() * 22)
  const style = Math.floor(random() * 5)
  const angle = random() * Math.PI
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = x * Math.cos(angle) + y * Math.sin(angle)
      const t = [
        0.5 + 0.5 * Math.sin((u * 2 * Math.PI) / period),
        (Math.floor(x / period) + Math.floor(y / period)) % 2,
        0.5 + 0.25 * Math.sin((x * 6.28) / period) + 0.25 * Math.sin((y * 6.28) / period),
        Math.floor(u / period) % 2 === 0 ? 0.2 : 0.8,
        x % (period * 3) < 2 || (y + (Math.floor(x / (period * 3)) % 2) * period) % (period * 2) < 2 ? 0 : 0.8,
      ][style]!
      for (let c = 0; c < 3; c++) {
        const k = c as 0 | 1 | 2
        image.rgb[(y * width + x) * 3 + c] = from[k] * (1 - t) + to[k] * t
      }
    }
  }
  addNoise(image, random() * 12, random)
  return image
}

function grain(width: number, height: number, random: Random): Canvas {
  const image = canvas(width, height, anyColour(random))
  addNoise(image, 4 + random() * 50, random)
  if (random() < 0.5) blur(image)
  return image
}

function saturated(width: number, height: number, random: Random): Canvas {
  const image = leaves(width, height, random)
  for (let i = 0; i < image.rgb.length; i++) image.rgb[i] = (image.rgb[i]! - 128) * 4 + 128
  return image
}

function tuned(image: Canvas, gain: number, lift: number): Canvas {
  for (let i = 0; i < image.rgb.length; i++) image.rgb[i] = image.rgb[i]! * gain + lift
  return image
}

/** Night sky and bokeh: points and soft discs of light, the nearest thing to a mark that nature has. */
function lights(width: number, height: number, random: Random): Canvas {
  const image = canvas(width, height, [random() * 30, random() * 30, random() * 50])
  for (let n = 0; n < 140; n++) {
    const radius = random() < 0.6 ? 1 + random() * 3 : 6 + random() * 26
    const cx = random() * width
    const cy = random() * height
    const glow = 40 + random() * 215
    const soft = random() < 0.5
    for (let y = Math.max(0, Math.floor(cy - radius)); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, Math.floor(cx - radius)); x < Math.min(width, cx + radius); x++) {
        const d = Math.hypot(x - cx, y - cy) / radius
        if (d > 1) continue
        const light = soft ? glow * (1 - d) * (1 - d) : glow * 0.5
        for (let c = 0; c < 3; c++) image.rgb[(y * width + x) * 3 + c]! += light
      }
    }
  }
  addNoise(image, random() * 3, random)
  return image
}

const DRAW = {
  flat: (width, height, random) => canvas(width, height, anyColour(random)),
  black: (width, height, random) => {
    const level = Math.floor(random() * 4)
    return canvas(width, height, [level, level, level])
  },
  dark: (width, height, random) => tuned(leaves(width, height, random), 0.08 + random() * 0.2, 0),
  bright: (width, height, random) => tuned(leaves(width, height, random), 0.15 + random() * 0.2, 190),
  saturated,
  gradient,
  texture,
  grain,
  text: page,
  leaves,
  clouds: cloudy,
  lights,
} satisfies Record<string, (width: number, height: number, random: Random) => Canvas>

export type Kind = keyof typeof DRAW
export const KINDS = Object.keys(DRAW) as Kind[]

function toRaw({ width, height, rgb }: Canvas): RawImage {
  const data = new Uint8ClampedArray(width * height * 4)
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[i * 4 + c] = rgb[i * 3 + c]!
    data[i * 4 + 3] = 255
  }
  return { width, height, data }
}

/** A clean picture of a kind. */
export function drawPicture(kind: Kind, seed: number, width: number, height = width): RawImage {
  return toRaw(DRAW[kind](width, height, createRandom(seed * 31 + KINDS.indexOf(kind))))
}

/** What a picture may carry that looks like a mark and is none. */
export const DECOYS = [
  'astroid',
  'diamond',
  'disc',
  'plus',
  'opaque-star',
  'dark-star',
  'faint-star',
  'turned-star',
  'small-star',
  'large-star',
  'moved-star',
  'coloured-star',
] as const
export type Decoy = (typeof DECOYS)[number]

/** Draws a decoy on a picture, in place, where a mark of `size` px at `margin` px would be. */
export function drawDecoy(image: RawImage, decoy: Decoy, size: number, margin: number, random: Random): void {
  const star = starCoverage(96)
  const scale = decoy === 'small-star' ? 0.8 : decoy === 'large-star' ? 1.25 : 1
  const side = Math.round(size * scale)
  const shift = decoy === 'moved-star' ? 5 + Math.floor(random() * 6) : 0
  const cx = image.width - margin - size / 2 - shift
  const cy = image.height - margin - size / 2 - (random() < 0.5 ? shift : 0)
  const inside = (x: number, y: number): number => {
    const u = Math.abs(x)
    const v = Math.abs(y)
    if (decoy === 'astroid') return Math.cbrt(u * u) + Math.cbrt(v * v) <= 1 ? 1 : 0
    if (decoy === 'diamond') return u + v <= 1 ? 1 : 0
    if (decoy === 'disc') return u * u + v * v <= 0.5 ? 1 : 0
    if (decoy === 'plus') return u <= 0.14 || v <= 0.14 ? 1 : 0
    const [sx, sy] = decoy === 'turned-star' ? [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2] : [x, y]
    const px = Math.floor((sx + 1) * 48)
    const py = Math.floor((sy + 1) * 48)
    return px < 0 || py < 0 || px > 95 || py > 95 ? 0 : star[py * 96 + px]! / 16
  }
  const opacity = decoy === 'opaque-star' ? 1 : decoy === 'faint-star' ? 0.12 : 0.5
  const colour: Colour =
    decoy === 'dark-star' ? [0, 0, 0] : decoy === 'coloured-star' ? [255, 200, 20] : [255, 255, 255]
  for (let y = Math.floor(cy - side / 2); y < cy + side / 2; y++) {
    for (let x = Math.floor(cx - side / 2); x < cx + side / 2; x++) {
      if (x < 0 || y < 0 || x >= image.width || y >= image.height) continue
      const alpha = opacity * inside(((x + 0.5 - cx) * 2) / side, ((y + 0.5 - cy) * 2) / side)
      const at = (y * image.width + x) * 4
      for (let c = 0; c < 3; c++) {
        image.data[at + c] = Math.round(image.data[at + c]! * (1 - alpha) + colour[c as 0 | 1 | 2] * alpha)
      }
    }
  }
}
