import { describe, expect, it } from 'vitest'
import { createGeminiApiEmulator, faults } from './index.ts'

const METADATA = { ideType: 'IDE_UNSPECIFIED', platform: 'PLATFORM_UNSPECIFIED', pluginType: 'GEMINI' }

function connect(options: Parameters<typeof createGeminiApiEmulator>[0] = {}) {
  const emulator = createGeminiApiEmulator(options)
  async function call(method: string, body: unknown, token = 'emulator-access-token') {
    const response = await emulator.fetch(`https://cloudcode-pa.googleapis.com/v1internal:${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
    return { status: response.status, text: await response.text() }
  }
  const json = async (method: string, body: unknown, token?: string): Promise<unknown> =>
    JSON.parse((await call(method, body, token)).text)
  return { emulator, call, json }
}

describe('Code Assist', () => {
  const request = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }], session_id: 's' }
  const wrapper = { model: 'gemini-2.5-pro', project: 'managed-project', user_prompt_id: 'p', request }

  it('wraps generateContent, whole and streamed', async () => {
    const { json, call } = connect()
    expect(await json('generateContent', wrapper)).toMatchObject({
      response: { candidates: [{ content: { parts: [{ text: 'You said: hi' }] } }] },
      traceId: expect.any(String),
    })
    const { text } = await call('streamGenerateContent?alt=sse', wrapper)
    expect(text).toMatch(/^data: \{"response":\{"candidates"/)
  })

  it('refuses a bad token, a foreign project, an unknown model and unknown fields', async () => {
    const { json } = connect()
    expect(await json('generateContent', wrapper, 'wrong')).toMatchObject({
      error: { code: 401, status: 'UNAUTHENTICATED' },
    })
    expect(await json('generateContent', { ...wrapper, project: 'x' })).toMatchObject({ error: { code: 403 } })
    expect(await json('generateContent', { ...wrapper, model: 'models/gemini-2.5-pro' })).toMatchObject({
      error: { code: 404 },
    })
    expect(await json('generateContent', { ...wrapper, foo: 1 })).toMatchObject({ error: { code: 400 } })
  })

  it('onboards an account that is new', async () => {
    const { emulator, json } = connect({ codeAssist: { onboarded: false } })
    expect(await json('loadCodeAssist', { metadata: METADATA })).toEqual({
      allowedTiers: [
        { id: 'standard-tier', name: 'Gemini Code Assist', isDefault: true, userDefinedCloudaicompanionProject: true },
      ],
    })
    const started = await json('onboardUser', { tierId: 'standard-tier', metadata: METADATA })
    expect(started).toEqual({ name: 'operations/onboard-1', done: false })
    const polled = await emulator.fetch('https://cloudcode-pa.googleapis.com/v1internal/operations/onboard-1', {
      headers: { authorization: 'Bearer emulator-access-token' },
    })
    expect(await polled.json()).toMatchObject({
      done: true,
      response: { cloudaicompanionProject: { id: 'managed-project' } },
    })
    expect(await json('loadCodeAssist', { metadata: METADATA })).toMatchObject({
      cloudaicompanionProject: 'managed-project',
    })
  })

  it('names an account that is not served any more', async () => {
    const { emulator, json } = connect()
    emulator.controls.fail(faults.unsupportedClient(), { at: 'loadCodeAssist' })
    expect(await json('loadCodeAssist', { metadata: METADATA })).toMatchObject({
      ineligibleTiers: [{ reasonCode: 'UNSUPPORTED_CLIENT', tierId: 'free-tier' }],
    })
  })

  it('counts tokens only in its own form, and tells the quota', async () => {
    const { json } = connect()
    const counted = { request: { model: 'models/gemini-2.5-pro', contents: request.contents } }
    expect(await json('countTokens', counted)).toEqual({ totalTokens: 1 })
    expect(await json('countTokens', { ...counted, project: 'x' })).toMatchObject({ error: { code: 400 } })
    expect(await json('retrieveUserQuota', { project: 'managed-project' })).toMatchObject({
      buckets: [{ modelId: 'gemini-2.5-pro', remainingFraction: 0.75 }, {}],
    })
  })
})

describe('the sign-in', () => {
  const VERIFIER = 'a-verifier-that-is-long-enough-for-everyone-0123456789'
  const challenge = async () =>
    Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(VERIFIER))).toString('base64url')

  async function authorize(emulator: ReturnType<typeof createGeminiApiEmulator>, redirect: string): Promise<Response> {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'c',
      redirect_uri: redirect,
      state: 's',
      code_challenge: await challenge(),
      code_challenge_method: 'S256',
    })
    return emulator.fetch(`https://accounts.google.com/o/oauth2/v2/auth?${query}`)
  }
  const token = (emulator: ReturnType<typeof createGeminiApiEmulator>, form: Record<string, string>) =>
    emulator.fetch('https://oauth2.googleapis.com/token', { method: 'POST', body: new URLSearchParams(form) })

  it('hands a code to a loopback address and tokens for it, once and only with the verifier', async () => {
    const emulator = createGeminiApiEmulator({ clients: { c: 'secret' } })
    const redirect_uri = 'http://127.0.0.1:4711/oauth2callback'
    const back = new URL((await authorize(emulator, redirect_uri)).headers.get('location') ?? '')
    expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([redirect_uri, 's'])
    const form = { grant_type: 'authorization_code', client_id: 'c', client_secret: 'secret', redirect_uri }
    const exchange = { ...form, code: back.searchParams.get('code') ?? '', code_verifier: VERIFIER }
    const answer = (await (await token(emulator, exchange)).json()) as Record<string, unknown>
    expect(answer).toMatchObject({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      expires_in: 3_599,
    })
    expect(await (await token(emulator, exchange)).json()).toMatchObject({ error: 'invalid_grant' })
    expect(await (await token(emulator, { ...exchange, client_secret: 'wrong' })).json()).toMatchObject({
      error: 'invalid_client',
    })
  })

  it('refreshes without a new refresh token, and refuses as told', async () => {
    const emulator = createGeminiApiEmulator()
    const form = {
      grant_type: 'refresh_token',
      client_id: 'c',
      client_secret: 's',
      refresh_token: 'emulator-refresh-token',
    }
    expect(await (await token(emulator, form)).json()).not.toHaveProperty('refresh_token')
    emulator.controls.fail(faults.invalidGrant(), { at: 'token' })
    const refused = await token(emulator, form)
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'invalid_grant' }])
  })

  it('lets only loopback and Google’s own page be returned to', async () => {
    const emulator = createGeminiApiEmulator()
    expect((await authorize(emulator, 'https://evil.example/')).status).toBe(400)
    expect(await (await authorize(emulator, 'https://codeassist.google.com/authcode')).text()).toMatch(
      /^Your code: 4\//,
    )
  })
})
