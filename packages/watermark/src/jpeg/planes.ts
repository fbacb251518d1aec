import type { PixelWindow } from '../image.ts'
import { inverseDct } from './dct.ts'
import type { JpegFrame } from './markers.ts'
import { slotOf, type Capture } from './scan.ts'

/** A component's decoded samples in the captured region. */
export interface Plane {
  samples: Float32Array
  stride: number
  rows: number
  /** Blocks per MCU, across and down. */
  h: number
  v: number
  quant: Float32Array
  /** Number of the component's first block in an MCU. */
  firstBlock: number
}

/** Where a block's coefficients begin. Block coordinates count from the region's corner, in blocks of the component. */
export function blockBase(capture: Capture, { h, v, firstBlock }: Plane, blockX: number, blockY: number): number {
  const slot = slotOf(capture, capture.column + Math.floor(blockX / h), capture.row + Math.floor(blockY / v))
  return (slot * capture.blockComponent.length + firstBlock + (blockY % v) * h + (blockX % h)) * 64
}

const block = new Float32Array(64)

/** Decodes one block from its coefficients into the plane. */
export function decodeBlock(capture: Capture, plane: Plane, blockX: number, blockY: number): void {
  const base = blockBase(capture, plane, blockX, blockY)
  for (let i = 0; i < 64; i++) block[i] = capture.coefficients[base + i]! * plane.quant[i]!
  // JPEG codes samples less 128; a DC of 8 · 128 puts that back.
  block[0]! += 1024
  inverseDct(block, plane.samples, blockY * 8 * plane.stride + blockX * 8, plane.stride)
}

/** Decodes every component in the region. */
export function decodePlanes(frame: JpegFrame, capture: Capture): Plane[] {
  const across = frame.mcusAcross - capture.column
  const down = frame.mcusDown - capture.row
  let firstBlock = 0
  return frame.components.map(({ h, v, quantTable }) => {
    const stride = across * h * 8
    const rows = down * v * 8
    const quant = frame.quant.get(quantTable)!
    const plane: Plane = { samples: new Float32Array(stride * rows), stride, rows, h, v, quant, firstBlock }
    firstBlock += h * v
    for (let y = 0; y < down * v; y++) for (let x = 0; x < across * h; x++) decodeBlock(capture, plane, x, y)
    return plane
  })
}

/** Writes a rectangle of the planes as RGBA into the window; coordinates from the region's corner, in pixels. */
export function paintWindow(
  window: PixelWindow,
  frame: JpegFrame,
  planes: readonly Plane[],
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  const [luma, blue, red] = planes
  const right = Math.min(window.width, left + width)
  const bottom = Math.min(window.height, top + height)
  const data = window.data
  const put = (at: number, value: number) => (data[at] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5)
  // A component of half the size has one sample for two pixels.
  const [halfX, halfY] = [frame.maxH - 1, frame.maxV - 1]
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = (y * window.width + x) * 4
      const grey = luma!.samples[y * luma!.stride + x]!
      let cb = 0
      let cr = 0
      if (blue !== undefined && red !== undefined) {
        const from = (y >> halfY) * blue.stride + (x >> halfX)
        cb = blue.samples[from]! - 128
        cr = red.samples[from]! - 128
      }
      put(at, grey + 1.402 * cr)
      put(at + 1, grey - 0.344136 * cb - 0.714136 * cr)
      put(at + 2, grey + 1.772 * cb)
      data[at + 3] = 255
    }
  }
}
