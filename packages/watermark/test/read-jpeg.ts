import { Jimp } from 'jimp'
import type { RawImage } from '../src/image.ts'

/** Decodes a picture with jimp (jpeg-js inside): an opinion independent of ours. */
export async function readWithJimp(bytes: Uint8Array): Promise<RawImage> {
  const { bitmap } = await Jimp.fromBuffer(bytes.slice().buffer)
  return { width: bitmap.width, height: bitmap.height, data: new Uint8Array(bitmap.data) }
}
