/**
 * What talking to a Gemini in Google's own words takes, for upstreams other than the Gemini API that speak them too:
 * requests fitted to the model, streams read as chunks, errors read for what they mean.
 */
export { prepareRequest, type PreparedRequest, type PrepareOptions, type RequestBody } from './prepare/request.ts'
export { prepareMedia, type MediaContext, type MediaFetch } from './prepare/media.ts'
export { createSignatureCache, type SignatureCache } from './prepare/signatures.ts'
export { MODEL_RULES, type ModelRuleRow } from './model-rules.ts'
export { repairRequest, type Repair } from './repair.ts'
export { unwrapArguments } from './unwrap-arguments.ts'
export { createChunkReader, type ChunkReader, type ChunkReaderOptions } from './wire/chunk-reader.ts'
export { readGoogleError, readWait, type GoogleError } from './wire/google-error.ts'
export { toUpstreamError, type UpstreamErrorContext } from './wire/upstream-error.ts'
export { toWireError } from './wire/transport-error.ts'
