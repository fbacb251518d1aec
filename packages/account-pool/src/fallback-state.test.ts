import { describe, expect, it } from 'vitest'
import { askFor, describePoolState, limitsOf, orderOf } from '../test/describe-pool-state.ts'
import { createFallbackPoolState, createMemoryPoolState, type PoolState } from './index.ts'

/** A state that can be cut off. */
function setUp(start = 1_000_000) {
  const clock = { now: start }
  const line = { cut: false, asked: 0 }
  const now = () => clock.now
  const inner = createMemoryPoolState({ now })
  const shared = new Proxy(inner, {
    get(target, name: keyof PoolState) {
      const step = target[name]
      if (typeof step !== 'function') return step
      return (...args: never[]) => {
        line.asked++
        if (line.cut) return Promise.reject(new Error('Redis does not answer'))
        return (step as (...args: never[]) => unknown).apply(target, args)
      }
    },
  })
  const switches: boolean[] = []
  const state = createFallbackPoolState({ shared, now, onSwitch: (away) => switches.push(away) })
  return { clock, line, inner, state, switches, advance: (ms: number) => void (clock.now += ms) }
}

describePoolState('a state with a fallback', async (start) => setUp(start))

describe('createFallbackPoolState', () => {
  it('goes on alone with what it has seen, at its share of the pace, and leaves the lost state in peace', async () => {
    const { state, line, switches } = setUp()
    await state.put([limitsOf('a'), limitsOf('b')])
    await state.rest(orderOf({ type: 'account', account: 'a' }))
    line.cut = true
    const ask = askFor({ perMinute: 4 })
    expect(await state.acquire(ask)).toMatchObject({ ok: true, account: 'b' })
    expect(switches).toEqual([true])
    const { asked } = line
    expect(await state.acquire(askFor({ perMinute: 4 }))).toMatchObject({ ok: true, account: 'b' })
    expect(await state.acquire(askFor({ perMinute: 4 }))).toMatchObject({ ok: false })
    await state.release({ id: ask.lease, account: 'b', egress: 'direct', model: ask.model, at: 0 })
    expect((await state.read()).accounts.map(({ active }) => active)).toEqual([0, 1])
    expect(line.asked).toBe(asked)
  })

  it('goes on from what it last read: rests others saw, ceilings over all, accounts that were paused', async () => {
    const { state, line, inner } = setUp()
    await state.put([limitsOf('a'), limitsOf('b', { perDay: 1 }), limitsOf('c')])
    // Another process does all this.
    await inner.rest(orderOf({ type: 'account', account: 'a' }))
    await inner.acquire(askFor({ prefer: 'b' }))
    await inner.pause('c', true)
    await state.read()
    line.cut = true
    expect(await state.acquire(askFor())).toMatchObject({
      ok: false,
      obstacles: { cooling: 1, ceiling: 1, disabled: 1 },
    })
  })

  it('tells the state that is back what it learned and holds', async () => {
    const { state, line, inner, switches, advance } = setUp()
    await state.put([limitsOf('a')])
    line.cut = true
    await state.put([limitsOf('b')])
    const ask = askFor({ prefer: 'a' })
    const answer = await state.acquire(ask)
    if (!answer.ok) throw new Error('refused')
    await state.rest(orderOf({ type: 'egress', egress: 'direct' }, { kind: 'address-blocked' }))
    line.cut = false
    advance(1_000)
    const refused = await state.acquire(askFor())
    expect(refused).toMatchObject({ ok: false, obstacles: { 'address-blocked': 2 }, retryAt: 1_000_000 + 60_000 })
    expect(switches).toEqual([true, false])
    const facts = await inner.read()
    expect(facts.accounts.map(({ limits }) => limits.id)).toEqual(['a', 'b'])
    expect(facts.egresses[0]?.rest).toMatchObject({ kind: 'address-blocked', until: 1_000_000 + 60_000 })
  })

  it('leaves a pause to the state that is back, and tells it to one that lost everything', async () => {
    const { state, line, inner, advance } = setUp()
    await state.put([limitsOf('a', { paused: false }), limitsOf('b', { paused: false })])
    await state.pause('a', true)
    line.cut = true
    await state.acquire(askFor())
    // Another process, which is still connected.
    await inner.pause('b', true)
    line.cut = false
    advance(1_000)
    const paused = async () => (await state.read()).accounts.map((account) => account.paused)
    expect(await paused()).toEqual([true, true])

    line.cut = true
    await state.acquire(askFor())
    await inner.remove('a')
    await inner.remove('b')
    line.cut = false
    advance(1_000)
    expect(await paused()).toEqual([true, true])
  })

  it('counts for its ceilings and its pace what it used alone', async () => {
    const { state, line, inner, advance } = setUp()
    await state.put([limitsOf('a', { perHour: 5, maxConcurrent: 9 })])
    const ask = () => state.acquire(askFor({ perMinute: 60 }))
    await ask()
    line.cut = true
    for (let times = 0; times < 3; times++) expect(await ask()).toMatchObject({ ok: true })
    line.cut = false
    advance(1_000)
    expect(await ask()).toMatchObject({ ok: true })
    expect(await ask()).toMatchObject({ ok: false, obstacles: { ceiling: 1 } })
    const { accounts, egresses } = await inner.read()
    expect([accounts[0]?.hour.count, egresses[0]?.fullAt]).toEqual([5, 1_000_000 + 1_000 + 4_000])
  })

  it('gives back what it was lent and what it may have been lent, once that is over', async () => {
    const { state, line, inner, advance } = setUp()
    await state.put([limitsOf('a', { maxConcurrent: 1 }), limitsOf('b', { maxConcurrent: 1 })])
    const heldBy = (ask: { lease: string; model: string }, account: string) => ({
      id: ask.lease,
      account,
      egress: 'direct',
      model: ask.model,
      at: 0,
    })
    const [lent, kept] = [askFor({ prefer: 'a' }), askFor({ prefer: 'b' })]
    await state.acquire(lent)
    await state.acquire(kept)
    line.cut = true
    await state.release(heldBy(lent, 'a'))
    expect((await inner.read()).accounts.map(({ active }) => active)).toEqual([1, 1])
    line.cut = false
    advance(1_000)
    await state.read()
    expect((await inner.read()).accounts.map(({ active }) => active)).toEqual([0, 1])
    await state.release(heldBy(kept, 'b'))
    expect((await inner.read()).accounts.map(({ active }) => active)).toEqual([0, 0])
  })

  it('tells once what it used alone, however many come back at the same time', async () => {
    const { state, line, inner, switches, advance } = setUp()
    await state.put([limitsOf('a', { maxConcurrent: 99 })])
    line.cut = true
    for (let times = 0; times < 4; times++) await state.acquire(askFor())
    line.cut = false
    advance(1_000)
    await Promise.all(Array.from({ length: 10 }, () => state.acquire(askFor())))
    expect([(await inner.read()).accounts[0]?.hour.count, switches]).toEqual([14, [true, false]])
  })

  it('comes back although nobody asks for anything', async () => {
    const inner = createMemoryPoolState()
    let cut = false
    const switches: boolean[] = []
    const shared: PoolState = {
      ...inner,
      put: (accounts) => (cut ? Promise.reject(new Error('away')) : inner.put(accounts)),
      read: () => (cut ? Promise.reject(new Error('away')) : inner.read()),
    }
    const state = createFallbackPoolState({ shared, retryMs: 10, onSwitch: (away) => switches.push(away) })
    cut = true
    await state.put([limitsOf('a')])
    cut = false
    await expect.poll(() => switches).toEqual([true, false])
    await state.close?.()
  })

  it("fails an operator's change that the other processes would not see", async () => {
    const { state, line } = setUp()
    await state.put([limitsOf('a')])
    line.cut = true
    await expect(state.pause('a', true)).rejects.toThrow('Redis does not answer')
    await expect(state.remove('a')).rejects.toThrow('Redis does not answer')
    expect(await state.acquire(askFor())).toMatchObject({ ok: true, account: 'a' })
  })
})
