import { readStream } from '../bytes.ts'
import { contentDisposition } from '../disposition.ts'
import { MediaStoreError } from '../error.ts'
import type { ListedEntry, MediaHome, StoredEntry } from '../home.ts'
import { readExpiry } from '../media-id.ts'
import { createBucket, parseXml } from './bucket.ts'
import type { S3BucketOptions } from './bucket.ts'
import { dropOldUploads, readText, upload } from './upload.ts'

export interface S3HomeOptions extends S3BucketOptions {
  /** Put before each id, such as `castor/`. Default `castor/`. */
  prefix?: string
  /** Clock, for tests. */
  now?: () => number
}

/** S3 signs no URL for longer than a week. */
const LONGEST_LINK_SECONDS = 604_800

/** An upload that began so long ago has nobody who goes on with it. */
const ABANDONED_MS = 86_400_000

/** One object per item; the type stands in its content type, the rest in its metadata. */
export function createS3Home({ prefix = 'castor/', now = Date.now, ...options }: S3HomeOptions): MediaHome {
  const bucket = createBucket(options)

  return {
    async write(entry, body, signal) {
      const headers = {
        'content-type': entry.mimeType,
        'content-disposition': contentDisposition(entry.mimeType, entry.name),
        'cache-control': 'private, max-age=86400, immutable',
        'x-amz-meta-stored-at': String(entry.storedAt),
        ...(entry.name === undefined ? {} : { 'x-amz-meta-name': encodeName(entry.name) }),
      }
      return upload(bucket, body, { key: prefix + entry.id, headers, signal })
    },
    async head(id, signal) {
      const response = await bucket.call({ method: 'HEAD', key: prefix + id, signal })
      await response.body?.cancel()
      return response.status === 404 ? undefined : toStored(id, response.headers)
    },
    async *read(id, range, signal) {
      const headers: Record<string, string> = range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` }
      const response = await bucket.call({ method: 'GET', key: prefix + id, headers, signal })
      if (response.status === 404) {
        await response.body?.cancel()
        throw new MediaStoreError('unavailable', 'The item is gone')
      }
      try {
        yield* readStream(response.body)
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason
        throw new MediaStoreError('unavailable', 'The bucket broke off while reading', { cause: error })
      }
    },
    // S3 answers a delete the same whether there was something or not.
    async remove(id) {
      const response = await bucket.call({ method: 'DELETE', key: prefix + id })
      await response.body?.cancel()
      return true
    },
    async *list() {
      let token: string | undefined
      do {
        const query = { 'list-type': '2', prefix, ...(token === undefined ? {} : { 'continuation-token': token }) }
        const response = await bucket.call({ method: 'GET', query })
        const page = parseXml(await response.text())
        if (response.status === 404) throw new MediaStoreError('not_configured', 'The bucket does not exist')
        yield* readListed(page, prefix)
        token = readText(page, 'ListBucketResult', 'NextContinuationToken')
      } while (token !== undefined && token !== '')
    },
    tidy: (at) => dropOldUploads(bucket, prefix, at - ABANDONED_MS),
    async link(id, expiresAt) {
      const seconds = Math.floor((expiresAt - now()) / 1000)
      return bucket.presign(prefix + id, Math.min(Math.max(seconds, 1), LONGEST_LINK_SECONDS))
    },
  }
}

function* readListed(page: unknown, prefix: string): Generator<ListedEntry> {
  const result = (page as { ListBucketResult?: { Contents?: unknown } } | undefined)?.ListBucketResult?.Contents ?? []
  for (const node of Array.isArray(result) ? (result as unknown[]) : [result]) {
    const id = (readText(node, 'Key') ?? '').slice(prefix.length)
    // Whatever else lies in the bucket is not ours to sweep.
    if (readExpiry(id) === undefined) continue
    yield { id, sizeBytes: Number(readText(node, 'Size')), storedAt: Date.parse(readText(node, 'LastModified') ?? '') }
  }
}

function toStored(id: string, headers: Headers): StoredEntry {
  const name = headers.get('x-amz-meta-name')
  const storedAt = Number(headers.get('x-amz-meta-stored-at') ?? Date.parse(headers.get('last-modified') ?? ''))
  return {
    id,
    mimeType: headers.get('content-type') ?? 'application/octet-stream',
    sizeBytes: Number(headers.get('content-length')),
    storedAt,
    ...(name === null ? {} : { name: decodeName(name) }),
  }
}

/** Metadata travels in headers, which hold ASCII only. */
function encodeName(name: string): string {
  return encodeURIComponent(new TextDecoder().decode(new TextEncoder().encode(name)))
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
