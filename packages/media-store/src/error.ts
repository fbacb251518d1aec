const BRAND = Symbol.for('@castorjs/media-store/error')

/**
 * - `too_large`: one item is over the limit; nothing was kept.
 * - `full`: the home has no room left.
 * - `denied`: the home refuses us: credentials, clock or file permissions.
 * - `unavailable`: the home cannot be reached or failed.
 * - `not_configured`: something needed for this call was not set.
 */
export type MediaStoreErrorCode = 'too_large' | 'full' | 'denied' | 'unavailable' | 'not_configured'

/** Why bytes could not be kept or handed out. The message is ours and safe to show; it holds no key or signed URL. */
export class MediaStoreError extends Error {
  readonly code: MediaStoreErrorCode

  constructor(code: MediaStoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MediaStoreError'
    this.code = code
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises a MediaStoreError of any installed copy of this package. */
export function isMediaStoreError(value: unknown): value is MediaStoreError {
  return value instanceof Error && BRAND in value
}
