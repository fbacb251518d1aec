import type { EmulatedModel } from '../models.ts'
import type { GenerateRequest, Part } from '../request.ts'
import { invalid, RpcError } from '../rpc-error.ts'

const TYPES = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/heic',
  'image/heif',
  'audio/wav',
  'audio/x-wav',
  'audio/mp3',
  'audio/mpeg',
  'audio/aiff',
  'audio/aac',
  'audio/ogg',
  'audio/flac',
  'audio/m4a',
  'audio/mp4',
  'audio/webm',
  'video/mp4',
  'video/mpeg',
  'video/mov',
  'video/quicktime',
  'video/avi',
  'video/x-msvideo',
  'video/x-flv',
  'video/mpg',
  'video/webm',
  'video/wmv',
  'video/x-ms-wmv',
  'video/3gpp',
  'application/pdf',
  'application/json',
  'text/plain',
  'text/html',
  'text/css',
  'text/csv',
  'text/xml',
  'text/markdown',
  'text/rtf',
  'text/javascript',
])

/** What the Files API knows of a file. */
export interface KnownFile {
  name: string
  project: string
  state: string
  mimeType: string
}

/**
 * The rules of media parts: types, references, media in results. Source: `gemini-api.md` section 7.
 *
 * @param findFile Looks a Files API uri up.
 * @throws {RpcError} 400 or 403.
 */
export function checkMedia(
  { contents = [] }: GenerateRequest,
  model: EmulatedModel,
  project: string,
  findFile: (uri: string) => KnownFile | undefined,
): void {
  for (const part of contents.flatMap((turn) => turn.parts ?? [])) {
    checkPart(part)
    const media = part.functionResponse?.parts ?? []
    if (media.length > 0 && model.generation < 3) {
      throw invalid('Multimodal function responses are not supported by this model.')
    }
    media.forEach(checkPart)
  }

  function checkPart({ inlineData, fileData }: Part): void {
    if (inlineData !== undefined) checkInline(inlineData.mimeType ?? '', inlineData.data ?? '')
    if (fileData !== undefined) checkFile(fileData.fileUri ?? '')
  }

  function checkFile(uri: string): void {
    const id = /\/v1(?:beta|alpha)?\/files\/([\w-]+)$/.exec(uri)?.[1]
    if (id === undefined) {
      if (uri.startsWith('https://')) return
      throw invalid(
        `Unsupported file URI type: ${uri.slice(0, 40)}. File URIs must be a file uploaded by the Files API, a YouTube URL or a public https URL.`,
      )
    }
    const file = findFile(id)
    if (file === undefined || file.project !== project) {
      throw new RpcError(
        403,
        'PERMISSION_DENIED',
        `You do not have permission to access the File ${id} or it may not exist.`,
      )
    }
    if (file.state !== 'ACTIVE') {
      throw new RpcError(
        400,
        'FAILED_PRECONDITION',
        `The File ${id} is not in an ACTIVE state and usage is not allowed.`,
      )
    }
  }
}

function checkInline(mimeType: string, data: string): void {
  const type = mimeType.toLowerCase()
  if (!TYPES.has(type) && !/^text\/[\w.+-]+$/.test(type)) throw invalid(`Unsupported MIME type: ${mimeType}`)
  if (data === '')
    throw invalid(
      'Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
    )
}
