import {
  collect,
  type GenerateContentRequest,
  type GenerateOptions,
  type Part,
  type ServedBy,
  type Warning,
} from '@castorjs/content-generator'
import {
  createGeminiApiEmulator,
  faults,
  type GeminiApiEmulator,
  type GeminiApiEmulatorOptions,
} from '@castorjs/gemini-api-emulator'
import { createFetchTransport } from '@castorjs/http-transport'
import { describeContentGenerator } from '@castorjs/testkit'
import { describe, expect, it } from 'vitest'
import {
  CodeAssistAccountError,
  createCodeAssistGenerator,
  readAttentionLink,
  type CodeAssistOptions,
  type Credentials,
} from './index.ts'

const NOW = Date.UTC(2026, 10, 20, 19)
const CLIENT = { clientId: 'client', clientSecret: 'secret' }

function connect(options: Partial<CodeAssistOptions> = {}, emulated: GeminiApiEmulatorOptions = {}) {
  const emulator = createGeminiApiEmulator(emulated)
  const generator = createCodeAssistGenerator({
    credentials: {
      accessToken: 'emulator-access-token',
      refreshToken: 'emulator-refresh-token',
      expiresAt: NOW + 3_600_000,
    },
    client: CLIENT,
    transport: createFetchTransport({ fetch: emulator.fetch }),
    now: () => NOW,
    wait: () => Promise.resolve(),
    label: 'anna@example.com',
    ...options,
  })
  return { emulator, generator }
}

function ask(
  text: string,
  model = 'gemini-2.5-pro',
  rest: Partial<GenerateContentRequest> = {},
): GenerateContentRequest {
  return { model, contents: [{ role: 'user', parts: [{ text }] }], ...rest }
}

const optionsWith = (rest: Partial<GenerateOptions> = {}): GenerateOptions => ({
  signal: new AbortController().signal,
  requestId: 'r',
  ...rest,
})

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

const operations = ({ controls }: GeminiApiEmulator): string[] => controls.requests.map(({ operation }) => operation)
const lastBody = ({ controls }: GeminiApiEmulator) =>
  controls.requests.at(-1)?.body as { request: Record<string, unknown> } & Record<string, unknown>

describeContentGenerator('createCodeAssistGenerator', () => {
  const { emulator, generator } = connect()
  const request = ask('one two three four five six seven eight')
  return {
    generator,
    answered: () => request,
    silent() {
      emulator.controls.fail({ kind: 'silent' })
      return request
    },
    stalled() {
      emulator.controls.fail({ kind: 'stall' })
      return request
    },
    refused() {
      emulator.controls.fail(faults.rateLimitExceeded('34.07s'))
      return { request, code: 'rate_limited' }
    },
    held: () => emulator.controls.active,
    close: () => emulator.close(),
  }
})

