import { createMediaStore } from './media-store.ts'
import type { MediaStore, MediaStoreOptions } from './media-store.ts'
import { createFolderHome } from './node/folder-home.ts'

export interface FolderMediaStoreOptions extends MediaStoreOptions {
  /** Made when missing (mode 0700). Nothing else belongs in it. */
  directory: string
}

/** A store in a folder. Several processes may share one. */
export function createFolderMediaStore({ directory, ...options }: FolderMediaStoreOptions): MediaStore {
  return createMediaStore(createFolderHome(directory), options)
}
