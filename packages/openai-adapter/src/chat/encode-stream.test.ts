import {
  collect,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  thoughtPart,
  type GenerateContentResponse,
} from '@castorjs/content-generator'
import { describe, expect, it } from 'vitest'
import type { ChatShape } from './decode.ts'
import type { ChatEncodeOptions } from './encode-options.ts'
import { createChatStreamEncoder } from './encode-stream.ts'
import { encodeChatCompletion } from './encode.ts'

const SHAPE: ChatShape = {
  model: 'gemini-2.5-flash',
  includeUsage: false,
  json: false,
  toolNames: { decode: (name) => name },
  customTools: new Set(),
  singleCall: false,
  legacyCalls: false,
  audioFormat: 'wav',
}
const OPTIONS: ChatEncodeOptions = { id: 'chatcmpl-1', created: 1_795_190_000 }

interface Chunk {
  choices: { delta: Record<string, unknown>; finish_reason: string | null; logprobs: unknown }[]
  usage?: unknown
}

function encodeAll(
  chunks: readonly GenerateContentResponse[],
  shape: Partial<ChatShape> = {},
  options: ChatEncodeOptions = {},
): string {
  const encoder = createChatStreamEncoder({ ...SHAPE, ...shape }, { ...OPTIONS, ...options })
  return chunks.map((chunk) => encoder.push(chunk)).join('') + encoder.finish()
}

function deltasOf(events: string): Record<string, unknown>[] {
  return events
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .flatMap((line) => (JSON.parse(line.slice(6)) as Chunk).choices.map((choice) => choice.delta))
}

function contentOf(events: string): string {
  return deltasOf(events)
    .map((delta) => (typeof delta['content'] === 'string' ? delta['content'] : ''))
    .join('')
}

async function* each(chunks: readonly GenerateContentResponse[]): AsyncGenerator<GenerateContentResponse> {
  yield* chunks
}

async function messageOf(
  chunks: readonly GenerateContentResponse[],
  shape: Partial<ChatShape> = {},
  options: ChatEncodeOptions = {},
) {
  const body = encodeChatCompletion(await collect(each(chunks)), { ...SHAPE, ...shape }, { ...OPTIONS, ...options })
  return body.choices[0]
}

