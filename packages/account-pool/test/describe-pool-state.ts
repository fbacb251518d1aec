import { describe, expect, it } from 'vitest'
import type { AccountLimits, Answer, Ask, HeldLease, PoolState, RestOrder } from '../src/index.ts'

export interface PoolStateFixture {
  state: PoolState
  /** Moves the state's clock, in milliseconds. */
  advance: (ms: number) => void
}

const START = 1_700_000_000_000
let leases = 0

export function limitsOf(id: string, more: Partial<AccountLimits> = {}): AccountLimits {
  return { id, group: '', egress: 'direct', weight: 1, maxConcurrent: 2, perHour: 0, perDay: 0, ...more }
}

export function askFor(more: Partial<Ask> = {}): Ask {
  return {
    lease: `lease-${++leases}`,
    group: '',
    model: 'gemini-3-pro',
    affinity: '',
    affinityMs: 60_000,
    begins: false,
    prefer: '',
    exclude: [],
    avoidTrials: false,
    perMinute: 0,
    ttlMs: 10_000,
    ...more,
  }
}

export function orderOf(scope: RestOrder['scope'], more: Partial<RestOrder> = {}): RestOrder {
  return {
    scope,
    kind: 'cooling',
    reason: 'a reason',
    link: undefined,
    baseMs: 60_000,
    maxMs: 600_000,
    after: 1,
    hintMs: undefined,
    roll: 0,
    ...more,
  }
}

