import { WatermarkError } from './error.ts'

/** Raw pixels: 8-bit RGBA, four bytes a pixel, row major, not premultiplied. The shape of `ImageData` and jimp's bitmap. */
export interface RawImage {
  width: number
  height: number
  data: Uint8Array | Uint8ClampedArray
}

/**
 * A part of a picture: the pixels of `width`×`height` at (`x`,`y`) of a picture of `imageWidth`×`imageHeight`.
 * The file doors decode only this much.
 */
export interface PixelWindow extends RawImage {
  x: number
  y: number
  imageWidth: number
  imageHeight: number
}

/** @throws {WatermarkError} `invalid_image` when the sides or the length of `data` cannot be right. */
export function checkRawImage({ width, height, data }: RawImage): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new WatermarkError(
      'invalid_image',
      `width and height must be whole pixels above zero, not ${width}×${height}`,
    )
  }
  if (!ArrayBuffer.isView(data) || data.length !== width * height * 4) {
    throw new WatermarkError(
      'invalid_image',
      `data must be ${width * height * 4} bytes of RGBA for ${width}×${height} pixels, not ${data?.length}`,
    )
  }
}

/** The whole picture as a window of itself; shares the pixels. */
export function wholeWindow(image: RawImage): PixelWindow {
  const { width, height, data } = image
  return { width, height, data, x: 0, y: 0, imageWidth: width, imageHeight: height }
}
