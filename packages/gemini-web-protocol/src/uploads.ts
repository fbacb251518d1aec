/** The upload exchange, resumable and multipart, both directions. Source: fact sheet §7. */

import { FORM_CONTENT_TYPE, HOSTS } from './endpoints.ts'

/** Source: fact sheet §7.1 [S]. */
export const UPLOAD_TENANT = 'bard-storage'
export const RESUMABLE_UPLOAD_PATH = '/upload/'
export const MULTIPART_UPLOAD_PATH = '/upload'
export const UPLOAD_CHUNK_GRANULARITY = 262_144
/** The service's public limit; general knowledge. Source: fact sheet §7.3 [W]. */
export const UPLOAD_LIMIT_BYTES = 104_857_600
export const UPLOAD_FILES_PER_PROMPT = 10
/** Text in attachments that the model sees, in total. Source: fact sheet §7.3 [W 2026-09]. */
export const ATTACHED_TEXT_LIMIT_BYTES = 157_000
/** References are valid for a day, by their name. Source: fact sheet §7.3. */
export const REFERENCE_LIFE_MS = 86_400_000

export function resumableUploadUrl(base: string = HOSTS.upload): string {
  return new URL(base.replace(/\/$/, '') + RESUMABLE_UPLOAD_PATH).href
}

export function multipartUploadUrl(base: string = HOSTS.uploadMultipart): string {
  return new URL(base.replace(/\/$/, '') + MULTIPART_UPLOAD_PATH).href
}

interface UploadIdentity {
  /** `qKIAYe` of the page. */
  pushId: string
  origin?: string
}

function identityHeaders({ pushId, origin = HOSTS.app }: UploadIdentity): Record<string, string> {
  return { 'push-id': pushId, 'x-tenant-id': UPLOAD_TENANT, origin, referer: `${origin}/` }
}

/** Headers of step 1, the announcement. Source: fact sheet §7.1 [S]. */
export function resumableStartHeaders({
  bytes,
  pctx,
  ...identity
}: UploadIdentity & { bytes: number; pctx?: string }): Record<string, string> {
  return {
    ...identityHeaders(identity),
    'content-type': FORM_CONTENT_TYPE,
    'x-goog-upload-command': 'start',
    'x-goog-upload-protocol': 'resumable',
    'x-goog-upload-header-content-length': String(bytes),
    ...(pctx === undefined ? {} : { 'x-client-pctx': pctx }),
  }
}

/** Body of step 1. */
export function resumableStartBody(name: string): string {
  return `File name: ${name}`
}

/** Reads a header by lower-case name. */
export type HeaderReader = (name: string) => string | undefined | null

/** Where step 2 goes; undefined when step 1 was refused. */
export function readUploadUrl(header: HeaderReader): string | undefined {
  return header('x-goog-upload-url') ?? header('x-goog-upload-control-url') ?? undefined
}

/** Headers of step 2, the bytes. The type is not evaluated. Source: fact sheet §7.1 [S]. */
export function resumableSendHeaders({
  mimeType = FORM_CONTENT_TYPE,
  offset = 0,
  ...identity
}: UploadIdentity & { mimeType?: string; offset?: number }): Record<string, string> {
  return {
    ...identityHeaders(identity),
    'content-type': mimeType,
    'x-goog-upload-command': 'upload, finalize',
    'x-goog-upload-offset': String(offset),
  }
}

export interface MultipartInput {
  name: string
  mimeType: string
  data: Uint8Array
  /** Must not occur in the data; a UUID will do. */
  boundary: string
}

/** Headers of the multipart way. Do not mix in any X-Goog-Upload header. Source: fact sheet §7.2 [S]. */
export function multipartHeaders({
  boundary,
  ...identity
}: UploadIdentity & { boundary: string }): Record<string, string> {
  return { ...identityHeaders(identity), 'content-type': `multipart/form-data; boundary=${boundary}` }
}

/** Body of the multipart way: one part named `file`. */
export function multipartBody({ name, mimeType, data, boundary }: MultipartInput): Uint8Array<ArrayBuffer> {
  const quoted = name.replace(/[\r\n]/g, ' ').replace(/"/g, '%22')
  const encoder = new TextEncoder()
  const head = encoder.encode(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted}"\r\nContent-Type: ${mimeType}\r\n\r\n`,
  )
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`)
  const body = new Uint8Array(head.length + data.length + tail.length)
  body.set(head)
  body.set(data, head.length)
  body.set(tail, head.length + data.length)
  return body
}

/** The reference an upload ended with; undefined for anything else, such as an error page. Source: fact sheet §7.3 [S]. */
export function readUploadReference(body: string): string | undefined {
  const reference = body.trim()
  return /^\/\S+$/.test(reference) ? reference : undefined
}

/** A reference as the service gives it out; the resumable way appends a suffix. */
export function buildUploadReference({ id, suffix }: { id: string; suffix?: string }): string {
  return `/contrib_service/ttl_1d/${id}${suffix === undefined ? '' : `_${suffix}`}`
}

export interface ReadUpload {
  pushId?: string
  tenant?: string
  command: 'start' | 'upload' | 'multipart'
  /** Announced size of a start. */
  bytes?: number
  finalize: boolean
  offset: number
}

/** Which step a request is, for the emulator. */
export function readUploadRequest(header: HeaderReader): ReadUpload {
  const command = header('x-goog-upload-command') ?? ''
  const bytes = header('x-goog-upload-header-content-length')
  const pushId = header('push-id')
  const tenant = header('x-tenant-id')
  return {
    command: command.includes('upload') ? 'upload' : command === 'start' ? 'start' : 'multipart',
    finalize: command.includes('finalize'),
    offset: Number(header('x-goog-upload-offset') ?? 0),
    ...(bytes == null ? {} : { bytes: Number(bytes) }),
    ...(pushId == null ? {} : { pushId }),
    ...(tenant == null ? {} : { tenant }),
  }
}

/** Headers of the answer to step 1. */
export function buildUploadStartReply(uploadUrl: string): Record<string, string> {
  return {
    'x-goog-upload-status': 'active',
    'x-goog-upload-url': uploadUrl,
    'x-goog-upload-control-url': uploadUrl,
    'x-goog-upload-chunk-granularity': String(UPLOAD_CHUNK_GRANULARITY),
  }
}

/** The name that a start body announces. */
export function readResumableStartBody(body: string): string | undefined {
  return /^File name: (.*)$/.exec(body.trim())?.[1]
}
