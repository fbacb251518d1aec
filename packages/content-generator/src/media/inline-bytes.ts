import type { InlineData } from '../schema.ts'
import { base64ToBytes, bytesToBase64 } from './base64.ts'

const known = new WeakMap<InlineData, Uint8Array>()

/**
 * Inline data out of bytes. Its base64 is made when somebody reads `data`; who wants the bytes, such as a store of
 * media, takes them with `readInlineBytes`. A picture of 30 MB is not turned into text and back on its way.
 */
export function inlineBytes(bytes: Uint8Array, mimeType: string): InlineData {
  let text: string | undefined
  const inline: InlineData = {
    mimeType,
    get data() {
      return (text ??= bytesToBase64(bytes))
    },
  }
  known.set(inline, bytes)
  return inline
}

/**
 * The bytes of inline data, not copied where it was made by `inlineBytes`; they are not to be written to.
 *
 * @throws {DOMException} when `data` is no base64.
 */
export function readInlineBytes(inline: InlineData): Uint8Array {
  return known.get(inline) ?? base64ToBytes(inline.data)
}
