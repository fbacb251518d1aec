/** Sizes that Gemini's pictures have, width first, by ratio and class. Source: watermark facts, section 5. */
const SIZES: Readonly<Record<'1k' | '2k' | '4k', Readonly<Record<string, readonly [number, number]>>>> = {
  '1k': {
    '1:1': [1024, 1024],
    '2:3': [848, 1264],
    '3:4': [896, 1200],
    '4:5': [928, 1152],
    '9:16': [768, 1376],
    '16:9': [1408, 768],
    '21:9': [1584, 672],
  },
  '2k': {
    '1:1': [2048, 2048],
    '2:3': [1696, 2528],
    '3:4': [1792, 2400],
    '4:5': [1856, 2304],
    '9:16': [1536, 2752],
    '16:9': [2816, 1536],
    '21:9': [3168, 1344],
  },
  '4k': {
    '1:1': [4096, 4096],
    '2:3': [3392, 5056],
    '3:4': [3584, 4800],
    '4:5': [3712, 4608],
    '9:16': [3072, 5504],
    '16:9': [5504, 3072],
    '21:9': [6336, 2688],
  },
}

/** The largest picture made on request, in pixels. */
const MOST_PIXELS = 20_000_000

/**
 * Size of the original, read from the words of the prompt: `1024x768` exactly, or a ratio (`16:9`,
 * `portrait`) and a class (`2K`, `4K`). Without either it is 1024×1024.
 */
export function readPictureSizeWish(prompt: string): { width: number; height: number } {
  const exact = /\b(\d{2,4})\s*[x×]\s*(\d{2,4})\b/i.exec(prompt)
  if (exact !== null) {
    const [width, height] = [Number(exact[1]), Number(exact[2])]
    if (width >= 16 && height >= 16 && width * height <= MOST_PIXELS) return { width, height }
  }
  const size = SIZES[/\b4k\b/i.test(prompt) ? '4k' : /\b2k\b/i.test(prompt) ? '2k' : '1k']
  const asked = /\b(\d{1,2}):(\d{1,2})\b/.exec(prompt)
  const ratio = asked === null ? ratioByWord(prompt) : asked[0]
  const upright = size[ratio]
  if (upright !== undefined) return { width: upright[0], height: upright[1] }
  const turned = size[ratio.split(':').reverse().join(':')]
  const [height, width] = turned ?? (size['1:1'] as readonly [number, number])
  return { width, height }
}

function ratioByWord(prompt: string): string {
  if (/\b(?:landscape|widescreen|wide)\b/i.test(prompt)) return '16:9'
  return /\b(?:portrait orientation|vertical|in portrait|tall)\b/i.test(prompt) ? '9:16' : '1:1'
}

/** Size of the preview that the page shows: the long side is at most 1024. */
export function previewSize(
  { width, height }: { width: number; height: number },
  longest = 1024,
): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}
