import { allowsModel, permit, type CallerKey } from '@castorjs/caller-keys'
import { GenerationError, openOnPull, type ContentGenerator, type GenerateOptions } from '@castorjs/content-generator'
import type { CallerLimits, LimitDecision, RequestLimits } from '@castorjs/request-limits'
import { canonicalModel } from '../model-name.ts'

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

export interface CallerPolicyOptions extends CallerPolicy {
  /** Names of the upstreams that may be asked for a model. */
  upstreamsFor: (model: string) => readonly string[]
}

/** A caller's request, which may ask for several answers and counts once. */
interface Counted {
  decision: Promise<LimitDecision>
  /** Answers that are still awaited. */
  open: number
  /** Something of it was sent to an upstream. */
  asked: boolean
}

/** A request that may go on. */
interface Admission {
  options: GenerateOptions
  /** Takes it back if nobody was asked, and throws what it failed with. */
  failed: (error: unknown) => Promise<never>
}

/**
 * What a caller may do, before an upstream is asked: models and upstreams its key allows, and how often. A request over
 * a limit is `rate_limited` with the true wait; every answer says what is left. What failed before an upstream was asked
 * does not count.
 */
export function withCallerPolicy(
  upstream: ContentGenerator,
  { keyOf, limits, limitsOf, upstreamsFor }: CallerPolicyOptions,
): ContentGenerator {
  const counted = Symbol('counted')

  async function admit(models: readonly string[], options: GenerateOptions): Promise<Admission> {
    const { caller = 'anyone', shared = {}, onHeaders } = options
    const key = await keyOf(caller)
    const [model = ''] = models
    if (key !== undefined) {
      for (const each of models) permit(key, { model: each })
      permitOneOf(key, upstreamsFor(model))
    }
    // A request that asks for several pictures counts once, and its parts are not in each other's way.
    shared[counted] ??= {
      decision: limits.check(caller, canonicalModel(model), limitsOf(caller, key)),
      open: 0,
      asked: false,
    } satisfies Counted
    const request = shared[counted] as Counted
    request.open++
    const decision = await request.decision
    onHeaders?.(decision.headers)
    if (!decision.allowed) {
      throw new GenerationError('rate_limited', decision.message, {
        retryAfterMs: decision.retryAfterMs,
        fault: 'caller',
      })
    }
    return {
      options: {
        ...options,
        onAsked() {
          request.asked = true
          options.onAsked?.()
        },
      },
      async failed(error) {
        request.open--
        if (!request.asked && request.open === 0) {
          // A part of the same request that comes later is counted anew.
          shared[counted] = undefined
          onHeaders?.(await decision.giveBack())
        }
        throw error
      },
    }
  }

  const { countTokens, embedContent } = upstream
  return {
    ...upstream,
    generateContentStream(request, options) {
      let admission: Admission | undefined
      const chunks = openOnPull(async () => {
        admission = await admit([request.model], options)
        return upstream.generateContentStream(request, admission.options)
      })
      return withFirstFailure(chunks, (error) =>
        admission === undefined ? Promise.reject(error as Error) : admission.failed(error),
      )
    },
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
            // Each names a model of its own.
            const models = requests.map(({ model }) => model)
            const admission = await admit(models, options)
            return embedContent(requests, admission.options).catch(admission.failed)
          },
        }),
  }
}

/** @throws {GenerationError} `forbidden` when the key may use none of them; which one there is, routing finds out. */
function permitOneOf(key: CallerKey, upstreams: readonly string[]): void {
  const [first] = upstreams
  if (first === undefined || upstreams.some((name) => key.upstreams?.includes(name) ?? true)) return
  permit(key, { upstream: first })
}

/** The same stream; what it throws instead of its first chunk goes through `failed`. */
function withFirstFailure<Value>(
  source: AsyncIterable<Value>,
  failed: (error: unknown) => Promise<never>,
): AsyncIterable<Value> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      let begun = false
      return {
        next() {
          if (begun) return iterator.next()
          begun = true
          return iterator.next().catch(failed)
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }
    },
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
