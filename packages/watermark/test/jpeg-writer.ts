import { concat } from '../src/concat.ts'
import type { RawImage } from '../src/image.ts'
import { forwardDct } from '../src/jpeg/dct.ts'
import { createJpegBitWriter, forEachSymbol } from '../src/jpeg/encode.ts'
import { createHuffmanTable } from '../src/jpeg/huffman.ts'
import { ZIGZAG } from '../src/jpeg/markers.ts'
import { createSpec } from '../src/jpeg/spec.ts'

export interface JpegShape {
  /** 1…100, as libjpeg counts. Default 85. */
  quality?: number
  /** Default 4:2:0. */
  sampling?: '4:2:0' | '4:2:2' | '4:4:0' | '4:4:4' | 'grey'
  /** MCUs between restart markers. Default 0: none. */
  restartInterval?: number
  /** Codes for every symbol there is, or only for those that occur. Default complete. */
  tables?: 'complete' | 'optimised'
  /** Whole segments to put behind SOI. */
  segments?: readonly Uint8Array[]
}

const LUMA = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
]
const CHROMA = Array.from({ length: 64 }, (_, i) => {
  const [x, y] = [i % 8, i >> 3]
  const corner = [
    [17, 18, 24, 47],
    [18, 21, 26, 66],
    [24, 26, 56, 99],
    [47, 66, 99, 99],
  ]
  return x < 4 && y < 4 ? corner[y]![x]! : 99
})

function scaled(table: readonly number[], quality: number): Uint8Array {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality
  return Uint8Array.from(table, (step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))))
}

const FACTORS = { '4:2:0': [2, 2], '4:2:2': [2, 1], '4:4:0': [1, 2], '4:4:4': [1, 1], grey: [1, 1] } as const

export function segment(marker: number, data: Iterable<number>): Uint8Array {
  const bytes = Uint8Array.from(data)
  return concat([Uint8Array.of(0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 255), bytes])
}

interface Plane {
  h: number
  v: number
  blocksAcross: number
  coefficients: Int16Array
  table: number
}

