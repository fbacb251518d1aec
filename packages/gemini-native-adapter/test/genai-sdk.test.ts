import { createKeyCheck, finalChunk, GenerationError, partsChunk, textPart } from '@castorjs/content-generator'
import { scriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai'
import { serve, type ServerType } from '@hono/node-server'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createGeminiNativeHandler } from '../src/index.ts'

let server: ServerType | undefined

afterEach(async () => {
  const closed = new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  if (server !== undefined && 'closeAllConnections' in server) server.closeAllConnections()
  await closed
})

/** Google's own SDK, pointed at the adapter on a loopback port. */
async function connect(script: readonly ScriptStep[], apiKey = 'right') {
  const generator = scriptedGenerator(script, {
    models: Array.from({ length: 7 }, (_, index) => ({ name: `m-${index}` })),
    embed: (requests) => ({ embeddings: requests.map(() => ({ values: [0.5, 0.5] })) }),
  })
  const authorize = createKeyCheck([{ id: 'sdk', key: 'right' }])
  const handle = createGeminiNativeHandler({ generator, authorize, heartbeatMs: 5 })
  const port = await new Promise<number>((resolve) => {
    server = serve({ fetch: handle, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) => resolve(info.port))
  })
  const baseUrl = `http://127.0.0.1:${port}`
  return { generator, ai: new GoogleGenAI({ apiKey, httpOptions: { baseUrl } }) }
}

describe('@google/genai', () => {
  it('reads a whole answer', async () => {
    const { ai, generator } = await connect([partsChunk([textPart('Dan')]), finalChunk('STOP', {}, [textPart('ube')])])
    const answer = await ai.models.generateContent({
      model: 'gemini-x',
      contents: 'Name a river.',
      config: { systemInstruction: 'One word.', temperature: 0.5 },
    })
    expect(answer.text).toBe('Danube')
    expect(generator.requests[0]).toMatchObject({
      model: 'gemini-x',
      contents: [{ role: 'user', parts: [{ text: 'Name a river.' }] }],
      generationConfig: { temperature: 0.5 },
    })
  })

  it('reads a stream, heartbeats between chunks included', async () => {
    const { ai } = await connect([
      partsChunk([textPart('你好')]),
      { waitMs: 40 },
      finalChunk('STOP', { usageMetadata: { totalTokenCount: 9 } }, [textPart('👋')]),
    ])
    const texts: (string | undefined)[] = []
    for await (const chunk of await ai.models.generateContentStream({ model: 'm', contents: 'hi' })) {
      texts.push(chunk.text)
    }
    expect(texts).toEqual(['你好', '👋'])
  })

  it('carries parallel calls and signatures both ways', async () => {
    const parts = [
      { functionCall: { id: 'a', name: 'f', args: { x: 1 } }, thoughtSignature: 'QUJD' },
      { functionCall: { id: 'b', name: 'g', args: {} } },
    ]
    const { ai, generator } = await connect([finalChunk('STOP', {}, parts)])
    const answer = await ai.models.generateContent({
      model: 'm',
      contents: 'hi',
      config: {
        tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: { type: 'object' } }, { name: 'g' }] }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
      },
    })
    expect(answer.functionCalls).toEqual([
      { id: 'a', name: 'f', args: { x: 1 } },
      { id: 'b', name: 'g', args: {} },
    ])
    const history = answer.candidates?.[0]?.content ?? {}
    await ai.models.generateContent({ model: 'm', contents: [{ role: 'user', parts: [{ text: 'hi' }] }, history] })
    expect(generator.requests[1]?.contents[1]?.parts).toEqual(parts)
  })

  it('raises ApiError with the status, early and late', async () => {
    const early = await connect([], 'wrong')
    const refused = early.ai.models.generateContent({ model: 'm', contents: 'hi' })
    await expect(refused).rejects.toSatisfy((error) => error instanceof ApiError && error.status === 400)
    await expect(refused).rejects.toThrow('API_KEY_INVALID')
    await new Promise((resolve) => server?.close(resolve))

    const late = await connect([partsChunk([textPart('a')]), new GenerationError('upstream_unavailable', 'Gone.')])
    const stream = await late.ai.models.generateContentStream({ model: 'm', contents: 'hi' })
    const read = async (): Promise<void> => {
      for await (const chunk of stream) expect(chunk.text).toBe('a')
    }
    await expect(read()).rejects.toSatisfy((error) => error instanceof ApiError && error.status === 503)
  })

  it('stops the upstream when the caller aborts', async () => {
    const { ai, generator } = await connect([partsChunk([textPart('a')]), 'stall'])
    const abort = new AbortController()
    const config = { abortSignal: abort.signal }
    const stream = await ai.models.generateContentStream({ model: 'm', contents: 'hi', config })
    await stream.next()
    abort.abort()
    await expect(stream.next()).rejects.toThrow('abort')
    await expect.poll(() => generator.open).toBe(0)
  })

  it('pages through models, gets one, counts and embeds', async () => {
    const { ai } = await connect([])
    const names: (string | undefined)[] = []
    for await (const model of await ai.models.list({ config: { pageSize: 3 } })) names.push(model.name)
    expect(names).toEqual(['m-0', 'm-1', 'm-2', 'm-3', 'm-4', 'm-5', 'm-6'].map((name) => `models/${name}`))
    expect((await ai.models.get({ model: 'm-3' })).name).toBe('models/m-3')
    expect((await ai.models.countTokens({ model: 'm', contents: 'eight chars' })).totalTokens).toBe(3)
    const embedded = await ai.models.embedContent({ model: 'e', contents: ['a', 'b'] })
    expect(embedded.embeddings).toEqual([{ values: [0.5, 0.5] }, { values: [0.5, 0.5] }])
  })
})
