import jpeg from 'jpeg-js'
import { previewSize } from '../answers/picture-size.ts'
import type { Asset } from '../assets.ts'
import { makeSound } from './mp3.ts'
import { makeVideo } from './mp4.ts'
import { encodePng } from './png.ts'
import { drawScene } from './scene.ts'

/** A picture in memory: RGBA, four bytes per pixel, row by row. */
export interface RawPicture {
  width: number
  height: number
  data: Uint8ClampedArray<ArrayBuffer>
}

/** Draws the visible mark into a picture, in place. */
export type DrawMark = (picture: RawPicture) => void | Promise<void>

interface MediaBytes {
  bytes: Uint8Array<ArrayBuffer>
  mimeType: string
}

/** Makes the bytes of assets, once each, when they are asked for. */
export interface Media {
  /** A picture with the option of its URL: none, `s1024-rj`, `s2048`, `s0`, `s0-d-I`. */
  picture(asset: Asset, option: string): Promise<MediaBytes>
  /** Video, audio or captions. */
  file(asset: Asset): Promise<MediaBytes>
}

/** Files kept in memory, in bytes. */
const CACHE_BYTES = 67_108_864

export function createMedia({ drawMark }: { drawMark?: DrawMark } = {}): Media {
  const cache = new Map<string, Promise<MediaBytes>>()
  let held = 0

  /** Two requests for one file wait for the same bytes. */
  function once(key: string, make: () => Promise<MediaBytes>): Promise<MediaBytes> {
    const known = cache.get(key)
    if (known !== undefined) return known
    const made = make()
    cache.set(key, made)
    void made.then(
      ({ bytes }) => {
        held += bytes.byteLength
        void trim()
      },
      () => cache.delete(key),
    )
    return made
  }

  async function trim(): Promise<void> {
    for (const [key, oldest] of cache) {
      if (held <= CACHE_BYTES || cache.size <= 1) break
      cache.delete(key)
      held -= (await oldest).bytes.byteLength
    }
  }

  async function makePicture(asset: Asset, option: string): Promise<MediaBytes> {
    const original = option.startsWith('s0') || option === ''
    const longest = option === '' ? 512 : Number(/^s(\d+)/.exec(option)?.[1] ?? 512)
    const size = original && option !== '' ? asset : previewSize(asset, longest)
    const picture = await drawScene({ width: size.width, height: size.height, prompt: asset.prompt })
    await drawMark?.(picture)
    if (option === '' || option.includes('-rj')) {
      return {
        bytes: new Uint8Array(jpeg.encode({ ...picture, data: new Uint8Array(picture.data.buffer) }, 85).data),
        mimeType: 'image/jpeg',
      }
    }
    return {
      bytes: await encodePng(picture, { title: asset.name, marked: drawMark !== undefined }),
      mimeType: 'image/png',
    }
  }

  async function makeFile({ kind, name, prompt, width, height, seconds }: Asset): Promise<MediaBytes> {
    switch (kind) {
      case 'audio':
        return { bytes: makeSound({ seconds, title: name }), mimeType: 'audio/mpeg' }
      case 'captions':
        return { bytes: new TextEncoder().encode(captions(seconds, prompt)), mimeType: 'text/vtt' }
      case 'video':
      case 'picture':
        return {
          bytes: await makeVideo({ width, height, seconds, prompt, keyEverySeconds: seconds > 10 ? seconds : 2 }),
          mimeType: 'video/mp4',
        }
    }
  }

  return {
    picture: (asset, option) => once(`${asset.id}/${option}`, () => makePicture(asset, option)),
    file: (asset) => once(asset.id, () => makeFile(asset)),
  }
}

function captions(seconds: number, prompt: string): string {
  const at = (second: number): string => `00:00:${String(second).padStart(2, '0')}.000`
  const line = prompt.replace(/\s+/g, ' ').replaceAll('-->', '→').trim()
  return `WEBVTT\n\n1\n${at(0)} --> ${at(Math.min(5, seconds))}\n${line}\n\n2\n${at(Math.min(5, seconds))} --> ${at(Math.min(59, seconds))}\n(instrumental)\n`
}
