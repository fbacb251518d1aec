export { base64ToUint8Array as base64ToBytes, uint8ArrayToBase64 as bytesToBase64 } from 'uint8array-extras'

const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * Standard base64 with padding, out of what clients send: line breaks, the URL-safe alphabet, percent-escapes,
 * missing padding. Undefined when it is not base64 at all, or empty.
 */
export function normalizeBase64(text: string): string | undefined {
  let data = text
  if (!STANDARD.test(data) || data.length % 4 !== 0) {
    if (data.includes('%')) {
      try {
        data = decodeURIComponent(data)
      } catch {
        return undefined
      }
    }
    data = data.replace(/\s+/g, '').replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '')
    const rest = data.length % 4
    if (!STANDARD.test(data) || rest === 1) return undefined
    if (rest > 0) data += '='.repeat(4 - rest)
  }
  return data === '' ? undefined : data
}
