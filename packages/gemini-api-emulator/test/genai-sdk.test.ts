import { ApiError, GoogleGenAI } from '@google/genai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { faults } from '../src/index.ts'
import { startGeminiApiEmulator, type RunningEmulator } from '../src/node.ts'

let emulator: RunningEmulator
let ai: GoogleGenAI

beforeEach(async () => {
  emulator = await startGeminiApiEmulator({ processingPolls: 1 })
  ai = new GoogleGenAI({ apiKey: 'emulator-key', httpOptions: { baseUrl: emulator.url } })
})
afterEach(() => emulator.close())

describe('@google/genai reads the emulator as it reads Google', () => {
  it('chats with tools, signatures and all', async () => {
    const chat = ai.chats.create({
      model: 'gemini-3.8-flash',
      config: {
        tools: [
          {
            functionDeclarations: [
              {
                name: 'get_weather',
                parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } },
              },
            ],
          },
        ],
      },
    })
    const answer = await chat.sendMessage({ message: 'the weather in Oslo and Rome' })
    const results = (answer.functionCalls ?? []).map(({ id, name }) => ({
      functionResponse: { ...(id === undefined ? {} : { id }), name: name ?? '', response: { output: 'sunny' } },
    }))
    expect(results).toHaveLength(2)
    expect((await chat.sendMessage({ message: results })).text).toBe(
      'get_weather said {"output":"sunny"}. get_weather said {"output":"sunny"}.',
    )
  })

  it('streams', async () => {
    let text = ''
    for await (const chunk of await ai.models.generateContentStream({
      model: 'gemini-2.5-flash',
      contents: 'a b c d',
    })) {
      text += chunk.text ?? ''
    }
    expect(text).toBe('You said: a b c d')
  })

  it('uploads a file and waits for it', async () => {
    const file = await ai.files.upload({
      file: new Blob([new Uint8Array(9_000_000)]),
      config: { mimeType: 'video/mp4' },
    })
    expect([file.state, file.sizeBytes]).toEqual(['PROCESSING', '9000000'])
    expect((await ai.files.get({ name: file.name ?? '' })).state).toBe('ACTIVE')
  })

  it('lists models, counts and embeds', async () => {
    const names: (string | undefined)[] = []
    for await (const model of await ai.models.list({ config: { pageSize: 4 } })) names.push(model.name)
    expect(names).toContain('models/gemini-2.5-pro')
    expect((await ai.models.countTokens({ model: 'gemini-2.5-pro', contents: 'abcd' })).totalTokens).toBe(1)
    const embedded = await ai.models.embedContent({ model: 'gemini-embedding-2', contents: 'a' })
    expect(embedded.embeddings?.[0]?.values).toHaveLength(3_072)
  })

  it('raises what it was told to raise, over the wire too', async () => {
    emulator.controls.fail(faults.unavailable())
    const failed = ai.models.generateContent({ model: 'gemini-2.5-pro', contents: 'x' })
    await expect(failed).rejects.toSatisfy((error) => error instanceof ApiError && error.status === 503)
    await fetch(`${emulator.url}/_emulator/faults`, {
      method: 'POST',
      body: JSON.stringify({ fault: { kind: 'reset', afterChunks: 0 } }),
    })
    await expect(ai.models.generateContent({ model: 'gemini-2.5-pro', contents: 'x' })).rejects.toThrow('fetch failed')
    const stream = await ai.models.generateContentStream({ model: 'gemini-2.5-pro', contents: 'x' })
    for await (const chunk of stream) expect(chunk.candidates).toBeDefined()
    expect(emulator.controls.active).toBe(0)
  })
})
