import { expect, it } from 'vitest'
import { readAsText, typeByName } from './uploads.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

it.each([
  [{ name: 'a.txt', mimeType: 'text/plain', bytes: bytes('hé') }, 'hé'],
  [{ name: 'a.json', mimeType: 'application/json', bytes: bytes('{}') }, '{}'],
  [{ name: 'a.svg', mimeType: 'image/svg+xml', bytes: bytes('<svg/>') }, '<svg/>'],
  [{ name: 'a.csv', mimeType: 'application/octet-stream', bytes: bytes('a,b') }, 'a,b'],
  [{ name: 'a.bin', mimeType: 'application/octet-stream', bytes: bytes('plain') }, 'plain'],
  [{ name: 'a.bin', mimeType: 'application/octet-stream', bytes: Uint8Array.of(0xff, 0xfe, 0) }, undefined],
  [{ name: 'a.png', mimeType: 'image/png', bytes: bytes('x') }, undefined],
])('reads %o as text or not', (file, text) => {
  expect(readAsText(file)).toBe(text)
})

it('knows types by their ending', () => {
  expect(['A.PNG', 'b.md', 'c', 'd.xyz'].map(typeByName)).toEqual([
    'image/png',
    'text/markdown',
    'application/octet-stream',
    'application/octet-stream',
  ])
})