describe('a request', () => {
  it('travels in the envelope of Gemini CLI, after one question who asks', async () => {
    const { emulator, generator } = connect()
    const request = ask('hi', 'gemini-2.5-pro', { systemInstruction: { parts: [{ text: 'Be brief.' }] } })
    const answer = await collect(generator.generateContentStream(request, optionsWith()))
    expect(answer.candidates?.[0]?.content?.parts?.[0]?.text).toBe('You said: hi I was told: Be brief.')
    expect(answer.responseId).toMatch(/^emulated-/)
    await collect(generator.generateContentStream(request, optionsWith()))
    expect(operations(emulator)).toEqual(['loadCodeAssist', 'streamGenerateContent', 'streamGenerateContent'])
    const body = lastBody(emulator)
    expect(body).toMatchObject({
      model: 'gemini-2.5-pro',
      project: 'managed-project',
      user_prompt_id: expect.any(String),
    })
    expect(Object.keys(body.request).sort()).toEqual(['contents', 'safetySettings', 'session_id', 'systemInstruction'])
    expect(body.request.systemInstruction).toEqual({ role: 'user', parts: [{ text: 'Be brief.' }] })
  })

  it('keeps one session id for a conversation, and another for another model', async () => {
    const { emulator, generator } = connect()
    const idOf = async (request: GenerateContentRequest, options: Partial<GenerateOptions> = {}): Promise<unknown> => {
      await collect(generator.generateContentStream(request, optionsWith(options)))
      return lastBody(emulator).request.session_id
    }
    const first = await idOf(ask('hi'))
    const later = ask('hi')
    later.contents.push({ role: 'model', parts: [{ text: 'a' }] }, { role: 'user', parts: [{ text: 'b' }] })
    expect(await idOf(later)).toBe(first)
    expect(await idOf(ask('hi', 'gemini-2.5-flash'))).not.toBe(first)
    expect(await idOf(ask('hi'), { sessionId: 's' })).not.toBe(first)
  })

  it('carries calls, results and signatures', async () => {
    const { generator } = connect()
    const model = 'gemini-3-flash-preview'
    const tools = [
      {
        functionDeclarations: [
          {
            name: 'get_weather',
            parametersJsonSchema: { type: 'object', properties: { city: { type: 'string', minLength: 1 } } },
          },
        ],
      },
    ]
    const question = { role: 'user', parts: [{ text: 'the weather in Oslo and Rome' }] }
    const called = await collect(generator.generateContentStream({ model, contents: [question], tools }, optionsWith()))
    const calls = called.candidates?.[0]?.content?.parts ?? []
    const parts: Part[] = calls.map(({ functionCall }) => ({
      functionResponse: { id: functionCall?.id ?? '', name: functionCall?.name ?? '', response: { output: 1 } },
    }))
    // A client that drops what it cannot read.
    const bare = calls.map(({ functionCall }) => ({ functionCall }) as Part)
    const contents = [question, { role: 'model', parts: bare }, { role: 'user', parts }]
    const answer = await collect(generator.generateContentStream({ model, contents, tools }, optionsWith()))
    expect(answer.candidates?.[0]?.content?.parts?.[0]?.text).toContain('get_weather said')
  })

  it('turns the names and the thinking suffix into what this host knows', async () => {
    const { emulator, generator } = connect()
    await collect(generator.generateContentStream(ask('hi', 'gemini-3.5-flash-thinking'), optionsWith()))
    expect(lastBody(emulator)).toMatchObject({
      model: 'gemini-3-flash',
      request: { generationConfig: { thinkingConfig: { includeThoughts: true } } },
    })
  })

  it('is refused for files that cannot travel inside it', async () => {
    const { generator } = connect({ inlineLimitBytes: 10 })
    const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const contents = [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }] }]
    const error = await failure(
      collect(generator.generateContentStream({ model: 'gemini-2.5-pro', contents }, optionsWith())),
    )
    expect(error).toMatchObject({ code: 'too_large', field: 'contents[0].parts[0]' })
  })
})

