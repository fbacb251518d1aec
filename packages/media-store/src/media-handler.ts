import { toReadableStream } from './bytes.ts'
import { contentDisposition } from './disposition.ts'
import { isMediaStoreError } from './error.ts'
import type { MediaEntry, MediaStore } from './media-store.ts'
import { readRange } from './range.ts'
import type { UrlSigner } from './url-signer.ts'

export interface MediaHandlerOptions {
  store: MediaStore
  /** The one that signed the store's URLs. */
  signer: UrlSigner
  /** Clock, for tests. */
  now?: () => number
}

/** Bytes from strangers, served from our origin: nothing in them may run or be taken for another type. */
const SAFETY = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
  'referrer-policy': 'no-referrer',
}

/**
 * Serves signed URLs: GET and HEAD, one byte range, `If-None-Match` and `If-Range`. Only the last segment of the path
 * is read, and only as an id, so the handler may be mounted anywhere.
 */
export function createMediaHandler({
  store,
  signer,
  now = Date.now,
}: MediaHandlerOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(405, 'Only GET and HEAD work here.', { allow: 'GET, HEAD' })
    const verified = await signer.verify(new URL(request.url))
    if (verified === 'forged') return refuse(403, 'This link is not valid. Use the whole link as it was given.')
    if (verified === 'expired') return refuse(410, 'This link has expired.')
    try {
      return await serve(request, verified.id)
    } catch (error) {
      if (!isMediaStoreError(error)) throw error
      return refuse(503, 'The file cannot be read right now.', { 'retry-after': '5' })
    }
  }

  async function serve(request: Request, id: string): Promise<Response> {
    const signal = request.signal
    const entry = await store.head(id, { signal })
    if (entry === undefined) return refuse(404, 'This file is gone.')
    const headers = new Headers({ ...SAFETY, etag: entry.etag, 'cache-control': cacheControl(entry, now()) })
    if (matches(request.headers.get('if-none-match'), entry.etag)) return new Response(null, { status: 304, headers })

    headers.set('content-type', entry.mimeType)
    headers.set('content-disposition', contentDisposition(entry.mimeType, entry.name))
    headers.set('accept-ranges', 'bytes')
    const ifRange = request.headers.get('if-range')
    const ranged = request.method === 'GET' && (ifRange === null || ifRange === entry.etag)
    const range = readRange(ranged ? request.headers.get('range') : null, entry.sizeBytes)
    if (range === 'outside')
      return refuse(416, 'The range is outside the file.', { 'content-range': `bytes */${entry.sizeBytes}` })

    if (range !== 'whole') headers.set('content-range', `bytes ${range.start}-${range.end}/${entry.sizeBytes}`)
    headers.set('content-length', String(range === 'whole' ? entry.sizeBytes : range.end - range.start + 1))
    const status = range === 'whole' ? 200 : 206
    if (request.method === 'HEAD') return new Response(null, { status, headers })
    const object = await store.get(id, range === 'whole' ? { signal } : { range, signal })
    if (object === undefined) return refuse(404, 'This file is gone.')
    return new Response(toReadableStream(object.body), { status, headers })
  }
}

function cacheControl({ expiresAt }: MediaEntry, at: number): string {
  return `private, max-age=${Math.max(0, Math.floor((expiresAt - at) / 1000))}, immutable`
}

function matches(header: string | null, etag: string): boolean {
  if (header === null) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

function refuse(status: number, message: string, headers: Record<string, string> = {}): Response {
  return new Response(`${message}\n`, {
    status,
    headers: { ...SAFETY, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}
