import { Jimp } from 'jimp'
import { drawVisibleMark } from '../src/media/draw-mark.ts'

/** Raw pixels, RGBA. */
export interface Pixels {
  width: number
  height: number
  data: Uint8Array | Uint8ClampedArray
}

/** Opens a picture file, which also proves that it opens. */
export async function open(file: Uint8Array): Promise<Pixels> {
  const { width, height, data } = (await Jimp.fromBuffer(Buffer.from(file))).bitmap
  return { width, height, data }
}

/** Keeps what the emulator drew, before and after the mark. */
export function createSketchbook() {
  const sketches: { plain: Pixels; marked: Pixels }[] = []
  const copy = ({ width, height, data }: Pixels): Pixels => ({ width, height, data: data.slice() })
  return {
    drawMark: (picture: { width: number; height: number; data: Uint8ClampedArray<ArrayBuffer> }): void => {
      const plain = copy(picture)
      drawVisibleMark(picture)
      sketches.push({ plain, marked: copy(picture) })
    },
    /** The newest sketch of a size. */
    of(width: number, height: number): { plain: Pixels; marked: Pixels } {
      const found = sketches.findLast(({ plain }) => plain.width === width && plain.height === height)
      if (found === undefined) throw new Error(`Nothing of ${width}x${height} was drawn`)
      return found
    },
    get sizes(): string[] {
      return sketches.map(({ plain }) => `${plain.width}x${plain.height}`)
    },
  }
}

/** How two pictures of one size differ: how many channels, how much, and in which box. */
export function difference(one: Pixels, other: Pixels) {
  let [count, worst, left, top, right, bottom] = [0, 0, Infinity, Infinity, -1, -1]
  for (let index = 0; index < one.data.length; index++) {
    const away = Math.abs((one.data[index] ?? 0) - (other.data[index] ?? 0))
    if (away === 0) continue
    count++
    worst = Math.max(worst, away)
    const pixel = index >> 2
    const [x, y] = [pixel % one.width, Math.floor(pixel / one.width)]
    ;[left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)]
  }
  return { count, worst, box: { left, top, right, bottom } }
}

/** Mean difference per channel, for lossy files and resized pictures. */
export function meanDifference(one: Pixels, other: Pixels): number {
  let sum = 0
  for (let index = 0; index < one.data.length; index++)
    sum += Math.abs((one.data[index] ?? 0) - (other.data[index] ?? 0))
  return sum / one.data.length
}
