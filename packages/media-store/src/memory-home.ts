import { join } from './bytes.ts'
import type { MediaHome, StoredEntry } from './home.ts'
import { createMediaStore } from './media-store.ts'
import type { MediaStore, MediaStoreOptions } from './media-store.ts'

/** A store that lives as long as the process. */
export function createMemoryMediaStore(options: MediaStoreOptions = {}): MediaStore {
  return createMediaStore(createMemoryHome(), { maxTotalBytes: 268_435_456, ...options })
}

/** Bytes in a Map. */
export function createMemoryHome(): MediaHome {
  const items = new Map<string, { entry: StoredEntry; bytes: Uint8Array }>()
  return {
    async write(entry, body) {
      const bytes = body instanceof Uint8Array ? body.slice() : await gather(body)
      items.set(entry.id, { entry: { ...entry, sizeBytes: bytes.byteLength }, bytes })
      return bytes.byteLength
    },
    head: async (id) => items.get(id)?.entry,
    async *read(id, range) {
      const bytes = items.get(id)?.bytes
      if (bytes !== undefined && bytes.byteLength > 0)
        yield range === undefined ? bytes.slice() : bytes.slice(range.start, range.end + 1)
    },
    remove: async (id) => items.delete(id),
    async *list() {
      for (const { entry } of items.values()) yield entry
    },
  }
}

async function gather(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return join(chunks)
}
