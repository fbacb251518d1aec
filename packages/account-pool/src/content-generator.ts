import {
  GenerationError,
  openOnPull,
  toGenerationError,
  type ContentGenerator,
  type EmbedContentRequest,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
} from '@castorjs/content-generator'
import { conversationOf, type Conversation } from './conversation.ts'
import type { AccountPool, Lease, PooledAccount } from './pool.ts'
import { callWithAccounts, createSearch, type SearchOptions } from './search.ts'

export interface WithAccountsOptions {
  /** Name of the whole. Default: the name of the accounts' generators. */
  name?: string
  /** Accounts tried at most for one request. Default 3. */
  maxTries?: number
  /** Longest wait of one request for an account, in milliseconds. Default: the pool's. */
  waitMs?: number
  /** Accounts of this group of the pool only. */
  group?: string
  /**
   * Which conversation a request belongs to: it stays with one account. Default: caller and session id, where the client
   * sends one, else caller and opening words.
   */
  affinity?: (
    request: GenerateContentRequest,
    options: GenerateOptions,
  ) => Conversation | undefined | Promise<Conversation | undefined>
  /** Id of the account that already holds this conversation; it is taken if it is ready. */
  prefer?: (
    request: GenerateContentRequest,
    options: GenerateOptions,
  ) => string | undefined | Promise<string | undefined>
  /** Where a person can put a failure right, such as a verification page; the account then needs attention. */
  attentionLink?: (error: GenerationError) => string | undefined
  /** What the accounts' generators can do besides generating. Default: what the first account's can. */
  provides?: { countTokens?: boolean; embedContent?: boolean }
}

/**
 * One generator over many accounts. Another account is tried until the first chunk, and never after; the lease is
 * given back on every path.
 *
 * @param toGenerator Makes the generator of an account. Called once per account and value.
 */
export function withAccounts<Value>(
  pool: AccountPool<Value>,
  toGenerator: (value: Value, account: PooledAccount) => ContentGenerator,
  options: WithAccountsOptions = {},
): ContentGenerator {
  const { maxTries, waitMs, group, prefer = () => undefined, attentionLink = () => undefined } = options
  const { affinity = conversationOf } = options
  const generators = new Map<string, { value: Value; generator: ContentGenerator }>()

  function generatorOf(value: Value, account: PooledAccount): ContentGenerator {
    const known = generators.get(account.id)
    if (known !== undefined && known.value === value) return known.generator
    for (const id of generators.keys()) if (pool.get(id) === undefined) generators.delete(id)
    const generator = toGenerator(value, account)
    generators.set(account.id, { value, generator })
    return generator
  }

  const first = pool.accounts.find(({ account }) => account.group === (group ?? ''))
  const sample = first === undefined ? undefined : generatorOf(first.value, first.account)
  const counts = options.provides?.countTokens ?? sample?.countTokens !== undefined
  const embeds = options.provides?.embedContent ?? sample?.embedContent !== undefined

  function searchFor(model: string | undefined, { signal }: GenerateOptions): SearchOptions {
    return {
      signal,
      attentionLink,
      ...(maxTries === undefined ? {} : { maxTries }),
      ...(waitMs === undefined ? {} : { waitMs }),
      ...(group === undefined ? {} : { group }),
      ...(model === undefined ? {} : { model }),
    }
  }

  /** A call that is not a turn, on whichever account is next. */
  function call<Result>(
    search: SearchOptions,
    generateOptions: GenerateOptions,
    work: (generator: ContentGenerator, options: GenerateOptions) => Promise<Result>,
  ): Promise<Result> {
    return callWithAccounts(pool, search, (value, account) =>
      work(generatorOf(value, account), labelled(generateOptions, account)),
    )
  }

  const name = options.name ?? sample?.name ?? 'accounts'

  return {
    name,

    generateContentStream: (request, generateOptions) =>
      openOnPull(async () => {
        // With one account there is nothing to choose.
        const conversation = pool.accounts.length > 1 ? await affinity(request, generateOptions) : undefined
        const wanted = await prefer(request, generateOptions)
        const search = createSearch(pool, {
          ...searchFor(request.model, generateOptions),
          ...(conversation === undefined ? {} : { affinity: conversation.key, begins: conversation.begins ?? false }),
          ...(wanted === undefined ? {} : { prefer: wanted }),
        })
        let asked = false
        for (;;) {
          const lease = await search.next().catch((error: unknown) => {
            if (!asked) generateOptions.onServed?.({ upstream: name })
            throw error
          })
          asked = true
          const generator = generatorOf(lease.value, lease.account)
          let served = false
          const own = labelled(generateOptions, lease.account, () => (served = true))
          try {
            const chunks = generator.generateContentStream(request, own)[Symbol.asyncIterator]()
            const first = await chunks.next()
            if (first.done === true) throw new GenerationError('upstream_unavailable', EMPTY)
            lease.succeed()
            if (!served) own.onServed?.({ upstream: generator.name })
            return goOn(first, chunks, lease, (thrown) => {
              const error = toGenerationError(thrown, generateOptions.signal)
              lease.fail(search.toFailure(error))
              throw error
            })
          } catch (thrown) {
            // Whose failure it was, should it be the last.
            if (!served) own.onServed?.({ upstream: generator.name })
            try {
              await search.failed(lease, toGenerationError(thrown, generateOptions.signal))
            } finally {
              lease.release()
            }
          }
        }
      }),

    ...(counts && {
      countTokens: (request: GenerateContentRequest, generateOptions: GenerateOptions) =>
        call({ ...searchFor(request.model, generateOptions), light: true }, generateOptions, (generator, own) => {
          if (generator.countTokens === undefined) throw missing(generator, 'count tokens')
          return generator.countTokens(request, own)
        }),
    }),
    ...(embeds && {
      embedContent: (requests: readonly EmbedContentRequest[], generateOptions: GenerateOptions) =>
        call(searchFor(requests[0]?.model, generateOptions), generateOptions, (generator, own) => {
          if (generator.embedContent === undefined) throw missing(generator, 'embed')
          own.onServed?.({ upstream: generator.name })
          return generator.embedContent(requests, own)
        }),
    }),
    models: (generateOptions) =>
      call({ ...searchFor(undefined, generateOptions), light: true }, generateOptions, (generator, own) =>
        generator.models(own),
      ),
  }
}

const EMPTY = 'The upstream closed the stream without an answer. Send the request again.'

/** An answer that has begun: there is no way back to another account. The lease ends with it. */
function goOn(
  first: IteratorResult<GenerateContentResponse>,
  chunks: AsyncIterator<GenerateContentResponse>,
  lease: Pick<Lease<unknown>, 'release'>,
  fail: (thrown: unknown) => never,
): AsyncIterable<GenerateContentResponse> {
  let begun: typeof first | undefined = first
  function pass(next: typeof first): typeof first {
    if (next.done === true) lease.release()
    return next
  }
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (begun === undefined) return chunks.next().then(pass, fail)
        const next = Promise.resolve(begun)
        begun = undefined
        return next
      },
      async return() {
        try {
          await chunks.return?.()
        } finally {
          lease.release()
        }
        return { done: true, value: undefined }
      },
    }),
  }
}

/** The caller's options, with every word about who served carrying the account's label. */
function labelled(options: GenerateOptions, account: PooledAccount, noticed?: () => void): GenerateOptions {
  return {
    ...options,
    onServed: (served) => {
      noticed?.()
      options.onServed?.({ ...served, account: account.label })
    },
  }
}

function missing(generator: ContentGenerator, what: string): GenerationError {
  return new GenerationError('unsupported', `The upstream ${generator.name} cannot ${what}.`)
}
