import {
  collect,
  toEvents,
  type GenerateContentRequest,
  type GenerateOptions,
  type Part,
  type ServedBy,
  type Warning,
} from '@castorjs/content-generator'
import { createGeminiApiEmulator, createSignature, faults, type GeminiApiEmulator } from '@castorjs/gemini-api-emulator'
import { createFetchTransport } from '@castorjs/http-transport'
import { describeContentGenerator } from '@castorjs/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { createGeminiApiGenerator, type GeminiApiOptions } from './index.ts'

let emulator: GeminiApiEmulator

beforeEach(() => {
  emulator = createGeminiApiEmulator({ processingPolls: 1 })
})

function create(options: Partial<GeminiApiOptions> = {}) {
  const transport = createFetchTransport({ fetch: emulator.fetch })
  return createGeminiApiGenerator({ apiKey: 'emulator-key', transport, wait: () => Promise.resolve(), ...options })
}

function ask(
  text: string,
  model = 'gemini-2.5-flash',
  rest: Partial<GenerateContentRequest> = {},
): GenerateContentRequest {
  return { model, contents: [{ role: 'user', parts: [{ text }] }], ...rest }
}

function optionsWith(rest: Partial<GenerateOptions> = {}): GenerateOptions {
  return { signal: new AbortController().signal, requestId: 'r', ...rest }
}

async function answer(request: GenerateContentRequest, options: Partial<GenerateOptions> = {}, generator = create()) {
  return collect(generator.generateContentStream(request, optionsWith(options)))
}

