import { GenerationError, readInlineBytes, type Warning } from '@castorjs/content-generator'
import { UPLOAD_FILES_PER_PROMPT, type FileReference } from '@castorjs/gemini-web-protocol'
import type { GeminiWebClient } from '../client.ts'
import { isGeminiWebError } from '../error.ts'
import { extensionOf } from '../file-type.ts'
import type { FileData } from '../upload.ts'
import { HISTORY_FILE_NAME, type RequestFile } from './fold.ts'

/** Fetches a file that a caller names by URL; `createGuardedFetch` of `@castorjs/guarded-fetch` is one. */
export type MediaFetch = (
  uri: string,
  options: { signal: AbortSignal },
) => Promise<{ body: AsyncIterable<Uint8Array>; mimeType?: string; sizeBytes?: number }>

export interface AttachOptions {
  client: GeminiWebClient
  mediaFetch: MediaFetch | undefined
  signal: AbortSignal
  warn: (warning: Warning) => void
  /** Called before anything is fetched or sent. */
  onAsked: (() => void) | undefined
}

/** Uploads what a request carries; the references in the order of the prompt. */
export async function attachFiles(
  files: readonly RequestFile[],
  historyFile: string | undefined,
  options: AttachOptions,
): Promise<FileReference[]> {
  const { client, signal, warn, onAsked } = options
  if (files.length === 0 && historyFile === undefined) return []
  if (client.status().kind === 'guest') throw guestError(files[0], historyFile !== undefined)
  const room = UPLOAD_FILES_PER_PROMPT - (historyFile === undefined ? 0 : 1)
  const chosen = chooseFiles(files, room, warn)
  onAsked?.()
  const uploads = chosen.map((file) => attach(file, options))
  if (historyFile !== undefined) {
    const bytes = new TextEncoder().encode(historyFile)
    uploads.unshift(client.upload(bytes, { name: HISTORY_FILE_NAME, mimeType: 'text/plain', signal }))
  }
  return Promise.all(uploads)
}

function guestError(file: RequestFile | undefined, history: boolean): GenerationError {
  if (file !== undefined || !history) {
    return new GenerationError('unsupported', 'A guest session cannot attach files. Add the cookies of an account.', {
      field: file?.field ?? 'contents',
    })
  }
  return new GenerationError(
    'too_large',
    'The conversation is too long for a guest session, which cannot attach its history. Drop old turns, or add the cookies of an account.',
    { field: 'contents', upstreamCode: 'context_length' },
  )
}

/** The newest files win; those of the newest turn must all fit. */
function chooseFiles(files: readonly RequestFile[], room: number, warn: (warning: Warning) => void): RequestFile[] {
  const newest = files.filter((file) => file.newest)
  if (newest.length > room) {
    throw new GenerationError(
      'too_large',
      `A message can carry ${room} files at most; this one has ${newest.length}.`,
      {
        field: newest[room]?.field ?? 'contents',
      },
    )
  }
  const chosen = files.slice(-room)
  if (chosen.length < files.length) {
    warn({ setting: 'contents', message: `Only the newest ${room} files were attached; the web app takes no more.` })
  }
  return chosen
}

async function attach(file: RequestFile, { client, mediaFetch, signal }: AttachOptions): Promise<FileReference> {
  const source = file.data === undefined ? await fetchFile(file, mediaFetch, signal) : { data: decode(file, file.data) }
  const mimeType = file.mimeType ?? source.mimeType
  try {
    return await client.upload(source.data, {
      // The ending helps the model; the type itself is told from the bytes.
      name: `${file.stem}.${extensionOf(mimeType ?? 'text/plain')}`,
      signal,
      ...(mimeType === undefined ? {} : { mimeType }),
      ...(source.sizeBytes === undefined ? {} : { sizeBytes: source.sizeBytes }),
    })
  } catch (error) {
    if (!isGeminiWebError(error) || error.fault !== 'caller') throw error
    throw new GenerationError(error.code === 'file_too_large' ? 'too_large' : 'unsupported', error.message, {
      field: file.field,
      cause: error,
      ...(file.uri === undefined ? {} : { fileUri: file.uri }),
    })
  }
}

interface FetchedFile {
  data: FileData
  mimeType?: string
  sizeBytes?: number
}

async function fetchFile(
  { field, uri = '' }: RequestFile,
  mediaFetch: MediaFetch | undefined,
  signal: AbortSignal,
): Promise<FetchedFile> {
  if (mediaFetch === undefined) {
    throw new GenerationError('unsupported', 'Files by URL are not fetched here. Send the bytes as inlineData.', {
      field,
      fileUri: uri,
    })
  }
  const { body, mimeType, sizeBytes } = await mediaFetch(uri, { signal })
  return {
    data: body,
    ...(mimeType === undefined ? {} : { mimeType }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  }
}

function decode({ field }: RequestFile, data: string): Uint8Array {
  try {
    return readInlineBytes({ mimeType: '', data })
  } catch {
    throw new GenerationError('invalid_request', 'The data is not valid base64.', { field: `${field}.data` })
  }
}
