import { GenerationError, type FileData } from '@castorjs/content-generator'
import type { Api } from './api.ts'
import { toWireError } from './wire/transport-error.ts'

/** Bytes per request of an upload; a multiple of the 256 kB Google demands. */
const PIECE_BYTES = 8 * 1_048_576
const FIRST_POLL_MS = 500
const SLOWEST_POLL_MS = 5_000
/** Longest wait for a film to be processed, in milliseconds. */
const LONGEST_WAIT_MS = 300_000

export interface UploadSource {
  mimeType: string
  /** Known size in bytes, if any. */
  sizeBytes?: number
  body: AsyncIterable<Uint8Array>
}

/** Resolves after some milliseconds, or rejects with the signal's reason. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>

/**
 * Puts a file into the Files API piece by piece, never held whole, and waits until it can be used.
 * Source: `gemini-api.md` section 7.
 *
 * @throws {GenerationError} `invalid_request` when Google cannot process the file, `upstream_timeout` when it takes
 * longer than five minutes, else what the upload threw.
 */
export async function uploadFile(
  api: Api,
  { mimeType, sizeBytes, body }: UploadSource,
  signal: AbortSignal,
  wait: Wait,
): Promise<FileData> {
  const uploadUrl = await start(api, mimeType, sizeBytes, signal)
  let offset = 0
  let file: Record<string, unknown> | undefined
  for await (const { bytes, last } of toPieces(body, PIECE_BYTES)) {
    file = await sendPiece(api, uploadUrl, bytes, offset, last, signal)
    offset += bytes.byteLength
  }
  return waitUntilActive(api, readFile(file), signal, wait)
}

async function start(api: Api, mimeType: string, sizeBytes: number | undefined, signal: AbortSignal): Promise<string> {
  const response = await api.send('upload/files', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-goog-upload-protocol': 'resumable',
      'x-goog-upload-command': 'start',
      'x-goog-upload-header-content-type': mimeType,
      ...(sizeBytes === undefined ? {} : { 'x-goog-upload-header-content-length': String(sizeBytes) }),
    },
    body: JSON.stringify({ file: { displayName: 'castor' } }),
    signal,
  })
  if ('refusal' in response) throw api.toError(response.refusal)
  const url = response.header('x-goog-upload-url')
  await response.discard()
  if (url === undefined) throw new GenerationError('protocol_drift', 'The Files API gave no `x-goog-upload-url`.')
  return url
}

async function sendPiece(
  api: Api,
  url: string,
  bytes: Uint8Array,
  offset: number,
  last: boolean,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const response = await api.send(url, {
    method: 'POST',
    headers: { 'x-goog-upload-offset': String(offset), 'x-goog-upload-command': last ? 'upload, finalize' : 'upload' },
    body: bytes,
    signal,
  })
  if ('refusal' in response) throw api.toError(response.refusal)
  try {
    if (last) return (await response.json(1_000_000)) as Record<string, unknown>
    await response.discard()
    return undefined
  } catch (error) {
    throw toWireError(error, signal)
  }
}

interface UploadedFile {
  name: string
  uri: string
  mimeType: string
  state: string
}

function readFile(body: unknown): UploadedFile {
  const outer = body as ({ file?: Partial<UploadedFile> } & Partial<UploadedFile>) | undefined
  const { name, uri, mimeType, state = 'ACTIVE' } = outer?.file ?? outer ?? {}
  if (typeof name !== 'string' || typeof uri !== 'string') {
    throw new GenerationError('protocol_drift', 'The Files API described no file after the upload.')
  }
  return { name, uri, mimeType: mimeType ?? 'application/octet-stream', state }
}

async function waitUntilActive(api: Api, uploaded: UploadedFile, signal: AbortSignal, wait: Wait): Promise<FileData> {
  let file = uploaded
  let pause = FIRST_POLL_MS
  for (let waited = 0; file.state === 'PROCESSING'; waited += pause) {
    if (waited >= LONGEST_WAIT_MS) {
      throw new GenerationError(
        'upstream_timeout',
        'The upstream did not finish processing a file within five minutes. Send the request again.',
      )
    }
    await wait(pause, signal)
    pause = Math.min(SLOWEST_POLL_MS, pause * 1.5)
    file = readFile(await api.json(file.name, { signal }))
  }
  if (file.state === 'FAILED') {
    throw new GenerationError('invalid_request', 'The upstream could not process a file. Send it in another format.', {
      field: 'contents',
    })
  }
  return { fileUri: file.uri, mimeType: file.mimeType }
}

/** Collects chunks into pieces of one size; the last may be shorter, or empty for an empty file. */
async function* toPieces(
  body: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ bytes: Uint8Array; last: boolean }> {
  let piece = new Uint8Array(size)
  let filled = 0
  for await (const chunk of body) {
    let rest = chunk
    while (rest.byteLength > 0) {
      // A full piece waits for the next byte, because only then it is known not to be the last.
      if (filled === size) {
        yield { bytes: piece, last: false }
        piece = new Uint8Array(size)
        filled = 0
      }
      const part = rest.subarray(0, size - filled)
      piece.set(part, filled)
      filled += part.byteLength
      rest = rest.subarray(part.byteLength)
    }
  }
  yield { bytes: piece.subarray(0, filled), last: true }
}

/** Waits on a timer. */
export const waitOnTimer: Wait = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave)
      resolve()
    }, ms)
    function leave(): void {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', leave, { once: true })
  })
