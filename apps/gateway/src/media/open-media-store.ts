import {
  createMediaHandler,
  createMemoryMediaStore,
  createUrlSigner,
  startSweeper,
  type MediaStore,
} from '@castorjs/media-store'
import { createFolderMediaStore } from '@castorjs/media-store/node'
import { createS3MediaStore } from '@castorjs/media-store/s3'
import { updateRecord, type StateStore } from '@castorjs/state-store'
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Config } from '../config-schema.ts'

/** Path under which the gateway serves what it keeps. */
export const MEDIA_PATH = '/media'

/** What is kept for callers to fetch, and the handler they fetch it from. */
export interface MediaShelf {
  /** Keeps the bytes and returns their URL under `origin`, or under the configured public base. */
  keep: (
    bytes: Uint8Array,
    mimeType: string,
    options: { origin: string | undefined; signal: AbortSignal },
  ) => Promise<string>
  handle: (request: Request) => Promise<Response>
  close: () => void
}

type MediaStoreConfig = Pick<Config, 'dataDir' | 'mediaStore' | 'publicBaseUrl'>

/** Opens the configured store. Links are signed with a key that lives in the state, so that they outlive a restart. */
export async function openMediaShelf(
  { dataDir, mediaStore, publicBaseUrl }: MediaStoreConfig,
  state: StateStore,
  onError: (error: unknown) => void,
): Promise<MediaShelf> {
  const signer = createUrlSigner({ key: Buffer.from(await signingKey(state), 'base64') })
  const { kind, ttlMs, maxTotalBytes, s3 } = mediaStore
  const common = { ttlMs, maxTotalBytes, signer }
  let store: MediaStore
  if (kind === 's3') {
    if (s3 === undefined)
      throw new TypeError('mediaStore.s3 is missing: with kind "s3" it names the bucket and its keys')
    const { links, ...bucket } = s3
    store = createS3MediaStore({ ...bucket, ttlMs, ...(links === 'gateway' ? { signer } : {}) })
  } else if (kind === 'memory') store = createMemoryMediaStore(common)
  else store = createFolderMediaStore({ ...common, directory: join(resolve(dataDir), 'media') })

  const base = publicBaseUrl?.replace(/\/+$/, '')
  return {
    async keep(bytes, mimeType, { origin, signal }) {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(KEEP_MS)])
      const { id } = await store.put(bytes, { mimeType, signal: deadline })
      const root = base ?? origin
      return store.url(id, root === undefined ? {} : { baseUrl: root + MEDIA_PATH })
    },
    handle: createMediaHandler({ store, signer }),
    close: startSweeper(store, { onError }),
  }
}

/** A store that takes longer is as good as down: the caller waits for its picture. */
const KEEP_MS = 30_000

const SIGNING_KEY = 'media/signing-key'

/** The key of this installation; replicas that start at once agree on the first one written. One that does not open is replaced. */
async function signingKey(state: StateStore): Promise<string> {
  let key: unknown
  const made = await updateRecord(state, SIGNING_KEY, (stored) => {
    key = stored
    return typeof stored === 'string' ? undefined : randomBytes(32).toString('base64')
  })
  return made ?? String(key)
}
