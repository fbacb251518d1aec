import { GenerationError } from '../error.ts'
import type { Part } from '../schema.ts'
import { bytesToBase64, normalizeBase64 } from './base64.ts'
import { detectMediaType, normalizeMediaType } from './media-type.ts'

/** Bytes as a client sent them. */
export interface MediaSource {
  /** Base64 in any of the forms clients send, or a whole `data:` URL. */
  data: string
  /** The type the client says it is. Only believed where the bytes say nothing. */
  label?: string | undefined
  /** The client's own name for the field, for errors. */
  field: string
}

const IMAGES = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'])

/** Types with a signature; when a label names one of these the bytes must bear it out. */
const KNOWN = new Set([
  ...IMAGES,
  ...['wav', 'mpeg', 'aiff', 'aac', 'ogg', 'flac', 'mp4', 'webm'].map((name) => `audio/${name}`),
  ...['mp4', 'mpeg', 'mov', 'avi', 'x-flv', 'webm', 'wmv', '3gpp'].map((name) => `video/${name}`),
  'application/pdf',
])

/** Text by another name. */
const TEXTUAL =
  /^(?:text\/(?!plain$).+|application\/(?:json|xml|javascript|x-[\w.+-]*(?:script|python|sh|yaml|sql|tex|ipynb)[\w.+-]*|yaml|toml|sql|.+\+(?:json|xml)))$/

const DOCUMENTS = /^application\/(?:rtf|msword|vnd\.(?:ms-|openxmlformats-officedocument\.|oasis\.opendocument\.).+)$/

/**
 * A part with the bytes inside, its type read from the bytes and not from the label.
 *
 * @throws {GenerationError} `invalid_request` when the data does not decode or nothing tells its type,
 * `unsupported` for a type that Gemini does not read; both with the field.
 */
export async function toInlinePart({ data, label, field }: MediaSource): Promise<Part> {
  const source = data.startsWith('data:') ? readDataUrl(data, field) : { data, label: undefined }
  const base64 = normalizeBase64(source.data)
  if (base64 === undefined) {
    throw new GenerationError('invalid_request', `\`${field}\` is not valid base64, or it is empty.`, { field })
  }
  const said = normalizeMediaType(source.label ?? label)
  const mimeType = chooseType(await detectMediaType(base64), said)
  if (mimeType === undefined) {
    throw new GenerationError(
      'invalid_request',
      `\`${field}\` holds bytes of no known type. Send an image, audio, video, PDF or text file, with its media type.`,
      { field },
    )
  }
  checkSupported(mimeType, field)
  return { inlineData: { mimeType, data: base64 } }
}

/** Bytes first; the label where they say nothing, or say only "text" or "archive". */
function chooseType(detected: string | undefined, said: string): string | undefined {
  if (detected === 'text/plain' || detected === 'application/xml') {
    return TEXTUAL.test(said) || said === 'image/svg+xml' ? said : detected
  }
  if (detected === 'application/zip' || detected === 'application/x-cfb') return DOCUMENTS.test(said) ? said : detected
  // The same container, with or without a picture: the label knows.
  if (detected?.startsWith('video/') === true && said === detected.replace('video/', 'audio/')) return said
  if (detected !== undefined) return detected
  return said === '' || IMAGES.has(said) || said === 'application/pdf' ? undefined : said
}

function checkSupported(mimeType: string, field: string): void {
  if (KNOWN.has(mimeType) || TEXTUAL.test(mimeType) || mimeType === 'text/plain') return
  if (DOCUMENTS.test(mimeType)) return
  if (mimeType.startsWith('image/')) {
    throw new GenerationError(
      'unsupported',
      `\`${field}\`: unsupported image type ${mimeType}. Send png, jpeg, webp, heic or heif.`,
      { field },
    )
  }
  throw new GenerationError(
    'unsupported',
    `\`${field}\`: unsupported media type ${printable(mimeType)}. Send an image, audio, video, PDF or text file.`,
    { field },
  )
}

/** A media type is caller input when the label decided. */
function printable(mimeType: string): string {
  return /^[\w.+-]+\/[\w.+-]+$/.test(mimeType) && mimeType.length <= 80 ? mimeType : '(unreadable)'
}

/**
 * Takes a `data:` URL apart. Parameters other than `base64` are ignored; without it the data is
 * percent-decoded and given back as base64.
 *
 * @throws {GenerationError} `invalid_request` when there is no comma or the percent-encoding is broken.
 */
export function readDataUrl(url: string, field: string): { data: string; label: string | undefined } {
  const comma = url.indexOf(',')
  if (!url.startsWith('data:') || comma === -1) {
    throw new GenerationError(
      'invalid_request',
      `\`${field}\` is not a data URL: it must be data:<type>;base64,<data>.`,
      {
        field,
      },
    )
  }
  const [label = '', ...parameters] = url.slice('data:'.length, comma).split(';')
  const data = url.slice(comma + 1)
  const isBase64 = parameters.some((parameter) => parameter.trim().toLowerCase() === 'base64')
  if (isBase64) return { data, label: label === '' ? undefined : label }
  try {
    return { data: bytesToBase64(new TextEncoder().encode(decodeURIComponent(data))), label: label || 'text/plain' }
  } catch {
    throw new GenerationError('invalid_request', `\`${field}\` is a data URL with broken percent-encoding.`, { field })
  }
}
