export { readImport, readJsonImport } from './read-import.ts'
export { BOUND_ADVICE, type CookieImport, type ImportForm } from './describe.ts'
export { CookieImportError, isCookieImportError, type CookieImportErrorCode } from './error.ts'
export type { ExportedCookie } from './cookie.ts'
