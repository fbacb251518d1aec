import { StateError } from './error.ts'

/** Largest value as JSON text, in bytes of UTF-8 at most: 1 MiB. */
const MAX_VALUE_BYTES = 1_048_576

/** @throws {StateError} `invalid` unless it is 1 to 512 characters without control characters. */
export function checkKey(key: string): void {
  // eslint-disable-next-line no-control-regex
  if (typeof key === 'string' && key.length > 0 && key.length <= 512 && !/[\u0000-\u001f\u007f]/.test(key)) return
  throw new StateError('invalid', 'A key must be 1 to 512 characters without control characters')
}

/** @throws {StateError} `invalid` unless it is a whole number of milliseconds above 0. */
export function checkTtl(ttlMs: number | undefined): void {
  if (ttlMs === undefined || (Number.isSafeInteger(ttlMs) && ttlMs > 0)) return
  throw new StateError('invalid', `ttlMs must be a whole number of milliseconds above 0, not ${ttlMs}`)
}

/** @throws {StateError} `invalid` unless both are whole numbers. */
export function checkCount({ by = 1, max = 0 }: { by?: number | undefined; max?: number | undefined }): void {
  if (Number.isSafeInteger(by) && Number.isSafeInteger(max)) return
  throw new StateError('invalid', 'by and max must be whole numbers')
}

/** @throws {StateError} `invalid` for what JSON cannot hold, `too_large` over the limit. */
export function toJson(key: string, value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    text = undefined
  }
  if (text === undefined) throw new StateError('invalid', `The value of "${key}" is not JSON`)
  const size =
    text.length > MAX_VALUE_BYTES
      ? text.length
      : text.length * 3 <= MAX_VALUE_BYTES
        ? 0
        : new TextEncoder().encode(text).length
  if (size <= MAX_VALUE_BYTES) return text
  throw new StateError(
    'too_large',
    `The value of "${key}" is larger than ${MAX_VALUE_BYTES} bytes; split it into several records`,
  )
}
