import {
  collect,
  finalChunk,
  GenerationError,
  partsChunk,
  textPart,
  type ContentGenerator,
  type GenerateContentRequest,
  type GenerateOptions,
  type ServedBy,
} from '@castorjs/content-generator'
import { describeContentGenerator, scriptedGenerator, type ScriptStep } from '@castorjs/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withAccounts, type WithAccountsOptions } from './content-generator.ts'
import { createAccountPool, type PoolPolicy } from './index.ts'

const REQUEST: GenerateContentRequest = { model: 'gemini-3-pro', contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }
const OPEN: PoolPolicy = { egressPerMinute: false, perHour: false, perDay: false, waitMs: 0 }

const refusal = (code: GenerationError['code'], more: object = {}) => new GenerationError(code, `It is ${code}.`, more)
const answer: readonly ScriptStep[] = [partsChunk([textPart('Hel')]), partsChunk([textPart('lo')]), finalChunk('STOP')]

type Scripts = Record<string, readonly ScriptStep[] | ((request: unknown, call: number) => readonly ScriptStep[])>

function setUp(scripts: Scripts, policy: PoolPolicy = {}, options: WithAccountsOptions = {}) {
  const generators = Object.entries(scripts).map(([id, script]) => [id, scriptedGenerator(script)] as const)
  const clock = { now: 1_700_000_000_000 }
  const pool = createAccountPool({
    accounts: generators.map(([id, value]) => ({ id, label: `label of ${id}`, value })),
    policy: { ...OPEN, ...policy },
    now: () => clock.now,
    random: () => 0,
  })
  const calls = () => Object.fromEntries(generators.map(([id, { requests }]) => [id, requests.length]))
  return { pool, clock, calls, generator: withAccounts(pool, (value) => value, options), byId: new Map(generators) }
}

function optionsOf(more: Partial<GenerateOptions> = {}): GenerateOptions {
  return { signal: new AbortController().signal, requestId: 'test', ...more }
}

async function ask(generator: ContentGenerator, options: Partial<GenerateOptions> = {}): Promise<string | undefined> {
  const whole = await collect(generator.generateContentStream(REQUEST, optionsOf(options)))
  return whole.candidates?.[0]?.content?.parts?.[0]?.text
}

describeContentGenerator('withAccounts', () => {
  const asked = (model: string): GenerateContentRequest => ({ ...REQUEST, model })
  const inner = scriptedGenerator((request) => {
    if (request.model === 'silent') return ['stall']
    if (request.model === 'stalled') return [partsChunk([textPart('Hel')]), 'stall']
    if (request.model === 'refused') return [refusal('quota_exhausted')]
    return answer
  })
  const pool = createAccountPool({ accounts: [{ id: 'a', value: inner }], policy: OPEN })
  return {
    generator: withAccounts(pool, (value) => value),
    answered: () => asked('answered'),
    silent: () => asked('silent'),
    stalled: () => asked('stalled'),
    refused: () => ({ request: asked('refused'), code: 'quota_exhausted' }),
    held: () => pool.held + pool.waiting + inner.open,
    close: () => pool.close(),
  }
})

