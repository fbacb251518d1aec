import { forEachSymbol, type JpegBitWriter } from './encode.ts'
import type { HuffmanTable } from './huffman.ts'
import type { HuffmanSpec, JpegFrame } from './markers.ts'
import type { Capture } from './scan.ts'

/** One MCU to be written, and the DC predictions it is written against. */
export interface Job {
  mcu: number
  slot: number
  predictions: Int32Array
}

/** The tables of each component. */
export interface Tables {
  dc: readonly HuffmanTable[]
  ac: readonly HuffmanTable[]
}

/** Writes an MCU from its coefficients. */
export function writeMcu(writer: JpegBitWriter, capture: Capture, job: Job, { dc, ac }: Tables): void {
  forEachMcuSymbol(capture, job, (component, isDc, symbol, value) => {
    writer.symbol((isDc ? dc : ac)[component]!.codes[symbol]!, symbol & 15, value)
  })
}

/** Calls back for every symbol of an MCU, with the value of its extra bits. */
export function forEachMcuSymbol(
  { blockComponent, coefficients }: Capture,
  { slot, predictions }: Job,
  visit: (component: number, isDc: boolean, symbol: number, value: number) => void,
): void {
  const prediction = predictions.slice()
  blockComponent.forEach((component, block) => {
    const base = (slot * blockComponent.length + block) * 64
    forEachSymbol(coefficients, base, prediction[component]!, (isDc, symbol, value) =>
      visit(component, isDc, symbol, value),
    )
    prediction[component] = coefficients[base]!
  })
}

/** The table a component's DC or AC symbols are coded with, as the file states it. */
export function specOf({ components, huffman }: JpegFrame, component: number, isDc: boolean): HuffmanSpec {
  const { dcTable, acTable } = components[component]!
  return isDc ? huffman.dc.get(dcTable)! : huffman.ac.get(acTable)!
}
