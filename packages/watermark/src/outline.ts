/**
 * The outline of the sparkle: half its width `w(a)` at the distance `a` from the centre along an arm.
 *
 * A point is folded into one octant (`a = max(|x|,|y|)`, `b = min(|x|,|y|)`, half the star's size = 1) and lies inside
 * when `b <= w(a)`. The curve is a cubic Bézier, a circular arc and a second cubic Bézier, in units of 1/32.447.
 * Source: measured captures of both generations; this curve and the samples in `coverage.ts` give every level exactly.
 */
const UNIT = 32.447
const STEPS = 400

type Point = readonly [number, number]

function bezier(from: Point, c1: Point, c2: Point, to: Point): Point[] {
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const t = i / STEPS
    const u = 1 - t
    const at = (axis: 0 | 1) =>
      u * u * u * from[axis] + 3 * u * u * t * c1[axis] + 3 * u * t * t * c2[axis] + t * t * t * to[axis]
    return [at(0), at(1)]
  })
}

function arc(centre: Point, radius: number, from: Point, to: Point): Point[] {
  const angle = (point: Point) => Math.atan2(point[1] - centre[1], point[0] - centre[0])
  const start = angle(from)
  const sweep = angle(to) - start
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const at = start + (sweep * i) / STEPS
    return [centre[0] + radius * Math.cos(at), centre[1] + radius * Math.sin(at)]
  })
}

/** Below this distance every point is inside: the two sides of neighbouring arms meet here. */
const OUTLINE_INNER = 12.292 / UNIT

function traceCurve(): Point[] {
  return [
    ...bezier([12.292, 12.292], [16.043, 8.542], [20.418, 5.589], [25.417, 3.437]),
    ...arc([40.827, 39.242], 38.98, [25.417, 3.437], [31.323, 1.438]),
    ...bezier([31.323, 1.438], [31.983, 1.272], [32.447, 0.68], [32.447, 0]),
  ].map(([a, b]) => [a / UNIT, b / UNIT])
}

/** Returns `w`: half the width of an arm at `a` (0…1), both as fractions of half the star's size. */
export function createOutline(): (a: number) => number {
  const curve = traceCurve()
  const as = Float64Array.from(curve, (point) => point[0])
  const bs = Float64Array.from(curve, (point) => point[1])
  return (a) => {
    if (a < OUTLINE_INNER) return a
    let low = 0
    let high = as.length - 1
    if (a > as[high]!) return -1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (as[middle]! <= a) low = middle
      else high = middle
    }
    const span = as[high]! - as[low]!
    if (span <= 0) return bs[high]!
    return bs[low]! + ((a - as[low]!) / span) * (bs[high]! - bs[low]!)
  }
}
