import { describe, expect, it } from 'vitest'
import { png } from '../test/pictures.ts'
import { readMediaType } from './media-type.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1)

describe('readMediaType', () => {
  it.each([
    ['a PNG', png(100), 'image/jpeg', { mimeType: 'image/png', extension: 'png' }],
    ['a JPEG without a label', JPEG, undefined, { mimeType: 'image/jpeg', extension: 'jpg' }],
    ['plain text', text('hello'), 'text/plain; charset=utf-8', { mimeType: 'text/plain', extension: 'txt' }],
    ['text called a picture', text('hello'), 'image/png', { mimeType: 'application/octet-stream', extension: 'bin' }],
    ['text without a label', text('hello'), undefined, { mimeType: 'application/octet-stream', extension: 'bin' }],
    ['nonsense for a label', text('hello'), 'x\r\ny: z', { mimeType: 'application/octet-stream', extension: 'bin' }],
    ['SVG', text('<?xml version="1.0"?><svg/>'), 'image/svg+xml', { mimeType: 'image/svg+xml', extension: 'svg' }],
    [
      'XML called a video',
      text('<?xml version="1.0"?><a/>'),
      'video/mp4',
      { mimeType: 'application/xml', extension: 'xml' },
    ],
    ['one byte', Uint8Array.of(0x89), 'image/png', { mimeType: 'application/octet-stream', extension: 'bin' }],
  ])('reads %s', async (_, bytes, label, type) => {
    expect(await readMediaType(bytes, label)).toEqual(type)
  })
})
