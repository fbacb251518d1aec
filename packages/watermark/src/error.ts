/**
 * Why a picture could not be worked on.
 *
 * - `invalid_image`: raw pixels whose `data` does not fit `width`×`height`, or a zero side.
 * - `invalid_option`: an option is out of range; the message names it.
 * - `unknown_format`: the bytes are not a picture this door reads.
 * - `unsupported`: a real picture of a kind this door does not read (animated, interlaced, 16-bit, progressive, CMYK …).
 * - `truncated`: the file ends too early.
 * - `corrupt`: the file contradicts itself.
 * - `too_large`: a limit on bytes or pixels; checked before anything is decoded.
 * - `missing_peer`: the door needs an optional package that is not installed.
 */
export type WatermarkErrorCode =
  | 'invalid_image'
  | 'invalid_option'
  | 'unknown_format'
  | 'unsupported'
  | 'truncated'
  | 'corrupt'
  | 'too_large'
  | 'missing_peer'

const BRAND = Symbol.for('@castorjs/watermark.error')

/** The one error of this package. Never holds picture data. */
export class WatermarkError extends Error {
  readonly code: WatermarkErrorCode

  constructor(code: WatermarkErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'WatermarkError'
    this.code = code
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** True for a `WatermarkError`, also one from another installed copy of this package. */
export function isWatermarkError(value: unknown): value is WatermarkError {
  return value instanceof Error && BRAND in value
}
