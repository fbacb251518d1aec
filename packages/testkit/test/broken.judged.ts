import {
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  type ContentGenerator,
  type GenerateContentRequest,
} from '@castorjs/content-generator'
import { describeContentGenerator, scriptedGenerator, type ScriptedGenerator, type ScriptStep } from '../src/index.ts'

// Upstreams that each break the contract in one way. `describe-content-generator.test.ts` runs this file and looks at
// what fails; it is no test by itself.

const request = (model: string): GenerateContentRequest => ({
  model,
  contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
})

const STEPS: Record<string, readonly ScriptStep[]> = {
  answered: [partsChunk([textPart('a')]), partsChunk([textPart('b')]), finalChunk('STOP')],
  silent: ['stall'],
  stalled: [partsChunk([textPart('a')]), 'stall'],
  refused: [new GenerationError('quota_exhausted', 'Spent.')],
}

type Change = (upstream: ScriptedGenerator) => ContentGenerator

function judge(
  name: string,
  change: Change,
  { steps = {}, held }: { steps?: typeof STEPS; held?: (upstream: ScriptedGenerator) => number } = {},
): void {
  describeContentGenerator(name, () => {
    const upstream = scriptedGenerator(({ model }) => steps[model] ?? STEPS[model] ?? [])
    return {
      generator: change(upstream),
      answered: () => request('answered'),
      silent: () => request('silent'),
      stalled: () => request('stalled'),
      refused: () => ({ request: request('refused'), code: 'quota_exhausted' as const }),
      held: () => held?.(upstream) ?? upstream.open,
      close: () => undefined,
    }
  })
}

judge('sound', (upstream) => upstream)

judge('two-finishes', (upstream) => upstream, {
  steps: { answered: [partsChunk([textPart('a')]), finalChunk('STOP'), finalChunk('STOP')] },
})

judge('no-finish', (upstream) => upstream, { steps: { answered: [partsChunk([textPart('a')])] } })

judge('another-code', (upstream) => upstream, { steps: { refused: [new GenerationError('internal', 'Our bug.')] } })

judge('eager', (upstream) => ({
  ...upstream,
  generateContentStream(asked, options) {
    const iterator = upstream.generateContentStream(asked, options)[Symbol.asyncIterator]()
    const first = iterator.next()
    first.catch(() => undefined)
    let begun = false
    return {
      [Symbol.asyncIterator]: () => ({
        next() {
          if (begun) return iterator.next()
          begun = true
          return first
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }),
    }
  },
}))

judge('changes-request', (upstream) => ({
  ...upstream,
  generateContentStream(asked, options) {
    asked.model = `${asked.model}`
    return upstream.generateContentStream(asked, options)
  },
}))

judge('deaf', (upstream) => ({
  ...upstream,
  // Stays with a quiet upstream whatever its caller does.
  generateContentStream: (asked, options) =>
    upstream.generateContentStream(asked, { ...options, signal: new AbortController().signal }),
}))

judge('plain-error', (upstream) => ({
  ...upstream,
  async *generateContentStream(asked, options) {
    try {
      yield* upstream.generateContentStream(asked, options)
    } catch {
      throw new Error('something')
    }
  },
}))

judge('leaks', (upstream) => upstream, {
  held: ({ requests, open }) => (requests[0]?.model === 'refused' ? 1 : open),
})

judge('asks-in-silence', (upstream) => ({
  ...upstream,
  generateContentStream: (asked, options) =>
    upstream.generateContentStream(asked, { ...options, onAsked: () => undefined }),
}))

judge('no-models', (upstream) => ({ ...upstream, models: async () => [] }))

judge('prefixed-models', (upstream) => ({ ...upstream, models: async () => [{ name: 'models/gemini' }] }))
