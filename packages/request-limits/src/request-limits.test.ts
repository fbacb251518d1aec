import { RateLimiterRedis } from 'rate-limiter-flexible'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisMissing, startRedis, type RedisServer } from '@castorjs/testkit/redis-server'
import { createRequestLimits, type RequestLimitsOptions } from './index.ts'

let prefixes = 0

/** What both homes of the counters must do. */
function describeLimits(name: string, home: () => Pick<RequestLimitsOptions, 'redis'>): void {
  function create(options: RequestLimitsOptions = {}) {
    return createRequestLimits({ ...home(), prefix: `test:${++prefixes}`, ...options })
  }

  describe(`createRequestLimits in ${name}`, () => {
    it('lets 60 requests an hour pass over all callers', async () => {
      const limits = create({ modelSpacingMs: false })
      for (let index = 0; index < 60; index++) {
        const { allowed, headers } = await limits.check(`caller-${index % 3}`, 'm')
        expect(allowed).toBe(true)
        expect(headers['x-ratelimit-remaining-requests']).toBe(String(59 - index))
      }
      const refused = await limits.check('caller-9', 'm')
      expect(refused).toMatchObject({ allowed: false, limit: 'requests-per-hour' })
      expect(refused.message).toMatch(/^The limit of 60 requests an hour is used up\. Try again in \d+ seconds\.$/)
      expect(refused.headers).toMatchObject({
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': expect.stringMatching(/^(60m0|59m\d+)s$/) as string,
        'retry-after': String(Math.ceil(refused.retryAfterMs / 1_000)),
      })
    })

    it('keeps five seconds between requests for one model, and does not count the refused', async () => {
      const limits = create()
      expect((await limits.check('a', 'm')).allowed).toBe(true)
      const refused = await limits.check('b', 'm')
      expect(refused).toMatchObject({ allowed: false, limit: 'model-spacing' })
      expect(refused.message).toBe('Requests for one model must be 5 seconds apart. Try again in 5 seconds.')
      expect(refused.headers['retry-after']).toBe('5')
      expect(refused.headers['x-ratelimit-remaining-requests']).toBe('59')
      const other = await limits.check('b', 'n')
      expect(other).toMatchObject({ allowed: true, limit: undefined, retryAfterMs: 0, message: '' })
      expect(other.headers['x-ratelimit-remaining-requests']).toBe('58')
      expect((await limits.check('b')).allowed).toBe(true)
    })

    it('lets the next request pass when the time is over', async () => {
      const limits = create({ modelSpacingMs: 1_000 })
      expect((await limits.check('a', 'm')).allowed).toBe(true)
      const { retryAfterMs } = await limits.check('a', 'm')
      expect(retryAfterMs).toBeLessThanOrEqual(1_000)
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs + 20))
      expect((await limits.check('a', 'm')).allowed).toBe(true)
    })

    it('counts a caller with limits of its own apart from the others, by its own limits', async () => {
      const limits = create({ perHour: 1, modelSpacingMs: false })
      const own = { perHour: 2 }
      expect((await limits.check('a', 'm', own)).headers['x-ratelimit-limit-requests']).toBe('2')
      expect((await limits.check('a', 'm', own)).allowed).toBe(true)
      expect((await limits.check('a', 'm', own)).allowed).toBe(false)
      expect((await limits.check('b', 'm', own)).allowed).toBe(true)
      expect((await limits.check('c', 'm')).allowed).toBe(true)
      expect((await limits.check('d', 'm')).allowed).toBe(false)
      expect(await limits.check('e', 'm', { perHour: false })).toMatchObject({ allowed: true, headers: {} })
      const spaced = { perHour: false, modelSpacingMs: 60_000 } as const
      expect((await limits.check('f', 'm', spaced)).allowed).toBe(true)
      expect((await limits.check('g', 'm', spaced)).allowed).toBe(true)
      expect((await limits.check('f', 'm', spaced)).allowed).toBe(false)
    })

    it('names the limit that takes longer when both stand in the way', async () => {
      const limits = create({ perHour: 1 })
      expect((await limits.check('a', 'm')).allowed).toBe(true)
      const refused = await limits.check('a', 'm')
      expect(refused).toMatchObject({ allowed: false, limit: 'requests-per-hour' })
      expect(refused.message).toMatch(/^The limit of 1 requests an hour is used up\. Try again in 3\d{3} seconds\.$/)
      expect(refused.headers).toMatchObject({
        'x-ratelimit-remaining-requests': '0',
        'retry-after': String(Math.ceil(refused.retryAfterMs / 1_000)),
      })
      const slow = create({ perHour: 2, modelSpacingMs: 3_600_000 })
      expect((await slow.check('a', 'n')).allowed).toBe(true)
      expect((await slow.check('a', 'm')).allowed).toBe(true)
      // The hour began with the first request, the pause with the second.
      expect(await slow.check('a', 'm')).toMatchObject({ allowed: false, limit: 'model-spacing' })
    })

    it('goes on from what was counted when a limit is changed', async () => {
      const limits = create({ modelSpacingMs: false })
      const ask = async (perHour: number) => {
        const { allowed, headers } = await limits.check('a', 'm', { perHour })
        return [allowed, headers['x-ratelimit-remaining-requests']]
      }
      for (const left of ['2', '1', '0']) expect(await ask(3)).toEqual([true, left])
      // However many were refused.
      for (let times = 0; times < 5; times++) expect(await ask(3)).toEqual([false, '0'])
      expect(await ask(4)).toEqual([true, '0'])
      expect(await ask(4)).toEqual([false, '0'])
      expect(await ask(2)).toEqual([false, '0'])
      expect(await limits.headers('a', { perHour: 9 })).toMatchObject({ 'x-ratelimit-remaining-requests': '5' })
    })

    it('takes a request back that cost nothing: neither the hour nor the pause has it then', async () => {
      const limits = create({ perHour: 2, modelSpacingMs: 60_000 })
      const first = await limits.check('a', 'm')
      expect((await limits.check('a', 'm')).limit).toBe('model-spacing')
      expect(await first.giveBack()).toMatchObject({ 'x-ratelimit-remaining-requests': '2' })
      // Once.
      expect(await first.giveBack()).toMatchObject({ 'x-ratelimit-remaining-requests': '2' })
      for (const model of ['m', 'n']) expect((await limits.check('a', model)).allowed).toBe(true)
      const refused = await limits.check('a', 'o')
      expect(refused.limit).toBe('requests-per-hour')
      await refused.giveBack()
      expect((await limits.check('a', 'o')).allowed).toBe(false)
      expect(await (await limits.check('b', 'p', { perHour: false, modelSpacingMs: false })).giveBack()).toEqual({})
    })

    it('does not take back from a later window', async () => {
      const limits = create({ perHour: false, modelSpacingMs: 1_000 })
      const first = await limits.check('a', 'm')
      const { retryAfterMs } = await limits.check('a', 'm')
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs + 20))
      expect((await limits.check('a', 'm')).allowed).toBe(true)
      await first.giveBack()
      expect((await limits.check('a', 'm')).allowed).toBe(false)
    })

    it('keeps no more than the limit of many at once, whoever gives back in between', async () => {
      const limits = create({ perHour: 10, modelSpacingMs: false })
      const kept = await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const { allowed, giveBack } = await limits.check('a', 'm')
          if (index % 3 === 0) await giveBack()
          return allowed && index % 3 !== 0
        }),
      )
      const count = kept.filter(Boolean).length
      expect(count).toBeGreaterThan(0)
      expect(count).toBeLessThanOrEqual(10)
      expect(await limits.headers('a')).toMatchObject({ 'x-ratelimit-remaining-requests': String(10 - count) })
    })

    it('does not send one caller away for the hour because another was too quick for a model', async () => {
      const limits = create({ perHour: 2 })
      expect((await limits.check('a', 'm')).allowed).toBe(true)
      const [quick, other] = await Promise.all([limits.check('a', 'm'), limits.check('b', 'n')])
      expect([quick.limit, other.allowed]).toEqual(['model-spacing', true])
    })

    it('does not make a model wait for a request that the hour refused', async () => {
      const limits = create({ perHour: 1, modelSpacingMs: 60_000 })
      expect((await limits.check('a', 'm')).allowed).toBe(true)
      expect(await limits.check('a', 'n')).toMatchObject({ allowed: false, limit: 'requests-per-hour' })
      expect(await limits.check('b', 'n', { perHour: 5 })).toMatchObject({ allowed: true })
    })

    it('tells what is left without counting', async () => {
      const limits = create({ perHour: 3, modelSpacingMs: false })
      expect(await limits.headers('a')).toEqual({
        'x-ratelimit-limit-requests': '3',
        'x-ratelimit-remaining-requests': '3',
        'x-ratelimit-reset-requests': '0s',
      })
      await limits.check('a', 'm')
      for (let times = 0; times < 2; times++) {
        expect(await limits.headers('b')).toMatchObject({ 'x-ratelimit-remaining-requests': '2' })
      }
      expect(await limits.headers('b', { perHour: 9 })).toMatchObject({ 'x-ratelimit-remaining-requests': '9' })
      expect(await limits.headers('b', { perHour: false })).toEqual({})
    })

    it('lets no more pass than the limit when many ask at once', async () => {
      const limits = create({ perHour: 10, modelSpacingMs: false })
      const decisions = await Promise.all(Array.from({ length: 50 }, () => limits.check('a', 'm')))
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10)
    })
  })
}

