import {
  buildVideoEnvelope,
  findResult,
  imageSizeUrl,
  isMp4,
  originalImageStartUrl,
  readChatTurns,
  readOriginalImageUrl,
  readVideoEnvelope,
  RPC,
} from '@castorjs/gemini-web-protocol'
import jpeg from 'jpeg-js'
import { describe, expect, it } from 'vitest'
import type { RawPicture } from '../src/index.ts'
import { quietEmulator, signedIn, type Visitor } from './visitor.ts'

const FORBIDDEN_COOKIES = ['COMPASS']

/** Only the cookies that may go to download hosts. */
function allowed(visitor: Visitor): string {
  return [...visitor.cookies]
    .filter(([name]) => !FORBIDDEN_COOKIES.includes(name))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
}

/** Follows redirects and text hops by hand. */
async function follow(
  visitor: Visitor,
  start: string,
  cookie = allowed(visitor),
): Promise<{ hosts: string[]; response: Response; hops: string[] }> {
  const hosts: string[] = []
  const hops: string[] = []
  let url = start
  for (;;) {
    hosts.push(new URL(url).host)
    hops.push(url)
    const response = await visitor.request(url, { headers: { cookie, referer: 'https://gemini.google.com/' } })
    const next =
      response.status === 302
        ? response.headers.get('location')
        : response.status === 200 && response.headers.get('content-type') === 'text/plain'
          ? await response.text()
          : null
    if (next === null || next.includes('ServiceLogin')) return { hosts, response, hops }
    url = next
  }
}

async function picture(visitor: Visitor, prompt = 'Draw a lighthouse') {
  const reply = await visitor.ask(prompt)
  const image = reply.candidates[0]?.images[0]
  const payload = [
    [
      [null, null, null, [null, null, null, null, null, '']],
      [image?.imageId, 0],
      null,
      [19, ''],
      null,
      null,
      null,
      null,
      null,
      '',
    ],
    [reply.responseId, reply.candidateId, reply.chatId, null, ''],
    1,
    0,
    1,
  ]
  const original = readOriginalImageUrl(
    findResult(await visitor.call(RPC.originalImage, payload), RPC.originalImage)?.payload,
  )
  return { preview: image?.url ?? '', original: original ?? '' }
}

describe('pictures', () => {
  it('lead over three hosts to a preview of the size asked for', async () => {
    const ada = await signedIn(quietEmulator())
    const { preview } = await picture(ada, 'Draw a lighthouse, 640x320')
    for (const [option, width, height] of [
      ['s2048-rj', 640, 320],
      ['s128-rj', 128, 64],
      ['', 512, 256],
    ] as const) {
      const { hosts, response } = await follow(ada, option === '' ? preview : imageSizeUrl(preview, option))
      expect(hosts).toEqual([
        'lh3.googleusercontent.com',
        'work.fife.usercontent.google.com',
        'lh3.googleusercontent.com',
      ])
      expect(response.headers.get('content-type')).toBe('image/jpeg')
      const decoded = jpeg.decode(new Uint8Array(await response.arrayBuffer()))
      expect([decoded.width, decoded.height]).toEqual([width, height])
    }
    const stored = await follow(ada, imageSizeUrl(preview, 's0'))
    expect(stored.response.headers.get('content-type')).toBe('image/png')
  })

  it('give the original as PNG with provenance over hops of text', async () => {
    const ada = await signedIn(quietEmulator())
    const { original } = await picture(ada)
    const { hosts, response } = await follow(ada, originalImageStartUrl(original))
    expect(hosts).toEqual([
      'lh3.googleusercontent.com',
      'work.fife.usercontent.google.com',
      'lh3.googleusercontent.com',
    ])
    expect([response.headers.get('content-type'), response.headers.get('content-disposition')]).toEqual([
      'image/png',
      expect.stringMatching(/^attachment; filename="Gemini_Generated_Image_\w+\.png"$/),
    ])
    const bytes = new Uint8Array(await response.arrayBuffer())
    const view = new DataView(bytes.buffer)
    expect([view.getUint32(16), view.getUint32(20), new TextDecoder().decode(bytes.subarray(37, 41))]).toEqual([
      1024,
      1024,
      'caBX',
    ])
    expect(new TextDecoder('latin1').decode(bytes)).toContain('tEXtSoftware\0castor-emulator')
  })

  it('are the same for the same words and carry the mark that is given', async () => {
    const bytes = async (drawMark?: (picture: RawPicture) => void): Promise<Uint8Array> => {
      const ada = await signedIn(quietEmulator(drawMark === undefined ? {} : { drawMark }))
      const { response } = await follow(ada, originalImageStartUrl((await picture(ada, 'Draw a boat 64x48')).original))
      return new Uint8Array(await response.arrayBuffer())
    }
    const plain = await bytes()
    expect(await bytes()).toEqual(plain)
    let seen = ''
    const marked = await bytes((raw) => {
      seen = `${raw.width}x${raw.height} ${raw.data.length}`
      raw.data.fill(255, raw.data.length - 64)
    })
    expect(seen).toBe('64x48 12288')
    expect(marked).not.toEqual(plain)
    expect(new TextDecoder('latin1').decode(marked)).toContain('Added visible watermark')
    expect(new TextDecoder('latin1').decode(plain)).not.toContain('Added visible watermark')
  })

  it('refuse a hop that was used, and cookies that are missing, foreign or host-only', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const { preview } = await picture(ada, 'Draw a boat 64x48')
    const { hops } = await follow(ada, preview)
    expect((await ada.request(hops[1] ?? '', { headers: { cookie: allowed(ada) } })).status).toBe(403)
    const grace = await signedIn(emulator, 'grace')
    expect((await follow(ada, preview, 'NID=1')).response.status).toBe(403)
    expect((await follow(ada, preview, allowed(grace))).response.status).toBe(403)
    for (const name of ['COMPASS', 'OSID', 'LSID', '__Host-1PLSID'])
      expect((await follow(ada, preview, `${allowed(ada)}; ${name}=x`)).response.status).toBe(403)
    emulator.controls.set({ downloadRefusal: 'sign-in' })
    expect((await follow(ada, preview, 'NID=1')).response.headers.get('location')).toContain('accounts.google.com')
    emulator.controls.set({ checks: { downloadCookies: false } })
    expect((await follow(ada, preview, 'NID=1')).response.status).toBe(200)
  })
})

