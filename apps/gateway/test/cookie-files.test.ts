import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

const SECRETS = /g\.a000|sidts-/

let stack: Stack
const answers: string[] = []
beforeEach(async () => {
  stack = await startStack({ guest: true })
})
afterEach(async () => {
  await stack.close()
  expect([...answers.splice(0), ...stack.logLines].join('\n')).not.toMatch(SECRETS)
})

async function post(body: string | Uint8Array<ArrayBuffer>) {
  const response = await fetch(`${stack.gateway.url}/api/cookies`, { method: 'POST', body })
  const text = await response.text()
  answers.push(text)
  return { status: response.status, json: JSON.parse(text) as Record<string, never> }
}

async function get(path: string): Promise<unknown> {
  const text = await (await fetch(stack.gateway.url + path)).text()
  answers.push(text)
  return JSON.parse(text)
}

const cookiesTxt = (end: number | string, session = 'g.a000castor-demo-ada') =>
  [
    '# Netscape HTTP Cookie File',
    `#HttpOnly_.google.com\tTRUE\t/\tTRUE\t${end}\t__Secure-1PSID\t${session}`,
    `#HttpOnly_.google.com\tTRUE\t/\tTRUE\t${end}\t__Secure-1PSIDTS\tsidts-castor-demo-ada`,
  ].join('\r\n')

describe('a cookie file with ends that are no seconds', () => {
  it.each<[string, number | string]>([
    ['Chrome’s own microseconds', (Date.now() + 31_536_000_000 + 11_644_473_600_000) * 1_000],
    ['no date at all', '1e300'],
  ])('is taken in, and the gateway lives: %s', async (_, end) => {
    const { status, json } = await post(cookiesTxt(end))
    expect([status, json]).toEqual([200, expect.objectContaining({ message: 'The account "default" was added.' })])
    expect((await fetch(`${stack.gateway.url}/health`)).status).toBe(200)
  })
})

describe('a cookie file whose session has ended', () => {
  // Chrome's own number for a day in September 2024.
  const OVER = '13370000000000000'
  const WORDS = /^The session cookie of this account ended on 2024-09-05\. Sign in again/

  it('is refused with the day, and nothing of it is stored', async () => {
    const { status, json } = await post(cookiesTxt(OVER))
    expect([status, json]).toEqual([
      400,
      { error: expect.objectContaining({ param: 'cookies', message: expect.stringMatching(WORDS) }) },
    ])
    expect(await get('/api/accounts')).toEqual({ accounts: [] })
  })

  it('makes no guest of an account of the configuration: it is signed out, by a chat and by the check', async () => {
    await stack.close()
    stack = await startStack({ config: { accounts: [{ label: 'ada', cookies: cookiesTxt(OVER) }] } })
    const chat = await fetch(`${stack.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gemini-2.5-flash', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    expect([chat.status, await chat.json()]).toEqual([
      502,
      { error: expect.objectContaining({ message: expect.stringMatching(WORDS) }) },
    ])
    expect(await get('/api/accounts/ada')).toMatchObject({
      state: 'signed-out',
      cause: 'signed out',
      session: { kind: 'account' },
      notes: [expect.stringMatching(WORDS)],
    })
    const check = await fetch(`${stack.gateway.url}/api/accounts/ada/check`, { method: 'POST' })
    expect(await check.json()).toMatchObject({
      ok: false,
      steps: [{ name: 'account', outcome: 'failed', cause: 'signed out', message: expect.stringMatching(WORDS) }],
    })
    expect(stack.emulator.emulator.controls.requests).toEqual([])
  })
})

describe('a body that is no UTF-8', () => {
  it('is read when it is UTF-16 with its mark, as PowerShell 5 writes files', async () => {
    const { status } = await post(new Uint8Array(Buffer.from(`\uFEFF${cookiesTxt(1_900_000_000)}`, 'utf16le')))
    expect(status).toBe(200)
  })

  it('is refused in words without a control character when it is no text', async () => {
    const { status, json } = await post(new Uint8Array(Buffer.from('\u0089PNG\r\n\u001a\n\u001b[2J=\u0000', 'latin1')))
    expect([status, json]).toEqual([
      400,
      {
        error: expect.objectContaining({ param: 'cookies', message: expect.stringMatching(/^This is no text[ -~]*$/) }),
      },
    ])
  })
})
