import { WatermarkError } from '../error.ts'
import { createHuffmanTable, decodeLong, FAST_BITS, type HuffmanTable } from './huffman.ts'
import { ZIGZAG, type JpegFrame } from './markers.ts'

/** One restart interval (or the whole scan): its place in the file, and in the data without stuffing. */
interface Interval {
  rawStart: number
  rawEnd: number
  start: number
  end: number
}

/** Entropy-coded data with the stuffed zeros taken out, so that bits can be counted; slack at the end. */
export interface CleanScan {
  data: Uint8Array
  intervals: Interval[]
}

const SLACK = 8

export function cleanScan(bytes: Uint8Array, { scanStart, scanEnd }: JpegFrame): CleanScan {
  const data = new Uint8Array(scanEnd - scanStart + SLACK)
  const intervals: Interval[] = []
  let to = 0
  let from = scanStart
  let interval = { rawStart: from, start: 0 }
  const copy = (end: number) => {
    data.set(bytes.subarray(from, end), to)
    to += end - from
  }
  for (;;) {
    let at = bytes.indexOf(0xff, from)
    if (at < 0 || at >= scanEnd) at = scanEnd
    if (at === scanEnd) {
      copy(at)
      intervals.push({ ...interval, rawEnd: at, end: to })
      return { data, intervals }
    }
    if (bytes[at + 1] === 0) {
      copy(at + 1)
      from = at + 2
    } else if (bytes[at + 1] === 0xff) {
      copy(at)
      from = at + 1
    } else {
      copy(at)
      intervals.push({ ...interval, rawEnd: at, end: to })
      from = at + 2
      interval = { rawStart: from, start: to }
    }
  }
}

/** The MCUs whose coefficients are wanted: from a column and a row to the right and bottom edge. */
export interface Region {
  column: number
  row: number
}

/** What was read: coefficients of the region, and where its MCUs lie. */
export interface Capture extends Region {
  /** MCUs captured per row: the region's, and then the one in column 0 (whose DC follows the row before). */
  perRow: number
  /** Blocks per MCU, and the component of each. */
  blockComponent: number[]
  /** Quantised coefficients in natural order, 64 a block; blocks of an MCU together. */
  coefficients: Int16Array
  /** By captured MCU: first bit, bit behind the last, and the three DC predictions before it. */
  bitStart: Float64Array
  bitEnd: Float64Array
  predictions: Int32Array
  /** By interval: bit behind the last MCU. */
  intervalEnd: Float64Array
  tables: { dc: HuffmanTable[]; ac: HuffmanTable[] }
}

/** Where a captured MCU stands in the arrays of a `Capture`. */
export function slotOf({ column, row, perRow }: Capture, mcuColumn: number, mcuRow: number): number {
  return (mcuRow - row) * perRow + (mcuColumn >= column ? mcuColumn - column : perRow - 1)
}

function corrupt(what: string): never {
  throw new WatermarkError('corrupt', `The JPEG file is damaged: ${what}`)
}

/**
 * Walks the whole scan, keeping the coefficients of a region. Outside it only the DC sums are followed, and the rest is
 * skipped code by code.
 *
 * @throws {WatermarkError} `truncated`, `corrupt`.
 */
export function walkScan(frame: JpegFrame, scan: CleanScan, region: Region): Capture {
  const { components, mcusAcross, mcusDown, restartInterval } = frame
  const blockComponent = components.flatMap(({ h, v }, i) => Array.from({ length: h * v }, () => i))
  const blocks = blockComponent.length
  const perRow = mcusAcross - region.column + (region.column > 0 ? 1 : 0)
  const slots = perRow * (mcusDown - region.row)
  const coefficients = new Int16Array(slots * blocks * 64)
  const bitStart = new Float64Array(slots)
  const bitEnd = new Float64Array(slots)
  const predictions = new Int32Array(slots * 3)
  const intervalEnd = new Float64Array(scan.intervals.length)
  const cache = new Map<unknown, HuffmanTable>()
  const tableFor = (tables: JpegFrame['huffman']['dc'], id: number) => {
    const spec = tables.get(id)!
    const table = cache.get(spec) ?? createHuffmanTable(spec)
    cache.set(spec, table)
    return table
  }
  const dc = components.map(({ dcTable }) => tableFor(frame.huffman.dc, dcTable))
  const ac = components.map(({ acTable }) => tableFor(frame.huffman.ac, acTable))
  const capture: Capture = {
    ...region,
    perRow,
    blockComponent,
    coefficients,
    bitStart,
    bitEnd,
    predictions,
    intervalEnd,
    tables: { dc, ac },
  }

  const view = new DataView(scan.data.buffer, scan.data.byteOffset, scan.data.length)
  const prediction = new Int32Array(3)
  const shift = 32 - FAST_BITS
  let interval = 0
  let bit = 0
  let lastBit = scan.intervals[0]!.end * 8
  let left = restartInterval
  for (let row = 0; row < mcusDown; row++) {
    for (let column = 0; column < mcusAcross; column++) {
      if (restartInterval > 0 && left-- === 0) {
        intervalEnd[interval++] = bit
        const next = scan.intervals[interval]
        if (next === undefined) throw new WatermarkError('truncated', 'The JPEG file ends inside its pixels')
        bit = next.start * 8
        lastBit = next.end * 8
        prediction.fill(0)
        left = restartInterval - 1
      }
      const keep = row >= region.row && (column >= region.column || column === 0)
      const slot = keep ? slotOf(capture, column, row) : 0
      if (keep) {
        bitStart[slot] = bit
        predictions.set(prediction, slot * 3)
      }
      for (let block = 0; block < blocks; block++) {
        const component = blockComponent[block]!
        const dcTable = dc[component]!
        const acTable = ac[component]!
        const base = (slot * blocks + block) * 64
        let hold = view.getInt32(bit >>> 3) << (bit & 7)
        let entry = dcTable.fast[hold >>> shift]!
        if (entry === 0) entry = decodeLong(dcTable, hold >>> 16)
        bit += entry & 255
        const size = entry >>> 8
        if (size > 11) corrupt('a DC step out of range')
        if (size > 0) {
          const value = (view.getInt32(bit >>> 3) << (bit & 7)) >>> (32 - size)
          prediction[component]! += value >>> (size - 1) === 0 ? value - (1 << size) + 1 : value
          bit += size
        }
        if (keep) coefficients[base] = prediction[component]!
        const fast = acTable.fast
        for (let k = 1; k < 64;) {
          hold = view.getInt32(bit >>> 3) << (bit & 7)
          entry = fast[hold >>> shift]!
          if (entry === 0) entry = decodeLong(acTable, hold >>> 16)
          bit += entry & 255
          const bits = (entry >>> 8) & 15
          if (bits === 0) {
            if (entry >>> 8 !== 0xf0) break
            k += 16
            continue
          }
          k += entry >>> 12
          if (k > 63) corrupt('too many coefficients in a block')
          if (keep) {
            const value = (view.getInt32(bit >>> 3) << (bit & 7)) >>> (32 - bits)
            coefficients[base + ZIGZAG[k]!] = value >>> (bits - 1) === 0 ? value - (1 << bits) + 1 : value
          }
          bit += bits
          k++
        }
        if (bit > lastBit) throw new WatermarkError('truncated', 'The JPEG file ends inside its pixels')
      }
      if (keep) bitEnd[slot] = bit
    }
  }
  intervalEnd[interval] = bit
  return capture
}