async function partsOf(...given: Parameters<typeof answer>): Promise<Part[]> {
  return (await answer(...given)).candidates?.[0]?.content?.parts ?? []
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

const lastBody = (): Record<string, unknown> =>
  (emulator.controls.requests.at(-1)?.body ?? {}) as Record<string, unknown>

describeContentGenerator('createGeminiApiGenerator', () => {
  const upstream = createGeminiApiEmulator()
  const transport = createFetchTransport({ fetch: upstream.fetch })
  const request = ask('one two three four five six seven eight')
  return {
    generator: createGeminiApiGenerator({ apiKey: 'emulator-key', transport }),
    answered: () => request,
    silent() {
      upstream.controls.fail({ kind: 'silent' })
      return request
    },
    stalled() {
      upstream.controls.fail({ kind: 'stall' })
      return request
    },
    refused() {
      upstream.controls.fail(faults.perMinute('1.5s'))
      return { request, code: 'rate_limited' }
    },
    held: () => upstream.controls.active,
    close: () => upstream.close(),
  }
})

describe('a request', () => {
  it('goes out streaming, with the key in the header, filters off and nothing stored', async () => {
    await answer(ask('hi'))
    expect(emulator.controls.requests).toMatchObject([
      {
        operation: 'streamGenerateContent',
        query: { alt: 'sse' },
        headers: { 'x-goog-api-key': 'emulator-key' },
        body: { store: false, contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
      },
    ])
    const settings = lastBody().safetySettings as { category: string; threshold: string }[]
    expect(settings.map(({ threshold }) => threshold)).toEqual(['OFF', 'OFF', 'OFF', 'OFF', 'OFF'])
  })

  it('keeps the caller’s own safety settings and store', async () => {
    const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }]
    await answer(ask('hi', 'gemini-2.5-flash', { safetySettings, store: true }))
    expect(lastBody()).toMatchObject({ store: true, safetySettings })
  })

  it.each([
    ['gemini-2.5-flash', ['temperature', 'topK'], []],
    ['gemini-3.8-flash', [], ['generationConfig.temperature', 'generationConfig.topK']],
  ])('sends sampling settings to %s only where it takes them', async (model, sent, warned) => {
    const warnings: Warning[] = []
    const request = ask('hi', model, { generationConfig: { temperature: 0.2, topK: 3 } })
    await answer(request, { onWarning: (warning) => warnings.push(warning) })
    expect(Object.keys(lastBody().generationConfig ?? {})).toEqual(sent)
    expect(warnings.map(({ setting }) => setting)).toEqual(warned)
  })

  it('turns thinking on by the name, in the form each model wants', async () => {
    expect((await partsOf(ask('hi', 'gemini-2.5-flash-thinking')))[0]).toMatchObject({ thought: true })
    expect(lastBody().generationConfig).toEqual({ thinkingConfig: { includeThoughts: true, thinkingBudget: -1 } })
    await answer(ask('hi', 'gemini-3.8-flash-thinking'))
    expect(lastBody().generationConfig).toEqual({ thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' } })
  })

  it('continues a prefill where the model refuses one', async () => {
    const contents = [
      { role: 'user', parts: [{ text: 'Tell' }] },
      { role: 'model', parts: [{ text: 'Once' }] },
    ]
    expect((await partsOf({ model: 'gemini-3.8-flash', contents })).length).toBeGreaterThan(0)
  })

  it('drops the field store where the upstream does not know it', async () => {
    emulator.controls.fail(faults.unknownName('store'))
    await answer(ask('hi'))
    expect(emulator.controls.requests.map(({ body }) => 'store' in (body as object))).toEqual([true, false])
  })
})

describe('an answer', () => {
  it('streams text, and hands each chunk on in the upstream’s own letters', async () => {
    const events = []
    for await (const event of toEvents(create().generateContentStream(ask('a b c d'), optionsWith())))
      events.push(event)
    expect(events.filter(({ type }) => type === 'text-delta')).toEqual([
      { type: 'text-delta', text: 'You said: a ' },
      { type: 'text-delta', text: 'b c d' },
    ])
    expect(events.at(-1)).toMatchObject({
      type: 'finish',
      reason: 'stop',
      usage: { inputTokens: 2, thoughtTokens: 32 },
    })
  })

  it('tells who served it, and the model that really did', async () => {
    const served: ServedBy[] = []
    await answer(ask('hi', 'gemini-3.7-flash'), { onServed: (by) => served.push(by) })
    expect(served).toEqual([
      { upstream: 'gemini-api', model: 'gemini-3.7-flash' },
      { upstream: 'gemini-api', model: 'gemini-3.8-flash' },
    ])
    const error = await failure(answer(ask('hi', 'gemini-3.7-flash'), { strictModel: true }))
    expect(error).toMatchObject({ code: 'model_not_found' })
  })

  it('is asked for once more when it is empty or a call went wrong, and then fails', async () => {
    for (const fault of [faults.empty(), faults.malformedCall()]) {
      emulator.controls.fail(fault)
      expect(await partsOf(ask('hi'))).toMatchObject([{ text: 'You said: hi' }])
      emulator.controls.fail(fault, { times: 2 })
      expect(await failure(answer(ask('hi')))).toMatchObject({ code: 'upstream_unavailable', fault: 'model' })
    }
  })

  it('hands a refused prompt on', async () => {
    emulator.controls.fail({ kind: 'blocked', blockReason: 'PROHIBITED_CONTENT' })
    expect(await answer(ask('hi'))).toMatchObject({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } })
  })

  it('draws, with the wish for a size as the nearest shape', async () => {
    const parts = await partsOf(ask('a cat', 'gemini-nano-banana-2.1'), {
      media: { size: { width: 1920, height: 1080 } },
    })
    expect(lastBody().generationConfig).toEqual({
      responseModalities: ['TEXT', 'IMAGE'],
      imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
    })
    expect(parts.at(-1)?.inlineData?.mimeType).toBe('image/png')
  })

  it('speaks one text', async () => {
    const request = ask('hello', 'gemini-3.8-flash-tts', { systemInstruction: { parts: [{ text: 'Be kind.' }] } })
    expect((await partsOf(request))[0]?.inlineData?.mimeType).toBe('audio/L16;codec=pcm;rate=24000')
  })

  it('runs code that is asked for like a function', async () => {
    const tools = [{ functionDeclarations: [{ name: 'codeExecution' }] }]
    const parts = await partsOf(ask('the sum of the first 50 prime numbers, run code', 'gemini-2.5-flash', { tools }))
    expect(parts[1]?.codeExecutionResult?.output).toBe('5117\n')
  })

  it('searches', async () => {
    const whole = await answer(ask('x', 'gemini-2.5-flash', { tools: [{ googleSearch: {} }] }))
    expect(whole.candidates?.[0]?.groundingMetadata?.groundingChunks).toHaveLength(1)
  })

  it('holds to a JSON schema, written in any way', async () => {
    const responseSchema = {
      type: 'OBJECT',
      properties: { n: { type: 'INTEGER', exclusiveMinimum: 4 } },
      required: ['n', 'gone'],
    }
    const generationConfig = { responseMimeType: 'application/json', responseSchema }
    const [part] = await partsOf(ask('x', 'gemini-3.8-flash', { generationConfig }))
    expect(part?.text).toBe('{"n":5}')
  })
})

describe('functions', () => {
  const parametersJsonSchema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { city: { type: 'string', minLength: 1 } },
    required: ['city'],
    additionalProperties: false,
  }
  const tools = [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema }] }]
  const model = 'gemini-3.8-flash'
  const question = { role: 'user', parts: [{ text: 'the weather in Oslo and Rome' }] }
  const results = (calls: Part[]) => ({
    role: 'user',
    parts: calls.flatMap(({ functionCall }) =>
      functionCall === undefined
        ? []
        : [{ functionResponse: { id: functionCall.id ?? '', name: functionCall.name, response: { output: 'sunny' } } }],
    ),
  })

  async function call(generator = create(), withModel = model): Promise<Part[]> {
    return partsOf({ model: withModel, contents: [question], tools }, {}, generator)
  }

  it('are called in parallel and answered, signatures sent back by the caller', async () => {
    const calls = await call()
    expect(calls.map(({ functionCall }) => functionCall?.args)).toEqual([{ city: 'Oslo' }, { city: 'Rome' }])
    const contents = [question, { role: 'model', parts: calls }, results(calls)]
    const [part] = await partsOf({ model, contents, tools })
    expect(part?.text).toContain('get_weather said {"output":"sunny"}.')
  })

  it('remember the signature of a call for clients that drop it', async () => {
    const generator = create()
    const calls = await call(generator)
    const bare = calls.map(({ functionCall }) => ({ functionCall }) as Part)
    await partsOf({ model, contents: [question, { role: 'model', parts: bare }, results(calls)], tools }, {}, generator)
    const sent = lastBody().contents as { parts: Part[] }[]
    expect(sent[1]?.parts.map(({ thoughtSignature }) => thoughtSignature)).toEqual([
      calls[0]?.thoughtSignature,
      undefined,
    ])
  })

  it('carry the sentinel where nobody knows a signature, or where it is another model’s', async () => {
    const generator = create()
    const calls = await call(generator, 'gemini-3-flash-preview')
    const contents = [question, { role: 'model', parts: calls }, results(calls)]
    await partsOf({ model, contents, tools }, {}, generator)
    expect((lastBody().contents as { parts: Part[] }[])[1]?.parts[0]?.thoughtSignature).toBe(
      'skip_thought_signature_validator',
    )
    expect(emulator.controls.requests).toHaveLength(2)
  })

  it('are sent again once with the sentinel when a signature is refused', async () => {
    const parts = [
      { functionCall: { id: 'a', name: 'get_weather', args: {} }, thoughtSignature: createSignature('other') },
    ]
    const contents = [question, { role: 'model', parts }, results(parts)]
    expect(await partsOf({ model, contents, tools })).toHaveLength(2)
    expect(emulator.controls.requests).toHaveLength(2)
    emulator.controls.fail(faults.invalidSignature(), { times: 2 })
    expect(await failure(answer({ model, contents, tools }))).toMatchObject({ code: 'invalid_request' })
  })

  it('get their results in order, and an error for one that is missing', async () => {
    const parts = [
      { functionCall: { id: 'a', name: 'f', args: {} } },
      { functionCall: { id: 'b', name: 'g', args: {} } },
    ]
    const late = {
      role: 'user',
      parts: [{ text: 'Never mind' }, { functionResponse: { id: 'b', name: 'g', response: { output: 2 } } }],
    }
    const declared = [{ functionDeclarations: [{ name: 'f' }, { name: 'g' }] }]
    await answer({ model, contents: [question, { role: 'model', parts }, late], tools: declared })
    expect((lastBody().contents as { parts: Part[] }[]).slice(2)).toEqual([
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'a', name: 'f', response: { error: 'no result was provided' } } },
          { functionResponse: { id: 'b', name: 'g', response: { output: 2 } } },
        ],
      },
      { role: 'user', parts: [{ text: 'Never mind' }] },
    ])
  })

  it('stand beside server tools where the model can, and instead of them where it cannot', async () => {
    const both = [...tools, { googleSearch: {} }]
    await answer({ model, contents: [question], tools: both })
    expect(lastBody().toolConfig).toEqual({ includeServerSideToolInvocations: true })
    await answer({ model: 'gemini-2.5-flash', contents: [question], tools: both })
    expect(lastBody().tools).toHaveLength(1)
  })

  it('are told in the older form when the upstream does not like their schema', async () => {
    emulator.controls.fail({
      kind: 'error',
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'Unknown name "parametersJsonSchema"',
    })
    await call()
    expect(lastBody().tools).toEqual([
      {
        functionDeclarations: [
          {
            name: 'get_weather',
            parameters: {
              type: 'OBJECT',
              properties: { city: { type: 'STRING', description: '(minLength: 1)' } },
              required: ['city'],
            },
          },
        ],
      },
    ])
  })
})

