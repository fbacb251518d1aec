import { describe, expect, it } from 'vitest'
import { toInlinePart } from './inline-part.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'
const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64')
const MP4 = base64('\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08free')
const WAV = base64('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\0\0\0\0')
const field = 'messages[0].content[0].image_url.url'

describe('toInlinePart', () => {
  it.each([
    ['parameters in the label', `data:image/png;charset=utf-8;base64,${PNG}`, 'image/png'],
    ['a wrong label', `data:image/jpeg;base64,${PNG}`, 'image/png'],
    ['a label like a method', `data:constructor;base64,${PNG}`, 'image/png'],
    ['no label', `data:;base64,${PNG}`, 'image/png'],
    ['a label that says nothing', `data:application/octet-stream;base64,${PNG}`, 'image/png'],
    ['a film called a picture', `data:image/png;base64,${MP4}`, 'video/mp4'],
    ['a sound called a picture', `data:image/png;base64,${WAV}`, 'audio/wav'],
    ['a PDF called a picture', `data:image/png;base64,${base64('%PDF-1.7\n')}`, 'application/pdf'],
    ['text', `data:text/markdown;base64,${base64('# Hello')}`, 'text/markdown'],
    ['text without a label', `data:;base64,${base64('Hello')}`, 'text/plain'],
  ])('reads the type from the bytes: %s', async (_, data, mimeType) => {
    expect((await toInlinePart({ data, field })).inlineData?.mimeType).toBe(mimeType)
  })

  it('normalises base64 with line breaks, the URL-safe alphabet, percent-escapes and no padding', async () => {
    const urlSafe = PNG.replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
    const forms = [`${PNG.slice(0, 40)}\r\n ${PNG.slice(40)}`, urlSafe, encodeURIComponent(PNG)]
    for (const data of forms) {
      expect(await toInlinePart({ data: `data:image/png;base64,${data}`, field })).toEqual({
        inlineData: { mimeType: 'image/png', data: PNG },
      })
    }
  })

  it('percent-decodes a data URL without base64', async () => {
    expect(await toInlinePart({ data: 'data:text/plain,Gr%C3%BC%C3%9Fe', field })).toEqual({
      inlineData: { mimeType: 'text/plain', data: Buffer.from('Grüße').toString('base64') },
    })
  })

  it.each([
    ['broken base64', 'data:image/png;base64,@@@@', 'is not valid base64, or it is empty.'],
    ['no data', 'data:image/png;base64,', 'is not valid base64, or it is empty.'],
    ['no comma', 'data:image/png;base64', 'is not a data URL: it must be data:<type>;base64,<data>.'],
  ])('refuses %s', async (_, data, message) => {
    await expect(toInlinePart({ data, field })).rejects.toMatchObject({
      code: 'invalid_request',
      field,
      message: `\`${field}\` ${message}`,
    })
  })

  it('refuses what Gemini does not read, by name', async () => {
    await expect(toInlinePart({ data: `data:image/gif;base64,${GIF}`, field })).rejects.toMatchObject({
      code: 'unsupported',
      message: `\`${field}\`: unsupported image type image/gif. Send png, jpeg, webp, heic or heif.`,
    })
    await expect(
      toInlinePart({ data: `data:image/png;base64,${base64('\x01\x02\x03\x04')}`, field }),
    ).rejects.toMatchObject({
      code: 'invalid_request',
      field,
    })
  })
})
