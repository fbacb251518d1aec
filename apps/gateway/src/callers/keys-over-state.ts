import type { CallerKey, CallerKeys } from '@castorjs/caller-keys'
import { GenerationError } from '@castorjs/content-generator'
import { isStateError } from '@castorjs/state-store'

const RETRY_MS = 2_000

export interface KeyLookup extends Pick<CallerKeys, 'check'> {
  /**
   * The stored key of a caller that was let in, as it is now; undefined for one of the configuration.
   * @throws {GenerationError} `unauthenticated` when it was removed, switched off or has expired since.
   */
  keyOf(id: string): Promise<CallerKey | undefined>
}

/**
 * Keys made at run time live in the state; configured callers need no look at it, so they are served also while a
 * shared state is away. The others are asked to come back.
 *
 * @param configured Ids of callers that have no stored key.
 */
export function keysOverState(keys: Pick<CallerKeys, 'check' | 'checkId'>, configured: readonly string[]): KeyLookup {
  const known = new Set(configured)
  return {
    check: (key) => keys.check(key).catch(toUnavailable),
    keyOf: async (id) => (known.has(id) ? undefined : keys.checkId(id).catch(toUnavailable)),
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
