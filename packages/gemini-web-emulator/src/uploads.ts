import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'

/** A file that was uploaded. */
export interface Upload {
  readonly reference: string
  readonly name: string
  readonly mimeType: string
  readonly bytes: Uint8Array
  readonly createdMs: number
}

/** What a resumable upload announces. */
interface UploadStart {
  name: string
  mimeType?: string
  /** Bytes that will come. */
  size?: number
}

export interface Uploads {
  /** Opens a resumable upload. */
  open(start: UploadStart): string
  pending(uploadId: string): UploadStart | undefined
  /** Adds bytes; false when they do not begin where the last ones ended, or are more than announced. */
  append(uploadId: string, bytes: Uint8Array, offset: number): boolean
  /** Stores what a resumable upload has sent; undefined for one that is not open or not whole. */
  finish(uploadId: string, mimeType: string | undefined): Upload | undefined
  /** Stores a whole file. */
  store(file: { name: string; mimeType: string; bytes: Uint8Array }, suffix?: string): Upload
  /** The file of a reference, unless it is unknown or too old. */
  find(reference: string, lifeMs: number): Upload | undefined
  clear(): void
}

/** Files kept; the oldest go first. */
const MOST_FILES = 500

export function createUploads({ clock, ids }: { clock: Clock; ids: Ids }): Uploads {
  const open = new Map<string, UploadStart & { bytes: Uint8Array }>()
  const files = new Map<string, Upload>()
  const uploads: Uploads = {
    open(start) {
      const id = `AB${ids.token(40)}`
      open.set(id, { ...start, bytes: new Uint8Array() })
      return id
    },
    pending: (uploadId) => open.get(uploadId),
    append(uploadId, bytes, offset) {
      const start = open.get(uploadId)
      if (start === undefined || offset !== start.bytes.byteLength) return false
      if (start.size !== undefined && offset + bytes.byteLength > start.size) return false
      const joined = new Uint8Array(offset + bytes.byteLength)
      joined.set(start.bytes)
      joined.set(bytes, offset)
      start.bytes = joined
      return true
    },
    finish(uploadId, mimeType) {
      const start = open.get(uploadId)
      if (start === undefined || (start.size !== undefined && start.size !== start.bytes.byteLength)) return undefined
      open.delete(uploadId)
      const named =
        mimeType === undefined || /^application\/(?:x-www-form-urlencoded|octet-stream)/.test(mimeType)
          ? undefined
          : mimeType
      return uploads.store(
        { name: start.name, mimeType: start.mimeType ?? named ?? typeByName(start.name), bytes: start.bytes },
        `_Ad${ids.token(12)}`,
      )
    },
    store({ name, mimeType, bytes }, suffix = '') {
      const reference = `/contrib_service/ttl_1d/${ids.token(32).replace(/[-_]/g, 'x')}${suffix}`
      const upload = { reference, name, mimeType, bytes, createdMs: clock.now() }
      files.set(reference, upload)
      for (const oldest of files.keys()) {
        if (files.size <= MOST_FILES) break
        files.delete(oldest)
      }
      return upload
    },
    find(reference, lifeMs) {
      const upload = files.get(reference)
      return upload !== undefined && clock.now() - upload.createdMs < lifeMs ? upload : undefined
    },
    clear() {
      open.clear()
      files.clear()
    },
  }
  return uploads
}

const TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  html: 'text/html',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  mp4: 'video/mp4',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
}

/** Media type by the ending of a name. */
export function typeByName(name: string): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream'
}

/** The text of a file that a model reads as text; undefined for pictures, sound and other bytes. */
export function readAsText({ mimeType, name, bytes }: Pick<Upload, 'mimeType' | 'name' | 'bytes'>): string | undefined {
  const type = mimeType === 'application/octet-stream' ? typeByName(name) : mimeType
  if (
    !/^text\/|^application\/(?:json|xml|javascript|x-yaml|yaml|x-sh|sql)|\+(?:json|xml)\b/.test(type) &&
    type !== 'application/octet-stream'
  )
    return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