/** Writes a baseline JPEG file in the shapes the door has to read. */
export function writeJpeg(image: RawImage, shape: JpegShape = {}): Uint8Array {
  const { quality = 85, sampling = '4:2:0', restartInterval = 0, tables = 'complete', segments = [] } = shape
  const [maxH, maxV] = FACTORS[sampling]
  const quant = [scaled(LUMA, quality), scaled(CHROMA, quality)]
  const across = Math.ceil(image.width / (8 * maxH))
  const down = Math.ceil(image.height / (8 * maxV))
  const planes = Array.from({ length: sampling === 'grey' ? 1 : 3 }, (_, i) =>
    codePlane(image, i, i === 0 ? maxH : 1, i === 0 ? maxV : 1, maxH, maxV, across, down, quant[Math.min(1, i)]!),
  )
  const counts = [0, 1].map(() => ({ dc: new Uint32Array(256), ac: new Uint32Array(256) }))
  if (tables === 'complete') {
    for (const count of counts) {
      count.dc.fill(1, 0, 12)
      for (let run = 0; run < 16; run++) for (let size = 1; size < 11; size++) count.ac[(run << 4) | size] = 1
      count.ac[0] = count.ac[0xf0] = 1
    }
  }
  const visit = (each: (plane: Plane, base: number, prediction: number) => void, restart: () => void) => {
    const prediction = planes.map(() => 0)
    for (let mcu = 0; mcu < across * down; mcu++) {
      if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
        restart()
        prediction.fill(0)
      }
      planes.forEach((plane, i) => {
        for (let b = 0; b < plane.h * plane.v; b++) {
          const x = (mcu % across) * plane.h + (b % plane.h)
          const y = Math.floor(mcu / across) * plane.v + Math.floor(b / plane.h)
          const base = (y * plane.blocksAcross + x) * 64
          each(plane, base, prediction[i]!)
          prediction[i] = plane.coefficients[base]!
        }
      })
    }
  }
  visit(
    (plane, base, prediction) =>
      forEachSymbol(plane.coefficients, base, prediction, (isDc, symbol) => {
        counts[plane.table]![isDc ? 'dc' : 'ac'][symbol]!++
      }),
    () => undefined,
  )
  const specs = counts.map(({ dc, ac }) => ({ dc: createSpec(dc), ac: createSpec(ac) }))
  const codes = specs.map(({ dc, ac }) => ({ dc: createHuffmanTable(dc).codes, ac: createHuffmanTable(ac).codes }))
  const scan: Uint8Array[] = []
  let writer = createJpegBitWriter(65_536)
  let restarts = 0
  visit(
    (plane, base, prediction) =>
      forEachSymbol(plane.coefficients, base, prediction, (isDc, symbol, value) => {
        writer.symbol(codes[plane.table]![isDc ? 'dc' : 'ac'][symbol]!, symbol & 15, value)
      }),
    () => {
      scan.push(writer.finish(), Uint8Array.of(0xff, 0xd0 + (restarts++ & 7)))
      writer = createJpegBitWriter(65_536)
    },
  )
  scan.push(writer.finish())
  const used = planes.length === 1 ? [0] : [0, 1]
  return concat([
    Uint8Array.of(0xff, 0xd8),
    ...segments,
    ...used.map((i) => segment(0xdb, [i, ...Array.from(ZIGZAG, (natural) => quant[i]![natural]!)])),
    segment(0xc0, [
      8,
      image.height >> 8,
      image.height & 255,
      image.width >> 8,
      image.width & 255,
      planes.length,
      ...planes.flatMap(({ h, v, table }, i) => [i + 1, (h << 4) | v, table]),
    ]),
    ...used.flatMap((i) => [
      segment(0xc4, [i, ...specs[i]!.dc.counts.subarray(1), ...specs[i]!.dc.symbols]),
      segment(0xc4, [16 | i, ...specs[i]!.ac.counts.subarray(1), ...specs[i]!.ac.symbols]),
    ]),
    ...(restartInterval > 0 ? [segment(0xdd, [restartInterval >> 8, restartInterval & 255])] : []),
    segment(0xda, [planes.length, ...planes.flatMap(({ table }, i) => [i + 1, (table << 4) | table]), 0, 63, 0]),
    ...scan,
    Uint8Array.of(0xff, 0xd9),
  ])
}

function codePlane(
  { width, height, data }: RawImage,
  component: number,
  h: number,
  v: number,
  maxH: number,
  maxV: number,
  across: number,
  down: number,
  quant: Uint8Array,
): Plane {
  const [stepX, stepY] = [maxH / h, maxV / v]
  const stride = across * h * 8
  const rows = down * v * 8
  const samples = new Float32Array(stride * rows)
  const weights = [
    [0.299, 0.587, 0.114],
    [-0.168736, -0.331264, 0.5],
    [0.5, -0.418688, -0.081312],
  ][component]!
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < stride; x++) {
      let sum = 0
      for (let sy = 0; sy < stepY; sy++) {
        for (let sx = 0; sx < stepX; sx++) {
          const at = (Math.min(height - 1, y * stepY + sy) * width + Math.min(width - 1, x * stepX + sx)) * 4
          sum += weights[0]! * data[at]! + weights[1]! * data[at + 1]! + weights[2]! * data[at + 2]!
        }
      }
      samples[y * stride + x] = sum / (stepX * stepY) - (component === 0 ? 128 : 0)
    }
  }
  const blocksAcross = stride / 8
  const coefficients = new Int16Array(stride * rows)
  const block = new Float32Array(64)
  for (let by = 0; by < rows / 8; by++) {
    for (let bx = 0; bx < blocksAcross; bx++) {
      forwardDct(samples, by * 8 * stride + bx * 8, stride, block)
      const base = (by * blocksAcross + bx) * 64
      for (let i = 0; i < 64; i++) coefficients[base + i] = Math.round(block[i]! / quant[i]!)
    }
  }
  return { h, v, blocksAcross, coefficients, table: component === 0 ? 0 : 1 }
}
