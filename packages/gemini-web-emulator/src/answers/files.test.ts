import { expect, it } from 'vitest'
import { quoteText, readPictureSize } from './files.ts'

const bytes = (...parts: Array<string | number[]>): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'string' ? Array.from(part, (character) => character.charCodeAt(0)) : part,
    ),
  )

it.each([
  ['PNG', bytes('\x89PNG\r\n\x1a\n', [0, 0, 0, 13], 'IHDR', [0, 0, 1, 0, 0, 0, 0, 5]), { width: 256, height: 5 }],
  ['GIF', bytes('GIF89a', [3, 0, 4, 0, 0]), { width: 3, height: 4 }],
  [
    'JPEG',
    bytes([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 17, 8, 0, 7, 0, 9, 3, 0, 0, 0, 0]),
    { width: 9, height: 7 },
  ],
  [
    'WebP',
    bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8X', [10, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 4, 0, 0, 0]),
    { width: 10, height: 5 },
  ],
  [
    'lossless WebP',
    bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8L', [0, 0, 0, 0, 0x2f, 0x09, 0, 1, 0, 0, 0, 0, 0]),
    { width: 10, height: 5 },
  ],
  [
    'lossy WebP',
    bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8 ', [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 10, 0, 5, 0]),
    { width: 10, height: 5 },
  ],
  ['text', bytes('hello'), undefined],
  ['a JPEG that ends early', bytes([0xff, 0xd8, 0xff, 0xe0]), undefined],
])('reads the size of %s', (_, data, size) => {
  expect(readPictureSize(data)).toEqual(size)
})

it('quotes every line', () => {
  expect(quoteText('a\n\nb\n')).toBe('> a\n> \n> b')
})
