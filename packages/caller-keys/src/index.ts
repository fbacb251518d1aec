export { createCallerKeys, type CallerKeys, type CallerKeysOptions, type RecordStore } from './caller-keys.ts'
export { KEY_PREFIX } from './key-text.ts'
export { allowsModel, permit, type CallerKey, type CallerKeySettings, type KeyLimits } from './caller-key.ts'