describeLimits('memory', () => ({}))

describe('createRequestLimits', () => {
  it.each([
    [{ perHour: 0 }, /^perHour must be a whole number of at least 1, or false for no limit; to let nothing pass/],
    [{ perHour: 1.5 }, /^perHour must be a whole number/],
    [{ modelSpacingMs: 0 }, /^modelSpacingMs must be 1 to 3600000 milliseconds, or false/],
  ])('refuses %o by name', (options, message) => {
    expect(() => createRequestLimits(options)).toThrow(message)
  })

  it("names a caller's own limit when it is wrong", async () => {
    await expect(createRequestLimits().check('a', 'm', { perHour: 0 })).rejects.toThrow(/^limits\.perHour must be/)
  })
})

if (redisMissing !== undefined) console.log(redisMissing)

describe.skipIf(redisMissing !== undefined)('with a real Redis', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())

  describeLimits('Redis', () => ({ redis: server.connect() }))

  it('holds the limits over several processes', async () => {
    const [one, two] = [1, 2].map(() =>
      createRequestLimits({ perHour: 3, modelSpacingMs: false, redis: server.connect(), prefix: 'test:both' }),
    )
    expect((await one?.check('a', 'm'))?.allowed).toBe(true)
    expect((await two?.check('a', 'm'))?.allowed).toBe(true)
    expect((await one?.check('a', 'm'))?.allowed).toBe(true)
    expect((await two?.check('a', 'm'))?.allowed).toBe(false)
  })

  it('leaves what others count with the same library on the same client as it is', async () => {
    const client = server.connect()
    await client.ping()
    const others = new RateLimiterRedis({ storeClient: client, points: 5, duration: 60, keyPrefix: 'test:others' })
    const limits = createRequestLimits({ perHour: 1, modelSpacingMs: false, redis: client, prefix: 'test:beside' })
    expect((await limits.check('a')).allowed).toBe(true)
    expect((await others.consume('x', 3)).remainingPoints).toBe(2)
    expect((await others.reward('x', 2)).remainingPoints).toBe(4)
    expect((await limits.check('a')).allowed).toBe(false)
  })

  it('leaves nothing in Redis for longer than it counts', async () => {
    const client = server.connect()
    const limits = createRequestLimits({ redis: client, prefix: 'test:ends' })
    for (let index = 0; index < 20; index++) await limits.check(`caller-${index}`, `model-${'x'.repeat(index * 100)}`)
    await limits.check('caller-1', 'model-', { perHour: 2, modelSpacingMs: 60_000 })
    const names = await client.keys('test:ends:*')
    expect(names.length).toBeGreaterThan(4)
    expect(Math.max(...names.map(({ length }) => length))).toBeLessThan(300)
    const lives = await Promise.all(names.map((name) => client.pttl(name)))
    expect(Math.min(...lives)).toBeGreaterThan(0)
    expect(Math.max(...lives)).toBeLessThanOrEqual(3_600_000)
  })

  it('goes on from what Redis last said while Redis is away', async () => {
    const gone = await startRedis()
    const client = gone.connect()
    await client.ping()
    const limits = createRequestLimits({ perHour: 2, modelSpacingMs: false, redis: client, prefix: 'test:gone' })
    expect((await limits.check('a')).allowed).toBe(true)
    await gone.close()
    const answers = [await limits.check('a'), await limits.check('a'), await limits.check('a')]
    expect(answers.map(({ allowed }) => allowed)).toEqual([true, false, false])
  })
})
