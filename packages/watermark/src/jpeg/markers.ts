import { WatermarkError } from '../error.ts'

/** One marker segment: `start` at its 0xFF, `dataStart` behind its length, `end` behind its data. */
export interface Segment {
  marker: number
  start: number
  dataStart: number
  end: number
}

interface Component {
  id: number
  /** Blocks per MCU, across and down. */
  h: number
  v: number
  quantTable: number
  dcTable: number
  acTable: number
}

/** Everything in front of the pixels, and where those lie. */
export interface JpegFrame {
  width: number
  height: number
  components: Component[]
  /** Blocks of the largest component per MCU. */
  maxH: number
  maxV: number
  mcusAcross: number
  mcusDown: number
  /** Quantisation steps in natural (not zigzag) order, by table. */
  quant: Map<number, Float32Array>
  huffman: { dc: Map<number, HuffmanSpec>; ac: Map<number, HuffmanSpec> }
  /** MCUs between restart markers; 0 when there are none. */
  restartInterval: number
  segments: Segment[]
  /** Entropy-coded data, restart markers included. */
  scanStart: number
  scanEnd: number
}

/** A Huffman table as the file states it. */
export interface HuffmanSpec {
  /** Codes of each length 1…16; index 0 is unused. */
  counts: Uint8Array
  symbols: Uint8Array
}

/** Natural index of each zigzag position. */
export const ZIGZAG = Uint8Array.of(
  0,
  1,
  8,
  16,
  9,
  2,
  3,
  10,
  17,
  24,
  32,
  25,
  18,
  11,
  4,
  5,
  12,
  19,
  26,
  33,
  40,
  48,
  41,
  34,
  27,
  20,
  13,
  6,
  7,
  14,
  21,
  28,
  35,
  42,
  49,
  56,
  57,
  50,
  43,
  36,
  29,
  22,
  15,
  23,
  30,
  37,
  44,
  51,
  58,
  59,
  52,
  45,
  38,
  31,
  39,
  46,
  53,
  60,
  61,
  54,
  47,
  55,
  62,
  63,
)

const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
const DQT = 0xdb
export const DHT = 0xc4
const DRI = 0xdd
export const APP0 = 0xe0
const APP14 = 0xee
export const APP15 = 0xef

/** True when the bytes begin like a JPEG file. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === SOI && bytes[2] === 0xff
}

function corrupt(what: string): never {
  throw new WatermarkError('corrupt', `The JPEG file is damaged: ${what}`)
}

function unsupported(what: string): never {
  throw new WatermarkError('unsupported', `${what} JPEG files are not supported here; save as baseline YCbCr or grey`)
}

/** Kinds of frame this door does not read. Source: ITU-T T.81, table B.1. */
const FRAME_KINDS: Record<number, string> = {
  0xc2: 'Progressive',
  0xc3: 'Lossless',
  0xc5: 'Hierarchical',
  0xc6: 'Hierarchical progressive',
  0xc7: 'Hierarchical lossless',
  0xc9: 'Arithmetic-coded',
  0xca: 'Arithmetic-coded progressive',
  0xcb: 'Arithmetic-coded lossless',
  0xcd: 'Arithmetic-coded hierarchical',
  0xce: 'Arithmetic-coded hierarchical progressive',
  0xcf: 'Arithmetic-coded hierarchical lossless',
}

/**
 * Reads the headers of a baseline file.
 *
 * @throws {WatermarkError} `unknown_format`, `truncated`, `corrupt`, `unsupported`.
 */
export function readFrame(bytes: Uint8Array): JpegFrame {
  if (!isJpeg(bytes)) throw new WatermarkError('unknown_format', 'The bytes do not begin like a JPEG file')
  const segments: Segment[] = []
  const quant = new Map<number, Float32Array>()
  const huffman = { dc: new Map<number, HuffmanSpec>(), ac: new Map<number, HuffmanSpec>() }
  let restartInterval = 0
  let frame: Frame | undefined
  let adobeTransform: number | undefined
  let at = 2
  for (;;) {
    const segment = readSegment(bytes, at)
    const { marker, dataStart, end } = segment
    segments.push(segment)
    at = end
    const data = bytes.subarray(dataStart, end)
    if (marker === DQT) readQuant(data, quant)
    else if (marker === DHT) readHuffman(data, huffman)
    else if (marker === DRI)
      restartInterval = data.length >= 2 ? (data[0]! << 8) | data[1]! : corrupt('a short restart interval')
    else if (marker === APP14 && data.length >= 12 && data[0] === 0x41) adobeTransform = data[11]
    else if (marker === 0xc0 || marker === 0xc1) {
      if (frame !== undefined) corrupt('two frame headers')
      frame = readFrameHeader(data)
    } else if (FRAME_KINDS[marker] !== undefined) unsupported(FRAME_KINDS[marker])
    else if (marker === SOS) break
    else if (marker === EOI) throw new WatermarkError('truncated', 'The JPEG file ends before its pixels')
  }
  if (frame === undefined) corrupt('pixels before the frame header')
  const rgbIds = frame.components.map(({ id }) => id).join() === '82,71,66'
  if (frame.components.length === 3 && (adobeTransform === 0 || rgbIds)) unsupported('RGB')

  const scan = segments[segments.length - 1]!
  const components = readScanHeader(bytes.subarray(scan.dataStart, scan.end), frame.components)
  for (const { quantTable, dcTable, acTable } of components) {
    if (!quant.has(quantTable) || !huffman.dc.has(dcTable) || !huffman.ac.has(acTable)) corrupt('a missing table')
  }
  const scanEnd = findScanEnd(bytes, scan.end)
  checkNoSecondScan(bytes, scanEnd)
  const maxH = Math.max(...components.map(({ h }) => h))
  const maxV = Math.max(...components.map(({ v }) => v))
  const mcusAcross = Math.ceil(frame.width / (8 * maxH))
  const mcusDown = Math.ceil(frame.height / (8 * maxV))
  const { width, height } = frame
  return {
    width,
    height,
    components,
    maxH,
    maxV,
    mcusAcross,
    mcusDown,
    quant,
    huffman,
    restartInterval,
    segments,
    scanStart: scan.end,
    scanEnd,
  }
}

