export { readDataUrl, toInlinePart, type MediaSource } from './media/inline-part.ts'
export { detectMediaType, normalizeMediaType } from './media/media-type.ts'
export { base64ToBytes, bytesToBase64, normalizeBase64 } from './media/base64.ts'
