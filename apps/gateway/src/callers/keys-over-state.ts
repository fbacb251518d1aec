import type { CallerKeys } from '@castorjs/caller-keys'
import { GenerationError } from '@castorjs/content-generator'
import { isStateError } from '@castorjs/state-store'

const RETRY_MS = 2_000

export type KeyLookup = Pick<CallerKeys, 'check' | 'get'>

/**
 * Keys made at run time live in the state; configured callers need no look at it, so they are served also while a
 * shared state is away. The others are asked to come back.
 *
 * @param configured Ids of callers that have no stored key.
 */
export function keysOverState(keys: KeyLookup, configured: readonly string[]): KeyLookup {
  const known = new Set(configured)
  return {
    check: (key) => keys.check(key).catch(toUnavailable),
    get: async (id) => (known.has(id) ? undefined : keys.get(id).catch(toUnavailable)),
  }
}

function toUnavailable(error: unknown): never {
  if (!isStateError(error)) throw error
  throw new GenerationError(
    'upstream_unavailable',
    'The state that holds the keys cannot be reached, so this key cannot be checked. Try again in a moment.',
    { retryAfterMs: RETRY_MS, fault: 'castor', cause: error },
  )
}
