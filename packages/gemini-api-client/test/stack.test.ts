import { createAccountPool } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import type { ContentGenerator } from '@castorjs/content-generator'
import { createGeminiApiEmulator, faults, type GeminiApiEmulator } from '@castorjs/gemini-api-emulator'
import { createGeminiNativeHandler } from '@castorjs/gemini-native-adapter'
import { createFetchTransport } from '@castorjs/http-transport'
import { GoogleGenAI } from '@google/genai'
import { serve } from '@hono/node-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createGeminiApiGenerator, createSignatureCache } from '../src/index.ts'

let emulator: GeminiApiEmulator

beforeEach(() => {
  emulator = createGeminiApiEmulator({ keys: { one: 'project-one', two: 'project-two' } })
})

function pooled(keys: readonly string[]): ContentGenerator {
  const transport = createFetchTransport({ fetch: emulator.fetch })
  const signatures = createSignatureCache()
  const accounts = keys.map((key) => ({ id: key, label: key, value: key }))
  const policy = { egressPerMinute: false, perHour: false, perDay: false, waitMs: 0 } as const
  const pool = createAccountPool({ accounts, policy, random: () => 0 })
  return withAccounts(pool, (apiKey) => createGeminiApiGenerator({ apiKey, transport, signatures }))
}

const keysUsed = (): (string | undefined)[] =>
  emulator.controls.requests.map(({ headers }) => headers['x-goog-api-key'])
const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'one two three four' }] }] })

describe('several keys in a pool', () => {
  const ask = async (generator: ContentGenerator): Promise<Response> => {
    const handle = createGeminiNativeHandler({ generator, authorize: 'anyone' })
    return handle(new Request('http://c.test/v1beta/models/gemini-2.5-flash:generateContent', { method: 'POST', body }))
  }

  it('go on to the next key when one is bad or spent, and do not come back to it', async () => {
    const generator = pooled(['wrong', 'one', 'two'])
    expect((await ask(generator)).status).toBe(200)
    expect(keysUsed()).toEqual(['wrong', 'one'])
    emulator.controls.fail(faults.perDay())
    expect((await ask(generator)).status).toBe(200)
    expect((await ask(generator)).status).toBe(200)
    expect(keysUsed().slice(2)).toHaveLength(3)
    expect(keysUsed().slice(2)).not.toContain('wrong')
  })

  it('say when the first one is back, if all are spent', async () => {
    emulator.controls.fail(faults.perMinute('40s'))
    const response = await ask(pooled(['one']))
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('40')
  })

  it('never tell the caller that the server’s own key is bad', async () => {
    const response = await ask(pooled(['wrong']))
    expect(response.status).toBe(503)
    expect(JSON.stringify(await response.json())).not.toContain('API_KEY')
  })
})

it('a native stream passes through letter by letter', async () => {
  const url = 'v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse'
  emulator.controls.answerWith(() => ({
    chunks: [[{ text: 'a' }], [{ text: '\u2028é👋', extraField: 1.5 } as object]],
  }))
  const direct = await emulator.fetch(`http://g.test/${url}`, {
    method: 'POST',
    body,
    headers: { 'x-goog-api-key': 'one' },
  })
  const handle = createGeminiNativeHandler({ generator: pooled(['one']), authorize: 'anyone' })
  const through = await handle(new Request(`http://c.test/${url}`, { method: 'POST', body }))
  const anonymous = (text: string): string => text.replace(/emulated-\d+/g, 'id')
  expect(anonymous(await through.text())).toBe(anonymous(await direct.text()))
})

describe('Google’s SDK, the adapter, the client and the upstream in a row', () => {
  let close: () => Promise<void> = () => Promise.resolve()

  async function connect(): Promise<GoogleGenAI> {
    const handle = createGeminiNativeHandler({ generator: pooled(['one', 'two']), authorize: 'anyone' })
    const port = await new Promise<number>((resolve) => {
      const server = serve({ fetch: handle, port: 0, hostname: '127.0.0.1' }, (info) => resolve(info.port))
      close = async () => {
        const closed = new Promise((done) => server.close(done))
        if ('closeAllConnections' in server) server.closeAllConnections()
        await closed
      }
    })
    return new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: `http://127.0.0.1:${port}` } })
  }

  afterEach(() => close())

  it.each(['gemini-2.5-flash', 'gemini-3.8-flash'])('hold a conversation with parallel calls on %s', async (model) => {
    const ai = await connect()
    const parametersJsonSchema = {
      type: 'object',
      properties: { city: { type: 'string', pattern: '.+' } },
      required: ['city'],
    }
    const chat = ai.chats.create({
      model,
      config: { tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema }] }] },
    })
    const answer = await chat.sendMessage({ message: 'the weather in Oslo and Rome' })
    expect(answer.functionCalls?.map(({ args }) => args)).toEqual([{ city: 'Oslo' }, { city: 'Rome' }])
    const message = (answer.functionCalls ?? []).map(({ id, name = '' }) => ({
      functionResponse: { name, response: { output: 'sunny' }, ...(id === undefined ? {} : { id }) },
    }))
    expect((await chat.sendMessage({ message })).text).toContain('get_weather said {"output":"sunny"}.')
    expect((await chat.sendMessage({ message: 'thanks' })).text).toBe('You said: thanks')
  })

  it('draw, speak, run code, count, embed and list', async () => {
    const ai = await connect()
    const picture = await ai.models.generateContent({ model: 'gemini-nano-banana-2.1', contents: 'a cat' })
    expect(picture.candidates?.[0]?.content?.parts?.at(-1)?.inlineData?.data).toMatch(/^iVBORw0KGgo/)
    const speech = await ai.models.generateContent({ model: 'gemini-3.8-flash-tts', contents: 'hi' })
    expect(speech.candidates?.[0]?.content?.parts?.[0]?.inlineData?.mimeType).toContain('rate=24000')
    const config = { tools: [{ codeExecution: {} }] }
    const code = await ai.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'sum of the first 50 primes, run code',
      config,
    })
    expect(code.codeExecutionResult).toBeDefined()
    expect((await ai.models.countTokens({ model: 'gemini-2.5-flash', contents: 'abcd' })).totalTokens).toBe(1)
    expect((await ai.models.embedContent({ model: 'gemini-embedding-2', contents: 'a' })).embeddings).toHaveLength(1)
    const models = await ai.models.list({ config: { pageSize: 3 } })
    expect(models.page[0]?.name).toBe('models/gemini-4-argon')
  })
})
