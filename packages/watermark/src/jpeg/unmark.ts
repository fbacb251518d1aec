import type { PixelWindow } from '../image.ts'
import type { LaidMark } from '../lay.ts'
import { forwardDct } from './dct.ts'
import type { JpegFrame } from './markers.ts'
import { blockBase, decodeBlock, paintWindow, type Plane } from './planes.ts'
import type { Capture } from './scan.ts'
import { findSmoothOriginal, type MarkedPlane } from './smooth-original.ts'

/** Rectangle of MCUs, in MCUs of the picture. */
export interface McuBox {
  column: number
  row: number
  columns: number
  rows: number
}

/** The MCUs a mark touches. */
export function touchedMcus({ maxH, maxV }: JpegFrame, { x, y, width, height }: LaidMark): McuBox {
  const column = Math.floor(x / (8 * maxH))
  const row = Math.floor(y / (8 * maxV))
  return {
    column,
    row,
    columns: Math.ceil((x + width) / (8 * maxH)) - column,
    rows: Math.ceil((y + height) / (8 * maxV)) - row,
  }
}

/** What truncation took on average when the first generation was drawn, in levels of luma. */
const TRUNCATED = 0.5

/**
 * The mark as one component sees it. The blend is linear, so it holds per plane: grey light is luma, and chroma is drawn
 * towards 128. A halved plane sees the mean of the pixels it stands for.
 */
function markOnPlane(
  laid: LaidMark,
  isLuma: boolean,
  stepX: number,
  stepY: number,
  x: number,
  y: number,
  width: number,
  height: number,
) {
  const alpha = new Float32Array(width * height)
  const light = new Float32Array(width * height)
  const share = 1 / (stepX * stepY)
  const bias = laid.rounding === 'floor' ? TRUNCATED : 0
  for (let my = 0; my < laid.height; my++) {
    const row = Math.floor((laid.y + my) / stepY) - y
    for (let mx = 0; mx < laid.width; mx++) {
      const from = my * laid.width + mx
      const opacity = laid.alpha[from]!
      if (opacity === 0) continue
      const at = row * width + Math.floor((laid.x + mx) / stepX) - x
      alpha[at]! += opacity * share
      light[at]! += (isLuma ? laid.light[from]! - bias : opacity * 128) * share
    }
  }
  return { alpha, light }
}

/** Largest value of a baseline coefficient. */
const MOST = 1023

/** Takes a mark off the coefficients of the MCUs it touches, and refreshes planes and window there. */
export function unmark(
  frame: JpegFrame,
  capture: Capture,
  planes: readonly Plane[],
  window: PixelWindow,
  laid: LaidMark,
): McuBox {
  const box = touchedMcus(frame, laid)
  planes.forEach((plane, component) => {
    const { h, v, samples, stride, rows, quant } = plane
    const stepX = frame.maxH / h
    const stepY = frame.maxV / v
    const [blockX, blockY] = [(box.column - capture.column) * h, (box.row - capture.row) * v]
    const [across, down] = [box.columns * h, box.rows * v]
    const stored = new Int16Array(across * down * 64)
    const bases: number[] = []
    for (let by = 0; by < down; by++) {
      for (let bx = 0; bx < across; bx++) {
        const base = blockBase(capture, plane, blockX + bx, blockY + by)
        stored.set(capture.coefficients.subarray(base, base + 64), bases.length * 64)
        bases.push(base)
      }
    }
    const [width, height] = [across * 8, down * 8]
    const mark = markOnPlane(laid, component === 0, stepX, stepY, box.column * h * 8, box.row * v * 8, width, height)
    const marked: MarkedPlane = {
      samples,
      stride,
      rows,
      x: blockX * 8,
      y: blockY * 8,
      width,
      height,
      quant,
      stored,
      ...mark,
    }
    writeBlocks(capture, findSmoothOriginal(marked), mark.alpha, width, quant, bases)
    for (let by = 0; by < down; by++)
      for (let bx = 0; bx < across; bx++) decodeBlock(capture, plane, blockX + bx, blockY + by)
  })
  const [mcuWidth, mcuHeight] = [frame.maxH * 8, frame.maxV * 8]
  paintWindow(
    window,
    frame,
    planes,
    (box.column - capture.column) * mcuWidth,
    (box.row - capture.row) * mcuHeight,
    box.columns * mcuWidth,
    box.rows * mcuHeight,
  )
  return box
}

/** Quantises the original into the capture. Blocks the mark does not reach keep their coefficients as they are. */
function writeBlocks(
  capture: Capture,
  original: Float32Array,
  alpha: Float32Array,
  width: number,
  quant: Float32Array,
  bases: readonly number[],
): void {
  const across = width >> 3
  const block = new Float32Array(64)
  for (let i = 0; i < original.length; i++) original[i] = Math.min(255, Math.max(0, original[i]!))
  bases.forEach((base, n) => {
    const corner = Math.floor(n / across) * 8 * width + (n % across) * 8
    if (!reaches(alpha, corner, width)) return
    forwardDct(original, corner, width, block)
    block[0]! -= 1024
    for (let i = 0; i < 64; i++) {
      capture.coefficients[base + i] = Math.min(MOST, Math.max(-MOST, Math.round(block[i]! / quant[i]!)))
    }
  })
}

function reaches(alpha: Float32Array, corner: number, width: number): boolean {
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) if (alpha[corner + y * width + x]! > 0) return true
  return false
}
