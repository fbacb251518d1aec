import { describe, expect, it } from 'vitest'
import { readMediaOptions } from './media-options.ts'

describe('readMediaOptions', () => {
  it('reads the parameters of the reference documents', () => {
    const query = new URLSearchParams('return_origin_image=true&remove_watermark=true&size=1920x1080&response_type=url')
    expect(readMediaOptions(query)).toEqual({
      original: true,
      removeVisibleMark: true,
      size: { width: 1920, height: 1080 },
      delivery: 'url',
    })
  })

  it('says nothing about what was not asked', () => {
    expect(readMediaOptions(new URLSearchParams('key=k&size=auto'), { prompt: 'x' })).toEqual({})
  })

  it('lets the query win over the body', () => {
    const query = new URLSearchParams('remove_watermark=false')
    expect(readMediaOptions(query, { remove_watermark: true, response_type: 'base64' })).toEqual({
      removeVisibleMark: false,
      delivery: 'inline',
    })
  })

  it.each([
    ['size=big', 'size'],
    ['size=0x10', 'size'],
    ['size=99999x1', 'size'],
    ['remove_watermark=maybe', 'remove_watermark'],
    ['response_type=ftp', 'response_type'],
  ])('refuses %s by name', (query, field) => {
    expect(() => readMediaOptions(new URLSearchParams(query))).toThrow(
      expect.objectContaining({ code: 'invalid_request', field }),
    )
  })
})
