import { fileTypeFromBuffer } from 'file-type/core'
import { GeminiWebError } from './error.ts'

/** How many first bytes tell the type. */
export const SAMPLE_BYTES = 4_100

/** Text types by file name, for what no magic bytes tell. */
const TEXT_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  css: 'text/css',
  htm: 'text/html',
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  md: 'text/markdown',
  py: 'text/x-python',
  rtf: 'application/rtf',
  svg: 'image/svg+xml',
  ts: 'text/plain',
  tsv: 'text/tab-separated-values',
  xml: 'text/xml',
  yaml: 'text/yaml',
  yml: 'text/yaml',
}

/**
 * Tells the media type of a file from its bytes. Text has no magic: it is text when the sample is valid UTF-8
 * without control characters, and then name and label decide which text.
 *
 * @param label What the caller calls it; believed only for text.
 * @throws {GeminiWebError} `unsupported_file` when the bytes are neither a known format nor text.
 */
export async function detectType(
  sample: Uint8Array,
  { name = '', label, whole = true }: { name?: string; label?: string; whole?: boolean },
): Promise<string> {
  const found = await fileTypeFromBuffer(sample)
  // XML is text; what it describes is better told by the name.
  if (found !== undefined && found.mime !== 'application/xml') return found.mime
  if (sample.length > 0 && isText(sample, whole)) {
    const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
    const byLabel = label !== undefined && isTextLabel(label) ? label : undefined
    return byLabel ?? TEXT_TYPES[extension] ?? 'text/plain'
  }
  throw new GeminiWebError(
    'unsupported_file',
    sample.length === 0 ? 'The file is empty' : 'The type of the file cannot be told from its bytes',
    { field: 'file' },
  )
}

function isTextLabel(label: string): boolean {
  return (
    label.startsWith('text/') ||
    /^application\/(json|xml|javascript|rtf|yaml|x-\w+)$/.test(label) ||
    label === 'image/svg+xml'
  )
}

function isText(sample: Uint8Array, whole: boolean): boolean {
  for (const byte of sample) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) return false
  try {
    // A sample may end inside a character.
    new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: !whole })
    return true
  } catch {
    return false
  }
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'text/plain': 'txt',
  'text/markdown': 'md',
  'text/javascript': 'js',
  'text/x-python': 'py',
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
  'audio/mpeg': 'mp3',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
}

/** A file name ending for a type. */
export function extensionOf(mimeType: string): string {
  return EXTENSIONS[mimeType] ?? /^[a-z]+\/([a-z0-9]+)$/.exec(mimeType)?.[1] ?? 'bin'
}
