import { join } from '../bytes.ts'
import { MediaStoreError, isMediaStoreError } from '../error.ts'
import { parseXml } from './bucket.ts'
import type { Bucket } from './bucket.ts'

/** S3 takes no part under 5 MiB but the last. */
export const PART_BYTES = 8_388_608

export interface Upload {
  key: string
  headers: Record<string, string>
  signal: AbortSignal | undefined
}

/**
 * Stores a body of unknown length: in one call when it fits one part, otherwise in parts. The object appears with the
 * last call and not before; after any failure the parts are dropped.
 *
 * @returns How many bytes the body had.
 */
export async function upload(
  bucket: Bucket,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  target: Upload,
): Promise<number> {
  if (body instanceof Uint8Array) return putWhole(bucket, body, target)
  const parts = toParts(body)
  const first = await parts.next()
  if (first.done === true) return putWhole(bucket, new Uint8Array(0), target)
  if (first.value.byteLength < PART_BYTES) return putWhole(bucket, first.value, target)
  return putParts(bucket, first.value, parts, target)
}

async function putWhole(bucket: Bucket, body: Uint8Array, { key, headers, signal }: Upload): Promise<number> {
  const response = await bucket.call({ method: 'PUT', key, headers, body, signal })
  await response.body?.cancel()
  return body.byteLength
}

async function putParts(
  bucket: Bucket,
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
  { key, headers, signal }: Upload,
): Promise<number> {
  const started = await bucket.call({ method: 'POST', key, query: { uploads: '' }, headers, signal })
  const uploadId = readText(parseXml(await started.text()), 'InitiateMultipartUploadResult', 'UploadId')
  if (uploadId === undefined) throw new MediaStoreError('unavailable', 'The bucket did not name the upload')
  try {
    const etags: string[] = []
    let size = 0
    const put = async (part: Uint8Array): Promise<void> => {
      const query = { partNumber: String(etags.length + 1), uploadId }
      const response = await bucket.call({ method: 'PUT', key, query, body: part, signal })
      await response.body?.cancel()
      const etag = response.headers.get('etag')
      if (etag === null) throw new MediaStoreError('unavailable', 'The bucket did not acknowledge a part')
      etags.push(etag)
      size += part.byteLength
    }
    await put(first)
    for await (const part of rest) await put(part)
    const response = await bucket.call({ method: 'POST', key, query: { uploadId }, body: completion(etags), signal })
    // S3 may say 200 and tell of the failure in the body.
    if (readText(parseXml(await response.text()), 'CompleteMultipartUploadResult', 'ETag') === undefined) {
      throw new MediaStoreError('unavailable', 'The bucket did not complete the upload')
    }
    return size
  } catch (error) {
    await rest.return(undefined)
    // Not under the caller's signal: it may be the reason we are here.
    await bucket.call({ method: 'DELETE', key, query: { uploadId } }).then(
      (response) => response.body?.cancel(),
      () => undefined,
    )
    throw error
  }
}

/**
 * Drops uploads that began before `before` and never ended: their process died. A service that cannot list them is
 * left to its own clean-up.
 */
export async function dropOldUploads(bucket: Bucket, prefix: string, before: number): Promise<void> {
  const response = await bucket.call({ method: 'GET', query: { uploads: '', prefix } }).catch((error: unknown) => {
    if (isMediaStoreError(error)) return undefined
    throw error
  })
  if (response === undefined) return
  const page = parseXml(await response.text()) as { ListMultipartUploadsResult?: { Upload?: unknown } } | undefined
  const found = page?.ListMultipartUploadsResult?.Upload ?? []
  for (const node of Array.isArray(found) ? (found as unknown[]) : [found]) {
    const key = readText(node, 'Key')
    const uploadId = readText(node, 'UploadId')
    const begun = Date.parse(readText(node, 'Initiated') ?? '')
    if (key?.startsWith(prefix) !== true || uploadId === undefined || !(begun < before)) continue
    await (await bucket.call({ method: 'DELETE', key, query: { uploadId } })).body?.cancel()
  }
}

/** Regroups a stream into parts of exactly PART_BYTES, the last one shorter. */
async function* toParts(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    let rest = chunk
    while (size + rest.byteLength >= PART_BYTES) {
      const room = PART_BYTES - size
      yield join([...held, rest.subarray(0, room)])
      rest = rest.subarray(room)
      held = []
      size = 0
    }
    if (rest.byteLength > 0) held.push(rest)
    size += rest.byteLength
  }
  if (size > 0) yield join(held)
}

function completion(etags: readonly string[]): string {
  const parts = etags.map((etag, index) => {
    const escaped = etag.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
    return `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escaped}</ETag></Part>`
  })
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`
}

/** The text at a path of tags. */
export function readText(node: unknown, ...path: readonly string[]): string | undefined {
  let value = node
  for (const tag of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[tag]
  }
  return typeof value === 'string' ? value : undefined
}