describe('withAccounts', () => {
  it('keeps a conversation with its account although the client names none', async () => {
    const { generator, byId } = setUp({ a: answer, b: answer, c: answer })
    const user = (text: string) => ({ role: 'user', parts: [{ text }] })
    const model = { role: 'model', parts: [{ text: 'Hello' }] }
    const turn = (...contents: GenerateContentRequest['contents']) =>
      collect(generator.generateContentStream({ model: 'gemini-3-pro', contents }, optionsOf({ caller: 'k1' })))
    for (const opening of ['One', 'Two', 'Three']) await turn(user(opening))
    for (let round = 0; round < 3; round++) {
      for (const opening of ['Three', 'One', 'Two']) await turn(user(opening), model, user('Go on'))
    }
    const openings = [...byId.values()].map(({ requests }) =>
      requests.map(({ contents }) => contents[0]?.parts?.[0]?.text),
    )
    expect(openings).toEqual([Array(4).fill('One'), Array(4).fill('Two'), Array(4).fill('Three')])
  })

  it('does not put all who begin with the same words on one account', async () => {
    const { generator, calls } = setUp({ a: answer, b: answer })
    for (let times = 0; times < 6; times++) await ask(generator, { caller: 'k1' })
    expect(calls()).toEqual({ a: 3, b: 3 })
  })

  it('asks the accounts of its group only', async () => {
    const [a, guest] = [scriptedGenerator(answer, { name: 'own' }), scriptedGenerator(answer, { name: 'guest' })]
    const pool = createAccountPool({
      accounts: [
        { id: 'a', value: a },
        { id: 'g', group: 'guests', value: guest },
      ],
      policy: { ...OPEN, egressPerMinute: 3 },
    })
    const [own, guests] = [
      withAccounts(pool, (value) => value),
      withAccounts(pool, (value) => value, { group: 'guests' }),
    ]
    expect([own.name, guests.name]).toEqual(['own', 'guest'])
    await ask(own)
    await ask(guests)
    await ask(guests)
    expect([a.requests.length, guest.requests.length]).toEqual([1, 2])
    // One address, one pace.
    await expect(ask(own)).rejects.toMatchObject({
      code: 'upstream_unavailable',
      retryAfterMs: expect.any(Number) as number,
    })
  })

  it('tries another account until the first chunk', async () => {
    const { generator, calls, pool } = setUp({ a: [refusal('rate_limited')], b: [refusal('upstream_auth')], c: answer })
    expect(await ask(generator)).toBe('Hello')
    expect(calls()).toEqual({ a: 1, b: 1, c: 1 })
    expect((await pool.status()).map(({ id, state }) => [id, state])).toEqual([
      ['a', 'cooling'],
      ['b', 'signed-out'],
      ['c', 'ready'],
    ])
  })

  it('never tries another account after the first chunk, but rests what is at fault', async () => {
    const failing = [partsChunk([textPart('Hel')]), refusal('rate_limited')]
    const { generator, calls, pool } = setUp({ a: failing, b: answer })
    await expect(ask(generator)).rejects.toMatchObject({ code: 'rate_limited' })
    expect(calls()).toEqual({ a: 1, b: 0 })
    expect((await pool.status())[0]).toMatchObject({ state: 'cooling' })
  })

  it('tries three accounts at most', async () => {
    const limited = [refusal('rate_limited', { retryAfterMs: 60_000 })]
    const { generator, calls } = setUp({ a: limited, b: limited, c: limited, d: answer })
    await expect(ask(generator)).rejects.toMatchObject({ code: 'rate_limited' })
    expect(calls()).toEqual({ a: 1, b: 1, c: 1, d: 0 })
    expect(await ask(generator)).toBe('Hello')
  })

  it('tells when the pool can serve again after the last try', async () => {
    const limited = (retryAfterMs: number) => [refusal('quota_exhausted', { retryAfterMs })]
    const three = setUp({ a: limited(100_000), b: limited(50_000), c: limited(70_000) })
    await expect(ask(three.generator)).rejects.toMatchObject({ code: 'quota_exhausted', retryAfterMs: 50_000 })
    const four = setUp({ a: limited(100_000), b: limited(50_000), c: limited(70_000), d: answer })
    await expect(ask(four.generator)).rejects.toMatchObject({ code: 'quota_exhausted', retryAfterMs: 1_000 })
    expect(await ask(four.generator)).toBe('Hello')
  })

  it('tries one other account, not two, when the upstream cannot be reached', async () => {
    const down = [refusal('upstream_unavailable')]
    const { generator, calls } = setUp({ a: down, b: down, c: answer })
    await expect(ask(generator)).rejects.toMatchObject({ code: 'upstream_unavailable' })
    expect(calls()).toEqual({ a: 1, b: 1, c: 0 })
  })

  it.each(['invalid_request', 'blocked', 'too_large', 'upstream_timeout', 'protocol_drift', 'internal'] as const)(
    'does not carry %s to another account',
    async (code) => {
      const { generator, calls } = setUp({ a: [refusal(code)], b: answer })
      await expect(ask(generator)).rejects.toMatchObject({ code })
      expect(calls()).toEqual({ a: 1, b: 0 })
    },
  )

  it('tells the true wait of the whole pool with the last error, and 503 after that', async () => {
    const { generator, clock } = setUp({
      a: [refusal('rate_limited', { retryAfterMs: 20_000 })],
      b: [refusal('rate_limited', { retryAfterMs: 90_000 })],
    })
    await expect(ask(generator)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 20_000 })
    clock.now += 5_000
    await expect(ask(generator)).rejects.toMatchObject({ code: 'upstream_unavailable', retryAfterMs: 15_000 })
  })

  it('rests an egress as a whole and goes on behind another', async () => {
    const blocked = scriptedGenerator([refusal('upstream_refused')])
    const fine = scriptedGenerator(answer)
    const pool = createAccountPool({
      accounts: [
        { id: 'a', egress: 'proxy-1', value: blocked },
        { id: 'b', egress: 'proxy-1', value: blocked },
        { id: 'c', egress: 'proxy-2', value: fine },
      ],
      policy: OPEN,
    })
    const generator = withAccounts(pool, (value) => value)
    expect(await ask(generator)).toBe('Hello')
    expect(blocked.requests).toHaveLength(1)
    expect((await pool.status()).map(({ state }) => state)).toEqual(['address-blocked', 'address-blocked', 'ready'])
  })

  it('says which account served', async () => {
    const { generator } = setUp({ a: [refusal('rate_limited')], b: answer })
    const served: ServedBy[] = []
    await ask(generator, { onServed: (by) => served.push(by) })
    expect(served.at(-1)).toEqual({ upstream: 'scripted', account: 'label of b' })
  })

  it('says whose failure it was, and which upstream refused without asking anybody', async () => {
    const { generator } = setUp({ a: [refusal('rate_limited')] })
    const served: ServedBy[] = []
    const onServed = (by: ServedBy) => void served.push(by)
    await expect(ask(generator, { onServed })).rejects.toMatchObject({ code: 'rate_limited' })
    await expect(ask(generator, { onServed })).rejects.toMatchObject({ code: 'upstream_unavailable' })
    expect(served).toEqual([{ upstream: 'scripted', account: 'label of a' }, { upstream: 'scripted' }])
  })

  it("keeps a client's session on its account", async () => {
    const { generator, calls } = setUp({ a: answer, b: answer, c: answer })
    for (let turn = 0; turn < 5; turn++) await ask(generator, { sessionId: 's1', caller: 'k1' })
    expect(Math.max(...Object.values(calls()))).toBe(5)
  })

  it("takes the conversation's account where it is known", async () => {
    const { generator, calls } = setUp({ a: answer, b: answer }, {}, { prefer: () => 'b' })
    await ask(generator)
    await ask(generator)
    expect(calls()).toEqual({ a: 0, b: 2 })
  })

  it('marks an account that a person has to look at', async () => {
    const link = 'https://example.com/verify'
    const attentionLink = (error: GenerationError) => (error.upstreamCode === 'verify' ? link : undefined)
    const failing = [refusal('upstream_refused', { upstreamCode: 'verify' })]
    const { generator, pool } = setUp({ a: failing, b: answer }, {}, { attentionLink })
    expect(await ask(generator)).toBe('Hello')
    expect((await pool.status())[0]).toMatchObject({ text: `needs attention: ${link}` })
  })

  it('reports a stream that ended without a word', async () => {
    const { generator, calls } = setUp({ a: [], b: answer })
    expect(await ask(generator)).toBe('Hello')
    expect(calls()).toEqual({ a: 1, b: 1 })
  })

  it('waits for a busy account as long as it may', async () => {
    const { generator, pool } = setUp({ a: answer }, { maxConcurrent: 1, waitMs: 20_000 })
    const lease = await pool.lease()
    const waiting = ask(generator)
    setTimeout(() => lease.release(), 10)
    expect(await waiting).toBe('Hello')
  })

  it('lists models, counts and embeds under the same law', async () => {
    const broken: ContentGenerator = {
      ...scriptedGenerator(answer),
      models: () => Promise.reject(refusal('upstream_auth')),
      countTokens: () => Promise.reject(refusal('rate_limited')),
      embedContent: () => Promise.reject(refusal('upstream_refused', { fault: 'account' })),
    }
    const whole: ContentGenerator = {
      ...scriptedGenerator(answer, { embed: () => ({ embeddings: [{ values: [1] }] }) }),
      countTokens: () => Promise.resolve({ totalTokens: 7 }),
    }
    const accounts = [
      { id: 'a', value: broken },
      { id: 'b', value: whole },
    ]
    const pool = createAccountPool({ accounts, policy: OPEN })
    const generator = withAccounts(pool, (value) => value)
    expect(await generator.models(optionsOf())).toEqual([{ name: 'scripted-model' }])
    await pool.reset('a')
    expect(await generator.countTokens?.(REQUEST, optionsOf())).toEqual({ totalTokens: 7 })
    await pool.reset('a')
    const embedded = await generator.embedContent?.([{ model: 'e', content: {} }], optionsOf())
    expect(embedded).toEqual({ embeddings: [{ values: [1] }] })
    expect((await pool.status())[0]).toMatchObject({ state: 'needs-attention' })
    expect(pool.held).toBe(0)
  })

  it('offers only what its accounts can do', async () => {
    const { generator, pool } = setUp({ a: answer })
    expect(Object.keys(generator).sort()).toEqual(['generateContentStream', 'models', 'name'])
    const told = withAccounts(pool, (value) => value, { provides: { countTokens: true } })
    await expect(told.countTokens?.(REQUEST, optionsOf())).rejects.toMatchObject({ code: 'unsupported' })
  })

  it('uses the new client of a replaced account', async () => {
    const { generator, pool, calls } = setUp({ a: answer })
    await ask(generator)
    const newer = scriptedGenerator(answer)
    await pool.add({ id: 'a', value: newer })
    await ask(generator)
    expect([calls(), newer.requests.length]).toEqual([{ a: 1 }, 1])
  })
})

