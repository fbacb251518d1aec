import { GenerationError, type Part } from '@castorjs/content-generator'
import { base64ToBytes, bytesToBase64, normalizeBase64, toInlinePart } from '@castorjs/content-generator/media'
import type { FileFields } from '../file-fields.ts'
import { wrapPcm } from '../wav.ts'
import type { ContentPart } from './schema.ts'

/** Types of the `format` of an `input_audio` part; only used where the bytes say nothing. */
const AUDIO_FORMATS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    wav: 'audio/wav',
    mp3: 'audio/mpeg',
    flac: 'audio/flac',
    ogg: 'audio/ogg',
    opus: 'audio/ogg',
    aac: 'audio/aac',
    m4a: 'audio/mp4',
    mp4: 'audio/mp4',
    webm: 'audio/webm',
    aiff: 'audio/aiff',
  }),
)

const TYPES_BY_EXTENSION: ReadonlyMap<string, string> = new Map(
  Object.entries({
    pdf: 'application/pdf',
    txt: 'text/plain',
    md: 'text/markdown',
    csv: 'text/csv',
    html: 'text/html',
    json: 'application/json',
    xml: 'application/xml',
  }),
)

/**
 * Turns one piece of content into a part. Bytes are typed by what they are; a picture field may hold a film.
 *
 * @param field The caller's name for the piece, such as `messages[0].content[1]`.
 * @param files Remembers which field named a remote file.
 * @throws {GenerationError} `invalid_request` or `unsupported`, naming the field.
 */
export async function decodeContentPart(
  part: ContentPart,
  field: string,
  files: FileFields,
): Promise<Part | undefined> {
  switch (part.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return part.text === '' ? undefined : { text: part.text }
    case 'refusal':
      return part.refusal === '' ? undefined : { text: part.refusal }
    case 'image_url':
      return decodeUrl(part.image_url, `${field}.image_url`, files)
    case 'input_image':
      if (part.image_url == null) throw noStoredFiles(`${field}.file_id`)
      return decodeUrl(part.image_url, `${field}.image_url`, files)
    case 'video_url':
      return decodeUrl(part.video_url, `${field}.video_url`, files)
    case 'audio_url':
      return decodeUrl(part.audio_url, `${field}.audio_url`, files)
    case 'input_audio': {
      const { data, format } = part.input_audio
      const where = `${field}.input_audio.data`
      if (isRemote(data)) return files.remember(data, where)
      if (format === 'pcm16') return pcmAsWav(data, where)
      return toInlinePart({ data, label: AUDIO_FORMATS.get(format ?? ''), field: where })
    }
    case 'file':
      return decodeFile(part.file, `${field}.file`, files)
    case 'input_file':
      return decodeFile(part, field, files)
    default:
      return undefined
  }
}

function decodeUrl(value: string | { url: string }, field: string, files: FileFields): Promise<Part> | Part {
  const url = typeof value === 'string' ? value : value.url
  return decodeLocation(url.trim(), typeof value === 'string' ? field : `${field}.url`, undefined, files)
}

interface FileBody {
  filename?: string | null | undefined
  file_data?: string | null | undefined
  file_url?: string | null | undefined
  file_id?: string | null | undefined
  mime_type?: string | null | undefined
}

function decodeFile(file: FileBody, field: string, files: FileFields): Promise<Part> | Part {
  const extension = /\.(\w+)$/.exec(file.filename ?? '')?.[1]?.toLowerCase() ?? ''
  const label = file.mime_type ?? TYPES_BY_EXTENSION.get(extension)
  if (file.file_data != null) {
    const where = `${field}.file_data`
    if (/^(?:data|https?|gs):/.test(file.file_data)) return decodeLocation(file.file_data, where, label, files)
    return toInlinePart({ data: file.file_data, label, field: where })
  }
  if (file.file_url != null) return decodeLocation(file.file_url, `${field}.file_url`, label, files)
  if (file.file_id != null) {
    if (isRemote(file.file_id)) return files.remember(file.file_id, `${field}.file_id`)
    throw noStoredFiles(`${field}.file_id`)
  }
  throw new GenerationError('invalid_request', `\`${field}\` must hold \`file_data\` (a data URL) or \`file_url\`.`, {
    field,
  })
}

/** A `data:` URL becomes bytes, any other stays a reference which the upstream fetches. */
function decodeLocation(
  url: string,
  field: string,
  label: string | undefined,
  files: FileFields,
): Promise<Part> | Part {
  if (url.startsWith('data:')) return toInlinePart({ data: url, label, field })
  if (isRemote(url)) return files.remember(url, field)
  // Some clients put the bare base64 there.
  if (url.length > 64 && !/^\w+:/.test(url)) return toInlinePart({ data: url, label, field })
  throw new GenerationError(
    'invalid_request',
    `\`${field}\` must be an http(s) URL, or a data URL such as data:image/png;base64,….`,
    { field },
  )
}

function isRemote(url: string): boolean {
  return /^(?:https?|gs):\/\//i.test(url)
}

function noStoredFiles(field: string): GenerationError {
  return new GenerationError(
    'unsupported',
    `\`${field}\`: no files are stored here. Send the file itself as a data URL, or its URL.`,
    { field },
  )
}

/** OpenAI's `pcm16`: 24 kHz, mono, signed 16-bit little-endian, without a header. */
function pcmAsWav(data: string, field: string): Part {
  const base64 = normalizeBase64(data)
  if (base64 === undefined) {
    throw new GenerationError('invalid_request', `\`${field}\` is not valid base64, or it is empty.`, { field })
  }
  const wav = wrapPcm(base64ToBytes(base64), { sampleRate: 24_000 })
  return { inlineData: { mimeType: 'audio/wav', data: bytesToBase64(wav) } }
}