describe('files', () => {
  const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const mp4 = new TextEncoder().encode('\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08free')

  async function* film(bytes: number): AsyncGenerator<Uint8Array> {
    yield mp4
    for (let sent = mp4.length; sent < bytes; sent += 65_536) yield new Uint8Array(Math.min(65_536, bytes - sent))
  }

  const withPart = (part: Part, rest: Partial<GenerateContentRequest> = {}): GenerateContentRequest => ({
    ...ask('look', 'gemini-2.5-flash', rest),
    contents: [{ role: 'user', parts: [{ text: 'look' }, part] }],
  })

  it('inside the request are typed by their bytes, and their base64 is put right', async () => {
    const data = `${PNG.slice(0, 20)}\n${PNG.slice(20)}`.replaceAll('+', '-').replaceAll('/', '_')
    const [part] = await partsOf(withPart({ inlineData: { mimeType: 'image/jpeg', data } }))
    expect(part?.text).toBe('I see image/png of 70 bytes. You said: look')
  })

  it('at a URL are fetched and put into the request while they are small', async () => {
    const mediaFetch = () => Promise.resolve({ mimeType: 'application/octet-stream', body: film(100) })
    const [part] = await partsOf(withPart({ fileData: { fileUri: 'http://files.test/a' } }), {}, create({ mediaFetch }))
    expect(part?.text).toContain('I see video/mp4 of 100 bytes.')
  })

  it('that are large go into the Files API in pieces, and are waited for', async () => {
    const size = 20 * 1_048_576 + 17
    const mediaFetch = () => Promise.resolve({ sizeBytes: size, body: film(size) })
    const [part] = await partsOf(
      withPart({ fileData: { fileUri: 'https://files.test/a' } }),
      {},
      create({ mediaFetch, inlineLimitBytes: 1_000_000 }),
    )
    expect(part?.text).toContain('I see a file video/mp4 by reference.')
    const commands = emulator.controls.requests.map(
      ({ operation, headers }) => headers['x-goog-upload-command'] ?? operation,
    )
    expect(commands).toEqual(['start', 'upload', 'upload', 'upload, finalize', 'files', 'streamGenerateContent'])
  })

  it('inside the request go there too when they are too large together', async () => {
    const [part] = await partsOf(
      withPart({ inlineData: { mimeType: 'image/png', data: PNG } }),
      {},
      create({ inlineLimitBytes: 10 }),
    )
    expect(part?.text).toContain('I see a file image/png by reference.')
  })

  it('that Google reads itself are left to it', async () => {
    const mediaFetch = () => Promise.reject(new Error('not fetched'))
    for (const fileUri of ['gs://bucket/a.pdf', 'https://www.youtube.com/watch?v=x']) {
      await failure(answer(withPart({ fileData: { fileUri } }), {}, create({ mediaFetch })))
      expect(lastBody().contents).toEqual([{ role: 'user', parts: [{ text: 'look' }, { fileData: { fileUri } }] }])
    }
  })

  it('of a kind no model reads are refused by name, before anything is sent', async () => {
    const gif = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'
    const error = await failure(answer(withPart({ inlineData: { mimeType: 'image/png', data: gif } })))
    expect(error).toMatchObject({ code: 'unsupported', field: 'contents[0].parts[1].inlineData.data' })
    expect(await failure(answer(withPart({ fileData: { fileUri: 'http://a.test/x.png' } })))).toMatchObject({
      code: 'unsupported',
      fileUri: 'http://a.test/x.png',
    })
    expect(emulator.controls.requests).toEqual([])
  })

  it('of another project are told apart from bad keys', async () => {
    const fileUri = 'https://generativelanguage.googleapis.com/v1beta/files/gone'
    expect(await failure(answer(withPart({ fileData: { fileUri } })))).toMatchObject({ code: 'invalid_request' })
  })
})

describe('the other methods', () => {
  it('list models, thinking ones twice, and keep the list', async () => {
    const generator = create()
    const names = (await generator.models(optionsWith())).map(({ name }) => name)
    expect(names).toContain('gemini-2.5-pro-thinking')
    expect(names).not.toContain('gemini-embedding-2-thinking')
    await generator.models(optionsWith())
    expect(emulator.controls.requests).toHaveLength(1)
  })

  it('count the whole request', async () => {
    const request = ask('twelve chars', 'gemini-2.5-flash', { systemInstruction: { parts: [{ text: 'four' }] } })
    expect(await create().countTokens?.(request, optionsWith())).toMatchObject({ totalTokens: 4 })
  })

  it('embed more than a batch, to length 1', async () => {
    const entry = { model: 'gemini-embedding-2', content: { parts: [{ text: 'a b' }] }, outputDimensionality: 900 }
    const { embeddings = [] } =
      (await create().embedContent?.(
        Array.from({ length: 130 }, () => entry),
        optionsWith(),
      )) ?? {}
    expect(embeddings).toHaveLength(130)
    expect(Math.hypot(...(embeddings[129]?.values ?? []))).toBeCloseTo(1, 6)
    expect(emulator.controls.requests).toHaveLength(2)
  })
})
