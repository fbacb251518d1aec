import { GenerationError, isGenerationError, toGenerationError } from '@castorjs/content-generator'
import type { Failure } from './failures.ts'
import type { AccountPool, Lease, LeaseOptions } from './pool.ts'

export interface SearchOptions extends LeaseOptions {
  /** Accounts tried at most for one request. Default 3. */
  maxTries?: number
  /** Where a person can put a failure right, such as a verification page; the account then needs attention. */
  attentionLink?: (error: GenerationError) => string | undefined
}

/** One request's search for an account that serves it. */
export interface AccountSearch<Value> {
  /**
   * The next account to try.
   * @throws {GenerationError} The last account's own error when there was one and no other account is ready; else
   * what `pool.lease` throws.
   */
  next(): Promise<Lease<Value>>
  /**
   * Gives a failed lease back. Resolves when another account may be tried.
   * @throws {GenerationError} the error when none may, with the wait of the whole pool where the error ends by itself.
   */
  failed(lease: Lease<Value>, error: GenerationError): Promise<void>
  /** What the pool is told of an error. */
  toFailure(error: GenerationError): Failure
}

/** Wait for an account that is free already, in milliseconds. */
const AT_ONCE_MS = 1_000

/** The failover law for one request, up to the first chunk. */
export function createSearch<Value>(
  pool: AccountPool<Value>,
  { maxTries = 3, waitMs, attentionLink = () => undefined, ...options }: SearchOptions,
): AccountSearch<Value> {
  const tried: string[] = []
  const startedAt = performance.now()
  let last: GenerationError | undefined
  let lastChance = false

  function toFailure(error: GenerationError): Failure {
    const { code, fault, retryAfterMs, upstreamCode } = error
    return { code, fault, retryAfterMs, upstreamCode, link: attentionLink(error) }
  }

  return {
    toFailure,
    async next() {
      const left = waitMs === undefined ? {} : { waitMs: Math.max(0, waitMs - (performance.now() - startedAt)) }
      try {
        const lease = await pool.lease({ ...options, ...left, exclude: tried, avoidTrials: tried.length > 0 })
        tried.push(lease.account.id)
        return lease
      } catch (error) {
        if (last === undefined || options.signal?.aborted === true || !isGenerationError(error)) throw error
        throw withRetryAfter(last, error.retryAfterMs)
      }
    },
    async failed(lease, error) {
      last = error
      const verdict = lease.fail(toFailure(error))
      if (options.signal?.aborted === true || verdict.anotherAccount === 'no') throw error
      if (lastChance || tried.length >= maxTries) {
        const wait = await pool.waitFor(options).catch(() => error.retryAfterMs)
        // An account that is free now has not been tried: the next request may have it.
        throw withRetryAfter(error, wait === 0 ? AT_ONCE_MS : wait)
      }
      if (verdict.anotherAccount === 'once') lastChance = true
    },
  }
}

/** A plain call under the same law: another account may be tried until one has answered. */
export async function callWithAccounts<Value, Result>(
  pool: AccountPool<Value>,
  options: SearchOptions,
  work: (value: Value, account: Lease<Value>['account']) => Promise<Result>,
): Promise<Result> {
  const search = createSearch(pool, options)
  for (;;) {
    const lease = await search.next()
    try {
      const result = await work(lease.value, lease.account)
      lease.succeed()
      return result
    } catch (thrown) {
      await search.failed(lease, toGenerationError(thrown, options.signal))
    } finally {
      lease.release()
    }
  }
}

/** The error with the wait that is true for the whole pool: the account that returns first may serve the retry. */
function withRetryAfter(error: GenerationError, retryAfterMs: number | undefined): GenerationError {
  if (retryAfterMs === undefined || retryAfterMs === error.retryAfterMs) return error
  const { code, message, field, fault, fileUri, upstreamCode, suggestions, cause } = error
  return new GenerationError(code, message, {
    retryAfterMs,
    fault,
    suggestions,
    cause,
    ...(field === undefined ? {} : { field }),
    ...(fileUri === undefined ? {} : { fileUri }),
    ...(upstreamCode === undefined ? {} : { upstreamCode }),
  })
}
