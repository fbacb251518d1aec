import { concat } from './concat.ts'
import { reachOf } from './candidates.ts'
import { notFound, takeMarks, type FileOptions, type FileResult } from './file-removal.ts'
import type { PixelWindow } from './image.ts'
import { readFrame, type JpegFrame } from './jpeg/markers.ts'
import { jpegProvenance, withSourceType } from './jpeg/metadata.ts'
import { decodePlanes, paintWindow, type Plane } from './jpeg/planes.ts'
import { rewriteScan, type Rewritten } from './jpeg/rewrite.ts'
import { cleanScan, walkScan, type Capture } from './jpeg/scan.ts'
import { touchedMcus, unmark } from './jpeg/unmark.ts'
import { checkBytes, checkPixels } from './limits.ts'
import { removeFromWindow } from './remove.ts'

export { isJpeg } from './jpeg/markers.ts'
export type { FileOptions, FileResult, FoundMark } from './file-removal.ts'

/** `removeFromJpeg` also says which part was written anew. */
export interface JpegResult extends FileResult {
  /** Minimum coded units (8 to 16 px squares) in the file, and how many of them got new coefficients. */
  mcus: number
  changedMcus: number
}

/**
 * Takes the visible mark off a baseline JPEG file.
 *
 * Only the MCUs under the mark get new coefficients; every other coefficient, every APPn and COM segment and the tables
 * stay as they are. Instead of the plain inverse, which would double the ringing at the mark's edge, the smoothest
 * original is found that quantises to what the file stores. When a mark was found and nothing states a
 * DigitalSourceType, an XMP segment that does is written behind the last APPn.
 *
 * Reads 8-bit baseline files, grey or YCbCr in 4:4:4, 4:2:2, 4:4:0 or 4:2:0, with or without restart markers. The bytes
 * given are never written to.
 *
 * @throws {WatermarkError} `unknown_format`, `truncated`, `corrupt`, `too_large`, or `unsupported` for progressive,
 * arithmetic-coded, lossless, 12-bit, RGB, CMYK and non-interleaved files.
 */
export function removeFromJpeg(bytes: Uint8Array, options: FileOptions = {}): JpegResult {
  checkBytes(bytes, options)
  const frame = readFrame(bytes)
  checkPixels(frame.width, frame.height, options)
  const provenance = jpegProvenance(bytes, frame.segments)
  const clean = cleanScan(bytes, frame)
  const capture = walkScan(frame, clean, regionOf(frame, options))
  const planes = decodePlanes(frame, capture)
  const window = createWindow(frame, capture, planes)
  const counts = { mcus: frame.mcusAcross * frame.mcusDown, changedMcus: 0 }

  const changed = new Set<number>()
  const { marks, reason, confidence } = takeMarks(
    window,
    { ...options, declared: provenance.declaresVisibleMark, noise: edgeNoise(frame) },
    (placement) => {
      if (options.dryRun === true) return void removeFromWindow(window, { ...placement, lossless: false })
      unmark(frame, capture, planes, window, placement.laid)
      const { column, row, columns, rows } = touchedMcus(frame, placement.laid)
      for (let y = row; y < row + rows; y++) {
        for (let x = column; x < column + columns; x++) changed.add(y * frame.mcusAcross + x)
      }
    },
  )
  if (reason !== undefined) return { ...notFound(bytes, reason, confidence), ...counts }
  if (options.dryRun === true) return { bytes, changed: false, marks, confidence, sourceTypeWritten: false, ...counts }

  const sorted = [...changed].sort((a, b) => a - b)
  const rewritten = rewriteScan(bytes, frame, clean, capture, sorted)
  const sourceTypeWritten = !provenance.statesSourceType
  return {
    bytes: assemble(bytes, frame, rewritten, sourceTypeWritten),
    changed: true,
    marks,
    confidence,
    sourceTypeWritten,
    ...counts,
    changedMcus: changed.size,
  }
}

/** Levels by which quantisation moves a sample at an edge, roughly: a fixed share of the luma steps. */
function edgeNoise({ components, quant }: JpegFrame): number {
  const steps = quant.get(components[0]!.quantTable)!
  return (NOISE_SHARE * steps.reduce((sum, step) => sum + step, 0)) / 64
}

const NOISE_SHARE = 0.1

function regionOf(frame: JpegFrame, options: FileOptions) {
  const reach = reachOf(frame.width, frame.height, options)
  return {
    column: Math.max(0, Math.floor((frame.width - reach) / (8 * frame.maxH))),
    row: Math.max(0, Math.floor((frame.height - reach) / (8 * frame.maxV))),
  }
}

function createWindow(frame: JpegFrame, capture: Capture, planes: readonly Plane[]): PixelWindow {
  const x = capture.column * 8 * frame.maxH
  const y = capture.row * 8 * frame.maxV
  const width = frame.width - x
  const height = frame.height - y
  const data = new Uint8ClampedArray(width * height * 4)
  const window = { x, y, width, height, imageWidth: frame.width, imageHeight: frame.height, data }
  paintWindow(window, frame, planes, 0, 0, width, height)
  return window
}

/** Header segments as they were (but for extended Huffman tables), the new scan, and whatever follows it. */
function assemble(
  bytes: Uint8Array,
  frame: JpegFrame,
  { huffmanSegments, scan }: Rewritten,
  addXmp: boolean,
): Uint8Array {
  const { segments, scanEnd } = frame
  const header = segments.map(({ start, end }) => huffmanSegments.get(start) ?? bytes.subarray(start, end))
  return concat([
    bytes.subarray(0, 2),
    ...(addXmp ? withSourceType(segments, header) : header),
    scan,
    bytes.subarray(scanEnd),
  ])
}
