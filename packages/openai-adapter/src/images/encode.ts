import { estimateTokens, type Usage } from '@castorjs/content-generator'
import { unixSeconds } from '../ids.ts'
import type { DecodedImageRequest } from './decode.ts'
import type { Picture } from './draw.ts'

/** The answer of `/v1/images/…`. */
export function encodeImages(
  pictures: readonly Picture[],
  usage: Usage,
  { echo, request }: Pick<DecodedImageRequest, 'echo' | 'request'>,
  created = unixSeconds(),
) {
  return {
    created,
    data: pictures.map(({ data, url }) => (data === undefined ? { url } : { b64_json: data })),
    background: echo.background ?? 'opaque',
    output_format: formatOf(pictures[0]),
    ...(echo.quality === undefined ? {} : { quality: echo.quality }),
    ...(echo.size === undefined ? {} : { size: echo.size }),
    usage: encodeImageUsage(usage, request),
  }
}

/** The answer of the reference routes: each picture as base64 without a prefix, or as a URL. */
export function encodePlainImages(pictures: readonly Picture[]): { images: string[] } {
  return { images: pictures.map(({ data, url }) => data ?? url ?? '') }
}

/** One event of an image stream. Source: `dialects.md` section 2.1. */
export function encodeImageEvent(
  kind: 'generation' | 'edit',
  picture: Picture,
  decoded: Pick<DecodedImageRequest, 'echo' | 'request'>,
  state: { partialIndex: number } | { usage: Usage },
): string {
  const type = `image_${kind}.${'usage' in state ? 'completed' : 'partial_image'}`
  const { echo, request } = decoded
  const event = {
    type,
    ...(picture.data === undefined ? { url: picture.url } : { b64_json: picture.data }),
    ...('usage' in state ? {} : { partial_image_index: state.partialIndex }),
    created_at: unixSeconds(),
    background: echo.background ?? 'opaque',
    output_format: formatOf(picture),
    quality: echo.quality ?? 'auto',
    size: echo.size ?? 'auto',
    ...('usage' in state ? { usage: encodeImageUsage(state.usage, request) } : {}),
  }
  return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** The true format, whatever was asked for. */
function formatOf(picture: Picture | undefined): string {
  return picture?.mimeType.replace(/^image\//, '').replace(/;.*$/, '') ?? 'png'
}

function encodeImageUsage(
  { inputTokens, outputTokens, thoughtTokens }: Usage,
  request: DecodedImageRequest['request'],
) {
  const parts = request.contents[0]?.parts ?? []
  const hasPictures = parts.some((part) => part.text === undefined)
  const prompt = parts.reduce((sum, part) => sum + estimateTokens(part.text ?? ''), 0)
  const textTokens = hasPictures ? Math.min(inputTokens, prompt) : inputTokens
  const output = outputTokens + thoughtTokens
  return {
    input_tokens: inputTokens,
    // Gemini does not say which is which: the text is measured, the rest are the pictures.
    input_tokens_details: { text_tokens: textTokens, image_tokens: inputTokens - textTokens },
    output_tokens: output,
    total_tokens: inputTokens + output,
  }
}
