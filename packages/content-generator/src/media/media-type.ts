import { fileTypeFromBuffer } from 'file-type'
import { base64ToBytes } from './base64.ts'

/** Other names of types that Gemini reads, each to the name it is sent under. */
const SYNONYMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'image/jpg': 'image/jpeg',
    'image/pjpeg': 'image/jpeg',
    'image/x-png': 'image/png',
    'image/heic-sequence': 'image/heic',
    'image/heif-sequence': 'image/heif',
    'audio/mp3': 'audio/mpeg',
    'audio/x-mp3': 'audio/mpeg',
    'audio/x-wav': 'audio/wav',
    'audio/wave': 'audio/wav',
    'audio/vnd.wave': 'audio/wav',
    'audio/x-aiff': 'audio/aiff',
    'audio/x-flac': 'audio/flac',
    'audio/x-aac': 'audio/aac',
    'audio/aacp': 'audio/aac',
    'audio/m4a': 'audio/mp4',
    'audio/x-m4a': 'audio/mp4',
    'audio/opus': 'audio/ogg',
    'application/ogg': 'audio/ogg',
    'video/quicktime': 'video/mov',
    'video/avi': 'video/avi',
    'video/vnd.avi': 'video/avi',
    'video/x-msvideo': 'video/avi',
    'video/mpg': 'video/mpeg',
    'video/mp1s': 'video/mpeg',
    'video/mp2p': 'video/mpeg',
    'video/x-m4v': 'video/mp4',
    'video/x-ms-wmv': 'video/wmv',
    'video/x-ms-asf': 'video/wmv',
    'application/vnd.ms-asf': 'video/wmv',
    'video/flv': 'video/x-flv',
    'video/3gpp2': 'video/3gpp',
    'application/x-pdf': 'application/pdf',
  }),
)

/** One name per type: lower case, without parameters, synonyms resolved. Empty for a missing or unknowing label. */
export function normalizeMediaType(label: string | undefined): string {
  const type = (label ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/octet-stream' || type === 'binary/octet-stream' || type === '*/*') return ''
  return SYNONYMS.get(type) ?? type
}

/** Enough to tell every type we know, and cheap however large the file is. A multiple of 4. */
const HEAD_BASE64_CHARACTERS = 16_384

/** The type of bytes in base64, read from the first of them; undefined when they say nothing. */
export async function detectMediaType(base64: string): Promise<string | undefined> {
  const head = base64ToBytes(base64.slice(0, HEAD_BASE64_CHARACTERS))
  const detected = normalizeMediaType((await fileTypeFromBuffer(head))?.mime)
  if (detected !== '') return detected
  return isText(head, base64.length > HEAD_BASE64_CHARACTERS) ? 'text/plain' : undefined
}

/** True for UTF-8 without control characters other than white space. A cut at the end does not count. */
function isText(bytes: Uint8Array, cut: boolean): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut })
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    return !/[\u0000-\u0008\u000e-\u001f]/.test(text)
  } catch {
    return false
  }
}
