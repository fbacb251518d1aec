import type { Fault } from '@castorjs/gemini-web-emulator'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
beforeEach(async () => {
  stack.emulator.emulator.controls.clearFaults()
  await stack.gateway.accounts.reset('ada')
})
afterAll(() => stack.close())

interface Failure {
  status: number
  error: { code: string; message: string; type: string } | undefined
  retry: string | null
  retryAfter: string | null
}

async function ask(content = 'Repeat exactly: fine', stream = false): Promise<Failure & { text: string }> {
  const response = await fetch(`${stack.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gemini-2.5-flash', stream, messages: [{ role: 'user', content }] }),
  })
  const text = await response.text()
  const error = stream && response.status === 200 ? undefined : (JSON.parse(text) as { error?: Failure['error'] }).error
  return {
    status: response.status,
    text,
    error,
    retry: response.headers.get('x-should-retry'),
    retryAfter: response.headers.get('retry-after'),
  }
}

/** A fault that strikes every try, so that no second attempt hides it. */
const always = (fault: Fault): Fault => ({ ...fault, times: 0 })

describe('a fault of the web app becomes the table’s status and code', () => {
  it.each<[string, Fault, number, string]>([
    ['1037, the usage limit', { kind: 'code', code: 1037 }, 429, 'insufficient_quota'],
    ['1060, a refused country', { kind: 'code', code: 1060 }, 502, 'upstream_refused'],
    ['1013, a passing failure', { kind: 'code', code: 1013 }, 503, 'upstream_error'],
    ['1095, a throttled address', { kind: 'code', code: 1095 }, 429, 'rate_limit_exceeded'],
    ['1155 without content', { kind: 'code', code: 1155 }, 503, 'upstream_error'],
    ['a bare status 8', { kind: 'code', code: 0, status: 8 }, 429, 'insufficient_quota'],
    ['an empty answer', { kind: 'empty' }, 503, 'upstream_error'],
    ['a redirect to sign-in', { kind: 'redirect', to: 'sign-in', on: 'any' }, 502, 'upstream_auth'],
    ['the interstitial', { kind: 'redirect', to: 'sorry' }, 502, 'upstream_refused'],
    ['a consent page', { kind: 'redirect', to: 'consent' }, 502, 'upstream_refused'],
    ['the interstitial with 429', { kind: 'http', status: 429, body: 'sorry' }, 502, 'upstream_refused'],
    ['a page instead of a reply', { kind: 'html' }, 502, 'upstream_auth'],
    ['a broken connection', { kind: 'reset', afterBytes: 0 }, 503, 'upstream_error'],
  ])('%s', async (_, fault, status, code) => {
    stack.emulator.emulator.controls.fail(always(fault))
    const answer = await ask()
    expect({ status: answer.status, code: answer.error?.code }).toEqual({ status, code })
    expect(answer.error?.message).toMatch(/\.$/)
    expect(answer.text).not.toMatch(/g\.a000|sidts-|SNlM0e|<html/i)
  })

  it('a stream cut in the middle ends with an error and without [DONE]', async () => {
    const { controls } = stack.emulator.emulator
    controls.set({ contextToken: 'none', latency: { snapshot: 10 } })
    controls.fail(always({ kind: 'cut', afterFrames: 6 }))
    try {
      const { status, text } = await ask('Count to 2000', true)
      expect(status).toBe(200)
      expect(text).toContain('"content":"1, 2')
      expect(text).toMatch(/data: \{"error":/)
      expect(text).not.toContain('[DONE]')
    } finally {
      controls.set({ contextToken: 'last', latency: { snapshot: 0 } })
    }
  })

  it('frames that are no frames, between good ones, do not lose the answer', async () => {
    stack.emulator.emulator.controls.fail({ kind: 'garbage', afterFrames: 2 })
    const { status, text } = await ask()
    expect(status).toBe(200)
    expect(text).toContain('"content":"fine"')
  })

  it('a stale token and a refusal after the answer are repaired in silence', async () => {
    const { controls } = stack.emulator.emulator
    controls.expireToken('ada')
    expect((await ask()).status).toBe(200)
    controls.fail({ kind: 'code', code: 1096, when: 'after' })
    expect((await ask()).status).toBe(200)
  })

  it('an expired ticket is renewed in silence', async () => {
    const fresh = await startStack()
    try {
      fresh.emulator.emulator.controls.expireTicket('ada')
      const response = await fetch(`${fresh.gateway.url}/v1/generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'Repeat exactly: fine' }),
      })
      expect(await response.json()).toMatchObject({ text: 'fine' })
      expect(fresh.emulator.emulator.controls.accounts()[0]?.rotations).toBe(1)
    } finally {
      await fresh.close()
    }
  })

  it('a session that Google no longer trusts is never answered by a guest’s model in silence', async () => {
    stack.emulator.emulator.controls.changeAccount('ada', { revoked: true })
    try {
      const { status, error } = await ask()
      expect({ status, code: error?.code }).toEqual({ status: 502, code: 'upstream_auth' })
    } finally {
      stack.emulator.emulator.controls.changeAccount('ada', { revoked: false })
    }
  })
})

describe('a smaller model that answers in place of the one asked for', () => {
  beforeEach(() => stack.emulator.emulator.controls.fail({ kind: 'downgrade' }))

  it('is named in the headers of an answer in one piece', async () => {
    const response = await chat({ stream: false })
    expect(response.headers.get('x-castor-served-model')).toBe('3.5 Flash-Lite')
    expect(response.headers.get('x-castor-warnings')).toContain('answered with 3.5 Flash-Lite')
  })

  it('is named in a comment of a stream, which SDKs skip', async () => {
    const text = await (await chat({ stream: true })).text()
    const [comment] = /^: castor-warning model: .*$/m.exec(text) ?? []
    expect(comment).toBe(
      ': castor-warning model: The web app answered with 3.5 Flash-Lite, not with the model asked for. Set strict_model to refuse such answers.',
    )
    expect(text.indexOf('"finish_reason":"stop"')).toBeGreaterThan(text.indexOf(': castor-warning'))

    stack.emulator.emulator.controls.fail({ kind: 'downgrade' })
    const client = new OpenAI({ baseURL: `${stack.gateway.url}/v1`, apiKey: 'any' })
    const said: string[] = []
    for await (const chunk of await client.chat.completions.create({
      model: 'gemini-2.5-flash',
      stream: true,
      messages: [{ role: 'user', content: LONG }],
    }))
      said.push(chunk.choices[0]?.delta.content ?? '')
    expect(said.join('')).toMatch(/^1, 2, 3, .* 400$/s)
  })

  it('is an error for a caller who is strict', async () => {
    const response = await chat({ stream: false, strict_model: true })
    expect(response.status).toBe(502)
    expect(await response.text()).toContain('Another model than the one asked for answered.')
  })

  const LONG = 'Count to 400'
  function chat(fields: object): Promise<Response> {
    return fetch(`${stack.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gemini-2.5-flash', messages: [{ role: 'user', content: LONG }], ...fields }),
    })
  }
})
