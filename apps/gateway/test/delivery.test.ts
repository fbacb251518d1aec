import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readChatStream } from './chat-stream.ts'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ config: { delivery: { graceMs: 30_000, agentGraceMs: 30_000 } } })
  stack.emulator.emulator.controls.set({ latency: { snapshot: 15 } })
})
afterAll(() => stack.close())

function ask(
  text: string,
  {
    path = '/v1/chat/completions',
    headers = {},
    stream = true,
  }: { path?: string; headers?: Record<string, string>; stream?: boolean } = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(stack.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'gemini-2.5-flash', stream, messages: [{ role: 'user', content: text }] }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Reads a little, then pulls the plug. */
async function lose(text: string, options?: Parameters<typeof ask>[1]): Promise<void> {
  const abort = new AbortController()
  const response = await ask(text, options, abort.signal)
  const reader = response.body?.getReader()
  await reader?.read()
  await reader?.read()
  abort.abort()
  await expect.poll(() => stack.logLines.filter((line) => line.includes('"status":499')).length).toBe(++lost)
}
let lost = 0

const prompts = (): number =>
  stack.emulator.emulator.controls.requests.filter(({ inner }) => inner !== undefined).length
const counting = (end: number): string => Array.from({ length: end }, (_, index) => index + 1).join(', ')

describe('a repeated request', () => {
  it('has the whole answer of the stream it lost, for one prompt', async () => {
    const before = prompts()
    await lose('Count to 301')
    const retry = await ask('Count to 301')
    expect(retry.headers.get('x-castor-joined')).toMatch(/running|finished/)
    expect(retry.headers.get('x-castor-upstream')).toBe('gemini-web')
    expect(readChatStream(await retry.text())).toMatchObject({ content: counting(301), finish: 'stop', done: true })
    expect(prompts() - before).toBe(1)
  })

  it('may come without streaming, as Claude Code repeats', async () => {
    const before = prompts()
    const headers = { 'x-claude-code-session-id': 'one' }
    await lose('Count to 302', { headers })
    const retry = await ask('Count to 302', { headers, stream: false })
    expect(await retry.json()).toMatchObject({ choices: [{ message: { content: counting(302) } }] })
    expect(prompts() - before).toBe(1)
  })

  it('prompts again when the answer had arrived, at another mount, and when the client wants its own', async () => {
    const before = prompts()
    await (await ask('Count to 303')).text()
    await (await ask('Count to 303')).text()
    await lose('Count to 304')
    await (await ask('Count to 304', { path: '/gemini_official/v1/chat/completions' })).text()
    await (await ask('Count to 304', { headers: { 'x-castor-replay': 'off' } })).text()
    expect(prompts() - before).toBe(5)
  })
})
