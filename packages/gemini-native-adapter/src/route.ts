import { modelsDialect } from '@castorjs/content-generator'

/** Where a request wants to go. */
export interface Route {
  version: string
  /** `models`, or a collection of Google's that is not served here: `files`, `cachedContents`, … */
  collection: string
  /** What follows the collection, decoded: `gemini-2.5-flash`. Empty for the collection itself. */
  name: string
  /** What follows the colon: `generateContent`. Empty for a plain resource. */
  method: string
}

const VERSIONED = /\/(upload\/)?(v1beta|v1alpha|v1)\/([A-Za-z]+)(?:\/(.*?))?(?::([A-Za-z]+))?\/?$/

/** `/v1internal:method` and `/v1internal/operations/name`, the paths of Code Assist. */
const INTERNAL = /\/v1internal(?::([A-Za-z]+)|\/(operations\/[\w-]+))$/

/** Reads a path, whatever mount stands before the version. Undefined if it is not one of Google's. */
export function readRoute(pathname: string): Route | undefined {
  const internal = INTERNAL.exec(pathname)
  if (internal !== null) {
    return { version: 'v1internal', collection: '', name: '', method: internal[1] ?? internal[2] ?? '' }
  }
  const match = VERSIONED.exec(pathname)
  if (match === null) return undefined
  const [, upload, version = '', collection = '', name = '', method = ''] = match
  return { version, collection: upload === undefined ? collection : 'upload', name: decodeName(name), method }
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name).replace(/^models\//, '')
  } catch {
    return name
  }
}

/**
 * True for a request in this dialect. `/v1beta`, `/v1alpha` and `/v1internal` are Google's alone; under `/v1` only
 * `models/{model}:{method}` is, and `models` where the headers say so.
 */
export function isGeminiNative(request: Request): boolean {
  const route = readRoute(new URL(request.url).pathname)
  if (route === undefined) return false
  if (route.version !== 'v1' || route.collection === 'upload') return true
  if (route.collection !== 'models') return false
  return route.method !== '' || modelsDialect(request) === 'gemini'
}