/** What every home of a pool's state must do. `create` gives an empty state whose clock stands at `START`. */
export function describePoolState(name: string, create: (start: number) => Promise<PoolStateFixture>): void {
  describe(`${name} keeps a pool's state`, () => {
    async function fixture(...accounts: AccountLimits[]) {
      const made = await create(START)
      await made.state.put(accounts)
      const { state } = made
      async function take(more: Partial<Ask> = {}): Promise<HeldLease & { marked: boolean }> {
        const ask = askFor(more)
        const answer = await state.acquire(ask)
        if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer)}`)
        const { account, egress, at, marked } = answer
        return { id: ask.lease, account, egress, model: ask.model, at, marked }
      }
      async function names(count: number, more: Partial<Ask> = {}): Promise<string[]> {
        const taken: string[] = []
        for (let index = 0; index < count; index++) {
          const lease = await take(more)
          taken.push(lease.account)
          await state.release(lease)
        }
        return taken
      }
      return { ...made, take, names }
    }

    it('hands out the account that was used least recently', async () => {
      const { names } = await fixture(limitsOf('a'), limitsOf('b'), limitsOf('c'))
      const first = await names(3)
      expect([...first].sort()).toEqual(['a', 'b', 'c'])
      expect(await names(6)).toEqual([...first, ...first])
    })

    it('gives a heavier account its share of the turns', async () => {
      const { names } = await fixture(limitsOf('a', { weight: 3 }), limitsOf('b'))
      const taken = await names(40)
      expect(taken.filter((account) => account === 'a')).toHaveLength(30)
    })

    it('does not drown an account that comes back from a rest', async () => {
      const { state, names, advance } = await fixture(limitsOf('a'), limitsOf('b'))
      await state.rest(orderOf({ type: 'account', account: 'a' }))
      await names(10)
      advance(60_000)
      const taken = await names(6)
      expect(taken.filter((account) => account === 'a').length).toBeLessThanOrEqual(4)
    })

    it('lends an account to no more requests at once than it may have', async () => {
      const { state, take } = await fixture(limitsOf('a', { maxConcurrent: 2 }))
      const one = await take()
      await take()
      expect(await state.acquire(askFor())).toEqual(refused({ busy: 1 }))
      await state.release(one)
      await state.release(one)
      expect((await take()).account).toBe('a')
      expect(await state.acquire(askFor())).toEqual(refused({ busy: 1 }))
    })

    it('rests an account, tells when it is back, and doubles the rest with each failure in a row', async () => {
      const { state, take, advance } = await fixture(limitsOf('a'))
      const first = await take()
      const rest = await state.release(first, orderOf({ type: 'account', account: 'a' }))
      expect(rest).toMatchObject({ strikes: 1, since: START, until: START + 60_000 })
      expect(await state.acquire(askFor())).toEqual(refused({ cooling: 1 }, START + 60_000))
      advance(60_000)
      const second = await take()
      expect(second.marked).toBe(true)
      const longer = await state.release(second, orderOf({ type: 'account', account: 'a' }))
      expect(longer).toMatchObject({ strikes: 2, until: START + 60_000 + 120_000 })
      advance(120_000)
      await state.succeed(await take())
      expect((await take()).marked).toBe(false)
    })

    it('does not count failures of requests that ran side by side as failures in a row', async () => {
      const { state, take } = await fixture(limitsOf('a'))
      const [one, two] = [await take(), await take()]
      await state.release(one, orderOf({ type: 'account', account: 'a' }))
      const rest = await state.release(two, orderOf({ type: 'account', account: 'a' }))
      expect(rest).toMatchObject({ strikes: 1, until: START + 60_000 })
    })

    it('keeps a rest within its longest length, and adds the jitter', async () => {
      const { state } = await fixture(limitsOf('a'))
      const scope = { type: 'account', account: 'a' } as const
      expect((await state.rest(orderOf(scope, { maxMs: 30_000, roll: 1 }))).until).toBe(START + 36_000)
    })

    it('begins with the wait that is known, doubles it too, and believes one that is longer than the longest', async () => {
      const { state, advance } = await fixture(limitsOf('a'))
      const scope = { type: 'account', account: 'a' } as const
      async function lengthAfter(hintMs: number): Promise<number> {
        const { since, until } = await state.rest(orderOf(scope, { hintMs, maxMs: 30_000 }))
        advance(until - since)
        return until - since
      }
      expect([await lengthAfter(5_000), await lengthAfter(5_000), await lengthAfter(10_000)]).toEqual([
        5_000, 10_000, 30_000,
      ])
      expect(await lengthAfter(3_600_000)).toBe(3_600_000)
      expect(await lengthAfter(90_000_000)).toBe(86_400_000)
    })

    it('tells of an account that is full and paced when the pace lets the next one go', async () => {
      const { state, take } = await fixture(limitsOf('a', { maxConcurrent: 1 }))
      await take({ perMinute: 1 })
      expect(await state.acquire(askFor({ perMinute: 1 }))).toEqual(refused({ paced: 1 }, START + 60_000))
    })

    it('counts what was used elsewhere, and only tells what would be when asked to look', async () => {
      const { state, take, advance } = await fixture(limitsOf('a', { perHour: 5 }))
      const look = (): Promise<Answer> => state.acquire(askFor({ perMinute: 6, look: true }))
      await take({ perMinute: 6 })
      await state.charge([{ account: 'a', egress: 'direct', count: 3, perMinute: 6 }])
      for (let times = 0; times < 3; times++) expect(await look()).toMatchObject({ ok: true, account: 'a' })
      expect((await state.read()).accounts[0]).toMatchObject({ active: 1, hour: { count: 4 }, day: { count: 4 } })
      expect((await state.read()).egresses[0]).toMatchObject({ fullAt: START + 40_000 })
      await take({ perMinute: 6 })
      advance(60_000)
      expect(await look()).toMatchObject({ ok: false, obstacles: { ceiling: 1 } })
      await state.charge([{ account: 'nobody', egress: 'direct', count: 3, perMinute: 6 }])
    })

    it('rests only after as many failures in a row as asked', async () => {
      const { state, take } = await fixture(limitsOf('a'))
      const order = orderOf({ type: 'account', account: 'a' }, { after: 3 })
      expect(await state.release(await take(), order)).toMatchObject({ strikes: 1, until: 0 })
      expect(await state.release(await take(), order)).toMatchObject({ strikes: 2, until: 0 })
      expect(await state.release(await take(), order)).toMatchObject({ strikes: 3, until: START + 60_000 })
    })

    it('counts the failures of each model for itself', async () => {
      const { state, advance } = await fixture(limitsOf('a'))
      const order = (model: string) => orderOf({ type: 'model', account: 'a', model }, { after: 2 })
      await state.rest(order('m'))
      await state.rest(order('n'))
      expect(await state.rest(order('m'))).toMatchObject({ strikes: 2, until: START + 60_000 })
      // A week later nobody remembers.
      advance(8 * 86_400_000)
      expect(await state.rest(order('n'))).toMatchObject({ strikes: 1, until: 0 })
    })

    it('rests one model of an account and serves the others', async () => {
      const { state, take } = await fixture(limitsOf('a'))
      const lease = await take()
      const order = orderOf({ type: 'model', account: 'a', model: 'gemini-3-pro' }, { kind: 'limited' })
      await state.release(lease, order)
      expect(await state.acquire(askFor())).toEqual(refused({ limited: 1 }, START + 60_000))
      expect((await take({ model: 'gemini-3-flash' })).account).toBe('a')
    })

    it('rests every account behind a blocked egress and no other', async () => {
      const behind = { egress: 'proxy-1' }
      const { state, names } = await fixture(limitsOf('a', behind), limitsOf('b', behind), limitsOf('c'))
      await state.rest(orderOf({ type: 'egress', egress: 'proxy-1' }, { kind: 'address-blocked' }))
      expect(await names(4)).toEqual(['c', 'c', 'c', 'c'])
      await state.pause('c', true)
      const answer = await state.acquire(askFor())
      expect(answer).toEqual(refused({ 'address-blocked': 2, disabled: 1 }, START + 60_000))
    })

    it('lets one request at a time try what has rested', async () => {
      const { state, take, advance } = await fixture(limitsOf('a', { maxConcurrent: 5 }))
      await state.rest(orderOf({ type: 'account', account: 'a' }))
      advance(60_000)
      const trial = await take()
      expect(await state.acquire(askFor())).toEqual(refused({ busy: 1 }))
      await state.succeed(trial)
      expect((await take()).account).toBe('a')
    })

    it('lets another request try when the first one ended without an outcome', async () => {
      const { state, take, advance } = await fixture(limitsOf('a'), limitsOf('b'))
      await state.rest(orderOf({ type: 'egress', egress: 'direct' }))
      advance(60_000)
      const trial = await take()
      expect(await state.acquire(askFor())).toEqual(refused({ busy: 2 }))
      await state.release(trial)
      await take()
    })

    it('keeps accounts on trial for last when asked to', async () => {
      const { state, names, advance } = await fixture(limitsOf('a'), limitsOf('b'))
      await state.rest(orderOf({ type: 'account', account: 'a' }))
      await names(2)
      advance(60_000)
      expect(await names(2, { avoidTrials: true })).toEqual(['b', 'b'])
      await state.pause('b', true)
      expect(await names(1, { avoidTrials: true })).toEqual(['a'])
    })

    it('does not let an older request clear a newer failure', async () => {
      const { state, take, advance } = await fixture(limitsOf('a'))
      await state.rest(orderOf({ type: 'account', account: 'a' }, { after: 2 }))
      const old = await take()
      advance(10)
      await state.rest(orderOf({ type: 'account', account: 'a' }, { after: 2 }))
      await state.succeed(old)
      expect(await state.acquire(askFor())).toEqual(refused({ cooling: 1 }, START + 10 + 60_000))
    })

    it('skips the accounts a request has tried, but counts their rests in the time to come back', async () => {
      const { state, take } = await fixture(limitsOf('a'), limitsOf('b'))
      const lease = await take({ exclude: ['b'] })
      expect(lease.account).toBe('a')
      await state.release(lease, orderOf({ type: 'account', account: 'a' }))
      expect(await state.acquire(askFor({ exclude: ['a', 'b'] }))).toEqual({
        ok: false,
        obstacles: { tried: 2 },
        retryAt: START + 60_000,
        freeAt: undefined,
        at: START,
      })
    })

    it("prefers the wanted account, then the conversation's, while they are ready", async () => {
      const { state, take, names, advance } = await fixture(limitsOf('a'), limitsOf('b'), limitsOf('c'))
      expect(await names(3, { prefer: 'b' })).toEqual(['b', 'b', 'b'])
      const [first] = await names(1, { affinity: 'chat-1' })
      expect(await names(3, { affinity: 'chat-1' })).toEqual([first, first, first])
      await state.rest(orderOf({ type: 'account', account: first ?? '' }))
      const lease = await take({ affinity: 'chat-1' })
      expect(lease.account).not.toBe(first)
      await state.release(lease)
      expect(await names(2, { affinity: 'chat-1' })).toEqual([lease.account, lease.account])
      advance(60_001)
      await names(1, { affinity: 'chat-1', exclude: [lease.account] })
    })

    it('keeps the pace of an egress: a burst, then one request after the other', async () => {
      const { state, names, advance } = await fixture(
        limitsOf('a'),
        limitsOf('b'),
        limitsOf('c', { egress: 'proxy-1' }),
      )
      await names(8, { perMinute: 8, exclude: ['c'] })
      const only = askFor({ perMinute: 8, exclude: ['c'] })
      expect(await state.acquire(only)).toMatchObject({ ok: false, obstacles: { paced: 2 }, freeAt: START + 7_500 })
      expect(await names(1, { perMinute: 8 })).toEqual(['c'])
      advance(7_500)
      await names(1, { perMinute: 8, exclude: ['c'] })
      expect(await state.acquire(only)).toMatchObject({ ok: false, freeAt: START + 15_000 })
    })

    it('lets one request at a time go at less than one a minute', async () => {
      const { state, names, advance } = await fixture(limitsOf('a'))
      await names(1, { perMinute: 0.5 })
      expect(await state.acquire(askFor({ perMinute: 0.5 }))).toMatchObject({ ok: false, freeAt: START + 120_000 })
      advance(120_000)
      await names(1, { perMinute: 0.5 })
    })

    it('lends accounts to their own group only, while all groups share an address', async () => {
      const { state, names } = await fixture(limitsOf('a'), limitsOf('b'), limitsOf('guest', { group: 'guests' }))
      expect(new Set(await names(4))).toEqual(new Set(['a', 'b']))
      expect(await names(2, { group: 'guests', prefer: 'a', affinity: 'chat' })).toEqual(['guest', 'guest'])
      expect(await names(1, { prefer: 'guest', affinity: 'chat' })).not.toEqual(['guest'])
      expect(await state.acquire(askFor({ group: 'nobody' }))).toEqual(refused({}))

      await names(3, { perMinute: 4 })
      await names(1, { perMinute: 4, group: 'guests' })
      expect(await state.acquire(askFor({ perMinute: 4 }))).toMatchObject({ obstacles: { paced: 2 } })
      expect(await state.acquire(askFor({ perMinute: 4, group: 'guests' }))).toMatchObject({ obstacles: { paced: 1 } })

      await state.rest(orderOf({ type: 'egress', egress: 'direct' }, { kind: 'address-blocked' }))
      expect(await state.acquire(askFor())).toEqual(refused({ 'address-blocked': 2 }, START + 60_000))
      expect(await state.acquire(askFor({ group: 'guests', lease: '' }))).toEqual(
        refused({ 'address-blocked': 1 }, START + 60_000),
      )
    })

    it('rests accounts that come later behind an address that was blocked before', async () => {
      const { state, names } = await fixture(limitsOf('a'))
      await state.rest(orderOf({ type: 'egress', egress: 'proxy-1' }, { kind: 'address-blocked' }))
      await state.put([limitsOf('b', { egress: 'proxy-1' })])
      expect(await names(3)).toEqual(['a', 'a', 'a'])
      await state.put([limitsOf('b', { egress: 'direct' })])
      expect(new Set(await names(2))).toEqual(new Set(['a', 'b']))
    })

    it('takes the next account for a conversation that begins, and remembers it', async () => {
      const { names } = await fixture(limitsOf('a'), limitsOf('b'))
      const begun = await names(2, { affinity: 'chat', begins: true })
      expect(new Set(begun)).toEqual(new Set(['a', 'b']))
      expect(await names(3, { affinity: 'chat' })).toEqual([begun[1], begun[1], begun[1]])
    })

    it('stops at the ceilings of an hour and of a day', async () => {
      const { state, names, advance } = await fixture(limitsOf('a', { perHour: 2, perDay: 3 }))
      await names(2)
      expect(await state.acquire(askFor())).toEqual(refused({ ceiling: 1 }, START + 3_600_000))
      advance(3_600_000)
      await names(1)
      expect(await state.acquire(askFor())).toEqual(refused({ ceiling: 1 }, START + 86_400_000, START + 3_600_000))
    })

    it('takes no slot, no pace and no count for a light call, but keeps away from what rests', async () => {
      const { state, take } = await fixture(limitsOf('a', { maxConcurrent: 1, perHour: 1 }))
      await take({ perMinute: 1 })
      expect(await state.acquire(askFor({ lease: '', perMinute: 1 }))).toMatchObject({ ok: true, account: 'a' })
      await state.rest(orderOf({ type: 'account', account: 'a' }))
      expect(await state.acquire(askFor({ lease: '' }))).toEqual(refused({ cooling: 1 }, START + 60_000))
    })

    it('pauses, resumes, clears and forgets', async () => {
      const { state, take } = await fixture(limitsOf('a'))
      await state.pause('a', true)
      expect(await state.acquire(askFor())).toEqual(refused({ disabled: 1 }))
      await state.put([limitsOf('a')])
      expect(await state.acquire(askFor())).toEqual(refused({ disabled: 1 }))
      await state.pause('a', false)
      await state.rest(orderOf({ type: 'account', account: 'a' }))
      await state.rest(orderOf({ type: 'model', account: 'a', model: 'gemini-3-pro' }))
      await state.clear([
        { type: 'account', account: 'a' },
        { type: 'model', account: 'a', model: 'gemini-3-pro' },
      ])
      const lease = await take()
      await state.remove('a')
      expect(await state.acquire(askFor())).toEqual(refused({}))
      await state.release(lease)
      expect((await state.read()).accounts).toEqual([])
    })

    it('takes new limits without forgetting what runs', async () => {
      const { state, take } = await fixture(limitsOf('a', { maxConcurrent: 1 }))
      await take()
      await state.put([limitsOf('a', { maxConcurrent: 2, egress: 'proxy-9' })])
      expect((await take()).egress).toBe('proxy-9')
      expect(await state.acquire(askFor())).toEqual(refused({ busy: 1 }))
    })

    it('reads everything back', async () => {
      const { state, take, advance } = await fixture(limitsOf('a', { perHour: 1 }), limitsOf('b:1', { weight: 2.5 }))
      await take({ prefer: 'a' })
      advance(5)
      const model = { type: 'model', account: 'b:1', model: 'a model/with: signs' } as const
      const link = 'https://example.com/verify'
      await state.rest(orderOf(model, { kind: 'limited', reason: 'spent "now"' }))
      await state.rest(orderOf({ type: 'account', account: 'a' }, { kind: 'needs-attention', link }))
      const facts = await state.read()
      expect(facts.at).toBe(START + 5)
      expect([...facts.accounts].sort((left, right) => (left.limits.id < right.limits.id ? -1 : 1))).toEqual([
        {
          limits: limitsOf('a', { perHour: 1 }),
          paused: false,
          active: 1,
          lastUsedAt: START,
          ceilingUntil: START + 3_600_000,
          hour: { endsAt: START + 3_600_000, count: 1 },
          day: { endsAt: START + 86_400_000, count: 1 },
          rest: {
            scope: { type: 'account', account: 'a' },
            kind: 'needs-attention',
            reason: 'a reason',
            link,
            strikes: 1,
            since: START + 5,
            until: START + 60_005,
            trial: undefined,
          },
          modelRests: [],
        },
        {
          limits: limitsOf('b:1', { weight: 2.5 }),
          paused: false,
          active: 0,
          lastUsedAt: 0,
          ceilingUntil: 0,
          hour: { endsAt: 0, count: 0 },
          day: { endsAt: 0, count: 0 },
          rest: undefined,
          modelRests: [
            {
              scope: model,
              kind: 'limited',
              reason: 'spent "now"',
              link: undefined,
              strikes: 1,
              since: START + 5,
              until: START + 60_005,
              trial: undefined,
            },
          ],
        },
      ])
      expect(facts.egresses).toEqual([{ egress: 'direct', rest: undefined, pacedUntil: 0, fullAt: 0 }])
    })
  })
}

/** A refusal at `at`; all waits end by the clock at `until`. */
function refused(
  obstacles: (Answer & { ok: false })['obstacles'],
  until?: number,
  at = expect.any(Number) as number,
): Answer {
  return { ok: false, obstacles, retryAt: until, freeAt: until, at }
}
