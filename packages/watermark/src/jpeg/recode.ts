import type { JpegBitWriter } from './encode.ts'
import { decodeLong, FAST_BITS, type HuffmanTable } from './huffman.ts'
import type { HuffmanSpec, JpegFrame } from './markers.ts'
import { forEachMcuSymbol, specOf, writeMcu, type Job, type Tables } from './mcu-job.ts'
import type { Capture, CleanScan } from './scan.ts'

type Visit = (component: number, isDc: boolean, symbol: number, extra: number) => void

/** Visits every symbol of an interval as it is stored; jobs stand in for their MCUs. */
function walkInterval(
  { restartInterval, mcusAcross, mcusDown }: JpegFrame,
  { data, intervals }: CleanScan,
  capture: Capture,
  number: number,
  jobs: readonly Job[],
  visit: Visit,
  visitJob: (job: Job) => void,
): void {
  const total = mcusAcross * mcusDown
  const first = number * restartInterval
  const end = restartInterval === 0 ? total : Math.min(total, first + restartInterval)
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  let bit = intervals[number]!.start * 8
  let next = 0
  const look = () => view.getInt32(bit >>> 3) << (bit & 7)
  const decode = (table: HuffmanTable) => {
    const hold = look()
    const entry = table.fast[hold >>> (32 - FAST_BITS)]! || decodeLong(table, hold >>> 16)
    bit += entry & 255
    return entry >>> 8
  }
  const visitSymbol = (component: number, isDc: boolean) => {
    const symbol = decode((isDc ? capture.tables.dc : capture.tables.ac)[component]!)
    const size = symbol & 15
    visit(component, isDc, symbol, size === 0 ? 0 : look() >>> (32 - size))
    bit += size
    return symbol
  }
  for (let mcu = first; mcu < end; mcu++) {
    const job = jobs[next]
    if (job?.mcu === mcu) {
      visitJob(job)
      bit = capture.bitEnd[job.slot]!
      next++
      continue
    }
    for (const component of capture.blockComponent) {
      visitSymbol(component, true)
      for (let k = 1; k < 64; k++) {
        const symbol = visitSymbol(component, false)
        if ((symbol & 15) === 0 && symbol !== 0xf0) break
        k += symbol >> 4
      }
    }
  }
}

/** How often each symbol will be written, by table. */
export function countSymbols(
  frame: JpegFrame,
  clean: CleanScan,
  capture: Capture,
  jobs: readonly Job[],
): Map<HuffmanSpec, Uint32Array> {
  const counts = new Map<HuffmanSpec, Uint32Array>()
  const count: Visit = (component, isDc, symbol) => {
    const spec = specOf(frame, component, isDc)
    const table = counts.get(spec) ?? new Uint32Array(256)
    table[symbol]!++
    counts.set(spec, table)
  }
  clean.intervals.forEach((_, number) => {
    walkInterval(frame, clean, capture, number, ownJobs(frame, number, jobs), count, (job) =>
      forEachMcuSymbol(capture, job, count),
    )
  })
  return counts
}

function ownJobs({ restartInterval }: JpegFrame, number: number, jobs: readonly Job[]): Job[] {
  return restartInterval === 0 ? [...jobs] : jobs.filter(({ mcu }) => Math.floor(mcu / restartInterval) === number)
}

/** Writes an interval with other tables: the same symbols and extra bits under new codes. */
export function recodeInterval(
  frame: JpegFrame,
  clean: CleanScan,
  capture: Capture,
  number: number,
  jobs: readonly Job[],
  writer: JpegBitWriter,
  tables: Tables,
): void {
  walkInterval(
    frame,
    clean,
    capture,
    number,
    jobs,
    (component, isDc, symbol, extra) => {
      const code = (isDc ? tables.dc : tables.ac)[component]!.codes[symbol]!
      writer.write(code >>> 8, code & 255)
      if ((symbol & 15) > 0) writer.write(extra, symbol & 15)
    },
    (job) => writeMcu(writer, capture, job, tables),
  )
}
