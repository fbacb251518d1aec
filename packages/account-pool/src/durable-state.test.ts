import { afterEach, describe, expect, it } from 'vitest'
import { askFor, describePoolState, limitsOf, orderOf } from '../test/describe-pool-state.ts'
import {
  createDurablePoolState,
  type AccountMemory,
  type EgressMemory,
  type PoolRecords,
  type PoolState,
} from './index.ts'

const START = 1_700_000_000_000
const HOUR = 3_600_000

/** Records as a disk has them: text, and only what was written. */
function createDisk() {
  const accounts = new Map<string, string>()
  const egresses = new Map<string, string>()
  const disk = { broken: false, writes: 0 }
  async function write(to: Map<string, string>, name: string, value: unknown): Promise<void> {
    await Promise.resolve()
    if (disk.broken) throw new Error('The disk is full')
    disk.writes++
    to.set(name, JSON.stringify(value))
  }
  const records: PoolRecords = {
    load: async () => ({
      accounts: [...accounts.values()].map((text) => JSON.parse(text) as AccountMemory),
      egresses: [...egresses.values()].map((text) => JSON.parse(text) as EgressMemory),
    }),
    saveAccount: (account) => write(accounts, account.limits.id, account),
    saveEgress: (egress) => write(egresses, egress.egress, egress),
    removeAccount: async (id) => void accounts.delete(id),
  }
  return { disk, records }
}

const opened: PoolState[] = []
afterEach(async () => {
  for (const state of opened.splice(0)) await state.close?.()
})

function open(records: PoolRecords, now: () => number, onError?: (error: unknown) => void): PoolState {
  const state = createDurablePoolState({ records, now, writeAfterMs: 1, ...(onError === undefined ? {} : { onError }) })
  opened.push(state)
  return state
}

describePoolState('a durable state', async (start) => {
  let now = start
  return { state: open(createDisk().records, () => now), advance: (ms) => void (now += ms) }
})

