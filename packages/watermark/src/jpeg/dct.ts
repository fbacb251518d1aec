/** Cosines of the 8-point transform: `Cn` = cos(nπ/16). */
const [C1, C2, C3, C4, C5, C6, C7] = [1, 2, 3, 4, 5, 6, 7].map((u) => Math.cos((u * Math.PI) / 16)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const rows = new Float64Array(64)

/** One line of eight, orthonormal; even and odd halves apart. */
function forwardLine(
  source: Float32Array | Float64Array,
  from: number,
  step: number,
  target: Float32Array | Float64Array,
  to: number,
  stride: number,
): void {
  const x0 = source[from]!
  const x1 = source[from + step]!
  const x2 = source[from + 2 * step]!
  const x3 = source[from + 3 * step]!
  const x4 = source[from + 4 * step]!
  const x5 = source[from + 5 * step]!
  const x6 = source[from + 6 * step]!
  const x7 = source[from + 7 * step]!
  const s0 = x0 + x7
  const s1 = x1 + x6
  const s2 = x2 + x5
  const s3 = x3 + x4
  const d0 = x0 - x7
  const d1 = x1 - x6
  const d2 = x2 - x5
  const d3 = x3 - x4
  target[to] = 0.5 * C4 * (s0 + s1 + s2 + s3)
  target[to + 4 * stride] = 0.5 * C4 * (s0 - s1 - s2 + s3)
  target[to + 2 * stride] = 0.5 * (C2 * (s0 - s3) + C6 * (s1 - s2))
  target[to + 6 * stride] = 0.5 * (C6 * (s0 - s3) - C2 * (s1 - s2))
  target[to + stride] = 0.5 * (C1 * d0 + C3 * d1 + C5 * d2 + C7 * d3)
  target[to + 3 * stride] = 0.5 * (C3 * d0 - C7 * d1 - C1 * d2 - C5 * d3)
  target[to + 5 * stride] = 0.5 * (C5 * d0 - C1 * d1 + C7 * d2 + C3 * d3)
  target[to + 7 * stride] = 0.5 * (C7 * d0 - C5 * d1 + C3 * d2 - C1 * d3)
}

function inverseLine(
  source: Float32Array | Float64Array,
  from: number,
  step: number,
  target: Float32Array | Float64Array,
  to: number,
  stride: number,
): void {
  const y0 = source[from]! * C4
  const y1 = source[from + step]!
  const y2 = source[from + 2 * step]!
  const y3 = source[from + 3 * step]!
  const y4 = source[from + 4 * step]! * C4
  const y5 = source[from + 5 * step]!
  const y6 = source[from + 6 * step]!
  const y7 = source[from + 7 * step]!
  const a = y0 + y4
  const b = y0 - y4
  const c = C2 * y2 + C6 * y6
  const d = C6 * y2 - C2 * y6
  const e0 = a + c
  const e1 = b + d
  const e2 = b - d
  const e3 = a - c
  const o0 = C1 * y1 + C3 * y3 + C5 * y5 + C7 * y7
  const o1 = C3 * y1 - C7 * y3 - C1 * y5 - C5 * y7
  const o2 = C5 * y1 - C1 * y3 + C7 * y5 + C3 * y7
  const o3 = C7 * y1 - C5 * y3 + C3 * y5 - C1 * y7
  target[to] = 0.5 * (e0 + o0)
  target[to + 7 * stride] = 0.5 * (e0 - o0)
  target[to + stride] = 0.5 * (e1 + o1)
  target[to + 6 * stride] = 0.5 * (e1 - o1)
  target[to + 2 * stride] = 0.5 * (e2 + o2)
  target[to + 5 * stride] = 0.5 * (e2 - o2)
  target[to + 3 * stride] = 0.5 * (e3 + o3)
  target[to + 4 * stride] = 0.5 * (e3 - o3)
}

/** The 8×8 cosine transform of JPEG, of a block at `at` in a plane of `stride` samples a row. */
export function forwardDct(plane: Float32Array, at: number, stride: number, out: Float32Array): void {
  for (let y = 0; y < 8; y++) forwardLine(plane, at + y * stride, 1, rows, y * 8, 1)
  for (let x = 0; x < 8; x++) forwardLine(rows, x, 8, out, x, 8)
}

/** Its inverse, written into the plane. */
export function inverseDct(coefficients: Float32Array, plane: Float32Array, at: number, stride: number): void {
  for (let x = 0; x < 8; x++) inverseLine(coefficients, x, 8, rows, x, 8)
  for (let y = 0; y < 8; y++) inverseLine(rows, y * 8, 1, plane, at + y * stride, 1)
}
