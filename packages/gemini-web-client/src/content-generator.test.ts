import {
  collect,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateContentResponse,
  type GenerateOptions,
  type ServedBy,
  type Warning,
} from '@castorjs/content-generator'
import { afterEach, describe, expect, it } from 'vitest'
import { emulated, type Emulated, type EmulatedOptions } from '../test/emulated.ts'
import { createGeminiWebClient } from './client.ts'
import { createGeminiWebGenerator, type GeminiWebGeneratorOptions } from './content-generator.ts'

let world: Emulated | undefined

interface Door extends Emulated {
  generator: ContentGenerator
  warnings: Warning[]
  served: ServedBy[]
  ask: (
    request: Partial<GenerateContentRequest> & { text?: string },
    options?: Partial<GenerateOptions>,
  ) => Promise<GenerateContentResponse>
}

function create({ door, ...options }: EmulatedOptions & { door?: GeminiWebGeneratorOptions } = {}): Door {
  const polling = { videoMs: 2, musicMs: 2, notReadyMs: 2, researchMs: 2, totalMs: 5_000, researchTotalMs: 5_000 }
  const made = emulated({ ...options, client: { polling, ...options.client } })
  world = made
  const generator = createGeminiWebGenerator(made.client, door)
  const warnings: Warning[] = []
  const served: ServedBy[] = []
  return {
    ...made,
    generator,
    warnings,
    served,
    ask: ({ text = 'Hello', ...request }, call) =>
      collect(
        generator.generateContentStream(
          { model: 'gemini-3-fast', contents: [{ role: 'user', parts: [{ text }] }], ...request },
          {
            signal: new AbortController().signal,
            requestId: 'test',
            onWarning: (warning) => warnings.push(warning),
            onServed: (one) => served.push(one),
            ...call,
          },
        ),
      ),
  }
}

afterEach(async () => {
  await world?.close()
  world = undefined
})

function textOf(answer: GenerateContentResponse): string {
  return (answer.candidates?.[0]?.content?.parts ?? [])
    .map((part) => (part.thought === true ? '' : (part.text ?? '')))
    .join('')
}

function partsOf(answer: GenerateContentResponse) {
  return answer.candidates?.[0]?.content?.parts ?? []
}

const TINY_PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

