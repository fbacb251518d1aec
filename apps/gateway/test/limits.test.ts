import { afterEach, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

const KEY = 'correct-horse'
let stack: Stack | undefined
afterEach(() => stack?.close())

function running(): Stack {
  if (stack === undefined) throw new Error('Nothing was started')
  return stack
}

async function start(limits: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const running = await startStack({
    config: {
      apiKeys: [
        { id: 'laptop', key: KEY },
        { id: 'tablet', key: 'tablet-horse', limits: { perHour: 7 } },
      ],
      adminKey: 'battery-staple',
      limits,
      ...more,
    },
  })
  stack = running
  return async function call(path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(running.gateway.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const { headers: said } = response
    const left = said.get('x-ratelimit-remaining-requests')
    return {
      status: response.status,
      text: await response.text(),
      headers: said,
      limit: said.get('x-ratelimit-limit-requests'),
      left: left === null ? null : Number(left),
      reset: said.get('x-ratelimit-reset-requests'),
    }
  }
}

const chat = (more: object = {}) => ({
  model: 'gemini-2.5-flash',
  messages: [{ role: 'user', content: 'Repeat exactly: hello' }],
  ...more,
})
const native = { contents: [{ role: 'user', parts: [{ text: 'Repeat exactly: hello' }] }] }

describe('limits at the gateway', () => {
  it('tells on every answer what is left, whoever gives it', async () => {
    const call = await start({ perHour: 50, modelSpacingMs: false })
    // What counts.
    expect(await call('/v1/chat/completions', chat())).toMatchObject({ status: 200, limit: '50', left: 49 })
    expect(await call('/v1/chat/completions', chat({ stream: true }))).toMatchObject({ status: 200, left: 48 })
    expect(await call('/v1beta/models/gemini-2.5-flash:generateContent', native)).toMatchObject({
      status: 200,
      left: 47,
    })
    expect(await call('/v1/images/generations', { prompt: 'a cat', n: 2 })).toMatchObject({ status: 200, left: 46 })
    expect(await call('/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', native)).toMatchObject({
      status: 200,
      left: 45,
    })
    // What does not.
    const free: [string, unknown, number][] = [
      ['/v1/models', undefined, 200],
      ['/v1/models/gemini-2.5-flash', undefined, 200],
      ['/api/models', undefined, 200],
      ['/v1beta/models', undefined, 200],
      ['/v1beta/models/gemini-2.5-flash:countTokens', native, 200],
      ['/v1/chat/completions', '{"model":', 400],
      ['/v1/chat/completions', { messages: [] }, 400],
      ['/v1/nothing-here', undefined, 404],
      ['/v1beta/models/gemini-2.5-flash:juggle', native, 404],
    ]
    for (const [path, body, status] of free) {
      expect([path, await call(path, body)]).toMatchObject([path, { status, limit: '50', left: 45 }])
    }
    // Who is not let in learns the limit, and not how busy the others are.
    const stranger = await call('/v1/models', undefined, { authorization: 'Bearer wrong' })
    expect(stranger).toMatchObject({ status: 401, limit: '50', left: null, reset: null })
    const browser = await call('/v1/models', undefined, { origin: 'http://localhost:3000' })
    expect(browser.headers.get('access-control-expose-headers')).toContain('x-ratelimit-remaining-requests')
  })

  it('counts what was put to an upstream, and nothing that was refused before', async () => {
    const call = await start(
      { perHour: 50, modelSpacingMs: 3_600_000 },
      { codeAssist: {}, geminiWeb: { guest: false } },
    )
    const left = async () => (await call('/v1/models')).left
    const operator = { authorization: 'Bearer battery-staple' }
    const made = await call('/api/keys', { name: 'phone', upstreams: ['code-assist'] }, operator)
    const phone = { authorization: `Bearer ${(JSON.parse(made.text) as { key: string }).key}` }
    const two = chat({ model: 'gemini-3-pro' })
    const refused: [string, unknown, Record<string, string>, number][] = [
      // A key for another upstream.
      ['/v1/chat/completions', two, phone, 403],
      // Nothing behind the path; no such model.
      ['/gemini_cli/v1/chat/completions', two, {}, 400],
      ['/v1/chat/completions', chat({ model: 'gemini-9' }), {}, 404],
      ['/v1/chat/completions', chat({ model: 'gemini-9', stream: true }), {}, 404],
      ['/v1/images/generations', { model: 'gemini-9-image', prompt: 'a cat', n: 3 }, {}, 404],
    ]
    for (const [path, body, headers, status] of refused) {
      for (let times = 0; times < 2; times++) {
        const answer = await call(path, body, headers)
        expect([path, answer.status, answer.left]).toEqual([path, status, 50])
      }
    }
    // No account is there to ask, and the model does not have to wait for that.
    await running().gateway.accounts.pause('ada')
    expect(await call('/v1/chat/completions', two)).toMatchObject({ status: 503, left: 50 })
    await running().gateway.accounts.resume('ada')
    expect(await call('/v1/chat/completions', two)).toMatchObject({ status: 200, left: 49 })

    // What an upstream refused was put to it.
    running().emulator.emulator.controls.fail({ kind: 'code', code: 1037 })
    expect(await call('/v1/chat/completions', chat())).toMatchObject({ status: 429, left: 48 })
    expect(await call('/gemini/v1/chat/completions', chat({ model: 'gemini-9' }))).toMatchObject({
      status: 404,
      left: 47,
    })
    expect(await call('/gemini/v1/embeddings', { model: 'gemini-embedding-9', input: 'hello' })).toMatchObject({
      status: 404,
      left: 46,
    })
    expect(await left()).toBe(46)
  })

  it("counts by the key's own limits, and tells those", async () => {
    const call = await start({ perHour: 50, modelSpacingMs: false })
    const operator = { authorization: 'Bearer battery-staple' }
    for (const limits of [{ perHour: 0 }, { modelSpacingMs: 0 }, { modelSpacingMs: 3_600_001 }]) {
      const [field] = Object.keys(limits)
      const refused = await call('/api/keys', { name: 'x', limits }, operator)
      expect([refused.status, refused.text]).toEqual([400, expect.stringContaining(`limits.${field}`) as string])
    }
    const made = await call('/api/keys', { name: 'phone', limits: { perHour: 2, modelSpacingMs: 60_000 } }, operator)
    const phone = { authorization: `Bearer ${(JSON.parse(made.text) as { key: string }).key}` }
    const tablet = { authorization: 'Bearer tablet-horse' }
    expect(await call('/v1/chat/completions', chat(), tablet)).toMatchObject({ status: 200, limit: '7', left: 6 })
    expect(await call('/v1/models', undefined, phone)).toMatchObject({ limit: '2', left: 2 })
    expect(await call('/v1/chat/completions', chat(), phone)).toMatchObject({ status: 200, left: 1 })
    const spaced = await call('/v1/chat/completions', chat(), phone)
    expect(spaced).toMatchObject({ status: 429, limit: '2', left: 1 })
    expect(spaced.text).toMatch(/must be 60 seconds apart\. Try again in (60|59) seconds/)
    expect(await call('/v1/chat/completions', chat())).toMatchObject({ status: 200, limit: '50', left: 49 })
  })

  it('names the limit and the seconds in every dialect, and in streams before they begin', async () => {
    const call = await start({ perHour: 1, modelSpacingMs: 5_000 })
    expect(await call('/v1/chat/completions', chat())).toMatchObject({ status: 200, left: 0 })
    const paths: [string, unknown][] = [
      ['/v1/chat/completions', chat()],
      ['/v1/chat/completions', chat({ stream: true })],
      ['/v1/chat/completions', chat({ model: 'gemini-2.5-pro' })],
      ['/v1beta/models/gemini-2.5-pro:generateContent', native],
      ['/v1/images/generations', { prompt: 'a cat', n: 2 }],
    ]
    for (const [path, body] of paths) {
      const refused = await call(path, body)
      expect([path, refused]).toMatchObject([path, { status: 429, limit: '1', left: 0 }])
      const seconds = Number(refused.headers.get('retry-after'))
      // Also where the model must rest: that is over sooner.
      expect(refused.text).toContain(`The limit of 1 requests an hour is used up. Try again in ${seconds} seconds.`)
      expect(seconds).toBeGreaterThan(3_000)
    }
  })

  it('makes a model wait however its name is spelt', async () => {
    const call = await start({ perHour: 50, modelSpacingMs: 3_600_000 })
    expect(await call('/v1/chat/completions', chat())).toMatchObject({ status: 200, left: 49 })
    const spelt = ['Gemini-2.5-Flash', 'GEMINI-2.5-FLASH', 'models/gemini-2.5-flash', 'MODELS/Gemini-2.5-flash']
    for (const model of spelt) {
      expect([model, await call('/v1/chat/completions', chat({ model }))]).toMatchObject([model, { status: 429 }])
    }
    const again = await call('/v1/chat/completions', chat({ model: 'gemini-2.5-flash-thinking-thinking' }))
    expect([again.status, again.text]).toEqual([404, expect.stringContaining('gemini-2.5-flash-thinking')])
    // Another name is another model, also where the web app has the same one behind it.
    expect(await call('/v1/chat/completions', chat({ model: 'gemini-3-fast' }))).toMatchObject({
      status: 200,
      left: 48,
    })
  })

  it('draws several pictures for one request although its model must rest between requests', async () => {
    const call = await start({ perHour: 60, modelSpacingMs: 5_000 })
    const drawn = await call('/v1/images/generations', { prompt: 'a cat', n: 3 })
    expect([drawn.status, (JSON.parse(drawn.text) as { data: unknown[] }).data.length]).toEqual([200, 3])
    expect(drawn.left).toBe(59)
    expect(await call('/v1/images/generations', { prompt: 'a cat', n: 3 })).toMatchObject({ status: 429 })
  })
})
