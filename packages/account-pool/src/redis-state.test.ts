import { redisMissing, startRedis, type RedisServer } from '@castorjs/testkit/redis-server'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askFor, describePoolState, limitsOf, orderOf } from '../test/describe-pool-state.ts'
import {
  createAccountPool,
  createFallbackPoolState,
  createMemoryPoolState,
  type AccountOptions,
  type HeldLease,
  type PoolFacts,
  type PoolPolicy,
  type PoolState,
  type Scope,
} from './index.ts'
import { createRedisPoolState, createScriptRunner, type RunScript } from './redis.ts'

if (redisMissing !== undefined) console.log(redisMissing)

describe.skipIf(redisMissing !== undefined)('with a real Redis', () => {
  let server: RedisServer
  let runScript: RunScript
  let pools = 0

  beforeAll(async () => {
    server = await startRedis()
    runScript = createScriptRunner(server.connect())
  })
  afterAll(() => server.close())

  describePoolState('Redis', async (start) => {
    let now = start
    const state = createRedisPoolState({ runScript, name: `pool-${++pools}`, now: () => now })
    return { state, advance: (ms) => void (now += ms) }
  })

  it('answers exactly as memory does, whatever happens', async () => {
    const START = 1_700_000_000_000
    const account = fc.nat(3).map((index) => `a${index}`)
    const model = fc.constantFrom('', 'm', 'n')
    const scope = fc.oneof(
      account.map((id): Scope => ({ type: 'account', account: id })),
      fc.record({ type: fc.constant('model' as const), account, model: fc.constantFrom('m', 'n') }),
      fc.constantFrom('e0', 'e1').map((egress): Scope => ({ type: 'egress', egress })),
    )
    const order = fc.record({ scope, hintMs: fc.constantFrom(undefined, 700), after: fc.integer({ min: 1, max: 2 }) })
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          op: fc.constant('acquire' as const),
          model,
          prefer: fc.constantFrom('', 'a1'),
          affinity: fc.constantFrom('', 'c'),
          begins: fc.boolean(),
          group: fc.constantFrom('', '', 'g'),
          perMinute: fc.constantFrom(0, 0.5, 6, 7),
          exclude: fc.subarray(['a0', 'a1', 'a2']),
          avoidTrials: fc.boolean(),
          light: fc.boolean(),
        }),
      },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('release' as const), which: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('fail' as const), which: fc.nat(9), order }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('succeed' as const), which: fc.nat(9) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          op: fc.constant('wait' as const),
          ms: fc.constantFrom(1, 500, 3_000, 70_000, 3_700_000),
        }),
      },
      fc.record({ op: fc.constant('rest' as const), order }),
      fc.record({ op: fc.constant('clear' as const), scope }),
      fc.record({ op: fc.constant('pause' as const), account, paused: fc.boolean() }),
      fc.record({ op: fc.constant('remove' as const), account }),
      fc.record({
        op: fc.constant('put' as const),
        account,
        weight: fc.constantFrom(0.5, 1, 3),
        maxConcurrent: fc.integer({ min: 1, max: 3 }),
        perHour: fc.constantFrom(0, 3),
        group: fc.constantFrom('', 'g'),
        egress: fc.constantFrom('e0', 'e1', 'e2'),
      }),
    )

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        let now = START
        const clock = { now: () => now }
        const memory = createMemoryPoolState(clock)
        const redis = createRedisPoolState({ runScript, name: `pool-${++pools}`, forgetMs: 1e12, ...clock })
        const both = async <Result>(act: (state: PoolState) => Promise<Result>): Promise<Result> => {
          const expected = await act(memory)
          expect(await act(redis)).toEqual(expected)
          return expected
        }
        await both((state) => state.put([0, 1, 2].map((index) => limitsOf(`a${index}`, { egress: `e${index % 2}` }))))
        const held: HeldLease[] = []
        for (const next of steps) {
          if (next.op === 'wait') now += next.ms
          else if (next.op === 'acquire') {
            const { op: _, light, ...more } = next
            const ask = askFor({
              ...more,
              affinityMs: 5_000,
              ttlMs: 1e12,
              ...(light ? { lease: '' } : {}),
            })
            const answer = await both((state) => state.acquire(ask))
            if (answer.ok && !light) held.push({ ...answer, id: ask.lease, model: ask.model })
          } else if (next.op === 'rest') await both((state) => state.rest(orderOf(next.order.scope, next.order)))
          else if (next.op === 'clear') await both((state) => state.clear([next.scope]))
          else if (next.op === 'pause') await both((state) => state.pause(next.account, next.paused))
          else if (next.op === 'remove') await both((state) => state.remove(next.account))
          else if (next.op === 'put') {
            const { op: _, account: id, ...more } = next
            await both((state) => state.put([limitsOf(id, more)]))
          } else {
            const lease = held[next.which % held.length]
            if (lease === undefined) continue
            if (next.op === 'succeed') await both((state) => state.succeed(lease))
            else {
              held.splice(held.indexOf(lease), 1)
              const failed = next.op === 'fail' ? orderOf(next.order.scope, next.order) : undefined
              await both((state) => state.release(lease, failed))
            }
          }
          expect(sorted(await redis.read())).toEqual(sorted(await memory.read()))
        }
      }),
      { numRuns: 80 },
    )
  })

  /** Two processes that share a pool, each with a connection of its own. */
  function replicas(name: string, accounts: AccountOptions<string>[], policy: PoolPolicy = {}) {
    const clock = { now: 1_700_000_000_000 }
    const create = () =>
      createAccountPool({
        accounts,
        policy: { egressPerMinute: false, waitMs: 0, ...policy },
        state: createRedisPoolState({ runScript: createScriptRunner(server.connect()), name, now: () => clock.now }),
      })
    return { one: create(), two: create(), clock }
  }

  it('gives the leases of a dead process back, and keeps those that are renewed', async () => {
    let now = 0
    const state = createRedisPoolState({ runScript, name: `pool-${++pools}`, now: () => now })
    await state.put([limitsOf('a', { maxConcurrent: 1 }), limitsOf('b', { maxConcurrent: 1 })])
    const [dead, alive] = [askFor(), askFor()]
    await state.acquire(dead)
    const answer = await state.acquire(alive)
    expect(await state.acquire(askFor())).toMatchObject({ ok: false, obstacles: { busy: 2 } })
    if (!answer.ok) throw new Error('refused')
    now += 9_000
    await state.renew([{ ...answer, id: alive.lease, model: alive.model }], 10_000)
    now += 1_001
    expect(await state.acquire(askFor())).toMatchObject({ ok: true, account: 'a' })
    expect(await state.acquire(askFor())).toMatchObject({ ok: false, obstacles: { busy: 2 } })
  })

  it('moves a lease that is renewed for another account, and leaves no slot behind', async () => {
    const state = createRedisPoolState({ runScript, name: `pool-${++pools}` })
    await state.put([limitsOf('a', { maxConcurrent: 1 }), limitsOf('b', { maxConcurrent: 1 })])
    const active = () => activeIn(state)
    const ask = askFor({ prefer: 'a' })
    await state.acquire(ask)
    // The answer came too late, so the process took this lease on an account of its own choice.
    const lease = { id: ask.lease, account: 'b', egress: 'direct', model: ask.model, at: 0 }
    await state.renew([lease], 60_000)
    expect(await active()).toEqual({ a: 0, b: 1 })
    expect(await state.acquire(askFor({ prefer: 'b' }))).toMatchObject({ ok: true, account: 'a' })
    await state.release(lease)
    expect(await active()).toEqual({ a: 1, b: 0 })
    expect(await state.acquire(askFor())).toMatchObject({ ok: true, account: 'b' })
  })

  it('has every slot back when Redis heard what the process believed lost', async () => {
    const name = `pool-${++pools}`
    let now = 0
    let way: 'fine' | 'late' | 'cut' = 'fine'
    const shared = createRedisPoolState({
      name,
      async runScript(...call) {
        if (way === 'cut') throw new Error('Redis does not answer')
        const answer = await runScript(...call)
        if (way === 'late') throw new Error('Redis did not answer in time')
        return answer
      },
    })
    const state = createFallbackPoolState({ shared, now: () => now })
    const policy = { egressPerMinute: false, waitMs: 0, maxConcurrent: 1 } as const
    const accounts = ['a', 'b', 'c'].map((id) => ({ id, value: 'client' }))
    const pool = createAccountPool({ accounts, policy, state })
    const active = () => activeIn(shared)
    const before = await pool.lease({ prefer: 'a' })
    way = 'late'
    const ended = await pool.lease({ prefer: 'b' })
    way = 'cut'
    before.release()
    ended.release()
    way = 'fine'
    expect(await active()).toEqual({ a: 1, b: 1, c: 0 })
    now += 1_000
    await pool.status()
    expect(await active()).toEqual({ a: 0, b: 0, c: 0 })
    await pool.close()
  })

  it('lets two processes share the slots of an account, and a waiting one take over within moments', async () => {
    const name = `pool-${++pools}`
    const accounts = [{ id: 'a', value: 'client', maxConcurrent: 1 }]
    const policy = { egressPerMinute: false, waitMs: 20_000 } as const
    const [one, two] = [1, 2].map(() =>
      createAccountPool({
        accounts,
        policy,
        state: createRedisPoolState({ runScript: createScriptRunner(server.connect()), name }),
      }),
    )
    const lease = await one?.lease()
    const waiting = two?.lease()
    await expect(two?.lease({ waitMs: 0 })).rejects.toMatchObject({ code: 'upstream_unavailable', retryAfterMs: 5_000 })
    lease?.release()
    ;(await waiting)?.fail({ code: 'rate_limited', retryAfterMs: 60_000 })
    await two?.close()
    expect((await one?.status())?.[0]).toMatchObject({ state: 'cooling', active: 0 })
    await expect(one?.lease({ waitMs: 0 })).rejects.toMatchObject({ code: 'upstream_unavailable' })
    await one?.close()
  })

  it('tells an emptied Redis of the accounts again when somebody looks', async () => {
    const name = `pool-${++pools}`
    const { one, two } = replicas(name, [{ id: 'a', value: 'client' }])
    await one.pause('a')
    expect((await two.status()).map(({ state }) => state)).toEqual(['disabled'])
    await server.client.flushall()
    expect((await one.status()).map(({ id, state }) => [id, state])).toEqual([['a', 'disabled']])
    await one.close()
    await two.close()
  })

  it('lets one request over all processes try what has rested, and all see what it found', async () => {
    const name = `pool-${++pools}`
    const { one, two, clock } = replicas(name, [
      { id: 'a', value: 'client', maxConcurrent: 5 },
      { id: 'b', value: 'client', maxConcurrent: 5 },
    ])
    await one.report('a', { code: 'upstream_refused', retryAfterMs: 2_000_000 })
    await expect(two.lease()).rejects.toMatchObject({ code: 'upstream_unavailable' })
    // One who comes later, by way of the other process, rests as well.
    await two.add({ id: 'late', value: 'client' })
    await expect(two.lease({ prefer: 'late' })).rejects.toMatchObject({ code: 'upstream_unavailable' })
    clock.now += 3_000_000

    const tries = await Promise.allSettled([one, two, one, two, one, two].map((pool) => pool.lease({ waitMs: 0 })))
    const [taken] = tries.flatMap((tried) => (tried.status === 'fulfilled' ? [tried.value] : []))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    taken?.fail({ code: 'upstream_refused', retryAfterMs: 2_000_000 })
    await one.close()
    await two.close()
    expect((await two.status()).map(({ state }) => state)).toEqual([
      'address-blocked',
      'address-blocked',
      'address-blocked',
    ])
    // Twice as long, and its jitter.
    clock.now += 6_000_000
    const again = await two.lease({ waitMs: 0 })
    again.succeed()
    await two.close()
    expect((await one.status()).map(({ state }) => state)).toEqual(['ready', 'ready'])
    await Promise.all([one, two, one].map((pool) => pool.lease({ waitMs: 0 })))
    await one.close()
    await two.close()
  })

  it('keeps one pace and one ceiling over all processes', async () => {
    const policy = { egressPerMinute: 4, perHour: 3, waitMs: 0 }
    const { one, two } = replicas(
      `pool-${++pools}`,
      [
        { id: 'a', value: '' },
        { id: 'b', value: '' },
      ],
      policy,
    )
    for (const pool of [one, two, one]) (await pool.lease({ prefer: 'a' })).release()
    await one.close()
    expect(Object.fromEntries((await two.status()).map(({ id, hour }) => [id, hour.used]))).toEqual({ a: 3, b: 0 })
    const fourth = await two.lease({ prefer: 'a' })
    expect(fourth.account.id).toBe('b')
    fourth.release()
    const refused = await one.lease().catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: 'upstream_unavailable',
      message: expect.stringMatching(/1 at its own ceiling of requests.*1 held back by the pace/) as string,
    })
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(15_000)
    await two.close()
  })

  it('renews the leases of a long answer', async () => {
    const name = `pool-${++pools}`
    const state = createRedisPoolState({ runScript, name })
    const pool = createAccountPool({
      accounts: [{ id: 'a', value: 'client', maxConcurrent: 1 }],
      policy: { leaseTtlMs: 300, waitMs: 0 },
      state,
    })
    const lease = await pool.lease()
    await new Promise((resolve) => setTimeout(resolve, 700))
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_unavailable' })
    lease.release()
    ;(await pool.lease()).release()
    await pool.close()
  })

  it('forgets accounts that no process speaks of any more, and none that one does', async () => {
    let now = 0
    const name = `pool-${++pools}`
    const state = createRedisPoolState({ runScript, name, now: () => now, forgetMs: 1_000 })
    await state.put([limitsOf('gone'), limitsOf('kept')])
    await state.acquire(askFor({ prefer: 'gone' }))
    now = 900
    await state.put([limitsOf('kept')])
    now = 1_000
    await state.put([limitsOf('kept')])
    expect((await state.read()).accounts.map(({ limits }) => limits.id)).toEqual(['kept'])
    expect(await state.acquire(askFor({ exclude: ['kept'] }))).toMatchObject({ ok: false, obstacles: { tried: 1 } })
  })

  it('leaves nothing behind for callers, models and conversations that come once', async () => {
    const client = server.connect()
    const name = `pool-${++pools}`
    const state = createRedisPoolState({ runScript, name })
    await state.put([limitsOf('a')])
    const run = async (index: number): Promise<void> => {
      const ask = askFor({ model: `model-${index}`, affinity: `talk-${index}`, perMinute: 1e6 })
      const answer = await state.acquire(ask)
      if (answer.ok) await state.release({ ...answer, id: ask.lease, model: ask.model })
      await state.acquire(askFor({ model: `model-${index}`, exclude: [], group: 'nobody' }))
    }
    await run(0)
    const stays = async (): Promise<string[]> => {
      const names = await client.keys(`*${name}*`)
      const lives = await Promise.all(names.map((key) => client.pttl(key)))
      return names.filter((_, index) => lives[index] === -1).sort()
    }
    const before = await stays()
    for (let index = 1; index < 50; index++) await run(index)
    expect(await stays()).toEqual(before)
  })

  it('goes on while Redis is down, and shares again when it is back', async () => {
    const own = await startRedis()
    const away: boolean[] = []
    let now = 0
    const client = own.connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 2_000 })
    await new Promise((resolve) => client.once('ready', resolve))
    const state = createFallbackPoolState({
      shared: createRedisPoolState({ runScript: createScriptRunner(client), now: () => now }),
      onSwitch: (isAway) => away.push(isAway),
      now: () => now,
    })
    const policy = { egressPerMinute: false, waitMs: 0, maxConcurrent: 1 } as const
    const pool = createAccountPool({ accounts: [{ id: 'a', value: 'client' }], policy, state })
    try {
      ;(await pool.lease()).release()
      await own.kill()
      const lease = await pool.lease()
      await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_unavailable' })
      expect(away).toEqual([true])
      lease.fail({ code: 'rate_limited' })
      await own.start()
      while (client.status !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5))
      now += 2_000
      await expect(pool.lease()).rejects.toMatchObject({
        code: 'upstream_unavailable',
        retryAfterMs: expect.any(Number) as number,
      })
      expect(away).toEqual([true, false])
      const other = createRedisPoolState({ runScript: createScriptRunner(own.connect()), now: () => now })
      const [seen] = (await other.read()).accounts
      expect(seen).toMatchObject({ active: 0, rest: { kind: 'cooling' } })
    } finally {
      await pool.close()
      await own.close()
    }
  })

  it('makes its accounts known again to a Redis that was emptied', async () => {
    const client = server.connect()
    const name = `pool-${++pools}`
    const state = createRedisPoolState({ runScript, name })
    const pool = createAccountPool({ accounts: [{ id: 'a', value: 'client' }], state })
    ;(await pool.lease()).release()
    await client.flushall()
    expect((await pool.lease()).value).toBe('client')
    await pool.close()
  })
})

/** Leases held, by account. */
async function activeIn(state: PoolState): Promise<Record<string, number>> {
  const { accounts } = await state.read()
  return Object.fromEntries(accounts.map(({ limits, active }) => [limits.id, active]))
}

function sorted(facts: PoolFacts): PoolFacts {
  return {
    at: facts.at,
    accounts: facts.accounts
      .map((account) => ({
        ...account,
        modelRests: account.modelRests.toSorted((left, right) => (left.scope.model < right.scope.model ? -1 : 1)),
      }))
      .toSorted((left, right) => (left.limits.id < right.limits.id ? -1 : 1)),
    egresses: facts.egresses.toSorted((left, right) => (left.egress < right.egress ? -1 : 1)),
  }
}
