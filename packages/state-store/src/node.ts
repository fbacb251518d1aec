export { openFileStateStore } from './node/file-store.ts'
export type { FileStateStoreOptions } from './node/file-store.ts'
export { openKeyFile, rotateKeyFile } from './node/key-file.ts'
export { findDamagedFiles } from './node/state-log.ts'