/** @throws {WatermarkError} `truncated`, `corrupt`. */
export function readSegment(bytes: Uint8Array, start: number): Segment {
  let at = start
  if (bytes[at] !== 0xff && at < bytes.length) corrupt('no marker where one is due')
  while (bytes[at] === 0xff) at++
  if (at >= bytes.length) throw new WatermarkError('truncated', 'The JPEG file ends inside its headers')
  const marker = bytes[at]!
  if (marker === EOI) return { marker, start, dataStart: at + 1, end: at + 1 }
  if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= SOI)) corrupt('a marker that does not belong here')
  if (at + 3 > bytes.length) throw new WatermarkError('truncated', 'The JPEG file ends inside its headers')
  const length = (bytes[at + 1]! << 8) | bytes[at + 2]!
  if (length < 2) corrupt('a segment without a length')
  const end = at + 1 + length
  if (end > bytes.length) throw new WatermarkError('truncated', 'The JPEG file ends inside a header segment')
  return { marker, start, dataStart: at + 3, end }
}

function readQuant(data: Uint8Array, tables: Map<number, Float32Array>): void {
  for (let at = 0; at < data.length;) {
    const wide = data[at]! >> 4
    const id = data[at++]! & 15
    if (wide > 1 || at + 64 * (wide + 1) > data.length) corrupt('a short quantisation table')
    const table = new Float32Array(64)
    for (let i = 0; i < 64; i++) {
      const step = wide === 1 ? (data[at]! << 8) | data[at + 1]! : data[at]!
      at += wide + 1
      if (step === 0) corrupt('a quantisation step of zero')
      table[ZIGZAG[i]!] = step
    }
    tables.set(id, table)
  }
}

function readHuffman(data: Uint8Array, tables: JpegFrame['huffman']): void {
  for (let at = 0; at < data.length;) {
    const kind = data[at]! >> 4
    const id = data[at++]! & 15
    if (kind > 1 || at + 16 > data.length) corrupt('a short Huffman table')
    const counts = new Uint8Array(17)
    counts.set(data.subarray(at, at + 16), 1)
    at += 16
    let code = 0
    let total = 0
    for (let length = 1; length <= 16; length++) {
      code = (code + counts[length]!) << 1
      total += counts[length]!
      if (code > 2 << length) corrupt('an over-full Huffman table')
    }
    if (total > 256 || at + total > data.length) corrupt('a short Huffman table')
    const target = kind === 0 ? tables.dc : tables.ac
    target.set(id, { counts, symbols: data.slice(at, at + total) })
    at += total
  }
}

interface Frame {
  width: number
  height: number
  components: Component[]
}

function readFrameHeader(data: Uint8Array): Frame {
  if (data.length < 6) corrupt('a short frame header')
  if (data[0] !== 8) unsupported(`${data[0]}-bit`)
  const height = (data[1]! << 8) | data[2]!
  const width = (data[3]! << 8) | data[4]!
  const count = data[5]!
  if (width === 0) corrupt('a width of zero')
  if (height === 0) unsupported('Height-less (DNL)')
  if (data.length < 6 + 3 * count) corrupt('a short frame header')
  if (count === 4) unsupported('CMYK')
  if (count !== 1 && count !== 3) unsupported(`${count}-component`)
  const components = Array.from({ length: count }, (_, i) => {
    const at = 6 + 3 * i
    const [h, v] = count === 1 ? [1, 1] : [data[at + 1]! >> 4, data[at + 1]! & 15]
    return { id: data[at]!, h, v, quantTable: data[at + 2]!, dcTable: 0, acTable: 0 }
  })
  const [luma, ...chroma] = components
  const known = (n: number) => n === 1 || n === 2
  if (!known(luma!.h) || !known(luma!.v) || chroma.some(({ h, v }) => h !== 1 || v !== 1)) {
    unsupported('Unusually sampled')
  }
  return { width, height, components }
}

function readScanHeader(data: Uint8Array, components: Component[]): Component[] {
  const count = data[0] ?? 0
  if (data.length < 1 + 2 * count + 3) corrupt('a short scan header')
  if (count !== components.length) unsupported('Non-interleaved')
  return components.map((component, i) => {
    if (data[1 + 2 * i] !== component.id) corrupt('components out of order')
    const tables = data[2 + 2 * i]!
    return { ...component, dcTable: tables >> 4, acTable: tables & 15 }
  })
}

function findScanEnd(bytes: Uint8Array, start: number): number {
  for (let at = start; ;) {
    at = bytes.indexOf(0xff, at)
    if (at < 0 || at + 1 >= bytes.length) throw new WatermarkError('truncated', 'The JPEG file ends inside its pixels')
    const next = bytes[at + 1]!
    if (next === 0 || (next >= 0xd0 && next <= 0xd7)) at += 2
    else if (next === 0xff) at += 1
    else return at
  }
}

function checkNoSecondScan(bytes: Uint8Array, scanEnd: number): void {
  for (let at = scanEnd; ;) {
    const { marker, end } = readSegment(bytes, at)
    if (marker === EOI) return
    if (marker === SOS) unsupported('Non-interleaved')
    at = end
  }
}