describe('tokens', () => {
  const expired: Credentials = { accessToken: 'old', refreshToken: 'emulator-refresh-token', expiresAt: NOW + 60_000 }

  it('are renewed before they end, once for all who wait, and kept', async () => {
    const saved: Credentials[] = []
    const storage = { save: (credentials: Credentials) => Promise.resolve(void saved.push(credentials)) }
    const { emulator, generator } = connect({ credentials: expired, storage })
    await Promise.all(['a', 'b', 'c'].map((text) => collect(generator.generateContentStream(ask(text), optionsWith()))))
    expect(operations(emulator).filter((operation) => operation === 'token')).toHaveLength(1)
    expect(operations(emulator).filter((operation) => operation === 'loadCodeAssist')).toHaveLength(1)
    expect(saved).toEqual([
      {
        accessToken: expect.stringMatching(/^ya29\./) as string,
        refreshToken: 'emulator-refresh-token',
        expiresAt: NOW + 3_599_000,
      },
    ])
  })

  it('are renewed when Google refuses one that looked good, and the call is sent again', async () => {
    const { emulator, generator } = connect()
    await collect(generator.generateContentStream(ask('a'), optionsWith()))
    emulator.controls.expireAccessTokens()
    await collect(generator.generateContentStream(ask('b'), optionsWith()))
    expect(operations(emulator).slice(2)).toEqual(['streamGenerateContent', 'token', 'streamGenerateContent'])
  })

  it('that were revoked end the account, and Google is not asked again', async () => {
    const { emulator, generator } = connect({ credentials: expired })
    emulator.controls.fail(faults.invalidGrant(), { at: 'token' })
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await failure(collect(generator.generateContentStream(ask('a'), optionsWith())))
      expect(error).toMatchObject({ code: 'upstream_auth', fault: 'account', upstreamCode: 'invalid_grant' })
    }
    expect(operations(emulator)).toEqual(['token'])
  })

  it('need the client that made them', async () => {
    const { client: _, ...withoutClient } = { client: undefined }
    const { generator } = connect({ credentials: expired, ...withoutClient }, { clients: { other: 'x' } })
    expect(await failure(generator.account(new AbortController().signal))).toMatchObject({
      code: 'upstream_auth',
      upstreamCode: 'invalid_client',
    })
  })

  it('without a client are used to their end, and then say what is missing', async () => {
    const emulator = createGeminiApiEmulator()
    const transport = createFetchTransport({ fetch: emulator.fetch })
    const create = (expiresAt: number) =>
      createCodeAssistGenerator({
        credentials: { accessToken: 'emulator-access-token', expiresAt },
        transport,
        now: () => NOW,
      })
    const { signal } = new AbortController()
    expect(await create(NOW + 1_000).account(signal)).toEqual({ project: 'managed-project', tier: 'standard-tier' })
    expect(await failure(create(NOW - 1).account(signal))).toMatchObject({ code: 'upstream_auth' })
  })
})

describe('the account', () => {
  const { signal } = new AbortController()

  it('that is new is set up first', async () => {
    const { emulator, generator } = connect({}, { codeAssist: { onboarded: false, onboardingPolls: 2 } })
    expect(await generator.account(signal)).toEqual({ project: 'managed-project', tier: 'standard-tier' })
    expect(operations(emulator)).toEqual(['loadCodeAssist', 'onboardUser', 'operation', 'operation'])
  })

  it('that Google does not serve is named, and not asked for again', async () => {
    const { emulator, generator } = connect()
    emulator.controls.fail(faults.unsupportedClient(), { at: 'loadCodeAssist' })
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await failure(collect(generator.generateContentStream(ask('hi'), optionsWith())))
      expect(error).toMatchObject({
        code: 'upstream_auth',
        fault: 'account',
        upstreamCode: 'UNSUPPORTED_CLIENT',
        message: expect.stringContaining('does not serve anna@example.com (UNSUPPORTED_CLIENT)') as string,
      })
      expect((error as Error).message).not.toContain('no longer supported for individuals')
      expect((error as Error).cause).toBeInstanceOf(CodeAssistAccountError)
    }
    expect(operations(emulator)).toEqual(['loadCodeAssist'])
  })

  it('that must be confirmed in a browser gives the link to the operator, and works afterwards', async () => {
    const { emulator, generator } = connect()
    emulator.controls.fail(faults.validationRequired('https://accounts.example/verify'), { at: 'loadCodeAssist' })
    const error = await failure(generator.account(signal))
    expect(readAttentionLink(error)).toBe('https://accounts.example/verify')
    expect(await generator.account(signal)).toMatchObject({ project: 'managed-project' })
  })

  it('works in the configured project where Google manages none', async () => {
    const { emulator, generator } = connect({ project: 'my-project' }, { codeAssist: { project: null } })
    expect(await generator.account(signal)).toEqual({ project: 'my-project', tier: 'standard-tier' })
    expect(emulator.controls.requests[0]?.body).toMatchObject({
      cloudaicompanionProject: 'my-project',
      metadata: { duetProject: 'my-project' },
    })
    const without = connect({}, { codeAssist: { project: null } })
    expect(await failure(without.generator.account(signal))).toMatchObject({ code: 'upstream_auth' })
  })

  it('behind VPC service controls counts as a paying one', async () => {
    const { emulator, generator } = connect({ project: 'my-project' })
    emulator.controls.fail(faults.securityPolicy(), { at: 'loadCodeAssist' })
    expect(await generator.account(signal)).toEqual({ project: 'my-project', tier: 'standard-tier' })
  })

  it('takes no project number', () => {
    expect(() => connect({ project: '123456' })).toThrow('by its id, not by its number')
  })

  it('tells what is left', async () => {
    const { generator } = connect()
    expect(await generator.quota(signal)).toEqual([
      {
        model: 'gemini-2.5-pro',
        kind: 'REQUESTS',
        remaining: 0.75,
        remainingAmount: 750,
        resetsAt: Date.UTC(2026, 10, 21, 7),
      },
      {
        model: 'gemini-2.5-flash',
        kind: 'REQUESTS',
        remaining: 1,
        remainingAmount: undefined,
        resetsAt: Date.UTC(2026, 10, 21, 7),
      },
    ])
  })

  it('counts tokens in the form of this host', async () => {
    const { generator } = connect()
    expect(await generator.countTokens?.(ask('twelve chars'), optionsWith())).toEqual({ totalTokens: 3 })
  })
})