describe('the failover law', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('chunk' as const) },
    fc.constantFrom('rate_limited', 'quota_exhausted', 'upstream_auth', 'upstream_refused', 'upstream_unavailable'),
    fc.constantFrom('invalid_request', 'blocked', 'protocol_drift', 'internal'),
    fc.constant('stall' as const),
    fc.constant('wait' as const),
  )
  const scripts = fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 6 })
  const requests = fc.array(
    fc.record({ leavesAfterMs: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }), takes: fc.nat(5) }),
    { minLength: 1, maxLength: 12 },
  )

  it('holds for any accounts, failures and callers that leave at any moment, and no lease is lost', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, requests, async (accounts, callers) => {
        const trace: string[] = []
        const pool = createAccountPool({
          accounts: accounts.map((script, index) => ({
            id: `a${index}`,
            maxConcurrent: 2,
            egress: `e${index % 3}`,
            value: scriptedGenerator(toSteps(script)),
          })),
          policy: { ...OPEN, waitMs: 5 },
        })
        const generator = withAccounts(pool, (value, { id }) => traced(value, id, trace))
        await Promise.all(
          callers.map(async ({ leavesAfterMs, takes }, index) => {
            const caller = new AbortController()
            const timer = setTimeout(() => caller.abort(), leavesAfterMs ?? 15)
            try {
              let seen = 0
              const options = optionsOf({ signal: caller.signal, requestId: `r${index}` })
              for await (const chunk of generator.generateContentStream(REQUEST, options)) {
                expect(chunk).toBeTypeOf('object')
                if (++seen > takes) break
              }
            } catch (error) {
              expect(error).toBeInstanceOf(GenerationError)
            } finally {
              clearTimeout(timer)
            }
          }),
        )
        expectLaw(trace, callers.length)
        expect([pool.held, pool.waiting]).toEqual([0, 0])
        expect((await pool.status()).map(({ active }) => active)).toEqual(accounts.map(() => 0))
      }),
      { numRuns: 60 },
    )
  })

  /** Per request: at most three accounts, none twice, and none after a chunk. */
  function expectLaw(trace: readonly string[], count: number): void {
    for (let index = 0; index < count; index++) {
      const own = trace.filter((line) => line.startsWith(`r${index} `)).map((line) => line.slice(`r${index} `.length))
      const asked = own.filter((line) => line.startsWith('ask'))
      expect(asked.length).toBeLessThanOrEqual(3)
      expect(new Set(asked).size).toBe(asked.length)
      const firstChunk = own.indexOf('chunk')
      if (firstChunk >= 0) expect(own.slice(firstChunk).filter((line) => line.startsWith('ask'))).toEqual([])
    }
  }

  function traced(inner: ContentGenerator, id: string, trace: string[]): ContentGenerator {
    return {
      ...inner,
      async *generateContentStream(request, options) {
        trace.push(`${options.requestId} ask ${id}`)
        for await (const chunk of inner.generateContentStream(request, options)) {
          trace.push(`${options.requestId} chunk`)
          yield chunk
        }
      },
    }
  }

  function toSteps(script: readonly string[]): ScriptStep[] {
    return script.map((word) => {
      if (word === 'chunk') return partsChunk([textPart('x')])
      if (word === 'stall') return 'stall'
      if (word === 'wait') return { waitMs: 1 }
      return refusal(word as GenerationError['code'], { retryAfterMs: 1 })
    })
  }
})
