import { concat } from '../concat.ts'
import { createJpegBitWriter, type JpegBitWriter } from './encode.ts'
import { createHuffmanTable, extendSpec, type HuffmanTable } from './huffman.ts'
import { DHT, type HuffmanSpec, type JpegFrame } from './markers.ts'
import { forEachMcuSymbol, specOf, writeMcu, type Job, type Tables } from './mcu-job.ts'
import { countSymbols, recodeInterval } from './recode.ts'
import { slotOf, type Capture, type CleanScan } from './scan.ts'
import { createSpec } from './spec.ts'

/** Headers and pixels of the new file. */
export interface Rewritten {
  /** New bytes of the DHT segments whose tables changed, by the segment's start. */
  huffmanSegments: Map<number, Uint8Array>
  scan: Uint8Array
}

/**
 * Writes the scan with some MCUs changed. All other bits are copied; the MCU behind a changed one is written again with
 * the same coefficients, because its DC is stored as a difference.
 *
 * A file with optimised tables may lack a code that the new coefficients need. Mostly one can be added without changing
 * any other; where there is no room the scan is coded anew, with every coefficient as it was.
 *
 * @param changed Numbers of the changed MCUs, ascending.
 */
export function rewriteScan(
  bytes: Uint8Array,
  frame: JpegFrame,
  clean: CleanScan,
  capture: Capture,
  changed: readonly number[],
): Rewritten {
  const jobs = planJobs(frame, capture, changed)
  const missing = findMissing(frame, capture, jobs)
  const replaced = extendTables(missing)
  const recode = replaced === undefined
  const specs = replaced ?? createTables(frame, clean, capture, jobs)
  const tables = {
    dc: frame.components.map(({ dcTable }, i) => tableOf(specs, frame.huffman.dc.get(dcTable)!, capture.tables.dc[i]!)),
    ac: frame.components.map(({ acTable }, i) => tableOf(specs, frame.huffman.ac.get(acTable)!, capture.tables.ac[i]!)),
  }
  const parts: Uint8Array[] = []
  let next = 0
  clean.intervals.forEach((interval, number) => {
    const last = frame.restartInterval === 0 ? Infinity : (number + 1) * frame.restartInterval
    const own: Job[] = []
    while (next < jobs.length && jobs[next]!.mcu < last) own.push(jobs[next++]!)
    if (own.length === 0 && !recode) {
      parts.push(bytes.subarray(interval.rawStart, interval.rawEnd))
    } else {
      const writer = createJpegBitWriter(interval.rawEnd - interval.rawStart + 65_536)
      if (recode) recodeInterval(frame, clean, capture, number, own, writer, tables)
      else copyInterval(clean, capture, number, own, writer, tables)
      parts.push(writer.finish())
    }
    const following = clean.intervals[number + 1]
    if (following !== undefined) parts.push(bytes.subarray(interval.rawEnd, following.rawStart))
  })
  const scan = concat(parts)
  return { huffmanSegments: rewriteHuffmanSegments(bytes, frame, specs), scan }
}

function copyInterval(
  clean: CleanScan,
  capture: Capture,
  number: number,
  jobs: readonly Job[],
  writer: JpegBitWriter,
  tables: Tables,
): void {
  let bit = clean.intervals[number]!.start * 8
  for (const job of jobs) {
    writer.copy(clean.data, bit, capture.bitStart[job.slot]!)
    writeMcu(writer, capture, job, tables)
    bit = capture.bitEnd[job.slot]!
  }
  writer.copy(clean.data, bit, capture.intervalEnd[number]!)
}

function planJobs(
  { mcusAcross, mcusDown, restartInterval }: JpegFrame,
  capture: Capture,
  changed: readonly number[],
): Job[] {
  const wanted = new Set(changed)
  for (const mcu of changed) {
    const endsInterval = restartInterval > 0 && (mcu + 1) % restartInterval === 0
    if (mcu + 1 < mcusAcross * mcusDown && !endsInterval) wanted.add(mcu + 1)
  }
  const jobs: Job[] = []
  let before: Job | undefined
  for (const mcu of [...wanted].sort((a, b) => a - b)) {
    const slot = slotOf(capture, mcu % mcusAcross, Math.floor(mcu / mcusAcross))
    const follows = before?.mcu === mcu - 1 && !(restartInterval > 0 && mcu % restartInterval === 0)
    const predictions = follows ? lastDcs(capture, before!.slot) : capture.predictions.slice(slot * 3, slot * 3 + 3)
    before = { mcu, slot, predictions }
    jobs.push(before)
  }
  return jobs
}

/** The DC of the last block of each component. */
function lastDcs({ blockComponent, coefficients }: Capture, slot: number): Int32Array {
  const dcs = new Int32Array(3)
  blockComponent.forEach((component, block) => {
    dcs[component] = coefficients[(slot * blockComponent.length + block) * 64]!
  })
  return dcs
}

type Replacements = Map<HuffmanSpec, HuffmanSpec>

function tableOf(replaced: Replacements, spec: HuffmanSpec, table: HuffmanTable): HuffmanTable {
  const other = replaced.get(spec)
  return other === undefined ? table : createHuffmanTable(other)
}

/** Symbols the new blocks need and the file's tables do not have. */
function findMissing(frame: JpegFrame, capture: Capture, jobs: readonly Job[]): Map<HuffmanSpec, Set<number>> {
  const missing = new Map<HuffmanSpec, Set<number>>()
  for (const job of jobs) {
    forEachMcuSymbol(capture, job, (component, isDc, symbol) => {
      const table = (isDc ? capture.tables.dc : capture.tables.ac)[component]!
      if (table.codes[symbol] !== 0) return
      const spec = specOf(frame, component, isDc)
      missing.set(spec, (missing.get(spec) ?? new Set()).add(symbol))
    })
  }
  return missing
}

/** The tables with the missing codes added; undefined when one has no room. */
function extendTables(missing: Map<HuffmanSpec, Set<number>>): Replacements | undefined {
  const replaced: Replacements = new Map()
  for (const [spec, symbols] of missing) {
    const extended = extendSpec(spec, [...symbols])
    if (extended === undefined) return undefined
    replaced.set(spec, extended)
  }
  return replaced
}

/** New tables for everything, from how often each symbol will be written. */
function createTables(frame: JpegFrame, clean: CleanScan, capture: Capture, jobs: readonly Job[]): Replacements {
  const replaced: Replacements = new Map()
  for (const [spec, counts] of countSymbols(frame, clean, capture, jobs)) replaced.set(spec, createSpec(counts))
  return replaced
}

function rewriteHuffmanSegments(bytes: Uint8Array, frame: JpegFrame, replaced: Replacements): Map<number, Uint8Array> {
  const out = new Map<number, Uint8Array>()
  if (replaced.size === 0) return out
  for (const segment of frame.segments) {
    if (segment.marker !== DHT) continue
    const data: number[] = []
    for (let at = segment.dataStart; at < segment.end;) {
      const head = bytes[at]!
      const stated = bytes.subarray(at + 1, at + 17)
      const total = stated.reduce((sum, count) => sum + count, 0)
      const spec = (head >> 4 === 0 ? frame.huffman.dc : frame.huffman.ac).get(head & 15)!
      const other = replaced.get(spec)
      if (other === undefined) data.push(head, ...bytes.subarray(at + 1, at + 17 + total))
      else data.push(head, ...other.counts.subarray(1), ...other.symbols)
      at += 17 + total
    }
    const length = data.length + 2
    out.set(segment.start, Uint8Array.from([0xff, DHT, length >> 8, length & 255, ...data]))
  }
  return out
}
