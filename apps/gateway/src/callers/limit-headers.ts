import type { CallerLimits, RequestLimits } from '@castorjs/request-limits'

/** Says what is left of a limit on every answer, also on those that no generator had a part in. */
export interface LimitHeaders {
  /** Notes who sent a request, once its key was checked. */
  remember: (request: Request, caller: string) => void
  /** Adds `x-ratelimit-*` where they are missing. */
  complete: (request: Request, response: Response) => Promise<Response>
}

export interface LimitHeadersOptions {
  limits: Pick<RequestLimits, 'headers'>
  /** Limits of the caller's own. */
  limitsOf: (caller: string) => Promise<CallerLimits>
}

const LIMIT = 'x-ratelimit-limit-requests'

/**
 * An error before the upstream, a list of models, a count of tokens: all of them tell the caller what it has left.
 * Who was not let in learns the limit, but not how busy the others are.
 */
export function createLimitHeaders({ limits, limitsOf }: LimitHeadersOptions): LimitHeaders {
  const callers = new WeakMap<Request, string>()

  async function read(caller: string | undefined): Promise<Record<string, string>> {
    if (caller !== undefined) return limits.headers(caller, await limitsOf(caller))
    const { [LIMIT]: limit } = await limits.headers('')
    return limit === undefined ? {} : { [LIMIT]: limit }
  }

  return {
    remember: (request, caller) => void callers.set(request, caller),
    async complete(request, response) {
      if (response.headers.has(LIMIT)) return response
      // An answer is worth more than what it says of limits: while a shared state is away, they are left out.
      const headers = await read(callers.get(request)).catch(() => ({}))
      for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
      return response
    },
  }
}
