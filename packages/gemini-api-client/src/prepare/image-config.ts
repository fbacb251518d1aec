import type { GenerationConfig } from '@castorjs/content-generator'

type ImageConfig = NonNullable<GenerationConfig['imageConfig']>

/** Shapes every model draws. Source: `gemini-api.md` section 8. */
const RATIOS = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']

/**
 * The nearest picture a model draws to what was asked for: the shape closest to an exact size, and the smallest step
 * that is not below it. The exact pixels are reached later, by resizing.
 *
 * @param takesSize False for models that refuse `imageSize`.
 */
export function readImageConfig(
  given: ImageConfig | undefined,
  size: { width: number; height: number } | undefined,
  takesSize: boolean,
): ImageConfig | undefined {
  const config: ImageConfig = { ...given }
  if (size !== undefined) {
    config.aspectRatio ??= nearestRatio(size.width / size.height)
    const side = Math.max(size.width, size.height)
    // 1K is what models draw anyway; naming it would only exclude models that refuse the field.
    if (side > 1_024) config.imageSize ??= side > 2_048 ? '4K' : '2K'
  }
  if (config.imageSize !== undefined) config.imageSize = config.imageSize.toUpperCase()
  if (!takesSize) delete config.imageSize
  return Object.keys(config).length === 0 ? undefined : config
}

function nearestRatio(wanted: number): string {
  let nearest = '1:1'
  let distance = Infinity
  for (const ratio of RATIOS) {
    const [across = 1, down = 1] = ratio.split(':').map(Number)
    const off = Math.abs(Math.log(across / down / wanted))
    if (off < distance) [nearest, distance] = [ratio, off]
  }
  return nearest
}
