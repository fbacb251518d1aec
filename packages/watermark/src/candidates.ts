import { layNative, layScaled, type LaidMark } from './lay.ts'
import { markModels, type MarkModel, type NativeMark } from './marks.ts'
import { PICTURE_KERNELS } from './resize.ts'
import { NARROW_PREVIEW, NATIVE_SIZES } from './sizes.ts'

/** A mark and the distance of its square from the right and bottom edge, in pixels: all that a new mark needs. */
export interface PlacedModel {
  model: MarkModel
  margin: number
}

/** The sides of the whole picture, in pixels. */
interface ImageSize {
  imageWidth: number
  imageHeight: number
}

/** One guess: a mark at a place. */
export interface Candidate {
  mark: string
  margin: number
  /** Pixels of this picture per native pixel; 1 for a picture that was not resized. */
  scale: number
  /** Distance of the square's far sides from the right and bottom edge, in pixels of this picture. */
  reach: number
  /**
   * The ways the mark could be drawn there, most likely first. For a resized mark: the most likely kernel, moved by parts
   * of a pixel, or with `allKernels` every one.
   */
  lay(shiftX?: number, shiftY?: number, allKernels?: boolean): LaidMark[]
  /** Centre of the star and half its size, in pixels of this picture. */
  centreX: number
  centreY: number
  radius: number
  /** Full opacity of the mark. */
  opacity: number
}

/** Where each native mark sits, in pixels from the right and bottom edge. 89 was reported for some JPEG files only. */
const MARGINS: readonly (readonly [NativeMark, number])[] = [
  ['v1-48', 32],
  ['v1-96', 64],
  ['v2-48', 96],
  ['v2-96', 192],
  ['v2-48', 89],
]

function marginOf(mark: NativeMark): number {
  return MARGINS.find(([name]) => name === mark)![1]
}

function sizeOf(mark: NativeMark): number {
  return mark.endsWith('96') ? 96 : 48
}

function opacityOf(mark: string): number {
  return mark.startsWith('v1') ? 0.5 : 0.3
}

/** A resized star smaller than this is not looked for: too little outline to be sure. */
const SMALLEST_SCALED = 18

function placed(
  mark: string,
  margin: number,
  size: number,
  models: () => readonly MarkModel[],
  image: ImageSize,
): Candidate[] {
  const x = image.imageWidth - margin - size
  const y = image.imageHeight - margin - size
  if (x < 0 || y < 0) return []
  return [
    {
      mark,
      margin,
      scale: 1,
      reach: margin + size,
      centreX: x + size / 2,
      centreY: y + size / 2,
      radius: size / 2,
      opacity: opacityOf(mark),
      lay: () => models().map((model) => layNative(model, x, y)),
    },
  ]
}

/** The native marks at their native places, and the caller's own. */
export function nativeCandidates(image: ImageSize, own: readonly PlacedModel[]): Candidate[] {
  return [
    ...own.flatMap(({ model, margin }) => placed(model.name, margin, model.size, () => [model], image)),
    ...MARGINS.flatMap(([mark, margin]) => placed(mark, margin, sizeOf(mark), () => markModels(mark), image)),
  ]
}

function scaled(mark: NativeMark, width: number, height: number, image: ImageSize): Candidate[] {
  const scaleX = image.imageWidth / width
  const scaleY = image.imageHeight / height
  const margin = marginOf(mark)
  const size = sizeOf(mark)
  const [x, y] = [width - margin - size, height - margin - size]
  if (x < 0 || y < 0 || size * Math.min(scaleX, scaleY) < SMALLEST_SCALED) return []
  const lay = (shiftX = 0, shiftY = 0, allKernels = false) => {
    const [model] = markModels(mark)
    const kernels = allKernels ? PICTURE_KERNELS : PICTURE_KERNELS.slice(0, 1)
    return kernels.map((kernel) => layScaled(model!, x + shiftX / scaleX, y + shiftY / scaleY, scaleX, scaleY, kernel))
  }
  return [
    {
      mark,
      margin,
      scale: scaleX,
      reach: (margin + size) * Math.max(scaleX, scaleY),
      centreX: (x + size / 2) * scaleX,
      centreY: (y + size / 2) * scaleY,
      radius: (size / 2) * Math.min(scaleX, scaleY),
      opacity: opacityOf(mark),
      lay,
    },
  ]
}

/** Marks that were resized together with their picture: every native size of the same shape. */
export function scaledCandidates(image: ImageSize): Candidate[] {
  const { imageWidth, imageHeight } = image
  const long = Math.max(imageWidth, imageHeight)
  const short = Math.min(imageWidth, imageHeight)
  const candidates: Candidate[] = []
  const add = (nativeLong: number, nativeShort: number, marks: readonly NativeMark[]) => {
    const [width, height] = imageWidth >= imageHeight ? [nativeLong, nativeShort] : [nativeShort, nativeLong]
    for (const mark of marks) candidates.push(...scaled(mark, width, height, image))
  }
  for (const native of NATIVE_SIZES) {
    const scale = long / native.long
    if (scale === 1 || scale > 2) continue
    if (Math.abs(native.short * scale - short) > 1) continue
    add(native.long, native.short, native.marks)
  }
  if (long === NARROW_PREVIEW.long && short < NARROW_PREVIEW.shortBelow) {
    add(NARROW_PREVIEW.from, (short * NARROW_PREVIEW.from) / NARROW_PREVIEW.long, ['v2-96'])
  }
  return candidates
}

/** Pixels a mark's surround and the rounding of a resized place may add. */
const SLACK = 16

/** How far from the right and bottom edge marks are looked for, in pixels: file doors decode no more than that. */
export function reachOf(
  imageWidth: number,
  imageHeight: number,
  { models = [], scaled: withScaled = true }: { models?: readonly PlacedModel[]; scaled?: boolean },
): number {
  const image = { imageWidth, imageHeight }
  const candidates = [...nativeCandidates(image, models), ...(withScaled ? scaledCandidates(image) : [])]
  return Math.ceil(Math.max(0, ...candidates.map(({ reach }) => reach))) + SLACK
}
