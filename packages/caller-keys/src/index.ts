export { createCallerKeys, type CallerKeys, type CallerKeysOptions, type RecordStore } from './caller-keys.ts'
export { allowsModel, permit, type CallerKey, type CallerKeySettings, type KeyLimits } from './caller-key.ts'
