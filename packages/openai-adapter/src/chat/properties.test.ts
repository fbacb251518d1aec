import {
  collect,
  finalChunk,
  isGenerationError,
  partsChunk,
  type GenerateContentResponse,
  type Part,
} from '@castorjs/content-generator'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeChatRequest, type ChatShape } from './decode.ts'
import { createChatStreamEncoder } from './encode-stream.ts'
import { encodeChatCompletion } from './encode.ts'

const FIELDS = [
  'role',
  'content',
  'type',
  'text',
  'image_url',
  'url',
  'tool_calls',
  'function',
  'name',
  'arguments',
  'id',
]
const WORDS = ['user', 'assistant', 'tool', 'system', 'text', 'image_url', 'data:image/png;base64,AAAA', 'function', '']

/** JSON that looks like messages, more or less. */
const loose = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.constantFrom(...WORDS, null, 0, true),
    fc.string(),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('node'), { maxKeys: 5 }),
  ),
})).node

it('answers any JSON with a request or with an error that is ours', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(loose, { minLength: 1, maxLength: 4 }), loose, async (messages, tools) => {
      try {
        const { request } = await decodeChatRequest({ model: 'gemini-2.5-flash', messages, tools })
        expect(request.contents.length).toBeGreaterThan(0)
        for (const turn of request.contents) expect(turn.parts?.length).toBeGreaterThan(0)
      } catch (error) {
        if (!isGenerationError(error)) throw error
        expect(['invalid_request', 'unsupported']).toContain(error.code)
      }
    }),
    { numRuns: 300 },
  )
})

const message = fc.oneof(
  fc.record({ role: fc.constantFrom('user', 'system', 'assistant'), content: fc.constantFrom('a', '', null, 'b') }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.constantFrom(null, 'calling'),
    tool_calls: fc.array(
      fc.record({ id: fc.constantFrom('1', '2', '3'), function: fc.record({ name: fc.constantFrom('f', 'g') }) }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  fc.record({ role: fc.constant('tool'), tool_call_id: fc.constantFrom('1', '2', '3'), content: fc.constant('ok') }),
)

it('follows every turn of calls with exactly its results, whatever the history looks like', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 12 }), async (messages) => {
      const decoded = await decodeChatRequest({ model: 'gemini-3.6-flash', messages }).catch(() => undefined)
      if (decoded === undefined) return
      const { contents } = decoded.request
      expect(contents[0]?.role).toBe('user')
      expect(contents.at(-1)?.role).toBe('user')
      for (const [index, { parts = [] }] of contents.entries()) {
        const calls = parts.flatMap((part) => part.functionCall?.id ?? [])
        const results = contents[index + 1]?.parts?.map((part) => part.functionResponse?.id) ?? []
        if (calls.length > 0) expect(results).toEqual(calls)
        if (parts.some((part) => part.functionResponse !== undefined)) {
          expect(contents[index - 1]?.parts?.some((part) => part.functionCall !== undefined)).toBe(true)
        }
      }
    }),
    { numRuns: 300 },
  )
})

const SHAPE: ChatShape = {
  model: 'm',
  includeUsage: false,
  json: false,
  toolNames: { decode: (name) => name },
  customTools: new Set(),
  singleCall: false,
  legacyCalls: false,
  audioFormat: 'wav',
}
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ text: fc.string({ unit: 'binary' }) }),
  fc.record({ text: fc.string(), thought: fc.constant(true) }),
  fc.record({
    functionCall: fc.record({ id: fc.constant('a'), name: fc.constant('f'), args: fc.constant({ x: 'é😀' }) }),
  }),
  fc.record({ executableCode: fc.record({ language: fc.constant('PYTHON'), code: fc.string() }) }),
  fc.record({ inlineData: fc.record({ mimeType: fc.constant('image/png'), data: fc.base64String() }) }),
)

interface Delta {
  content?: string
  reasoning_content?: string
  tool_calls?: unknown[]
}

it('says the same streamed and whole, in lines that stay short', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(part, { maxLength: 3 }), { maxLength: 6 }),
      fc.constantFrom(600, 131_072),
      fc.boolean(),
      async (pieces, maxLineBytes, json) => {
        const chunks: GenerateContentResponse[] = [...pieces.map((parts) => partsChunk(parts)), finalChunk('STOP')]
        const shape = { ...SHAPE, json }
        const options = { pictures: 'markdown' as const, maxLineBytes: maxLineBytes + 512 }
        const encoder = createChatStreamEncoder(shape, options)
        const events = chunks.map((chunk) => encoder.push(chunk)).join('') + encoder.finish()
        const deltas = events
          .split('\n\n')
          .filter((event) => event.startsWith('data: {'))
          .flatMap((event) => {
            expect(event.length).toBeLessThanOrEqual(maxLineBytes + 512)
            return (JSON.parse(event.slice(6)) as { choices: { delta: Delta }[] }).choices.map(({ delta }) => delta)
          })
        const whole = encodeChatCompletion(await collect(each(chunks)), shape, options).choices[0]?.message
        const joined = (field: 'content' | 'reasoning_content') => deltas.map((delta) => delta[field] ?? '').join('')
        expect(joined('content')).toBe(whole?.content ?? '')
        expect(joined('reasoning_content')).toBe(whole?.reasoning_content ?? '')
        const calls = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
        const named = deltas.flatMap((delta) => delta.tool_calls ?? []).filter((call) => 'id' in (call as object))
        expect(named).toHaveLength(calls.filter(({ functionCall }) => functionCall !== undefined).length)
      },
    ),
    { numRuns: 200 },
  )
})

async function* each(chunks: readonly GenerateContentResponse[]): AsyncGenerator<GenerateContentResponse> {
  yield* chunks
}
