import type { Part, GenerateRequest } from '../request.ts'
import { createSignature } from '../rules/signatures.ts'
import { toBase64 } from './base64.ts'
import { createPng } from './png.ts'

/** Long side in pixels. Far fewer than Google's, so that tests stay quick; the ratio is right. */
const SIDES: Record<string, number> = { '512': 64, '1K': 128, '2K': 256, '4K': 512 }

/** A draft that is a thought, a sentence if text is wanted, and the picture, each signed as Google signs them. */
export async function drawPicture(request: GenerateRequest, model: string, generation: number): Promise<Part[][]> {
  const { imageConfig = {}, responseModalities = [] } = request.generationConfig ?? {}
  const [across = 1, down = 1] = (imageConfig.aspectRatio ?? '1:1').split(':').map(Number)
  const side = SIDES[imageConfig.imageSize ?? '1K'] ?? 128
  const width = Math.round(across >= down ? side : (side * across) / down)
  const height = Math.round(down >= across ? side : (side * down) / across)
  const seed = request.contents
    ?.flatMap((turn) => turn.parts ?? [])
    .reduce((sum, { text = '' }) => sum + text.length, 0)
  const data = toBase64(await createPng(width, height, seed ?? 0))
  const signed = (): Partial<Part> => (generation < 3 ? {} : { thoughtSignature: createSignature(model) })
  const picture: Part = { inlineData: { mimeType: 'image/png', data }, ...signed() }
  const draft: Part = { inlineData: { mimeType: 'image/png', data: toBase64(await createPng(8, 8, 1)) }, thought: true }
  const onlyPicture = responseModalities.length === 1 && responseModalities[0] === 'IMAGE'
  const sentence: Part = { text: 'Here is your picture.', ...signed() }
  return [generation < 3 ? [] : [draft], onlyPicture ? [] : [sentence], [picture]].filter((parts) => parts.length > 0)
}
