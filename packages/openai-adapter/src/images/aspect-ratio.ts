import { readModelFamily, type GenerationConfig } from '@castorjs/content-generator'

/** Shapes Gemini draws. Source: `gemini-api.md` section 8. */
const RATIOS = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']

/** The nearest shape, by the logarithm of the ratio so that wide and tall weigh alike. */
export function nearestAspectRatio({ width, height }: { width: number; height: number }): string {
  const wanted = Math.log(width / height)
  let best = '1:1'
  let distance = Infinity
  for (const ratio of RATIOS) {
    const [across = 1, down = 1] = ratio.split(':').map(Number)
    const away = Math.abs(wanted - Math.log(across / down))
    if (away < distance) [best, distance] = [ratio, away]
  }
  return best
}

/** The size class that is large enough, or the largest there is. */
export function sizeClass({ width, height }: { width: number; height: number }): '1K' | '2K' | '4K' {
  const longest = Math.max(width, height)
  return longest <= 1536 ? '1K' : longest <= 2304 ? '2K' : '4K'
}

/** Qualities that deserve more than the standard size. */
const FINE = new Set(['high', 'hd', 'xhigh', 'max'])

/** The shape and size class for a size in pixels, or for a quality where no size was asked for. */
export function chooseImageConfig(
  model: string,
  size: { width: number; height: number } | undefined,
  quality?: string | null,
): Pick<GenerationConfig, 'imageConfig'> {
  // The 2.5 models refuse the size class.
  const takesClass = (readModelFamily(model)?.generation ?? 0) >= 3
  if (size !== undefined) {
    const aspectRatio = nearestAspectRatio(size)
    return { imageConfig: takesClass ? { aspectRatio, imageSize: sizeClass(size) } : { aspectRatio } }
  }
  return takesClass && FINE.has(quality ?? '') ? { imageConfig: { imageSize: '2K' } } : {}
}
