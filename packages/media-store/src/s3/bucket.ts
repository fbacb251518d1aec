import { AwsClient } from 'aws4fetch'
import { XMLParser } from 'fast-xml-parser'
import { MediaStoreError } from '../error.ts'

export interface S3BucketOptions {
  /** Such as `https://<account>.r2.cloudflarestorage.com`, `https://s3.eu-central-1.amazonaws.com` or `http://minio:9000`. */
  endpoint: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
  /** For temporary credentials. */
  sessionToken?: string
  /** Default `auto`, which R2 wants; AWS wants its own, MinIO takes `us-east-1`. */
  region?: string
  /** Where the bucket's name stands in URLs. Default `path`; OSS wants `virtual`. */
  style?: 'path' | 'virtual'
  /** Default `globalThis.fetch`. */
  fetch?: typeof fetch
  /** How often a call that failed on their side is tried again. Default 2. */
  retries?: number
  /** Pause before the first retry; doubles each time. Default 200. */
  retryDelayMs?: number
  /** Deadline of one call up to its headers; a part of an upload included. Default 60 000. */
  timeoutMs?: number
}

interface BucketCall {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  key?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: Uint8Array | string
  signal?: AbortSignal | undefined
}

export interface Bucket {
  /** One signed call. Any 2xx or 404 is returned; all else throws. The caller reads or cancels the body. */
  call(call: BucketCall): Promise<Response>
  /** A GET URL with its signature in the query. */
  presign(key: string, expiresInSeconds: number): Promise<string>
}

const xml = new XMLParser({ parseTagValue: false })

/** @throws {MediaStoreError} `unavailable` when the text is not XML. */
export function parseXml(text: string): unknown {
  try {
    return xml.parse(text)
  } catch {
    throw new MediaStoreError('unavailable', 'The bucket answered with something that is not XML')
  }
}

/** @throws {TypeError} when the endpoint is not an http(s) URL. */
export function createBucket({
  endpoint,
  bucket,
  accessKeyId,
  secretAccessKey,
  sessionToken,
  region = 'auto',
  style = 'path',
  fetch: send = (...args) => fetch(...args),
  retries = 2,
  retryDelayMs = 200,
  timeoutMs = 60_000,
}: S3BucketOptions): Bucket {
  const base = readBase(endpoint, bucket, style)
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    service: 's3',
    region,
    retries: 0,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  })

  function toUrl(key: string, query: Record<string, string>): URL {
    // Of the bucket itself the name stands without a slash; some services sign it so.
    const url = new URL(key === '' ? base.replace(/\/$/, '') : base + key)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return url
  }

  async function attempt({ method, key = '', query = {}, headers = {}, body, signal }: BucketCall): Promise<Response> {
    const own = new AbortController()
    const timer = setTimeout(() => own.abort(new Error('timeout')), timeoutMs)
    const either = signal === undefined ? own.signal : AbortSignal.any([own.signal, signal])
    const init = { method, headers, signal: either, ...(body === undefined ? {} : { body: body as BodyInit }) }
    try {
      return await send(await client.sign(toUrl(key, query).href, init))
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw new MediaStoreError(
        'unavailable',
        `The bucket ${bucket} cannot be reached (${describe(error, own.signal)})`,
      )
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async call(call) {
      for (let tries = 0; ; tries++) {
        call.signal?.throwIfAborted()
        const last = tries >= retries
        const response = await attempt(call).catch((error: unknown) => {
          if (last || call.signal?.aborted === true) throw error
          return undefined
        })
        if (response !== undefined) {
          if (response.ok || (response.status === 404 && call.method !== 'PUT' && call.method !== 'POST'))
            return response
          const failure = await toStoreError(response, bucket)
          // 501: it cannot, and will not be able to a moment later.
          if (last || response.status < 500 || response.status === 501) throw failure
        }
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs * 2 ** tries))
      }
    },
    async presign(key, expiresInSeconds) {
      const url = toUrl(key, { 'X-Amz-Expires': String(expiresInSeconds) })
      return (await client.sign(url.href, { method: 'GET', aws: { signQuery: true } })).url
    },
  }
}

function readBase(endpoint: string, bucket: string, style: 'path' | 'virtual'): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new TypeError('The S3 endpoint must be an http or https URL')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new TypeError('The bucket name must be 3 to 63 lower-case letters, digits, dots or dashes')
  const path = url.pathname.replace(/\/+$/, '')
  return style === 'path' ? `${url.origin}${path}/${bucket}/` : `${url.protocol}//${bucket}.${url.host}${path}/`
}

function describe(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer in time'
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const code: unknown = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'network error'
}

/** Of the answer only S3's own short code is kept: its text may quote the signed request. */
async function toStoreError(response: Response, bucket: string): Promise<MediaStoreError> {
  const text = (await response.text().catch(() => '')).slice(0, 4096)
  const code = /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? `status ${response.status}`
  if (response.status === 401 || response.status === 403) {
    const remedy = 'Check the access key, the secret, the region, its rights on the bucket and the clock.'
    return new MediaStoreError('denied', `The bucket ${bucket} refuses us (${code}). ${remedy}`)
  }
  if (response.status === 404) return new MediaStoreError('not_configured', `The bucket ${bucket} does not exist`)
  return new MediaStoreError('unavailable', `The bucket ${bucket} failed (${code})`)
}
