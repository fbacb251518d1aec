import { markModels, type MarkModel, type NativeMark } from '@castorjs/watermark'

/** A picture in memory: RGBA, four bytes per pixel, row by row. */
interface Picture {
  width: number
  height: number
  data: Uint8ClampedArray
}

/** Distance of each mark from the right and bottom edge, in pixels. Source: watermark facts, section 5. */
const MARGINS: Record<'v2-48' | 'v2-96', number> = { 'v2-48': 96, 'v2-96': 192 }
/** Large sizes that carry the small mark all the same. */
const SMALL_MARKED = new Set(['2048x2048', '2400x1792', '1792x2400'])
/** Long side of a preview. */
const PREVIEW = 1_024
/** Long sides of the files that previews are made from, by the least short side of the preview. */
const PREVIEW_SOURCES = [
  { shortFrom: 566, long: 2_752 },
  { shortFrom: 550, long: 2_816 },
  { shortFrom: 0, long: 2_848 },
] as const

/**
 * Draws the visible mark where the web app of today draws it, in place: for the demo, whose emulator makes pictures
 * without one. A preview carries the mark of the file it was made from, resized with it.
 */
export function drawVisibleMark(picture: Picture): void {
  const [long, short] = [Math.max(picture.width, picture.height), Math.min(picture.width, picture.height)]
  if (long === PREVIEW && short < 640) {
    const source = PREVIEW_SOURCES.find(({ shortFrom }) => short >= shortFrom)
    return draw(picture, 'v2-96', PREVIEW / (source?.long ?? 2_752))
  }
  const large = short > 1_024 && long > 1_584 && !SMALL_MARKED.has(`${picture.width}x${picture.height}`)
  draw(picture, large ? 'v2-96' : 'v2-48', 1)
}

function draw({ width, height, data }: Picture, mark: NativeMark & keyof typeof MARGINS, scale: number): void {
  const [model] = markModels(mark)
  if (model === undefined) return
  const reach = Math.round((MARGINS[mark] + model.size) * scale)
  const size = Math.round(model.size * scale)
  const [left, top] = [width - reach, height - reach]
  if (left < 0 || top < 0) return
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const { alpha, light } = sample(model, x / scale, y / scale, 1 / scale)
      const at = ((top + y) * width + left + x) * 4
      for (let channel = at; channel < at + 3; channel++) {
        data[channel] = Math.round(light + (data[channel] ?? 0) * (1 - alpha))
      }
    }
  }
}

/** Mean opacity, and light that it adds, over a square of the mark. */
function sample(model: MarkModel, x: number, y: number, side: number): { alpha: number; light: number } {
  const sum = { alpha: 0, light: 0 }
  const right = Math.min(model.size, x + side)
  const bottom = Math.min(model.size, y + side)
  for (let row = Math.floor(y); row < bottom; row++) {
    const tall = Math.min(row + 1, bottom) - Math.max(row, y)
    for (let column = Math.floor(x); column < right; column++) {
      const weight = tall * (Math.min(column + 1, right) - Math.max(column, x))
      const index = row * model.size + column
      const alpha = (model.alpha[index] ?? 0) * weight
      sum.alpha += alpha
      sum.light += alpha * (model.colour[index] ?? 0)
    }
  }
  return { alpha: sum.alpha / (side * side), light: sum.light / (side * side) }
}
