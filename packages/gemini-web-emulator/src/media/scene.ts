import { createRandom, hashText } from '../ids.ts'
import type { RawPicture } from './media.ts'

/** Pixels drawn before other work gets its turn. */
const BAND_PIXELS = 262_144

export interface SceneOptions {
  width: number
  height: number
  /** The same text gives the same picture at every size. */
  prompt: string
  /** 0 to 1: moves the sun and the hills, for video. */
  moment?: number
}

/** A landscape whose colours and hills follow from the prompt. Draws in bands and lets other work in between. */
export async function drawScene({ width, height, prompt, moment = 0 }: SceneOptions): Promise<RawPicture> {
  const random = createRandom(hashText(prompt))
  const colour = (light: number): [number, number, number] => [
    40 + random() * light,
    40 + random() * light,
    60 + random() * light,
  ]
  const sky = [colour(120), colour(180)] as const
  const sun = {
    x: 0.2 + random() * 0.6 + moment * 0.1,
    y: 0.2 + random() * 0.2 - moment * 0.05,
    radius: 0.06 + random() * 0.05,
    colour: [250, 220 + random() * 20, 150 + random() * 60] as const,
  }
  const hills = [0.55, 0.68, 0.8].map((base, index) => ({
    colour: colour(110 - index * 25),
    edge: ridge({ width, height, base, random, shift: moment * (index + 1) * 0.15 }),
  }))
  const data = new Uint8ClampedArray(width * height * 4)
  const longest = Math.max(width, height)
  const rowsPerBand = Math.max(1, Math.floor(BAND_PIXELS / width))
  for (let y = 0; y < height; y++) {
    if (y > 0 && y % rowsPerBand === 0) await new Promise((resolve) => setTimeout(resolve))
    const down = y / height
    const dy = (y - sun.y * height) / longest
    let offset = y * width * 4
    for (let x = 0; x < width; x++) {
      const dx = (x - sun.x * width) / longest
      let shown: readonly number[] = sun.colour
      let grade = 1
      const hill = down > 0.4 ? hillAt(hills, x, y) : undefined
      if (hill !== undefined) {
        shown = hill.colour
        grade = 1 - (y - (hill.edge[x] as number)) / (height * 1.6)
      } else if (dx * dx + dy * dy > sun.radius * sun.radius) shown = sky[0]
      // A little grain, the same every time.
      const grain = ((Math.imul(x, 73_856_093) ^ Math.imul(y, 19_349_663)) >>> 13) & 3
      for (let channel = 0; channel < 3; channel++) {
        const value =
          shown === sky[0]
            ? (sky[0][channel] as number) * (1 - down) + (sky[1][channel] as number) * down
            : (shown[channel] as number)
        data[offset + channel] = value * grade + grain
      }
      data[offset + 3] = 255
      offset += 4
    }
  }
  return { width, height, data }
}

interface Hill {
  colour: readonly number[]
  /** Top of the hill per column, in pixels. */
  edge: Float32Array
}

function hillAt(hills: readonly Hill[], x: number, y: number): Hill | undefined {
  for (let index = hills.length - 1; index >= 0; index--) {
    const hill = hills[index] as Hill
    if (y > (hill.edge[x] as number)) return hill
  }
  return undefined
}

function ridge({
  width,
  height,
  base,
  random,
  shift,
}: {
  width: number
  height: number
  base: number
  random: () => number
  shift: number
}): Float32Array {
  const waves = Array.from({ length: 3 }, (_, index) => ({
    speed: (index + 1) * (1 + random()),
    phase: random() * 6.28,
    size: 0.05 / (index + 1),
  }))
  const edge = new Float32Array(width)
  for (let x = 0; x < width; x++) {
    let level = base
    for (const { speed, phase, size } of waves) level += Math.sin((x / width + shift) * speed * 6.28 + phase) * size
    edge[x] = level * height
  }
  return edge
}