describe('the content-generator door', () => {
  it('answers from the history it was given, in a chat that leaves no trace', async () => {
    const { ask, client, served } = create()
    const answer = await ask({
      contents: [
        { role: 'user', parts: [{ text: 'My name is Ada.' }] },
        { role: 'model', parts: [{ text: 'Hello Ada.' }] },
        { role: 'user', parts: [{ text: 'What is my name?' }] },
      ],
    })
    expect(textOf(answer)).toContain('Ada')
    expect(answer).toMatchObject({
      modelVersion: 'gemini-3-fast',
      candidates: [{ finishReason: 'STOP' }],
      usageMetadata: { estimated: true },
    })
    expect(answer.usageMetadata?.promptTokenCount).toBeGreaterThan(20)
    expect(served.map((one) => one.upstream)).toEqual(['gemini-web', 'gemini-web'])
    expect(served[1]?.model).toMatch(/Flash/)
    expect((await client.chats.list()).chats).toEqual([])
  })

  it('keeps the newest message byte for byte behind a system text', async () => {
    const { ask } = create()
    const answer = await ask({
      text: 'Repeat exactly: a  b\n— ünï 🚀',
      systemInstruction: { parts: [{ text: 'Be exact.' }] },
    })
    expect(textOf(answer)).toBe('a  b\n— ünï 🚀')
  })

  it('puts thoughts on their own channel, and leaves them out on demand', async () => {
    const { ask } = create()
    const thinking = partsOf(await ask({ model: 'gemini-3-thinking', text: 'Why is the sky blue?' }))
    expect(thinking[0]).toMatchObject({ thought: true })
    expect(thinking.at(-1)?.thought).toBeUndefined()
    const silent = await ask({
      model: 'gemini-3-thinking',
      text: 'Why is the sky blue?',
      generationConfig: { thinkingConfig: { includeThoughts: false } },
    })
    expect(partsOf(silent).some((part) => part.thought)).toBe(false)
  })

  it('reports every setting the web app has no place for, with the remedy', async () => {
    const { ask, warnings } = create()
    await ask({
      tools: [{ functionDeclarations: [{ name: 'f' }] }, { googleSearch: {} }],
      safetySettings: [{ category: 'c', threshold: 't' }],
      generationConfig: {
        temperature: 0.2,
        maxOutputTokens: 10,
        responseMimeType: 'application/json',
        thinkingConfig: { thinkingBudget: 100 },
      },
    })
    expect(warnings.map((warning) => warning.setting)).toEqual([
      'generationConfig.temperature',
      'generationConfig.maxOutputTokens',
      'safetySettings',
      'tools.functionDeclarations',
      'tools.googleSearch',
      'generationConfig.thinkingConfig.thinkingBudget',
      'generationConfig.responseMimeType',
    ])
    for (const { message } of warnings) expect(message).toMatch(/\. \w/)
  })

  it.each([
    [{ generationConfig: { candidateCount: 2 } }, 'generationConfig.candidateCount'],
    [{ generationConfig: { responseModalities: ['AUDIO'] } }, 'generationConfig.responseModalities'],
    [{ cachedContent: 'cachedContents/x' }, 'cachedContent'],
    [{ contents: [{ parts: [{ fileData: { fileUri: 'https://a.b/c.png' } }] }] }, 'contents[0].parts[0].fileData'],
    [
      { contents: [{ parts: [{ inlineData: { mimeType: 'x/y', data: 'AAECAw==' } }] }] },
      'contents[0].parts[0].inlineData',
    ],
  ])('refuses %j and names the field', async (request, field) => {
    const { ask, count } = create()
    await expect(ask(request)).rejects.toMatchObject({ code: 'unsupported', field })
    expect(count('/StreamGenerate')).toBe(0)
  })

  it('cuts at a stop sequence and frees the rest', async () => {
    const { ask, emulator } = create({ settings: { snapshotChars: 3 } })
    emulator.controls.answer({ text: 'one two END three four five six' })
    const answer = await ask({ generationConfig: { stopSequences: ['END'] } })
    expect(textOf(answer)).toBe('one two ')
    await expect.poll(() => emulator.open).toBe(0)
  })

  it('says model_not_found with near matches', async () => {
    const { ask, count } = create()
    await expect(ask({ model: 'gemini-3-pros' })).rejects.toMatchObject({
      code: 'model_not_found',
      suggestions: expect.arrayContaining(['gemini-3-pro']) as string[],
    })
    expect(count('/StreamGenerate')).toBe(0)
  })

  it('warns of a substitute, and refuses it when the caller is strict', async () => {
    const { ask, warnings, served } = create({ settings: { servedModel: 'free-lite' } })
    await ask({ model: 'gemini-3-pro' })
    expect(warnings).toMatchObject([{ setting: 'model' }])
    expect(served.at(-1)?.model).toBe('3.5 Flash-Lite')
    await expect(ask({ model: 'gemini-3-pro' }, { strictModel: true })).rejects.toMatchObject({
      code: 'upstream_unavailable',
      fault: 'model',
    })
  })
})

describe('files', () => {
  it('attaches inline bytes, and files by URL through the given fetch', async () => {
    const bytes = new TextEncoder().encode('The secret word is heliotrope.')
    const asked: string[] = []
    const { ask } = create({
      door: {
        mediaFetch(uri) {
          asked.push(uri)
          const body = (async function* () {
            await Promise.resolve()
            yield bytes
          })()
          return Promise.resolve({ body, mimeType: 'text/plain' })
        },
      },
    })
    const answer = await ask({
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'Quote the files' },
            { inlineData: { mimeType: 'image/png', data: TINY_PNG } },
            { fileData: { fileUri: 'https://files.example/note.txt' } },
          ],
        },
      ],
    })
    expect(textOf(answer)).toContain('heliotrope')
    expect(asked).toEqual(['https://files.example/note.txt'])
  })

  it('lets a long history travel as a file that the model reads', async () => {
    const { ask, count } = create()
    const answer = await ask({
      contents: [
        { role: 'user', parts: [{ text: `My name is Ada. ${'Some more words. '.repeat(8_000)}` }] },
        { role: 'model', parts: [{ text: 'Hello Ada.' }] },
        { role: 'user', parts: [{ text: 'What is my name?' }] },
      ],
    })
    expect(textOf(answer)).toContain('Ada')
    expect(count('/upload/')).toBe(2)
  })

  it('says too_large when nothing helps', async () => {
    const { ask } = create()
    await expect(ask({ text: 'word '.repeat(30_000) })).rejects.toMatchObject({ code: 'too_large', field: 'contents' })
    const part = { inlineData: { mimeType: 'image/png', data: TINY_PNG } }
    const contents = [{ parts: [{ text: 'Look' }, ...Array.from({ length: 11 }, () => part)] }]
    await expect(ask({ contents })).rejects.toMatchObject({
      code: 'too_large',
      field: 'contents[0].parts[11].inlineData',
    })
  })

  it('tells a guest clearly that files need an account', async () => {
    const { ask } = create({ account: 'guest' })
    const contents = [{ parts: [{ inlineData: { mimeType: 'image/png', data: TINY_PNG } }] }]
    await expect(ask({ model: 'gemini-2.5-flash-free', contents })).rejects.toMatchObject({
      code: 'unsupported',
      field: 'contents[0].parts[0].inlineData',
    })
    expect(textOf(await ask({ model: 'gemini-2.5-flash-free', text: 'Repeat exactly: hi' }))).toBe('hi')
  })
})

