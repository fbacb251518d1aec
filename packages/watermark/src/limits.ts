import { WatermarkError } from './error.ts'

/** What a file may cost. Both are checked before anything is decoded. */
export interface Limits {
  /** Largest file, in bytes. Default 67 108 864 (64 MiB). */
  maxBytes?: number
  /** Largest picture, in pixels (width × height). Default 67 108 864 (8192 × 8192). */
  maxPixels?: number
}

export const MAX_BYTES = 67_108_864
const MAX_PIXELS = 67_108_864

/** @throws {WatermarkError} `too_large`. */
export function checkBytes(bytes: Uint8Array, { maxBytes = MAX_BYTES }: Limits): void {
  if (bytes.length > maxBytes) {
    throw new WatermarkError('too_large', `The file has ${bytes.length} bytes; maxBytes allows ${maxBytes}`)
  }
}

/** @throws {WatermarkError} `too_large`. */
export function checkPixels(width: number, height: number, { maxPixels = MAX_PIXELS }: Limits): void {
  if (width * height > maxPixels) {
    throw new WatermarkError('too_large', `The picture has ${width}×${height} pixels; maxPixels allows ${maxPixels}`)
  }
}
