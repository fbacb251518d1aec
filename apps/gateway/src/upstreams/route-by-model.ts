import {
  ERRORS,
  GenerationError,
  toGenerationError,
  type ContentGenerator,
  type GenerateOptions,
  type ModelInfo,
} from '@castorjs/content-generator'
import { canonicalModel } from '../model-name.ts'

/** One upstream of a mount, and the model names it may be asked for. */
export interface Route {
  upstream: ContentGenerator
  /** Names with `*` for anything, in any case. Default: every name; the upstream says itself what it does not serve. */
  models?: readonly string[]
}

export interface RouteOptions {
  /** Also go on to the next upstream when one is spent, blocked or down. Off: the caller gets that error. */
  fallback?: boolean
}

/**
 * One generator over several upstreams, asked in order for the model's own name: an upstream that does not
 * serve it is passed over. The name never changes on the way, so nobody gets another model in silence.
 * After the first chunk nothing is tried again.
 */
export function routeByModel(
  name: string,
  routes: readonly Route[],
  { fallback = false }: RouteOptions = {},
): ContentGenerator {
  const only = routes.length === 1 ? routes[0] : undefined
  if (only !== undefined && only.models === undefined) return only.upstream

  function candidates(model: string): ContentGenerator[] {
    return routes.filter((route) => takes(route, model)).map((r) => r.upstream)
  }

  function goesOn(error: GenerationError): boolean {
    // `forbidden` says that the caller's key may not use this upstream; it may use the next.
    if (error.code === 'model_not_found' || error.code === 'forbidden') return true
    return fallback && ERRORS[error.code].anotherAccount !== 'no'
  }

  /** Asks one after the other; the last error that is not "I do not have it" is the one worth telling. */
  async function firstOf<Answer>(
    model: string,
    options: GenerateOptions,
    ask: (upstream: ContentGenerator) => Promise<Answer> | undefined,
  ): Promise<Answer> {
    const failures: GenerationError[] = []
    for (const upstream of candidates(model)) {
      try {
        const answer = ask(upstream)
        if (answer !== undefined) return await answer
      } catch (thrown) {
        const error = toGenerationError(thrown, options.signal)
        failures.push(error)
        if (!goesOn(error)) throw error
      }
    }
    throw telling(failures) ?? notServed(name, model)
  }

  return {
    name,
    async *generateContentStream(request, options) {
      const { first, iterator } = await firstOf(request.model, options, async (upstream) => {
        const opened = upstream.generateContentStream(request, options)[Symbol.asyncIterator]()
        return { first: await opened.next(), iterator: opened }
      })
      try {
        for (let next = first; next.done !== true; next = await iterator.next()) yield next.value
      } finally {
        await iterator.return?.()
      }
    },
    countTokens: (request, options) =>
      firstOf(request.model, options, (upstream) => upstream.countTokens?.(request, options)),
    embedContent: (requests, options) =>
      firstOf(requests[0]?.model ?? '', options, (upstream) => upstream.embedContent?.(requests, options)),
    async models(options) {
      const answers = await Promise.allSettled(routes.map(async ({ upstream }) => upstream.models(options)))
      const known = new Map<string, ModelInfo>()
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') continue
        const route = routes[index]
        for (const model of answer.value) {
          if (route !== undefined && takes(route, model.name) && !known.has(model.name)) known.set(model.name, model)
        }
      }
      const failed = answers.find((answer) => answer.status === 'rejected')
      if (known.size === 0 && failed !== undefined) throw failed.reason
      return [...known.values()]
    },
  }
}

/** Whether a route may be asked for a model. */
export function takes({ models }: Pick<Route, 'models'>, model: string): boolean {
  return models?.some((pattern) => matches(pattern, model)) ?? true
}

function matches(pattern: string, model: string): boolean {
  const source = canonicalModel(pattern)
    .split('*')
    .map((piece) => piece.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${source.join('.*')}$`).test(canonicalModel(model))
}

/** Of several failures: the one that says most. Near matches of every upstream are gathered. */
function telling(failures: readonly GenerationError[]): GenerationError | undefined {
  const other = failures.find((error) => error.code !== 'model_not_found')
  if (other !== undefined) return other
  const [first] = failures
  if (first === undefined || failures.length === 1) return first
  const suggestions = [...new Set(failures.flatMap((error) => error.suggestions))]
  return new GenerationError('model_not_found', first.message, { suggestions, field: 'model' })
}

function notServed(mount: string, model: string): GenerationError {
  return new GenerationError(
    'unsupported',
    `Nothing behind "${mount}" can do this for the model "${model.slice(0, 80)}". Ask another mount, or add an upstream that can.`,
    { field: 'model' },
  )
}