describe('createChatStreamEncoder', () => {
  it('writes exactly these bytes', () => {
    const chunks = [partsChunk([textPart('Good "day"')]), finalChunk('STOP')]
    const start =
      'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795190000,"model":"gemini-2.5-flash","system_fingerprint":null,"choices":['
    const end = ',"logprobs":null,"finish_reason":null}]}\n\n'
    expect(encodeAll(chunks)).toBe(
      `${start}{"index":0,"delta":{"role":"assistant","content":""}${end}` +
        `${start}{"index":0,"delta":{"content":"Good \\"day\\""}${end}` +
        `${start}{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\n` +
        'data: [DONE]\n\n',
    )
  })

  it('sends usage only when asked, in a chunk of its own, from the last count (rows 40 to 43)', () => {
    const chunks = [
      partsChunk([textPart('Hi')], { usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 1 } }),
      finalChunk('STOP', {
        usageMetadata: {
          promptTokenCount: 40,
          toolUsePromptTokenCount: 5,
          cachedContentTokenCount: 30,
          candidatesTokenCount: 10,
          thoughtsTokenCount: 12,
        },
      }),
    ]
    expect(encodeAll(chunks)).not.toContain('usage')
    const lines = encodeAll(chunks, { includeUsage: true }).split('\n\n')
    expect(lines.slice(0, -3).every((line) => line.includes('"usage":null'))).toBe(true)
    expect(JSON.parse(lines.at(-3)?.slice(6) ?? '')).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 45,
        completion_tokens: 22,
        total_tokens: 67,
        prompt_tokens_details: { cached_tokens: 30 },
        completion_tokens_details: { reasoning_tokens: 12 },
      },
    })
  })

  it('guesses usage where nobody counts, and says so', () => {
    const events = encodeAll(
      [partsChunk([textPart('12345678')]), finalChunk('STOP')],
      { includeUsage: true },
      {
        promptTokens: () => 7,
      },
    )
    expect(events).toContain('"prompt_tokens":7,"completion_tokens":2,"total_tokens":9')
    expect(events).toContain('"estimated":true')
  })

  it('is silent until the model says something', () => {
    const encoder = createChatStreamEncoder(SHAPE, OPTIONS)
    expect(encoder.push({ responseId: 'r', modelVersion: 'm' })).toBe('')
    expect(encoder.push({ promptFeedback: { blockReason: 'SAFETY' } })).toBe('')
    expect(() => encoder.finish()).toThrow(GenerationError)
  })

  it('calls a tool with one delta per call, each with its index (rows 1, 6)', () => {
    const events = encodeAll([
      partsChunk([{ text: '', thoughtSignature: 'QUJD' }]),
      partsChunk([{ functionCall: { id: 'a', name: 'f', args: { x: 1 } }, thoughtSignature: 'REVG' }]),
      partsChunk([{ functionCall: { id: 'b', name: 'g' } }]),
      finalChunk('STOP'),
    ])
    expect(deltasOf(events)).toEqual([
      { role: 'assistant', content: '' },
      { content: '', extra_content: { google: { thought_signature: 'QUJD' } } },
      {
        tool_calls: [
          {
            index: 0,
            id: 'a',
            type: 'function',
            function: { name: 'f', arguments: '{"x":1}' },
            extra_content: { google: { thought_signature: 'REVG' } },
          },
        ],
      },
      { tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } }] },
      {},
    ])
    expect(events).toContain('"finish_reason":"tool_calls"')
  })

  it('never writes a line longer than clients read, and cuts no character in two', () => {
    const text = '😀\u0007é'.repeat(60_000)
    const args = { text }
    const png = 'A'.repeat(400_000)
    const events = encodeAll([
      partsChunk([textPart(text), thoughtPart(text)]),
      partsChunk([{ inlineData: { mimeType: 'image/png', data: png } }]),
      partsChunk([{ functionCall: { name: 'f', args } }]),
      finalChunk('STOP'),
    ])
    const longest = Math.max(...events.split('\n').map((line) => Buffer.byteLength(line)))
    expect(longest).toBeLessThanOrEqual(131_072)
    const deltas = deltasOf(events)
    expect(contentOf(events)).toBe(`${text}\n![image](data:image/png;base64,${png})\n`)
    expect(deltas.map((delta) => (delta['reasoning_content'] as string | undefined) ?? '').join('')).toBe(text)
    const calls = deltas.flatMap(
      (delta) => (delta['tool_calls'] as { index: number; function: { arguments: string } }[]) ?? [],
    )
    expect(calls.every((call) => call.index === 0)).toBe(true)
    expect(JSON.parse(calls.map((call) => call.function.arguments).join(''))).toEqual(args)
    expect(events).not.toContain('"images"')
  })

  it('shows a small picture both ways, or as the operator likes', () => {
    const chunks = [partsChunk([{ inlineData: { mimeType: 'image/png', data: 'QUJD' } }]), finalChunk('STOP')]
    const url = 'data:image/png;base64,QUJD'
    const field = { images: [{ type: 'image_url', image_url: { url }, index: 0 }] }
    const markdown = { content: `\n![image](${url})\n` }
    const shown = (pictures: 'both' | 'markdown' | 'field') =>
      deltasOf(encodeAll(chunks, {}, { pictures })).slice(1, -1)
    expect(shown('both')).toEqual([field, markdown])
    expect(shown('field')).toEqual([field])
    expect(shown('markdown')).toEqual([markdown])
  })

  it('ends a stream whose prompt was refused after the status was sent, and reports anything else', () => {
    const blocked = createChatStreamEncoder(SHAPE, OPTIONS).fail(new GenerationError('blocked', 'No.'))
    expect(deltasOf(blocked)).toEqual([{ role: 'assistant', content: '' }, {}])
    expect(blocked).toContain('"finish_reason":"content_filter"')
    expect(createChatStreamEncoder(SHAPE, OPTIONS).fail(new GenerationError('upstream_timeout', 'Slow.'))).toBe(
      'data: {"error":{"message":"Slow.","type":"server_error","param":null,"code":"upstream_timeout"}}\n\n',
    )
  })
})

