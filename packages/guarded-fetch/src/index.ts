export { createGuardedFetch } from './guarded-fetch.ts'
export type {
  GuardedFetch,
  GuardedFetchOptions,
  GuardedRequest,
  GuardedResponse,
  PinnedRequest,
  PinnedTransport,
} from './guarded-fetch.ts'
export type { ResolveHost } from './target.ts'
