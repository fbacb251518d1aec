import { expect, it } from 'vitest'
import { previewSize, readPictureSizeWish } from './picture-size.ts'

it.each([
  ['a boat', 1024, 1024],
  ['a boat, 16:9', 1408, 768],
  ['a boat 16:9 in 2K', 2816, 1536],
  ['a wide boat in 4k', 5504, 3072],
  ['a tall boat', 768, 1376],
  ['a boat 3:2', 1264, 848],
  ['a boat 2K', 2048, 2048],
  ['a boat 4K', 4096, 4096],
  ['a boat, 640x480 please', 640, 480],
  ['a boat 8000x8000', 1024, 1024],
  ['a boat 7:5', 1024, 1024],
])('reads the size of %j', (prompt, width, height) => {
  expect(readPictureSizeWish(prompt)).toEqual({ width, height })
})

it('makes previews that are never larger than the original', () => {
  expect(previewSize({ width: 2816, height: 1536 })).toEqual({ width: 1024, height: 559 })
  expect(previewSize({ width: 64, height: 48 })).toEqual({ width: 64, height: 48 })
  expect(previewSize({ width: 4000, height: 1 }, 512)).toEqual({ width: 512, height: 1 })
})