describe('createDurablePoolState', () => {
  const members = [limitsOf('a', { perDay: 3, maxConcurrent: 3 }), limitsOf('b', { egress: 'proxy-1' }), limitsOf('c')]

  it('knows after a restart what rests, what was used, and how fast', async () => {
    const { records } = createDisk()
    const clock = { now: START }
    const before = open(records, () => clock.now)
    await before.put(members)
    for (let times = 0; times < 3; times++) await before.acquire(askFor({ prefer: 'a', perMinute: 4 }))
    await before.rest(
      orderOf(
        { type: 'egress', egress: 'proxy-1' },
        { kind: 'address-blocked', baseMs: 2 * HOUR, maxMs: 24 * HOUR, roll: 1 },
      ),
    )
    await before.rest(orderOf({ type: 'model', account: 'c', model: 'm' }, { kind: 'limited', hintMs: 5 * HOUR }))
    await before.close?.()

    clock.now += 1_000
    const after = open(records, () => clock.now)
    // Accounts may come one by one, and later than others.
    for (const member of members) await after.put([member])
    const [was, is] = [await before.read(), await after.read()]
    expect(is).toEqual({ ...was, accounts: was.accounts.map((account) => ({ ...account, active: 0 })) })
    expect(is.egresses.find(({ egress }) => egress === 'proxy-1')?.rest?.until).toBe(START + 2.4 * HOUR)
    // One of four is left in the bucket; then the pace holds, and the ceiling of the day for longer.
    const ask = { model: 'm', perMinute: 4 }
    expect(await after.acquire(askFor({ ...ask, model: 'n' }))).toMatchObject({ ok: true, account: 'c' })
    expect(await after.acquire(askFor(ask))).toMatchObject({
      ok: false,
      obstacles: { ceiling: 1, 'address-blocked': 1, limited: 1 },
    })
  })

  it('loses no rest to a kill, and doubles the next one as if nothing had happened', async () => {
    const { records } = createDisk()
    const clock = { now: START }
    for (const [strikes, restMs] of [60_000, 120_000, 240_000].entries()) {
      // Never closed: the process is killed as soon as the lease was given back.
      const state = createDurablePoolState({ records, now: () => clock.now, writeAfterMs: 1e6 })
      await state.put([limitsOf('a')])
      const ask = askFor()
      const answer = await state.acquire(ask)
      if (!answer.ok) throw new Error('refused')
      expect(answer.trial).toBe(strikes > 0)
      const rest = await state.release(
        { ...answer, id: ask.lease, model: ask.model },
        orderOf({ type: 'account', account: 'a' }),
      )
      expect(rest).toMatchObject({ strikes: strikes + 1, until: clock.now + restMs })
      const next = open(records, () => clock.now)
      await next.put([limitsOf('a')])
      expect(await next.acquire(askFor())).toMatchObject({ ok: false, retryAt: clock.now + restMs })
      clock.now += restMs
    }
  })

  it('remembers that a rest ended: by a success, by hand', async () => {
    const { records } = createDisk()
    const clock = { now: START }
    const before = open(records, () => clock.now)
    await before.put(members)
    for (const id of ['a', 'b', 'c']) await before.rest(orderOf({ type: 'account', account: id }))
    clock.now += 60_000
    const ask = askFor({ prefer: 'a' })
    const answer = await before.acquire(ask)
    if (!answer.ok) throw new Error('refused')
    await before.succeed({ ...answer, id: ask.lease, model: ask.model })
    await before.clear([{ type: 'account', account: 'b' }])
    const after = open(records, () => clock.now)
    await after.put(members)
    expect((await after.read()).accounts.map(({ rest }) => rest?.strikes)).toEqual([undefined, undefined, 1])
  })

  it('forgets a removed account, and writes nothing of accounts that are not counted', async () => {
    const { records, disk } = createDisk()
    const state = open(records, () => START)
    await state.put([limitsOf('a'), limitsOf('b', { perHour: 5 })])
    await state.acquire(askFor({ prefer: 'a' }))
    await state.close?.()
    expect(disk.writes).toBe(0)
    await state.acquire(askFor({ prefer: 'b' }))
    await state.rest(orderOf({ type: 'account', account: 'b' }))
    expect((await records.load()).accounts.map(({ limits }) => limits.id)).toEqual(['b'])
    await state.remove('b')
    expect((await records.load()).accounts).toEqual([])
  })

  it('goes on when it cannot write, says so, and writes when it can', async () => {
    const { records, disk } = createDisk()
    const errors: unknown[] = []
    const state = open(
      records,
      () => START,
      (error) => errors.push(error),
    )
    await state.put([limitsOf('a')])
    disk.broken = true
    await state.rest(orderOf({ type: 'account', account: 'a' }))
    expect(errors).toMatchObject([{ message: 'The disk is full' }])
    expect(await state.acquire(askFor())).toMatchObject({ ok: false })
    disk.broken = false
    await expect.poll(async () => (await records.load()).accounts.length).toBe(1)
  })

  it('does not believe a clock that was years ahead', async () => {
    const { records } = createDisk()
    const before = open(records, () => START + 400 * 24 * HOUR)
    await before.put([limitsOf('a', { perHour: 1 })])
    await before.acquire(askFor({ perMinute: 1 }))
    await before.rest(orderOf({ type: 'account', account: 'a' }))
    await before.close?.()
    const after = open(records, () => START)
    await after.put([limitsOf('a', { perHour: 1 })])
    const { accounts, egresses } = await after.read()
    expect(accounts[0]).toMatchObject({
      rest: { since: START, until: START + 28.8 * HOUR },
      hour: { endsAt: START + HOUR, count: 1 },
      day: { endsAt: START + 24 * HOUR },
    })
    expect(egresses[0]?.fullAt).toBe(START + HOUR)
  })
})
