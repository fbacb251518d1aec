import { describe, expect, it } from 'vitest'
import { askFor, describePoolState, limitsOf, orderOf } from '../test/describe-pool-state.ts'
import { createMemoryPoolState } from './memory-state.ts'
import type { PoolFacts } from './pool-state.ts'

const START = 1_700_000_000_000
const DAY = 86_400_000

describePoolState('memory', async (start) => {
  let now = start
  return { state: createMemoryPoolState({ now: () => now }), advance: (ms) => void (now += ms) }
})

function setUp(start = START) {
  const clock = { now: start }
  return { clock, state: createMemoryPoolState({ now: () => clock.now }) }
}

/** A state in which everything that can be known is known. */
async function experienced() {
  const { clock, state } = setUp()
  await state.put([limitsOf('a', { perDay: 2 }), limitsOf('b', { egress: 'proxy-1' }), limitsOf('c')])
  for (let count = 0; count < 2; count++) await state.acquire(askFor({ prefer: 'a', perMinute: 8 }))
  await state.rest(
    orderOf({ type: 'egress', egress: 'proxy-1' }, { kind: 'address-blocked', baseMs: 2 * 3_600_000, maxMs: DAY }),
  )
  await state.rest(orderOf({ type: 'model', account: 'c', model: 'm' }, { kind: 'limited' }))
  await state.rest(orderOf({ type: 'account', account: 'a' }))
  return { clock, state }
}

describe('createMemoryPoolState', () => {
  it('takes over what another state knew, and goes on from there', async () => {
    const { state: before } = await experienced()
    const { clock, state } = setUp()
    await state.put([limitsOf('a', { perDay: 2 }), limitsOf('b', { egress: 'proxy-1' }), limitsOf('c')])
    const facts = await before.read()
    state.recall(facts)
    expect(await state.read()).toEqual({ ...facts, accounts: facts.accounts.map((known) => ({ ...known, active: 0 })) })
    expect(await state.acquire(askFor({ model: 'm', exclude: ['c'] }))).toMatchObject({
      ok: false,
      obstacles: { cooling: 1, 'address-blocked': 1, tried: 1 },
    })
    clock.now += 60_000
    // The rest is over, the ceiling of the day is not.
    expect(await state.acquire(askFor({ exclude: ['b', 'c'] }))).toMatchObject({ obstacles: { ceiling: 1, tried: 2 } })
  })

  it('moves what it is told to its own clock', async () => {
    const { state: before } = await experienced()
    const { state } = setUp(5_000)
    await state.put([limitsOf('a', { perDay: 2 }), limitsOf('b', { egress: 'proxy-1' }), limitsOf('c')])
    state.recall(await before.read())
    const { accounts, egresses } = await state.read()
    expect(accounts[0]).toMatchObject({ rest: { since: 5_000, until: 65_000 }, day: { endsAt: 5_000 + DAY, count: 2 } })
    expect(egresses.find(({ egress }) => egress === 'proxy-1')?.rest).toMatchObject({ until: 5_000 + 2 * 3_600_000 })
  })

  it('keeps a failure of its own that is newer than what it is told', async () => {
    const { clock, state } = setUp()
    await state.put([limitsOf('a')])
    const facts: PoolFacts = await state.read()
    clock.now += 5
    await state.rest(orderOf({ type: 'account', account: 'a' }))
    await state.rest(orderOf({ type: 'egress', egress: 'direct' }))
    state.recall(facts, START)
    expect((await state.read()).accounts[0]?.rest).toMatchObject({ kind: 'cooling' })
    expect((await state.read()).egresses[0]?.rest).toMatchObject({ kind: 'cooling' })
    state.recall(facts, START + 6)
    expect((await state.read()).accounts[0]?.rest).toBeUndefined()
  })

  it('counts a failure a week after the last one as the first, and lets go of models nobody asks for', async () => {
    const { clock, state } = setUp()
    await state.put([limitsOf('a')])
    for (let count = 0; count < 4; count++) {
      await state.rest(orderOf({ type: 'model', account: 'a', model: `old-${count}` }))
      await state.rest(orderOf({ type: 'account', account: 'a' }))
      clock.now += DAY
    }
    clock.now += 7 * DAY
    expect(await state.rest(orderOf({ type: 'account', account: 'a' }))).toMatchObject({ strikes: 1 })
    await state.rest(orderOf({ type: 'model', account: 'a', model: 'new' }))
    expect((await state.read()).accounts[0]?.modelRests.map(({ scope }) => scope.model)).toEqual(['new'])
  })

  it('lets go of addresses that nobody leaves by any more', async () => {
    const { clock, state } = setUp()
    await state.put([limitsOf('a', { egress: 'proxy-1' })])
    await state.acquire(askFor({ perMinute: 1 }))
    await state.put([limitsOf('a', { egress: 'proxy-2' })])
    const names = async () => (await state.read()).egresses.map(({ egress }) => egress)
    expect(await names()).toEqual(['proxy-1', 'proxy-2'])
    clock.now += 60_000
    expect(await names()).toEqual(['proxy-2'])
  })
})
