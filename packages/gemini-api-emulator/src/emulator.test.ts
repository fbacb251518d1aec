import { beforeEach, describe, expect, it } from 'vitest'
import { createGeminiApiEmulator, faults, type GeminiApiEmulator } from './index.ts'

const BASE = 'https://generativelanguage.googleapis.com/v1beta/models'
let emulator: GeminiApiEmulator

beforeEach(() => {
  emulator = createGeminiApiEmulator()
})

function post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = { 'x-goog-api-key': 'emulator-key' }
  return emulator.fetch(`${BASE}/${path}`, { method: 'POST', headers, body: JSON.stringify(body), ...init })
}

interface Chunk {
  candidates?: { content?: { parts: Record<string, unknown>[] }; finishReason?: string }[]
  usageMetadata?: Record<string, number>
  modelVersion?: string
}

const ask = (text: string, rest: object = {}) => ({ contents: [{ role: 'user', parts: [{ text }] }], ...rest })
const partsOf = (answer: Chunk) => answer.candidates?.[0]?.content?.parts ?? []
const whole = async (path: string, body: unknown) => (await (await post(path, body)).json()) as Chunk

async function readEvents(response: Response): Promise<Chunk[]> {
  const blocks = (await response.text()).split('\r\n\r\n').filter((block) => block !== '')
  return blocks.map((block) => JSON.parse(block.replace(/^data: /, '')) as Chunk)
}

describe('answers', () => {
  it('streams text as events, thoughts first, usage in every chunk, the finish reason in the last', async () => {
    const thinkingConfig = { includeThoughts: true }
    const response = await post(
      'gemini-3.8-flash:streamGenerateContent?alt=sse',
      ask('hi there', { generationConfig: { thinkingConfig } }),
    )
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const chunks = await readEvents(response)
    const parts = chunks.flatMap(partsOf)
    expect(parts.filter((part) => part.thought === true).map((part) => part.text)).toEqual([
      'The user asks something; ',
      'I answer it.',
    ])
    expect(
      parts
        .filter((part) => part.thought !== true)
        .map((part) => part.text)
        .join(''),
    ).toBe('You said: hi there')
    expect(parts.at(-1)).toMatchObject({ text: '', thoughtSignature: expect.any(String) })
    expect(chunks.map((chunk) => chunk.candidates?.[0]?.finishReason)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'STOP',
    ])
    expect(chunks.every((chunk) => chunk.usageMetadata?.totalTokenCount !== undefined)).toBe(true)
  })

  it('streams one JSON array without alt=sse', async () => {
    const chunks = (await (await post('gemini-2.5-flash:streamGenerateContent', ask('a'))).json()) as Chunk[]
    expect(
      chunks
        .flatMap(partsOf)
        .map((part) => part.text)
        .join(''),
    ).toBe('You said: a')
  })

  it('calls several functions in parallel, the first one signed', async () => {
    const parametersJsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const tools = [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema }] }]
    const answer = await whole(
      'gemini-3.8-flash:generateContent',
      ask('What is the weather in Oslo and Paris?', { tools }),
    )
    expect(partsOf(answer).map((part) => [part.functionCall, typeof part.thoughtSignature])).toEqual([
      [{ id: expect.any(String), name: 'get_weather', args: { city: 'Oslo' } }, 'string'],
      [{ id: expect.any(String), name: 'get_weather', args: { city: 'Paris' } }, 'undefined'],
    ])
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP')
  })

  it('runs code', async () => {
    const body = ask('What is the sum of the first 50 prime numbers? Generate and run code.', {
      tools: [{ codeExecution: {} }],
    })
    const parts = partsOf(await whole('gemini-2.5-flash:generateContent', body))
    expect(parts[1]).toEqual({ codeExecutionResult: { outcome: 'OUTCOME_OK', output: '5117\n' } })
  })

  it('fills a JSON schema', async () => {
    const responseJsonSchema = {
      type: 'object',
      properties: { name: { type: 'string' }, list: { type: 'array', items: { $ref: '#/$defs/n' } } },
      required: ['name', 'list'],
      $defs: { n: { type: 'integer', minimum: 3 } },
    }
    const generationConfig = { responseMimeType: 'application/json', responseJsonSchema }
    const [part] = partsOf(await whole('gemini-2.5-flash:generateContent', ask('x', { generationConfig })))
    expect(JSON.parse(String(part?.text))).toEqual({ name: 'name', list: [3] })
  })

  it('draws a real PNG in the wanted shape, with a draft before it', async () => {
    const generationConfig = {
      responseModalities: ['TEXT', 'IMAGE'],
      imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
    }
    const parts = partsOf(await whole('gemini-nano-banana-2.1:generateContent', ask('a cat', { generationConfig })))
    expect(parts.map((part) => [part.thought === true, 'text' in part])).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ])
    const { data, mimeType } = (parts[2] ?? {}).inlineData as { data: string; mimeType: string }
    const png = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))
    const view = new DataView(png.buffer)
    expect(mimeType).toBe('image/png')
    expect([view.getUint32(16), view.getUint32(20)]).toEqual([256, 144])
  })

  it('speaks raw PCM', async () => {
    const voiceConfig = { prebuiltVoiceConfig: { voiceName: 'Kore' } }
    const generationConfig = { responseModalities: ['AUDIO'], speechConfig: { voiceConfig } }
    const [part] = partsOf(await whole('gemini-3.8-flash-tts:generateContent', ask('hello', { generationConfig })))
    const { mimeType, data } = (part ?? {}).inlineData as { mimeType: string; data: string }
    expect(mimeType).toBe('audio/L16;codec=pcm;rate=24000')
    expect(atob(data)).toHaveLength(5 * 480 * 2)
  })

  it('grounds a search, with offsets in bytes', async () => {
    const answer = await whole('gemini-2.5-flash:generateContent', ask('x', { tools: [{ googleSearch: {} }] }))
    expect(answer.candidates?.[0]).toMatchObject({
      groundingMetadata: { groundingSupports: [{ segment: { endIndex: 17, text: 'Größe zählt: x' } }] },
    })
  })

  it('leaves nothing of a small maxOutputTokens, because thinking counts', async () => {
    const answer = await whole(
      'gemini-2.5-flash:generateContent',
      ask('x', { generationConfig: { maxOutputTokens: 10 } }),
    )
    expect(answer).toMatchObject({
      candidates: [{ finishReason: 'MAX_TOKENS' }],
      usageMetadata: { thoughtsTokenCount: 10 },
    })
    expect(partsOf(answer)).toEqual([])
  })

  it('names the model that really answers', async () => {
    expect((await whole('gemini-3.7-flash:generateContent', ask('x'))).modelVersion).toBe('gemini-3.8-flash')
  })

  it('counts tokens and embeds', async () => {
    expect(await whole('gemini-2.5-flash:countTokens', ask('twelve chars'))).toMatchObject({ totalTokens: 3 })
    const entry = { model: 'models/gemini-embedding-2', content: { parts: [{ text: 'a' }] }, outputDimensionality: 8 }
    const { embeddings } = (await (
      await post('gemini-embedding-2:batchEmbedContents', { requests: [entry, entry] })
    ).json()) as {
      embeddings: { values: number[] }[]
    }
    expect(embeddings.map(({ values }) => values.length)).toEqual([8, 8])
  })

  it('says what a script says', async () => {
    emulator.controls.answerWith(() => ({ chunks: [[{ text: 'scripted' }]] }))
    expect(partsOf(await whole('gemini-2.5-flash:generateContent', ask('x')))).toEqual([{ text: 'scripted' }])
  })
})

