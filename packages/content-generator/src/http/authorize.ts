import { GenerationError } from '../error.ts'

/** Who sent a request, once its key was checked. */
export interface Caller {
  /** Stable and not secret: the id of the key, never the key. */
  id: string
}

/**
 * Decides who may call. Returns the caller, or throws `GenerationError` `unauthenticated` or `forbidden`.
 * An open door must be written out: `'anyone'`.
 */
export type Authorize = 'anyone' | ((request: Request) => Caller | Promise<Caller>)

const ANYONE: Caller = { id: 'anyone' }

/** Runs the check. */
export async function authorizeRequest(authorize: Authorize, request: Request): Promise<Caller> {
  return authorize === 'anyone' ? ANYONE : authorize(request)
}

/**
 * The key a client sent, from any of the places real clients use: `Authorization` (with or without `Bearer`),
 * `x-api-key`, `x-goog-api-key`, `?key=`. Source: `dialects.md` section 0.2, reference documents 000 and 003.
 */
export function readApiKey(request: Request): string | undefined {
  const authorization = request.headers.get('authorization')?.replace(/^Bearer\s+/i, '')
  const key =
    authorization ||
    request.headers.get('x-api-key') ||
    request.headers.get('x-goog-api-key') ||
    new URL(request.url).searchParams.get('key')
  return key?.trim() || undefined
}

/**
 * A door with fixed keys, compared in constant time.
 *
 * @throws {GenerationError} from the returned check: `unauthenticated` without or with a wrong key.
 */
export function createKeyCheck(keys: readonly { id: string; key: string }[]): (request: Request) => Promise<Caller> {
  const digests = Promise.all(keys.map(async ({ id, key }) => ({ id, digest: await sha256(key) })))
  return async (request) => {
    const given = readApiKey(request)
    if (given === undefined) {
      throw new GenerationError(
        'unauthenticated',
        'No API key was sent. Send it as `Authorization: Bearer <key>`, `x-api-key`, `x-goog-api-key` or `?key=`.',
      )
    }
    const digest = await sha256(given)
    let caller: Caller | undefined
    // Every key is compared, in full, so that time tells nothing about which one came close.
    for (const known of await digests) if (equalBytes(known.digest, digest)) caller = { id: known.id }
    if (caller === undefined) throw new GenerationError('unauthenticated', 'The API key is not one of this server.')
    return caller
  }
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0)
  return difference === 0
}
