const BRAND = Symbol.for('@castorjs/cookie-import/error')

/**
 * - `unreadable`: it is none of the forms we know.
 * - `no_session`: it was read, and there is no Google session in it.
 * - `withheld`: the tool left the cookies out, as browsers do unless asked.
 * - `not_found`: there is no such file or profile.
 */
export type CookieImportErrorCode = 'unreadable' | 'no_session' | 'withheld' | 'not_found'

/** Why no session came out of a text or folder, and what to do. Names of cookies may be in it, values never. */
export class CookieImportError extends Error {
  override readonly name = 'CookieImportError'
  readonly code: CookieImportErrorCode

  constructor(code: CookieImportErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises the error of any installed copy of this package. */
export function isCookieImportError(value: unknown): value is CookieImportError {
  return value instanceof Error && BRAND in value
}