describe('modes by model name', () => {
  it('answers with pictures, and takes its chat away again', async () => {
    const { ask, client, warnings } = create()
    const answer = await ask({ model: 'gemini-2.5-flash-imagen', text: 'A lighthouse at dusk' })
    const picture = partsOf(answer).find((part) => part.inlineData !== undefined)
    expect(picture?.inlineData?.mimeType).toMatch(/^image\//)
    expect(picture?.inlineData?.data).toMatch(/^[\w+/]+=*$/)
    await expect.poll(async () => (await client.chats.list()).chats).toEqual([])
    expect(warnings).toEqual([])
  })

  it('gives the original when asked', async () => {
    const { ask, emulator } = create()
    const answer = await ask(
      { model: 'gemini-3-pro-image-preview', text: 'A lighthouse' },
      { media: { original: true } },
    )
    expect(partsOf(answer).some((part) => part.inlineData?.mimeType === 'image/png')).toBe(true)
    expect(emulator.controls.requests.some((request) => request.calls?.some((call) => call.id === 'c8o8Fe'))).toBe(true)
  })

  it('answers with a video once it is ready', async () => {
    const { ask } = create({ settings: { durations: { videoListed: 1, videoReady: 2 } } })
    const answer = await ask({ model: 'gemini-2.5-pro-video', text: 'A paper boat' })
    expect(partsOf(answer).some((part) => part.inlineData?.mimeType === 'video/mp4')).toBe(true)
  })

  it('answers a research with its report and sources, the plan as thoughts', async () => {
    const { ask } = create({ settings: { durations: { research: 1 } } })
    const answer = await ask({ model: 'gemini-2.5-flash-deepsearch', text: 'Compare tidal and wave power' })
    expect(partsOf(answer)[0]).toMatchObject({
      thought: true,
      text: expect.stringMatching(/^Research plan: /) as string,
    })
    expect(textOf(answer).length).toBeGreaterThan(200)
    expect(answer.candidates?.[0]?.citationMetadata?.citationSources?.length).toBeGreaterThan(0)
  })

  it('answers a canvas with its document', async () => {
    const { ask } = create()
    const answer = await ask({ model: 'gemini-3-pro-canvas', text: 'A countdown timer page' })
    expect(textOf(answer)).toMatch(/```|##/)
  })

  it('answers a storybook', async () => {
    const { ask } = create()
    expect(textOf(await ask({ model: 'gemini-3-fast-storybook', text: 'A fox at sea' }))).toMatch(/\w/)
  })
})

it('serves the free name by a guest session where there is one', async () => {
  const { emulator, transport, client } = create()
  const guest = createGeminiWebClient({ transport })
  const generator = createGeminiWebGenerator(client, { guest })
  const contents = [{ parts: [{ text: 'Hello' }] }]
  const options = { signal: new AbortController().signal, requestId: 'r' }
  await collect(generator.generateContentStream({ model: 'gemini-2.5-flash-free', contents }, options))
  await collect(generator.generateContentStream({ model: 'gemini-2.5-flash', contents }, options))
  await guest.close()
  const callers = emulator.controls.requests.filter((request) => request.path.endsWith('/StreamGenerate'))
  expect(callers.map((request) => request.caller)).toEqual(['guest', 'grace'])
})