describe('faults', () => {
  const stream = (init: RequestInit = {}) =>
    post('gemini-2.5-flash:streamGenerateContent?alt=sse', ask('one two three four five'), init)

  it('answers errors as an array under alt=sse and as an object elsewhere, once', async () => {
    emulator.controls.fail(faults.perMinute('1.5s'), { times: 2 })
    const events = await stream()
    expect(events.status).toBe(429)
    expect(await events.json()).toMatchObject([{ error: { status: 'RESOURCE_EXHAUSTED' } }])
    expect(await whole('gemini-2.5-flash:generateContent', ask('x'))).toMatchObject({ error: { code: 429 } })
    expect((await stream()).status).toBe(200)
  })

  it('fails in mid-stream, truncates and resets', async () => {
    emulator.controls.fail(faults.lateUnavailable())
    expect(await readEvents(await stream())).toMatchObject([
      { candidates: [{}] },
      { error: { code: 503, status: 'UNAVAILABLE' } },
    ])
    emulator.controls.fail({ kind: 'truncate' })
    expect((await readEvents(await stream()))[0]?.candidates?.[0]?.finishReason).toBeUndefined()
    emulator.controls.fail({ kind: 'reset' })
    await expect((await stream()).text()).rejects.toThrow('terminated')
    emulator.controls.fail({ kind: 'reset', afterChunks: 0 })
    await expect(stream()).rejects.toThrow('fetch failed')
  })

  it('answers with a page', async () => {
    emulator.controls.fail({ kind: 'html', code: 502 })
    const response = await stream()
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html; charset=UTF-8'])
  })

  it('counts answers under way, and ends them when the caller leaves', async () => {
    const abort = new AbortController()
    emulator.controls.fail({ kind: 'silent' })
    const silent = stream({ signal: abort.signal })
    await expect.poll(() => emulator.controls.active).toBe(1)
    abort.abort()
    await expect(silent).rejects.toThrow('abort')
    expect(emulator.controls.active).toBe(0)
    emulator.controls.fail({ kind: 'stall' })
    const reader = (await stream()).body?.getReader()
    await reader?.read()
    expect(emulator.controls.active).toBe(1)
    await reader?.cancel()
    expect(emulator.controls.active).toBe(0)
  })

  it('records what arrived', async () => {
    await (await stream()).text()
    expect(emulator.controls.requests).toMatchObject([
      {
        operation: 'streamGenerateContent',
        method: 'POST',
        query: { alt: 'sse' },
        body: ask('one two three four five'),
      },
    ])
  })
})