describe('errors', () => {
  it.each([
    ['an allotment', faults.allotmentGone('5h3m2.5s', ''), { code: 'quota_exhausted', retryAfterMs: 18_182_500 }],
    ['per minute', faults.rateLimitExceeded('900ms'), { code: 'rate_limited', retryAfterMs: 900 }],
    ['bare', faults.bareExhausted(), { code: 'rate_limited', retryAfterMs: 60_000 }],
    ['no capacity', faults.noCapacity('m'), { code: 'upstream_unavailable' }],
    ['no licence', faults.subscriptionRequired(), { code: 'upstream_auth', upstreamCode: 'SUBSCRIPTION_REQUIRED' }],
    ['in mid-stream', faults.lateUnavailable(), { code: 'upstream_unavailable' }],
    ['a page', { kind: 'html', code: 502 } as const, { code: 'upstream_unavailable' }],
  ])('%s', async (_, fault, expected) => {
    const { emulator, generator } = connect()
    emulator.controls.fail(fault)
    expect(
      await failure(collect(generator.generateContentStream(ask('one two three four'), optionsWith()))),
    ).toMatchObject(expected)
  })

  it('about a model that is not offered are remembered', async () => {
    const { emulator, generator } = connect()
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await failure(collect(generator.generateContentStream(ask('hi', 'gemini-9'), optionsWith())))
      expect(error).toMatchObject({ code: 'model_not_found', field: 'model' })
    }
    expect(operations(emulator)).toEqual(['loadCodeAssist', 'streamGenerateContent'])
  })
})

describe('another model', () => {
  const fallback = { 'gemini-2.5-pro': ['gemini-2.5-flash'] }
  const gone = faults.allotmentGone('5h', '')

  it('answers only where the operator allows it, and says so', async () => {
    const { emulator, generator } = connect({ fallback })
    emulator.controls.fail(gone)
    const served: ServedBy[] = []
    const warnings: Warning[] = []
    const options = optionsWith({ onServed: (by) => served.push(by), onWarning: (warning) => warnings.push(warning) })
    const answer = await collect(generator.generateContentStream(ask('hi'), options))
    expect(answer.modelVersion).toBe('gemini-2.5-flash')
    expect(served.at(-1)).toEqual({ upstream: 'code-assist', model: 'gemini-2.5-flash' })
    expect(warnings).toEqual([{ setting: 'model', message: 'gemini-2.5-pro could not answer; gemini-2.5-flash did.' }])
  })

  it('does not answer by default, nor where the caller insists on the model', async () => {
    for (const [options, asked] of [
      [{}, {}],
      [{ fallback }, { strictModel: true }],
    ] as const) {
      const { emulator, generator } = connect(options)
      emulator.controls.fail(gone)
      expect(await failure(collect(generator.generateContentStream(ask('hi'), optionsWith(asked))))).toMatchObject({
        code: 'quota_exhausted',
      })
    }
  })

  it('does not answer once something was handed out', async () => {
    const { emulator, generator } = connect({ fallback })
    emulator.controls.fail(faults.lateUnavailable())
    expect(
      await failure(collect(generator.generateContentStream(ask('one two three four'), optionsWith()))),
    ).toMatchObject({ code: 'upstream_unavailable' })
  })
})
