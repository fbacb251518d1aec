import { describe, expect, it } from 'vitest'
import { keyFrame, parameterSets, repeatFrame } from './h264.ts'
import { makeSound } from './mp3.ts'
import { makeVideo } from './mp4.ts'
import { encodePng } from './png.ts'
import { drawScene } from './scene.ts'

const text = (bytes: Uint8Array, from = 0, to = bytes.length): string =>
  new TextDecoder('latin1').decode(bytes.subarray(from, to))

describe('PNG', () => {
  it('holds the pixels that were drawn', async () => {
    const picture = await drawScene({ width: 37, height: 29, prompt: 'a boat' })
    const png = await encodePng(picture, { title: 'boot ß', marked: false })
    const view = new DataView(png.buffer)
    const chunks = new Map<string, Uint8Array<ArrayBuffer>>()
    for (let offset = 8; offset < png.length; offset += 12 + view.getUint32(offset)) {
      chunks.set(text(png, offset + 4, offset + 8), png.slice(offset + 8, offset + 8 + view.getUint32(offset)))
    }
    expect([...chunks.keys()]).toEqual(['IHDR', 'caBX', 'tEXt', 'IDAT', 'IEND'])
    const inflated = new Uint8Array(
      await new Response(
        new Blob([chunks.get('IDAT') ?? '']).stream().pipeThrough(new DecompressionStream('deflate')),
      ).arrayBuffer(),
    )
    const stride = 37 * 4
    const pixels = new Uint8ClampedArray(stride * 29)
    for (let row = 0; row < 29; row++) {
      expect(inflated[row * (stride + 1)]).toBe(2)
      for (let index = 0; index < stride; index++)
        pixels[row * stride + index] =
          ((inflated[row * (stride + 1) + 1 + index] ?? 0) +
            (row === 0 ? 0 : (pixels[(row - 1) * stride + index] ?? 0))) &
          255
    }
    expect(pixels).toEqual(picture.data)
    expect(text(png)).toContain('tEXtTitle\0boot ?')
  })

  it('shows the same scene for the same words only', async () => {
    const draw = async (prompt: string): Promise<Uint8ClampedArray> =>
      (await drawScene({ width: 16, height: 16, prompt })).data
    expect(await draw('a')).toEqual(await draw('a'))
    expect(await draw('a')).not.toEqual(await draw('b'))
  })
})

describe('MP4', () => {
  it('has boxes that add up and samples where the table says', async () => {
    const video = await makeVideo({ width: 32, height: 16, seconds: 1, prompt: 'a boat', keyEverySeconds: 1 })
    const view = new DataView(video.buffer)
    const boxes: string[] = []
    let data = 0
    for (let offset = 0; offset < video.length; offset += view.getUint32(offset)) {
      boxes.push(text(video, offset + 4, offset + 8))
      if (boxes.at(-1) === 'mdat') data = offset + 8
    }
    expect(boxes).toEqual(['ftyp', 'moov', 'mdat'])
    const stco = text(video).indexOf('stco')
    expect(view.getUint32(stco + 12)).toBe(data)
    const stsz = text(video).indexOf('stsz')
    const sizes = Array.from({ length: view.getUint32(stsz + 12) }, (_, index) => view.getUint32(stsz + 16 + index * 4))
    expect(sizes).toHaveLength(24)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(video.length - data)
    expect(view.getUint32(data)).toBe((sizes[0] ?? 0) - 4)
    expect(video[data + 4]).toBe(0x65)
  })

  it('never writes a start code into a unit', async () => {
    const { sps, pps } = parameterSets(1280, 720)
    const units = [
      sps,
      pps,
      keyFrame({ width: 16, height: 16, data: new Uint8ClampedArray(1024) }, 0),
      ...Array.from({ length: 16 }, (_, index) => repeatFrame({ width: 4096, height: 4096 }, index)),
    ]
    for (const unit of units) {
      let zeros = 0
      for (const [index, byte] of unit.entries()) {
        expect(zeros < 2 || byte > 2, `unit ${unit[0]} at ${index}`).toBe(true)
        zeros = byte === 0 ? zeros + 1 : 0
      }
    }
  })
})

it('MP3 is a title and frames to the end', () => {
  const sound = makeSound({ seconds: 2, title: 'Été 漢.mp3' })
  expect(text(sound, 0, 3)).toBe('ID3')
  const tag = 10 + ((sound[6] ?? 0) << 21) + ((sound[7] ?? 0) << 14) + ((sound[8] ?? 0) << 7) + (sound[9] ?? 0)
  expect(new TextDecoder('utf-16le').decode(sound.subarray(23, tag))).toBe('Été 漢.mp3')
  const frames = (sound.length - tag) / 417
  expect(frames).toBe(Math.ceil((2 * 44_100) / 1_152))
  for (let frame = 0; frame < frames; frame++)
    expect([...sound.subarray(tag + frame * 417, tag + frame * 417 + 4)]).toEqual([0xff, 0xfb, 0x90, 0xc4])
})
