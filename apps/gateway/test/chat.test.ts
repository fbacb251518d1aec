import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
let openai: OpenAI
beforeAll(async () => {
  stack = await startStack()
  openai = new OpenAI({ baseURL: `${stack.gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
})
afterAll(() => stack.close())

type Messages = OpenAI.ChatCompletionMessageParam[]
const user = (content: string): Messages[number] => ({ role: 'user', content })

async function ask(messages: Messages, model = 'gemini-2.5-flash'): Promise<string | null | undefined> {
  const answer = await openai.chat.completions.create({ model, messages })
  return answer.choices[0]?.message.content
}

describe('the openai SDK chats with the web app', () => {
  it('gets an answer with usage and a finish reason', async () => {
    const answer = await openai.chat.completions.create({
      model: 'gemini-2.5-flash',
      messages: [user('Repeat exactly: Grüße 👩‍🚀 <b>&amp;</b> 日本語')],
    })
    expect(answer.choices[0]?.message.content).toBe('Grüße 👩‍🚀 <b>&amp;</b> 日本語')
    expect(answer.choices[0]?.finish_reason).toBe('stop')
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(0)
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
  })

  it('gets the same text streamed in many pieces, and usage only when asked', async () => {
    const stream = await openai.chat.completions.create({
      model: 'gemini-2.5-flash',
      stream: true,
      stream_options: { include_usage: true },
      messages: [user('Count to 300')],
    })
    const pieces: string[] = []
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content)
      usage = chunk.usage ?? usage
    }
    expect(pieces.length).toBeGreaterThan(2)
    expect(pieces.join('')).toBe(Array.from({ length: 300 }, (_, index) => index + 1).join(', '))
    expect(usage?.completion_tokens).toBeGreaterThan(0)
  })

  it('gets thoughts apart from the answer', async () => {
    const stream = await openai.chat.completions.create({
      model: 'gemini-3-thinking',
      stream: true,
      messages: [user('Which of two routes is shorter, and why?')],
    })
    let thoughts = ''
    let text = ''
    for await (const { choices } of stream) {
      const delta = choices[0]?.delta as { content?: string | null; reasoning_content?: string } | undefined
      thoughts += delta?.reasoning_content ?? ''
      text += delta?.content ?? ''
    }
    expect(thoughts.length).toBeGreaterThan(0)
    expect(text.length).toBeGreaterThan(0)
    expect(text).not.toContain(thoughts)
  })

  it('keeps to the history it sends', async () => {
    const history = [user('My name is Ada.'), { role: 'assistant' as const, content: 'Hello Ada.' }]
    expect(await ask([{ role: 'system', content: 'Be brief.' }, ...history, user('What is my name?')])).toContain('Ada')
  })

  it('carries a history longer than a prompt as an attached file', async () => {
    const filler = Array.from({ length: 40 }, (_, index): Messages => [
      user(`Remark ${index}: ${'lorem ipsum dolor sit amet '.repeat(120)}`),
      { role: 'assistant', content: 'Noted.' },
    ]).flat()
    const answer = await ask([
      user('My name is Grace.'),
      { role: 'assistant', content: 'Hello.' },
      ...filler,
      user('What is my name?'),
    ])
    expect(answer).toContain('Grace')
  })

  it('sends a picture that the model sees', async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const answer = await openai.chat.completions.create({
      model: 'gemini-2.5-flash',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Describe the attached picture.' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } },
          ],
        },
      ],
    })
    expect(answer.choices[0]?.message.content).toMatch(/png|image|picture/i)
  })

  it.each([
    'gemini-2.5-flash',
    'gemini-2.5-flash-free',
    'gemini-2.5-pro',
    'gemini-3-fast',
    'gemini-3-thinking',
    'gemini-3-pro',
    'gemini-3.0-pro',
    'gemini-3-flash-preview',
  ])('serves the reference model %s on both mounts', async (model) => {
    for (const base of ['', '/gemini_official']) {
      const response = await fetch(`${stack.gateway.url}${base}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'any-text' },
        body: JSON.stringify({ model, messages: [user('你是什么模型')] }),
      })
      const body = (await response.json()) as OpenAI.ChatCompletion
      expect(response.status).toBe(200)
      expect(body.model).toBe(model)
      expect(body.choices[0]?.message.content).toMatch(/Gemini/)
      expect(response.headers.get('x-castor-upstream')).toBe('gemini-web')
      expect(response.headers.get('x-castor-served-model')).toMatch(/\S/)
    }
  })

  it('lists models and describes one', async () => {
    const models = await openai.models.list()
    const ids = models.data.map(({ id }) => id)
    expect(ids).toContain('gemini-2.5-flash')
    expect(new Set(ids).size).toBe(ids.length)
    expect(await openai.models.retrieve('gemini-2.5-flash')).toMatchObject({ id: 'gemini-2.5-flash', object: 'model' })
  })

  it('serves names of the operator’s own, and constants that Google moved', async () => {
    const own = await startStack({
      config: {
        geminiWeb: {
          models: { 'my-thinker': { mode: 'thinking' } },
          protocol: { headers: { 'x-goog-ext-525005358-jspb': '["moved"]' } },
        },
      },
    })
    try {
      const response = await fetch(`${own.gateway.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'my-thinker', messages: [user('Repeat exactly: mine')] }),
      })
      expect([response.status, response.headers.get('x-castor-served-model')]).toEqual([200, '3 Flash Thinking'])
      const asked = own.emulator.emulator.controls.requests.find(({ path }) => path.endsWith('/StreamGenerate'))
      expect(asked?.headers['x-goog-ext-525005358-jspb']).toBe('["moved"]')
    } finally {
      await own.close()
    }
  })

  it('names near matches for a model nothing serves, and serves no other', async () => {
    const error: unknown = await ask([user('hi')], 'gemini-2.5-flesh').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
    expect(String(error)).toContain('gemini-2.5-flash')
  })

  it('stops the upstream when the client stops reading', async () => {
    stack.emulator.emulator.controls.set({ latency: { snapshot: 20 } })
    try {
      const stream = await openai.chat.completions.create({
        model: 'gemini-2.5-flash',
        stream: true,
        messages: [user('Count to 9000')],
      })
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
      await expect.poll(() => stack.logLines.some((line) => line.includes('"status":499'))).toBe(true)
    } finally {
      stack.emulator.emulator.controls.set({ latency: { snapshot: 0 } })
    }
  })

  it('answers the small routes of the reference server', async () => {
    const get = async (path: string) =>
      (await fetch(stack.gateway.url + path)).json() as Promise<Record<string, unknown>>
    expect(await get('/health')).toMatchObject({ status: 'ok' })
    expect(await get('/api/info')).toMatchObject({ name: 'castor', demo: true })
    expect(await get('/api/models')).toMatchObject({ object: 'list' })
    const generated = await fetch(`${stack.gateway.url}/v1/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'Repeat exactly: simple' }),
    })
    expect(await generated.json()).toMatchObject({ text: 'simple' })
  })

  it('shows on its page that it is a demo', async () => {
    const page = await (await fetch(stack.gateway.url)).text()
    expect(page).toContain('Demo.')
    expect(page).toContain('/gemini_official/v1')
  })

  it('never logs a prompt, an answer, a cookie or a key', () => {
    const log = stack.logLines.join('\n')
    expect(log).toContain('"msg":"answered"')
    for (const secret of ['Grüße', 'My name is Ada', 'g.a000', 'sidts-', 'any-text']) expect(log).not.toContain(secret)
  })
})
