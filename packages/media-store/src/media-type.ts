import { fileTypeFromBuffer, supportedMimeTypes } from 'file-type/core'

export interface MediaType {
  mimeType: string
  extension?: string
}

/** As many bytes as file-type wants to see. */
export const SAMPLE_BYTES = 4100

const UNKNOWN: MediaType = { mimeType: 'application/octet-stream', extension: 'bin' }

/** A container may hold something narrower; then the label is believed. */
const NARROWER: Record<string, RegExp> = {
  'application/xml': /^image\/svg\+xml$|^(application|text)\/[\w.+-]*xml$/,
  'application/zip': /^application\//,
  'application/ogg': /^(audio|video)\/ogg$/,
  'video/mp4': /^audio\/mp4$/,
  'video/webm': /^audio\/webm$/,
}

const EXTENSIONS: Record<string, string> = {
  'image/svg+xml': 'svg',
  'text/plain': 'txt',
  'text/markdown': 'md',
  'text/csv': 'csv',
  'text/html': 'html',
  'application/json': 'json',
}

/**
 * What the bytes are, by their beginning. A label is only believed for formats that have no signature (text) or where
 * it narrows down a container; a "picture" without a picture's signature is `application/octet-stream`.
 */
export async function readMediaType(sample: Uint8Array, label: string | undefined): Promise<MediaType> {
  const declared = label?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const found = await fileTypeFromBuffer(sample).catch(() => undefined)
  if (found !== undefined) {
    if (NARROWER[found.mime]?.test(declared) === true) return describe(declared)
    return { mimeType: found.mime, extension: found.ext.replace(/^.*\./, '') }
  }
  if (!/^[a-z0-9][\w.+-]*\/[a-z0-9][\w.+-]*$/.test(declared)) return UNKNOWN
  return (supportedMimeTypes as ReadonlySet<string>).has(declared) ? UNKNOWN : describe(declared)
}

function describe(mimeType: string): MediaType {
  const extension = EXTENSIONS[mimeType]
  return extension === undefined ? { mimeType } : { mimeType, extension }
}
