import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

const DAY = /^\d{4}-\d{2}-\d{2}$/
const MESSAGES = [{ role: 'user', content: 'Repeat exactly: hello' }]

let stack: Stack
let caller = 0
beforeAll(async () => {
  const apiKeys = Array.from({ length: 20 }, (_, index) => ({ id: `caller-${index + 1}`, key: keyOf(index + 1) }))
  stack = await startStack({
    config: { apiKeys, adminKey: 'battery-staple', delivery: { graceMs: 0, agentGraceMs: 0 } },
  })
})
afterAll(() => stack.close())
beforeEach(() => {
  caller++
  stack.emulator.emulator.controls.clearFaults()
})

function keyOf(index: number): string {
  return `correct-horse-${index}`
}

function send(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(stack.gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(caller)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
}

async function usage(query = '') {
  const response = await fetch(`${stack.gateway.url}/api/usage?${query}`, {
    headers: { authorization: 'Bearer battery-staple' },
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

async function rows(query = `caller=caller-${caller}`) {
  const { text } = await usage(query)
  return (JSON.parse(text) as { rows: Record<string, unknown>[] }).rows
}

const chat = (more: object = {}) =>
  send('/v1/chat/completions', { model: 'gemini-2.5-flash', messages: MESSAGES, ...more }).then((answer) =>
    answer.text(),
  )

describe('the ledger', () => {
  it('has a row for each day, key, account and model', async () => {
    await chat()
    await chat({ model: 'gemini-3-pro' })
    await send('/gemini/v1/chat/completions', { model: 'gemini-2.5-flash', messages: MESSAGES }).then((a) => a.text())
    const found = await rows()
    expect(found.map(({ upstream, account, model, requests }) => [upstream, account, model, requests])).toEqual([
      ['gemini-api', 'demo', 'gemini-2.5-flash', 1],
      ['gemini-web', 'ada', 'gemini-2.5-flash', 1],
      ['gemini-web', 'ada', 'gemini-3-pro', 1],
    ])
    for (const { day } of found) expect(day).toMatch(DAY)
    // The web app tells no tokens: those are guesses. The official API counts.
    expect(found.map(({ estimatedTokens }) => estimatedTokens !== 0)).toEqual([false, true, true])
  })

  it('counts streams and whole answers, and the time to the first chunk of both', async () => {
    await chat({ stream: true })
    await chat({ stream: true })
    await chat()
    expect(await rows()).toEqual([
      expect.objectContaining({ requests: 3, failures: {}, firstChunk: expect.objectContaining({ count: 3 }) }),
    ])
    const [{ firstChunk }] = (await rows()) as [{ firstChunk: { totalMs: number; maxMs: number } }]
    expect(firstChunk.maxMs).toBeGreaterThan(0)
    expect(firstChunk.totalMs).toBeGreaterThanOrEqual(firstChunk.maxMs)
  })

  it('counts a stream that its caller left as such, with what it had cost by then', async () => {
    stack.emulator.emulator.controls.fail({ kind: 'stall', afterFrames: 3 })
    const controller = new AbortController()
    const body = { model: 'gemini-2.5-flash', messages: MESSAGES, stream: true }
    const answer = await send('/v1/chat/completions', body, controller.signal)
    await answer.body?.getReader().read()
    controller.abort()
    await expect.poll(() => rows(), { timeout: 5_000 }).toHaveLength(1)
    const [row] = await rows()
    expect(row).toMatchObject({ model: 'gemini-2.5-flash', account: 'ada', requests: 1, failures: { aborted: 1 } })
    expect(row?.['inputTokens']).toBeGreaterThan(0)
    expect(row?.['estimatedTokens']).toBe(Number(row?.['inputTokens']) + Number(row?.['outputTokens']))
  })

  it('counts embeddings alike in both dialects', async () => {
    const text = 'hello world, how are you'
    const content = { parts: [{ text }] }
    const model = 'gemini-embedding-2'
    for (const [path, body] of [
      ['v1/embeddings', { model, input: text }],
      [`v1beta/models/${model}:embedContent`, { content }],
      [`v1beta/models/${model}:batchEmbedContents`, { requests: [{ content }, { content }] }],
    ] as const) {
      expect([path, (await send(`/gemini/${path}`, body)).status]).toEqual([path, 200])
    }
    expect(await rows()).toEqual([
      expect.objectContaining({ model, requests: 3, inputTokens: 24, estimatedTokens: 24, outputTokens: 0 }),
    ])
  })

  it('counts files in answers', async () => {
    const picture = { model: 'gemini-2.5-flash-image', prompt: 'A cat' }
    expect((await send('/v1/images/generations', picture)).status).toBe(200)
    expect((await send('/v1/images/generations', { ...picture, n: 2, response_format: 'url' })).status).toBe(200)
    await chat({ model: 'gemini-2.5-flash-image', messages: [{ role: 'user', content: 'Draw a cat' }], stream: true })
    expect(await rows()).toEqual([expect.objectContaining({ requests: 3, media: 4 })])
    const metrics = await fetch(`${stack.gateway.url}/metrics`, { headers: { authorization: 'Bearer battery-staple' } })
    expect(await metrics.text()).toMatch(/castor_media_total\{upstream="gemini-web"\} [4-9]/)
  })

  it('books a failure under the model asked for, also where no account was there to ask', async () => {
    await stack.gateway.accounts.pause('ada')
    try {
      await chat({ model: 'gemini-3-fast' })
      await chat({ model: 'gemini-3-fast-canvas', stream: true })
      // Counting tokens shows no model.
      await send('/v1beta/models/=made-up:countTokens', { contents: [{ role: 'user', parts: [{ text: 'x' }] }] })
    } finally {
      await stack.gateway.accounts.resume('ada')
    }
    await send('/v1beta/models/=made-up:countTokens', { contents: [{ role: 'user', parts: [{ text: 'x' }] }] })
    await chat({ model: '=made-up' })
    const found = (await rows(`caller=caller-${caller}&by=model`)).map(({ model, requests }) => [model, requests])
    expect(found).toEqual([
      ['(other)', 3],
      ['gemini-3-fast', 1],
      ['gemini-3-fast-canvas', 1],
    ])
  })

  it('counts failures by their code, and gives made-up models no row', async () => {
    await chat()
    stack.emulator.emulator.controls.fail({ kind: 'code', code: 1037, times: 0 })
    await chat()
    stack.emulator.emulator.controls.clearFaults()
    await stack.gateway.accounts.reset('ada')
    for (let index = 0; index < 5; index++) await chat({ model: `=made-up-${index}` })
    await chat({ messages: 'none' })
    const found = await rows()
    expect(found.map(({ model, requests, failures }) => [model, requests, failures])).toEqual([
      ['-', 1, { invalid_request: 1 }],
      ['(other)', 5, { model_not_found: 5 }],
      ['gemini-2.5-flash', 2, { quota_exhausted: 1 }],
    ])
  })

  it('counts what was sent to the wrong address as a failure', async () => {
    await send('/v1/no/such/endpoint', {})
    await send('/v1/models', {})
    await send('/gemini/v1beta/files', {})
    const failures = { invalid_request: 3 }
    expect(await rows()).toMatchObject([{ model: '-', requests: 3, failures }])
  })

  it('books a model under one name, however callers spell it', async () => {
    const spelt = Array.from('flash', (letter, index) => {
      return `gemini-2.5-${'flash'.slice(0, index)}${letter.toUpperCase()}${'flash'.slice(index + 1)}`
    })
    for (const model of spelt) await chat({ model })
    await chat({ model: 'gemini-2.5-flash-Canvas-canvas' })
    expect((await rows()).map(({ model, requests }) => [model, requests])).toEqual([
      ['(other)', 1],
      ['gemini-2.5-flash', spelt.length],
    ])
    expect(await rows(`caller=caller-${caller}&model=Gemini-2.5-FLASH`)).toHaveLength(1)
    // A guest's model is one in any case.
    await chat({ model: 'gemini-2.5-flash-FREE' })
    expect(await rows(`caller=caller-${caller}&model=gemini-2.5-flash-free`)).toMatchObject([{ account: 'guest' }])
  })

  it('sums up, filters, and comes as CSV for a spreadsheet', async () => {
    await chat()
    await chat({ model: 'gemini-3-pro' })
    const mine = `caller=caller-${caller}`
    expect(await rows(`${mine}&by=key`)).toEqual([
      expect.objectContaining({ day: '*', key: `caller-${caller}`, model: '*', requests: 2 }),
    ])
    const today = String((await rows())[0]?.['day'])
    expect(await rows(`${mine}&from=${today}&to=${today}&model=gemini-3-pro&account=ada`)).toHaveLength(1)
    expect(await rows(`${mine}&to=2020-01-01`)).toEqual([])
    const { headers, text } = await usage(`${mine}&by=day,model&format=csv`)
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
    expect(headers.get('content-disposition')).toBe('attachment; filename="castor-usage.csv"')
    const [head, ...lines] = text.split('\r\n')
    expect(head?.startsWith('day,key,upstream,account,model,requests,failures,failure_codes,input_tokens')).toBe(true)
    expect(lines.map((line) => line.split(',').slice(0, 6).join(','))).toEqual([
      `${today},*,*,*,gemini-2.5-flash,1`,
      `${today},*,*,*,gemini-3-pro,1`,
      '',
    ])
  })

  it.each([
    ['from=yesterday', 'from', '`from` must be a day such as 2026-11-20.'],
    ['from=2026-02-30', 'from', '`from` must be a day such as 2026-11-20.'],
    ['to=2026-11', 'to', '`to` must be a day such as 2026-11-20.'],
    ['from=2026-11-21&to=2026-11-20', 'from', '`from` (2026-11-21) comes after `to` (2026-11-20).'],
    ['by=colour', 'by', '`by` must be some of day, key, upstream, account, model, with commas.'],
    ['by=key&by=day', 'by', '`by` is given more than once; several names of `by` have commas.'],
    ['format=xml', 'format', '`format` must be json or csv.'],
    ['form=2026-11-20', 'form', '`form` is no filter; there are from, to, caller, upstream, account, model.'],
  ])('refuses %s by field', async (query, param, message) => {
    const { status, text } = await usage(query)
    expect([status, JSON.parse(text)]).toEqual([
      400,
      { error: { message, type: 'invalid_request', param, code: 'invalid_request' } },
    ])
  })
})
