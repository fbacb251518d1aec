import { describe, expect, it } from 'vitest'
import { base64ToBytes, bytesToBase64 } from './base64.ts'
import { inlineBytes, readInlineBytes } from './inline-bytes.ts'

/** Every byte at every place, in every length. */
const samples = Array.from({ length: 260 }, (_, length) =>
  Uint8Array.from({ length }, (_byte, index) => (index * 37 + length * 11) & 255),
)

describe('base64', () => {
  it('is what Node writes, and comes back', () => {
    for (const bytes of samples) {
      const text = Buffer.from(bytes).toString('base64')
      expect(bytesToBase64(bytes)).toBe(text)
      expect(base64ToBytes(text)).toEqual(bytes)
      expect(base64ToBytes(Buffer.from(bytes).toString('base64url'))).toEqual(bytes)
    }
  })

  it('refuses what is none', () => {
    for (const text of ['@@@@', 'QUJ\u00e9', 'Q']) {
      expect(() => base64ToBytes(text)).toThrow(/invalid character|not correctly encoded/i)
    }
  })
})

describe('inline data out of bytes', () => {
  it('is inline data like any other, and gives the very same bytes back', () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const inline = inlineBytes(bytes, 'image/png')
    expect(JSON.stringify(inline)).toBe('{"mimeType":"image/png","data":"AQID"}')
    expect(readInlineBytes(inline)).toBe(bytes)
    expect(readInlineBytes({ ...inline })).toEqual(bytes)
  })
})
