import { GenerationError } from '../error.ts'
import type { MediaOptions } from '../generator.ts'

/**
 * Reads what the caller wants done with pictures and clips: `return_origin_image`, `remove_watermark`, `size`
 * and `response_type`, as the reference documents write them. A value in the query wins over one in the body.
 *
 * @param fields The body's fields, where the dialect takes them there too.
 * @throws {GenerationError} `invalid_request` naming the parameter.
 */
export function readMediaOptions(query: URLSearchParams, fields: Readonly<Record<string, unknown>> = {}): MediaOptions {
  const read = (name: string): unknown => query.get(name) ?? fields[name] ?? undefined
  const original = readFlag('return_origin_image', read('return_origin_image'))
  const removeVisibleMark = readFlag('remove_watermark', read('remove_watermark'))
  const size = readSize('size', read('size'))
  const delivery = readDelivery('response_type', read('response_type'))
  return {
    ...(original === undefined ? {} : { original }),
    ...(removeVisibleMark === undefined ? {} : { removeVisibleMark }),
    ...(size === undefined ? {} : { size }),
    ...(delivery === undefined ? {} : { delivery }),
  }
}

/** Largest side of a picture that is asked for, in pixels. */
const MAX_SIDE = 8_192

/**
 * Reads `1024x1024` (also with `*` or `×`); `auto` and an absent value mean no wish.
 *
 * @throws {GenerationError} `invalid_request` naming `field`.
 */
export function readSize(field: string, value: unknown): { width: number; height: number } | undefined {
  if (value === undefined || value === '' || value === 'auto') return undefined
  const sides = typeof value === 'string' ? /^(\d{1,5})\s*[x*×]\s*(\d{1,5})$/i.exec(value.trim()) : null
  const width = Number(sides?.[1])
  const height = Number(sides?.[2])
  if (sides === null || width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    const message = `\`${field}\` must be \`<width>x<height>\` in pixels, such as \`1024x1024\`, each at most ${MAX_SIDE}, or \`auto\`.`
    throw new GenerationError('invalid_request', message, { field })
  }
  return { width, height }
}

function readFlag(field: string, value: unknown): boolean | undefined {
  if (value === undefined || value === '') return undefined
  if (value === true || value === 'true' || value === '1') return true
  if (value === false || value === 'false' || value === '0') return false
  throw new GenerationError('invalid_request', `\`${field}\` must be \`true\` or \`false\`.`, { field })
}

function readDelivery(field: string, value: unknown): 'inline' | 'url' | undefined {
  if (value === undefined || value === '') return undefined
  if (value === 'url') return 'url'
  if (value === 'base64' || value === 'b64_json' || value === 'inline') return 'inline'
  throw new GenerationError('invalid_request', `\`${field}\` must be \`url\` or \`base64\`.`, { field })
}
