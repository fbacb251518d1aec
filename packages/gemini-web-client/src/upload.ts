import {
  DEFAULT_PCTX,
  DEFAULT_PUSH_ID,
  multipartBody,
  multipartHeaders,
  multipartUploadUrl,
  readUploadReference,
  readUploadUrl,
  REFERENCE_LIFE_MS,
  resumableSendHeaders,
  resumableStartBody,
  resumableStartHeaders,
  resumableUploadUrl,
  UPLOAD_LIMIT_BYTES,
  type FileReference,
} from '@castorjs/gemini-web-protocol'
import { GeminiWebError, isGeminiWebError } from './error.ts'
import { detectType, SAMPLE_BYTES } from './file-type.ts'
import { replyError } from './refusal-error.ts'
import type { Session } from './session.ts'
import { readText } from './wire.ts'
import { within } from './within.ts'

/** Bytes of a file: whole, or as they come. */
export type FileData = Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

export interface UploadOptions {
  name: string
  /** Believed only for text; everything else is told from the bytes. */
  mimeType?: string
  /** Needed for a stream that is longer than 20 MB: the service wants to know the size before the bytes. */
  sizeBytes?: number
  signal?: AbortSignal
}

/** Uploads files; the same bytes are uploaded once while the reference lives. */
export interface Uploader {
  /**
   * @throws {GeminiWebError} `unsupported_file`, `file_too_large`, `needs_account`.
   */
  upload(data: FileData, options: UploadOptions): Promise<FileReference>
}

export interface UploaderPorts {
  session: Session
  prepare: (signal?: AbortSignal) => Promise<void>
  userAgent: string
  closed: AbortSignal
  now: () => number
  /** Time limit of one upload. */
  timeoutMs: number
}

/** A stream without a size is gathered up to this, because the announcement must name a size. */
const GATHER_BYTES = 20_971_520
/** Source: fact sheet section 7.3. */
const VIDEO_LIMIT_BYTES = 2_147_483_648
/** References are used for a little less than their life. */
const CACHE_LIFE_MS = REFERENCE_LIFE_MS * 0.8
const CACHE_ENTRIES = 500
const REPLY_BYTES = 65_536

export function createUploader({ session, prepare, userAgent, closed, now, timeoutMs }: UploaderPorts): Uploader {
  const cache = new Map<string, { reference: FileReference; atMs: number }>()

  function identity(): { pushId: string } {
    return { pushId: session.page.pushId ?? DEFAULT_PUSH_ID }
  }

  async function sendResumable(file: ReadyFile, signal: AbortSignal): Promise<string> {
    const start = await session.wire.send(resumableUploadUrl(), {
      method: 'POST',
      headers: {
        'user-agent': userAgent,
        ...resumableStartHeaders({ ...identity(), bytes: file.sizeBytes, pctx: session.page.pctx ?? DEFAULT_PCTX }),
      },
      body: resumableStartBody(file.name),
      signal,
    })
    const target = readUploadUrl((name) => start.header(name))
    if (start.status !== 200 || target === undefined) {
      throw replyError({ status: start.status, body: await readText(start, REPLY_BYTES, signal) })
    }
    await start.discard()
    const sent = await session.wire.send(target, {
      method: 'POST',
      headers: { 'user-agent': userAgent, ...resumableSendHeaders({ ...identity(), mimeType: file.mimeType }) },
      body: file.take(),
      host: 'upload',
      signal,
    })
    return readReference(sent.status, await readText(sent, REPLY_BYTES, signal))
  }

  async function sendMultipart(file: ReadyFile, data: Uint8Array, signal: AbortSignal): Promise<string> {
    const boundary = `castor${crypto.randomUUID()}`
    const sent = await session.wire.send(multipartUploadUrl(), {
      method: 'POST',
      headers: { 'user-agent': userAgent, ...multipartHeaders({ ...identity(), boundary }) },
      body: multipartBody({ name: file.name, mimeType: file.mimeType, data, boundary }),
      cookies: 'none',
      signal,
    })
    return readReference(sent.status, await readText(sent, REPLY_BYTES, signal))
  }

  async function send(file: ReadyFile, signal: AbortSignal): Promise<string> {
    try {
      return await sendResumable(file, signal)
    } catch (error) {
      signal.throwIfAborted()
      // The second way needs the whole file again, which a stream cannot give.
      if (file.whole === undefined || (isGeminiWebError(error) && error.code === 'address_blocked')) throw error
      return sendMultipart(file, file.whole, signal)
    }
  }

  return {
    async upload(data, { name, mimeType, sizeBytes, signal }) {
      await prepare(signal)
      if (!session.account) throw new GeminiWebError('needs_account', 'A guest cannot attach files')
      return within(timeoutMs, 'The upload', [signal, closed], async (own) => {
        const file = await makeReady(data, name, mimeType, sizeBytes)
        const key = file.whole === undefined ? undefined : await cacheKey(file.whole, file)
        const known = key === undefined ? undefined : cache.get(key)
        if (known !== undefined && now() - known.atMs < CACHE_LIFE_MS) return known.reference
        const reference = { reference: await send(file, own), name, mimeType: file.mimeType }
        if (key !== undefined) {
          cache.delete(key)
          cache.set(key, { reference, atMs: now() })
          const oldest = cache.keys().next().value
          if (cache.size > CACHE_ENTRIES && oldest !== undefined) cache.delete(oldest)
        }
        return reference
      })
    },
  }
}