describe('video and music', () => {
  it('answers 206 until the clip is ready, then an MP4, or one in an envelope', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const reply = await ada.ask('a paper boat', { tool: 'video' })
    emulator.controls.advance(200)
    const turns = readChatTurns(
      findResult(await ada.call(RPC.readChat, [reply.chatId, 1, null, 1, [1], [4], null, 1]), RPC.readChat)?.payload,
    )
    const url = turns[0]?.candidates[0]?.videos[0]?.url ?? ''
    const get = (): Promise<Response> => ada.request(url, { headers: { cookie: allowed(ada) } })
    expect((await get()).status).toBe(206)
    emulator.controls.advance(200)
    const ready = await get()
    expect([ready.status, ready.headers.get('content-type')]).toEqual([200, 'video/mp4'])
    const clip = new Uint8Array(await ready.arrayBuffer())
    expect([isMp4(clip), clip.length > 4_000_000]).toEqual([true, true])
    emulator.controls.set({ videoEnvelope: true })
    const wrapped = await get()
    expect(wrapped.headers.get('content-type')).toBe('application/protobuf')
    const envelope = new Uint8Array(await wrapped.arrayBuffer())
    expect(envelope.length).toBe(buildVideoEnvelope({ data: clip, mimeType: 'video/mp4' }).length)
    expect(readVideoEnvelope(envelope)?.data.length).toBe(clip.length)
    const temporary = url.replace(/c=[^&]+/, `c=${btoa('temp_data/x')}`)
    expect((await ada.request(temporary, { headers: { cookie: allowed(ada) } })).status).toBe(403)
  })

  it('gives out track, captions and cover', async () => {
    const ada = await signedIn(quietEmulator())
    const music = (await ada.ask('quiet harbour', { tool: 'music' })).candidates[0]?.music
    const track = await follow(ada, music?.audio?.url ?? '')
    expect(track.response.headers.get('content-type')).toBe('audio/mpeg')
    expect(new TextDecoder().decode(new Uint8Array(await track.response.arrayBuffer()).subarray(0, 3))).toBe('ID3')
    const captions = await follow(ada, music?.captionsUrl ?? '')
    expect(await captions.response.text()).toMatch(/^WEBVTT\n\n1\n00:00:00\.000 --> 00:00:05\.000\nquiet harbour\n/)
    expect(
      (await follow(ada, imageSizeUrl(music?.audio?.thumbnailUrl ?? '', 's0'))).response.headers.get('content-type'),
    ).toBe('image/png')
  })
})
