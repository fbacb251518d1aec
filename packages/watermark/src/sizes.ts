import type { NativeMark } from './marks.ts'

/** A size the models draw, longer side first unless square; turned pictures are meant too. */
interface NativeSize {
  long: number
  short: number
  /** Marks seen on this class of size. */
  marks: readonly NativeMark[]
}

const HALF_K: readonly NativeMark[] = ['v1-48', 'v2-48']
const ONE_K: readonly NativeMark[] = ['v1-48', 'v2-48', 'v1-96']
const LARGE: readonly NativeMark[] = ['v2-96', 'v1-96', 'v2-48']

function sizes(marks: readonly NativeMark[], ...sides: (readonly [number, number])[]): NativeSize[] {
  return sides.map(([long, short]) => ({ long, short, marks }))
}

/** Output sizes of 2.5 Flash Image and of the Gemini 3 image models. Source: public captures and reports, 2025–2026. */
export const NATIVE_SIZES: readonly NativeSize[] = [
  ...sizes(HALF_K, [512, 512], [632, 424], [600, 448], [576, 464], [688, 384], [792, 168]),
  ...sizes(ONE_K, [1024, 1024], [1248, 832], [1184, 864], [1152, 896], [1344, 768], [1536, 672]),
  ...sizes(ONE_K, [1264, 848], [1200, 896], [1152, 928], [1376, 768], [1408, 768], [1584, 672]),
  ...sizes(LARGE, [2048, 2048], [2528, 1696], [2432, 1728], [2400, 1792], [2304, 1856], [2752, 1536], [2816, 1536]),
  ...sizes(LARGE, [3168, 1344], [4096, 4096], [5056, 3392], [4800, 3584], [4608, 3712], [5504, 3072], [6336, 2688]),
]

/**
 * Long side the web previews narrower than 550 px (1024 px wide) were made from; the full picture is not in the table.
 * Source: reported, not measured.
 */
export const NARROW_PREVIEW = { long: 1024, shortBelow: 550, from: 2848 } as const
