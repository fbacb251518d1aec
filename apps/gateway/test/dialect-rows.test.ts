import { faults } from '@castorjs/gemini-api-emulator'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readChatStream } from './chat-stream.ts'
import { startStack, type Stack } from './stack.ts'

/** Rows of `dialects.md` section 8 that need the whole line. README.md of the gateway says where each row is tested. */
let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())
beforeEach(() => stack.official.controls.clear())

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(stack.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

const chat = (mount: string, model: string, more: object = {}): Promise<Response> =>
  post(`${mount}/v1/chat/completions`, { model, messages: [{ role: 'user', content: 'Good morning' }], ...more })

const generations = (): number =>
  stack.official.controls.requests.filter(({ operation }) => /generateContent/i.test(operation)).length

describe('tools over the whole line', () => {
  const model = 'gemini-3.8-flash'
  const tools: OpenAI.ChatCompletionTool[] = [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    },
  ]
  const question = { role: 'user' as const, content: 'the weather in Oslo and Rome' }

  it.each([
    ['from the cache, for a client that drops signatures (row 3)', (id: string) => id],
    ['from nowhere, for a history of another vendor (row 5)', (_: string, index: number) => `toolu_${index}`],
  ])('signatures come %s; parallel results may come in any order (row 8)', async (_, rename) => {
    const openai = new OpenAI({ baseURL: `${stack.gateway.url}/gemini/v1`, apiKey: 'none', maxRetries: 0 })
    const first = await openai.chat.completions.create({ model, tools, messages: [question] })
    const made = (first.choices[0]?.message.tool_calls ?? []).filter((call) => call.type === 'function')
    expect(made.map((call) => call.function.arguments)).toEqual(['{"city":"Oslo"}', '{"city":"Rome"}'])
    const calls = made.map(({ id, type, function: { name, arguments: text } }, index) => ({
      id: rename(id, index),
      type,
      function: { name, arguments: text },
    }))
    const results = calls.toReversed().map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'sunny' }))
    const next = await openai.chat.completions.create({
      model,
      tools,
      messages: [question, { role: 'assistant', content: null, tool_calls: calls }, ...results],
    })
    expect(next.choices[0]?.message.content).toMatch(/get_weather said/)
  })
})

describe('errors over the whole line', () => {
  it.each([
    ['1.5s', '2'],
    ['500ms', '1'],
  ])('a minute limit of %s is told in whole seconds (row 46)', async (delay, seconds) => {
    const alone = await startStack()
    try {
      alone.official.controls.fail(faults.perMinute(delay), { times: 10 })
      const response = await fetch(`${alone.gateway.url}/gemini/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gemini-2.5-flash', messages: [{ role: 'user', content: 'x' }] }),
      })
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, seconds])
    } finally {
      await alone.close()
    }
  })

  it('hours until a quota returns: a 429 the SDKs must not repeat, whatever the quota call says (rows 46, 48, 68)', async () => {
    stack.official.controls.fail(faults.allotmentGone('5h3m2.5s', ''))
    const first = await chat('/gemini_cli', 'gemini-2.5-flash')
    expect([first.status, first.headers.get('x-should-retry')]).toEqual([429, 'false'])
    expect(await first.json()).toMatchObject({ error: { code: 'insufficient_quota' } })
    const asked = generations()
    const second = await chat('/gemini_cli', 'gemini-2.5-flash')
    // The only account rests, and is not asked.
    expect([second.status, generations()]).toEqual([503, asked])
  })

  it('a failure in mid-stream is an error in the stream, and there is no [DONE] (rows 49, 50)', async () => {
    for (const fault of [faults.lateUnavailable(), { kind: 'truncate' as const, after: 1 }]) {
      stack.official.controls.fail(fault)
      const text = await (await chat('/gemini', 'gemini-2.5-flash', { stream: true })).text()
      expect(text).toContain('"error":{')
      expect(readChatStream(text.replace(/^data: \{"error".*$/m, '')).done).toBe(false)
    }
  })
})

describe('shapes over the whole line', () => {
  it('lists models in the dialect of whoever asks (row 62)', async () => {
    const list = async (headers: Record<string, string>) =>
      (await fetch(`${stack.gateway.url}/gemini/v1/models`, { headers })).json() as Promise<Record<string, unknown>>
    expect(await list({})).toMatchObject({ object: 'list' })
    expect(
      await list({ 'x-goog-api-key': 'k', 'x-goog-api-client': 'google-genai-sdk/3.1.0 gl-node/24' }),
    ).toMatchObject({
      models: expect.arrayContaining([expect.objectContaining({ name: 'models/gemini-2.5-pro' })]) as unknown,
    })
  })

  it('a native stream holds nothing but data (row 55)', async () => {
    const response = await post('/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', {
      contents: [{ role: 'user', parts: [{ text: 'a b c d e f' }] }],
    })
    const lines = (await response.text()).split(/\r?\n/).filter((line) => line !== '')
    expect(lines.length).toBeGreaterThan(1)
    for (const line of lines) expect(JSON.parse(line.replace(/^data: /, ''))).toHaveProperty('candidates')
  })

  it('`created` counts seconds (row 69)', async () => {
    const { created } = (await (await chat('/gemini', 'gemini-2.5-flash')).json()) as OpenAI.ChatCompletion
    expect(Math.abs(created - Date.now() / 1_000)).toBeLessThan(60)
    expect(Number.isInteger(created)).toBe(true)
  })
})
