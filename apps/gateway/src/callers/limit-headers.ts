import { isGenerationError } from '@castorjs/content-generator'
import type { CallerLimits, RequestLimits } from '@castorjs/request-limits'

/** `x-ratelimit-*` for a caller; undefined is who was not let in. Never rejects. */
export type LimitHeaders = (caller: string | undefined) => Promise<Record<string, string>>

export interface LimitHeadersOptions {
  limits: Pick<RequestLimits, 'headers'>
  /** Limits of the caller's own. Rejects with `unauthenticated` once its key is gone. */
  limitsOf: (caller: string) => Promise<CallerLimits>
}

const LIMIT = 'x-ratelimit-limit-requests'

/**
 * Says what is left of a limit on answers that no generator had a part in: an error before the upstream, a list of models,
 * a count of tokens. Who was not let in learns the limit, but not how busy the others are.
 */
export function createLimitHeaders({ limits, limitsOf }: LimitHeadersOptions): LimitHeaders {
  async function read(caller: string | undefined): Promise<Record<string, string>> {
    if (caller !== undefined) return limits.headers(caller, await limitsOf(caller))
    const { [LIMIT]: limit } = await limits.headers('')
    return limit === undefined ? {} : { [LIMIT]: limit }
  }
  return (caller) =>
    read(caller)
      .catch((error: unknown) => {
        if (isGenerationError(error) && error.code === 'unauthenticated') return read(undefined)
        throw error
      })
      // An answer is worth more than what it says of limits: while a shared state is away, they are left out.
      .catch(() => ({}))
}
