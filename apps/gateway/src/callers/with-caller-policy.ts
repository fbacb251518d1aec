import { allowsModel, permit, type CallerKey } from '@castorjs/caller-keys'
import { GenerationError, openOnPull, type ContentGenerator, type GenerateOptions } from '@castorjs/content-generator'
import type { CallerLimits, LimitDecision, RequestLimits } from '@castorjs/request-limits'

export interface CallerPolicy {
  /**
   * The stored key of a caller; undefined for callers without one (the operator's own keys, this machine). Rejects with
   * `unauthenticated` where there was one when the caller was let in, and is none any more.
   */
  keyOf: (callerId: string) => Promise<CallerKey | undefined>
  limits: RequestLimits
  /** Limits of a caller's own: those of its stored key, or of its key in the configuration. */
  limitsOf: (callerId: string, key: CallerKey | undefined) => CallerLimits
}

/**
 * What a caller may do, before an upstream is asked: models its key allows, and how often. A request over a limit
 * is `rate_limited` with the true wait; every answer says what is left.
 */
export function withCallerPolicy(
  upstream: ContentGenerator,
  { keyOf, limits, limitsOf }: CallerPolicy,
): ContentGenerator {
  const decided = Symbol('limits')

  async function admit(model: string, { caller = 'anyone', shared = {}, onHeaders }: GenerateOptions): Promise<void> {
    const key = await keyOf(caller)
    if (key !== undefined) permit(key, { model })
    // A request that asks for several pictures counts once, and its parts are not in each other's way.
    shared[decided] ??= limits.check(caller, model, limitsOf(caller, key))
    const decision = await (shared[decided] as Promise<LimitDecision>)
    onHeaders?.(decision.headers)
    if (!decision.allowed) {
      throw new GenerationError('rate_limited', decision.message, {
        retryAfterMs: decision.retryAfterMs,
        fault: 'caller',
      })
    }
  }

  const { countTokens, embedContent } = upstream
  return {
    ...upstream,
    generateContentStream: (request, options) =>
      openOnPull(async () => {
        await admit(request.model, options)
        return upstream.generateContentStream(request, options)
      }),
    async models(options) {
      const models = await upstream.models(options)
      const key = options.caller === undefined ? undefined : await keyOf(options.caller)
      return key === undefined ? models : models.filter(({ name }) => allowsModel(key, name))
    },
    ...(countTokens === undefined
      ? {}
      : {
          countTokens: async (request, options) => {
            const key = await keyOf(options.caller ?? 'anyone')
            if (key !== undefined) permit(key, { model: request.model })
            return countTokens(request, options)
          },
        }),
    ...(embedContent === undefined
      ? {}
      : {
          embedContent: async (requests, options) => {
            const key = await keyOf(options.caller ?? 'anyone')
            // Each names a model of its own.
            if (key !== undefined) for (const { model } of requests) permit(key, { model })
            await admit(requests[0]?.model ?? '', options)
            return embedContent(requests, options)
          },
        }),
  }
}

/** Refuses callers whose key may not use this upstream. */
export function withUpstreamPermission(upstream: ContentGenerator, keyOf: CallerPolicy['keyOf']): ContentGenerator {
  const keyFor = async ({ caller }: GenerateOptions): Promise<CallerKey | undefined> =>
    caller === undefined ? undefined : keyOf(caller)

  async function check(options: GenerateOptions): Promise<void> {
    const key = await keyFor(options)
    if (key !== undefined) permit(key, { upstream: upstream.name })
  }
  const { countTokens, embedContent } = upstream
  return {
    ...upstream,
    generateContentStream: (request, options) =>
      openOnPull(async () => {
        await check(options)
        return upstream.generateContentStream(request, options)
      }),
    // What it may not use it does not see; other upstreams of the mount it may.
    async models(options) {
      const allowed = (await keyFor(options))?.upstreams?.includes(upstream.name) ?? true
      return allowed ? upstream.models(options) : []
    },
    ...(countTokens === undefined
      ? {}
      : {
          countTokens: async (request, options) => {
            await check(options)
            return countTokens(request, options)
          },
        }),
    ...(embedContent === undefined
      ? {}
      : {
          embedContent: async (requests, options) => {
            await check(options)
            return embedContent(requests, options)
          },
        }),
  }
}
