export { isMediaStoreError, MediaStoreError } from './error.ts'
export type { MediaStoreErrorCode } from './error.ts'
export type { ByteRange, HomeEntry, ListedEntry, MediaHome, StoredEntry } from './home.ts'
export { createMediaHandler } from './media-handler.ts'
export type { MediaHandlerOptions } from './media-handler.ts'
export { createMediaStore } from './media-store.ts'
export type {
  GetOptions,
  MediaEntry,
  MediaObject,
  MediaStore,
  MediaStoreOptions,
  PutOptions,
  SweepResult,
  UrlOptions,
} from './media-store.ts'
export { createMemoryMediaStore } from './memory-home.ts'
export { startSweeper } from './sweeper.ts'
export type { SweeperOptions } from './sweeper.ts'
export { createUrlSigner } from './url-signer.ts'
export type { UrlSigner, UrlSignerOptions } from './url-signer.ts'
