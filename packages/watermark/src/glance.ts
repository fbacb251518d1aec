import type { Candidate } from './candidates.ts'
import { createOutline } from './outline.ts'
import type { PixelWindow } from './image.ts'

/** Distances along an arm at which the outline is crossed, and how far inside and outside it is looked, in halves of the star's size. */
const ALONG = [0.42, 0.5, 0.58, 0.66, 0.74] as const
const INSIDE = 0.5
const OUTSIDE = 0.09

/** Where to look: inside and outside the outline, all around. */
function createProbes(): readonly (readonly [number, number, number, number])[] {
  const width = createOutline()
  const turns = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ] as const
  return turns.flatMap(([ux, uy]) =>
    ALONG.flatMap((a) =>
      [1, -1].map((side) => {
        const inner = side * width(a) * INSIDE
        const outer = side * (width(a) + OUTSIDE)
        return [a * ux - inner * uy, a * uy + inner * ux, a * ux - outer * uy, a * uy + outer * ux] as const
      }),
    ),
  )
}

let probes: ReturnType<typeof createProbes> | undefined

/** A mark that adds less than this share of what it would on average is not there. */
const LEAST = 0.35

/**
 * A glance before a resized mark is drawn and weighed: is the picture lighter inside the outline than outside, by about
 * what the mark would add? Wrong on busy pictures now and then, which costs a find, never a false one.
 */
export function looksMarked(window: PixelWindow, { centreX, centreY, radius, opacity }: Candidate): boolean {
  let seen = 0
  let expected = 0
  const read = (x: number, y: number, channel: number) => {
    const column = Math.round(centreX + x * radius - 0.5) - window.x
    const row = Math.round(centreY + y * radius - 0.5) - window.y
    if (column < 0 || row < 0 || column >= window.width || row >= window.height) return 255
    return window.data[(row * window.width + column) * 4 + channel]!
  }
  for (const [innerX, innerY, outerX, outerY] of (probes ??= createProbes())) {
    for (let channel = 0; channel < 3; channel++) {
      const outside = read(outerX, outerY, channel)
      seen += read(innerX, innerY, channel) - outside
      expected += opacity * (255 - outside)
    }
  }
  return seen > LEAST * expected
}
