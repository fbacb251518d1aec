import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DOWNLOAD_COOKIES,
  imageSizeUrl,
  isDownloadHost,
  mediaDownloadUrl,
  originalImageStartUrl,
  readHopUrl,
  readImageSize,
  readMediaReply,
} from './downloads.ts'
import {
  buildUploadReference,
  buildUploadStartReply,
  multipartBody,
  readResumableStartBody,
  readUploadReference,
  readUploadRequest,
  readUploadUrl,
  resumableSendHeaders,
  resumableStartBody,
  resumableStartHeaders,
} from './uploads.ts'
import { buildVideoEnvelope, readVideoEnvelope } from './video-envelope.ts'

describe('uploads', () => {
  const reader = (headers: Record<string, string>) => (name: string) => headers[name]

  it('announces and sends', () => {
    const start = resumableStartHeaders({ pushId: 'feeds/x', bytes: 11, pctx: 'C' })
    expect(readUploadRequest(reader(start))).toEqual({
      command: 'start',
      bytes: 11,
      finalize: false,
      offset: 0,
      pushId: 'feeds/x',
      tenant: 'bard-storage',
    })
    expect(readResumableStartBody(resumableStartBody('hello.txt'))).toBe('hello.txt')
    expect(readUploadUrl(reader(buildUploadStartReply('https://push.clients6.google.com/upload/?upload_id=1')))).toBe(
      'https://push.clients6.google.com/upload/?upload_id=1',
    )
    expect(readUploadRequest(reader(resumableSendHeaders({ pushId: 'feeds/x' })))).toMatchObject({
      command: 'upload',
      finalize: true,
      offset: 0,
    })
    expect(readUploadRequest(reader({ 'push-id': 'feeds/x' }))).toMatchObject({ command: 'multipart' })
  })

  it('writes one multipart part', () => {
    const body = multipartBody({
      name: 'a"b\r\n.txt',
      mimeType: 'text/plain',
      data: new TextEncoder().encode('hello'),
      boundary: 'B',
    })
    expect(new TextDecoder().decode(body)).toBe(
      '--B\r\nContent-Disposition: form-data; name="file"; filename="a%22b  .txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--B--\r\n',
    )
  })

  it('tells a reference from an error page', () => {
    expect(readUploadReference(`${buildUploadReference({ id: 'abc', suffix: 'Ad' })}\n`)).toBe(
      '/contrib_service/ttl_1d/abc_Ad',
    )
    expect(readUploadReference('<html>')).toBeUndefined()
    expect(readUploadReference('/a b')).toBeUndefined()
  })
})

describe('downloads', () => {
  it.each([
    ['lh3.googleusercontent.com', true],
    ['work.fife.usercontent.google.com', true],
    ['contribution.usercontent.google.com:443', true],
    ['google.com', true],
    ['evilgoogle.com', false],
    ['google.com.evil.example', false],
    ['googleusercontent.com', false],
    ['lh3.googleusercontent.com.evil.example', false],
  ])('%s may see cookies: %j', (host, allowed) => {
    expect(isDownloadHost(host)).toBe(allowed)
  })

  it('does not send host-only cookies', () => {
    expect([
      DOWNLOAD_COOKIES.has('__Secure-1PSID'),
      DOWNLOAD_COOKIES.has('COMPASS'),
      DOWNLOAD_COOKIES.has('OSID'),
    ]).toEqual([true, false, false])
  })

  it('replaces the size of a picture instead of adding one', () => {
    expect(imageSizeUrl('https://lh3.googleusercontent.com/gg-dl/abc', 's0')).toBe(
      'https://lh3.googleusercontent.com/gg-dl/abc=s0',
    )
    expect(imageSizeUrl('https://lh3.googleusercontent.com/gg-dl/abc=s1024-rj?x=1', 's2048')).toBe(
      'https://lh3.googleusercontent.com/gg-dl/abc=s2048?x=1',
    )
    expect(readImageSize('https://lh3.googleusercontent.com/gg-dl/abc=s1024-rj')).toBe('s1024-rj')
    expect(originalImageStartUrl('https://lh3.googleusercontent.com/gg/abc')).toBe(
      'https://lh3.googleusercontent.com/gg/abc=d-I?alr=yes',
    )
  })

  it('follows text to the next hop, and only text', () => {
    expect(readHopUrl('text/plain; charset=utf-8', ' https://work.fife.usercontent.google.com/x \n')).toBe(
      'https://work.fife.usercontent.google.com/x',
    )
    expect(readHopUrl('text/plain', 'not a link')).toBeUndefined()
    expect(readHopUrl('image/png', 'https://x.example/')).toBeUndefined()
  })

  it('completes a media link', () => {
    expect(mediaDownloadUrl('https://contribution.usercontent.google.com/download?c=x')).toBe(
      'https://contribution.usercontent.google.com/download?c=x&filename=video.mp4&opi=103135050',
    )
    expect(
      mediaDownloadUrl('https://contribution.usercontent.google.com/download?c=x&filename=a.mp3&opi=1', {
        accountIndex: 2,
      }),
    ).toBe('https://contribution.usercontent.google.com/download?c=x&filename=a.mp3&opi=1&authuser=2')
  })

  it.each([
    [206, '', 'wait'],
    [302, '', 'hop'],
    [403, 'text/html', 'refused'],
    [200, 'text/html', 'sign-in'],
    [200, 'text/plain', 'hop'],
    [200, 'application/protobuf', 'envelope'],
    [200, 'video/mp4', 'file'],
    [500, '', 'error'],
  ])('%i %s means %s', (status, contentType, meaning) => {
    expect(readMediaReply({ status, contentType })).toBe(meaning)
  })
})

describe('video envelope', () => {
  const mp4 = (size: number) =>
    new Uint8Array([0, 0, 0, 24, 0x66, 0x74, 0x79, 0x70, ...Array.from({ length: size }, () => 1)])

  it.each([8, 200, 70_000])('finds a video of %i bytes', (size) => {
    expect(readVideoEnvelope(buildVideoEnvelope({ data: mp4(size), mimeType: 'video/mp4' }))).toEqual({
      data: mp4(size),
      mimeType: 'video/mp4',
    })
  })

  it('survives any bytes and any cut', () => {
    const whole = buildVideoEnvelope({ data: mp4(300), mimeType: 'video/mp4' })
    for (let length = 0; length < whole.length; length++)
      expect(readVideoEnvelope(whole.subarray(0, length))).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(() => readVideoEnvelope(bytes)).not.toThrow()
      }),
    )
  })
})