function readReference(status: number, body: string): string {
  const reference = status === 200 ? readUploadReference(body) : undefined
  if (reference !== undefined) return reference
  throw status === 200
    ? new GeminiWebError('drift', 'The upload ended with something else than a reference')
    : replyError({ status, body })
}

interface ReadyFile {
  name: string
  mimeType: string
  sizeBytes: number
  /** All bytes, when they are in memory anyway. */
  whole: Uint8Array | undefined
  /** The bytes to send; a stream can be taken once. */
  take: () => Uint8Array | AsyncIterable<Uint8Array>
}

async function makeReady(data: FileData, name: string, label?: string, sizeBytes?: number): Promise<ReadyFile> {
  const hint = { name, ...(label === undefined ? {} : { label }) }
  if (data instanceof Uint8Array) {
    const mimeType = await detectType(data.subarray(0, SAMPLE_BYTES), { ...hint, whole: data.length <= SAMPLE_BYTES })
    checkSize(data.length, mimeType)
    return { name, mimeType, sizeBytes: data.length, whole: data, take: () => data }
  }
  const stream = data instanceof Blob ? data.stream() : data
  const known = data instanceof Blob ? data.size : sizeBytes
  const chunks = (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  const head = await readHead(chunks, known === undefined ? GATHER_BYTES + 1 : SAMPLE_BYTES)
  if (head.ended) return makeReady(head.bytes, name, label)
  if (known === undefined) {
    await chunks.return?.()
    throw new GeminiWebError('file_too_large', `A stream of unknown size may hold at most ${GATHER_BYTES} bytes`, {
      field: 'sizeBytes',
    })
  }
  const mimeType = await detectType(head.bytes.subarray(0, SAMPLE_BYTES), { ...hint, whole: false })
  checkSize(known, mimeType)
  return { name, mimeType, sizeBytes: known, whole: undefined, take: () => resume(head.bytes, chunks, known) }
}

/** Reads until there are `wanted` bytes or the stream ends. */
async function readHead(
  chunks: AsyncIterator<Uint8Array>,
  wanted: number,
): Promise<{ bytes: Uint8Array; ended: boolean }> {
  const parts: Uint8Array[] = []
  let size = 0
  let ended = false
  while (size < wanted && !ended) {
    const next = await chunks.next()
    if (next.done === true) ended = true
    else {
      parts.push(next.value)
      size += next.value.length
    }
  }
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return { bytes, ended }
}

async function* resume(
  head: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
  promised: number,
): AsyncGenerator<Uint8Array> {
  let size = head.length
  try {
    yield head
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      size += next.value.length
      if (size > promised) break
      yield next.value
    }
  } finally {
    await chunks.return?.()
  }
  if (size !== promised) {
    throw new GeminiWebError('invalid_argument', 'The stream holds another number of bytes than sizeBytes says', {
      field: 'sizeBytes',
    })
  }
}

function checkSize(bytes: number, mimeType: string): void {
  const limit = mimeType.startsWith('video/') ? VIDEO_LIMIT_BYTES : UPLOAD_LIMIT_BYTES
  if (bytes > limit) {
    throw new GeminiWebError('file_too_large', `The file has ${bytes} bytes, and the limit is ${limit}`, {
      field: 'file',
    })
  }
}

async function cacheKey(bytes: Uint8Array, { name, mimeType }: ReadyFile): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return `${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')} ${mimeType} ${name}`
}