describe('an answer, whole and streamed', () => {
  it.each([
    ['STOP', [textPart('x')], 'stop'],
    ['STOP', [{ functionCall: { name: 'f' } }], 'tool_calls'],
    ['MAX_TOKENS', [textPart('x')], 'length'],
    ['SAFETY', [], 'content_filter'],
    ['RECITATION', [textPart('x')], 'content_filter'],
    ['OTHER', [textPart('x')], 'stop'],
    ['SOMETHING_NEW', [textPart('x')], 'stop'],
    ['CONTINUATION', [textPart('x')], 'length'],
  ])('ends %s with %j as %s', async (reason, parts, expected) => {
    const chunks = [finalChunk(reason, {}, parts)]
    expect((await messageOf(chunks))?.finish_reason).toBe(expected)
    expect(encodeAll(chunks)).toContain(`"finish_reason":"${expected}"`)
  })

  it('joins texts as they are (row 66) and leaves drafts out (row 58)', async () => {
    const chunks = [
      partsChunk([textPart('a'), { inlineData: { mimeType: 'image/png', data: 'QUJD' }, thought: true }]),
      partsChunk([textPart('b\n'), thoughtPart('hm')]),
      finalChunk('STOP', {}, [textPart('c')]),
    ]
    expect(await messageOf(chunks)).toMatchObject({ message: { content: 'ab\nc', reasoning_content: 'hm' } })
    expect(contentOf(encodeAll(chunks))).toBe('ab\nc')
  })

  it.each([
    ['```json\n{"a":1}\n```', '{"a":1}'],
    ['\n```\n{"a":1}\n```\n', '{"a":1}'],
    ['{"a":"```json"}', '{"a":"```json"}'],
    ['{"a":1}\n', '{"a":1}\n'],
    ['```json\n{"a":"``` inside"}\n```', '{"a":"``` inside"}'],
    ['``', '``'],
    ['```json\n{"a":1}', '{"a":1}'],
  ])('takes the fence off %j (row 64), however it is cut', async (text, expected) => {
    for (const size of [1, 2, 7, 64]) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
      const chunks = [...pieces.map((piece) => partsChunk([textPart(piece)])), finalChunk('STOP')]
      expect(contentOf(encodeAll(chunks, { json: true }))).toBe(expected)
      expect((await messageOf(chunks, { json: true }))?.message.content).toBe(expected)
    }
  })

  it('places citations by characters, not bytes (row 61)', async () => {
    const text = 'Grüße 😀 aus Oslo. Ende.'
    const bytes = (part: string) => Buffer.byteLength(text.slice(0, text.indexOf(part)))
    const grounding = {
      groundingChunks: [{ web: { uri: 'https://oslo.example', title: 'Oslo' } }, { web: { uri: 'https://b.example' } }],
      groundingSupports: [
        {
          segment: { startIndex: bytes('aus'), endIndex: bytes(' Ende'), text: 'aus Oslo.' },
          groundingChunkIndices: [0, 1],
        },
      ],
    }
    const chunks = [
      partsChunk([{ executableCode: { language: 'PYTHON', code: 'print(1)' } }]),
      partsChunk([textPart(text.slice(0, 8)), textPart(text.slice(8))]),
      finalChunk('STOP', { candidate: { groundingMetadata: grounding } }),
    ]
    const code = '\n```python\nprint(1)\n```\n'
    const start = code.length + text.indexOf('aus')
    const place = { start_index: start, end_index: start + 'aus Oslo.'.length }
    const annotations = [
      { type: 'url_citation', url_citation: { ...place, title: 'Oslo', url: 'https://oslo.example' } },
      { type: 'url_citation', url_citation: { ...place, title: 'https://b.example', url: 'https://b.example' } },
    ]
    const message = (await messageOf(chunks))?.message
    expect(message?.annotations).toEqual(annotations)
    expect(message?.content?.slice(place.start_index, place.end_index)).toBe('aus Oslo.')
    expect(deltasOf(encodeAll(chunks, {}, { grounded: true })).at(-2)).toEqual({ annotations })
  })

  it('shows code and what it printed', async () => {
    const chunks = [
      partsChunk([
        { executableCode: { language: 'PYTHON', code: 'print("```")\n' } },
        { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '5117\n' } },
      ]),
      finalChunk('STOP'),
    ]
    const expected = '\n````python\nprint("```")\n````\n\n```output\n5117\n```\n'
    expect((await messageOf(chunks))?.message.content).toBe(expected)
    expect(contentOf(encodeAll(chunks))).toBe(expected)
  })

  it('hands out one call where only one is wanted, by its own name, in the old form, or as free text', async () => {
    const chunks = [
      partsChunk([{ functionCall: { id: 'a', name: 'f_1', args: { input: 'ls' } } }, { functionCall: { name: 'g' } }]),
      finalChunk('STOP'),
    ]
    const toolNames = { decode: (name: string) => (name === 'f_1' ? 'f/1' : name) }
    const single = await messageOf(chunks, { singleCall: true, toolNames })
    expect(single?.message).toMatchObject({
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f/1', arguments: '{"input":"ls"}' } }],
    })
    const legacy = await messageOf(chunks, { legacyCalls: true })
    expect(legacy).toMatchObject({
      finish_reason: 'function_call',
      message: { function_call: { name: 'f_1', arguments: '{"input":"ls"}' } },
    })
    const custom = await messageOf(chunks, { singleCall: true, customTools: new Set(['f_1']) })
    expect(custom?.message).toMatchObject({
      tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'f_1', input: 'ls' } }],
    })
    const streamed = deltasOf(encodeAll(chunks, { singleCall: true, legacyCalls: true }))
    expect(streamed.slice(1)).toEqual([{ function_call: { name: 'f_1', arguments: '{"input":"ls"}' } }, {}])
  })

  it('gives log probabilities where the upstream does', async () => {
    const logprobsResult = {
      chosenCandidates: [{ token: 'é', logProbability: -0.5 }],
      topCandidates: [
        {
          candidates: [
            { token: 'é', logProbability: -0.5 },
            { token: 'e', logProbability: -1 },
          ],
        },
      ],
    }
    const chunks = [finalChunk('STOP', { candidate: { logprobsResult } }, [textPart('é')])]
    const expected = {
      content: [
        {
          token: 'é',
          logprob: -0.5,
          bytes: [195, 169],
          top_logprobs: [
            { token: 'é', logprob: -0.5, bytes: [195, 169] },
            { token: 'e', logprob: -1, bytes: [101] },
          ],
        },
      ],
      refusal: null,
    }
    expect((await messageOf(chunks))?.logprobs).toEqual(expected)
    expect(encodeAll(chunks)).toContain(JSON.stringify(expected))
  })

  it('speaks WAV (row 60)', async () => {
    const chunks = [
      partsChunk([{ inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: 'AAAA' } }]),
      finalChunk('STOP'),
    ]
    const choice = await messageOf(chunks)
    expect(choice?.message.content).toBeNull()
    const wav = Buffer.from(choice?.message.audio?.data ?? '', 'base64')
    expect(wav.toString('latin1', 0, 4) + wav.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ')
    expect([wav.readUInt32LE(24), wav.readUInt32LE(40), wav.length]).toEqual([24_000, 3, 47])
  })
})
