import { describe, expect, it } from 'vitest'
import {
  createAccountPool,
  createMemoryPoolState,
  type AccountOptions,
  type AccountPool,
  type PoolChange,
  type PoolPolicy,
} from './index.ts'

const START = Date.parse('2026-11-20T18:00:00.000Z')
const OPEN: PoolPolicy = { egressPerMinute: false, perHour: false, perDay: false, waitMs: 0 }

function setUp(accounts: (Partial<AccountOptions<string>> & { id: string })[], policy: PoolPolicy = {}) {
  const clock = { now: START }
  const changes: PoolChange[] = []
  const pool = createAccountPool<string>({
    accounts: accounts.map((account) => ({ value: `client of ${account.id}`, ...account })),
    policy: { ...OPEN, ...policy },
    now: () => clock.now,
    random: () => 0,
    onChange: (change) => changes.push(change),
  })
  return { pool, clock, changes }
}

async function stateOf(pool: AccountPool<string>, id = 'a') {
  const { state, text, reason, since, until, link } = (await pool.status()).find((status) => status.id === id) ?? {}
  return { state, text, reason, since, until, link }
}

describe('createAccountPool', () => {
  it("hands out an account's value and takes it back once", async () => {
    const { pool } = setUp([{ id: 'a', label: 'first@example.com' }])
    const lease = await pool.lease({ model: 'm' })
    expect(lease.value).toBe('client of a')
    expect(lease.account).toEqual({ id: 'a', label: 'first@example.com', egress: 'direct', group: '' })
    expect(pool.held).toBe(1)
    lease.release()
    lease.release()
    expect(pool.held).toBe(0)
  })

  it('says of every account in words how it is, since when and until when', async () => {
    const { pool, clock } = setUp([{ id: 'a', maxConcurrent: 1 }])
    const ready = { state: 'ready', text: 'ready', reason: 'Nothing is wrong' }
    expect(await stateOf(pool)).toEqual({ ...ready, since: undefined, until: undefined, link: undefined })

    const busy = await pool.lease({ model: 'm' })
    expect(await stateOf(pool)).toMatchObject({ state: 'busy', text: 'busy', since: START })
    busy.fail({ code: 'rate_limited' })
    expect(await stateOf(pool)).toEqual({
      state: 'cooling',
      text: 'cooling until 2026-11-20T18:01:00.000Z',
      reason: 'Too many requests in a short time',
      since: START,
      until: START + 60_000,
      link: undefined,
    })

    await pool.reset('a')
    ;(await pool.lease({ model: 'gemini-3-pro' })).fail({ code: 'quota_exhausted', upstreamCode: '1037' })
    expect(await stateOf(pool)).toMatchObject({
      state: 'limited',
      text: 'limited for model gemini-3-pro until 2026-11-20T19:00:00.000Z',
      reason: 'The quota is used up (1037)',
    })

    await pool.reset('a')
    ;(await pool.lease()).fail({ code: 'upstream_auth' })
    clock.now += 24 * 3_600_000
    expect(await stateOf(pool)).toMatchObject({
      state: 'signed-out',
      text: 'signed out',
      reason: 'The session or key was refused; sign in again. The next request tries it again',
    })

    await pool.reset('a')
    const link = 'https://example.com/verify'
    ;(await pool.lease()).fail({ code: 'upstream_refused', link })
    expect(await stateOf(pool)).toMatchObject({ state: 'needs-attention', text: `needs attention: ${link}`, link })

    await pool.reset('a')
    ;(await pool.lease()).fail({ code: 'upstream_refused' })
    expect(await stateOf(pool)).toMatchObject({
      state: 'address-blocked',
      text: 'address blocked until 2026-11-21T20:00:00.000Z (direct)',
      reason: 'The upstream refuses this address, not the account',
    })

    await pool.pause('a')
    expect(await stateOf(pool)).toMatchObject({ state: 'disabled', text: 'disabled' })
    await pool.resume('a')
    await pool.reset('a')
    expect(await stateOf(pool)).toMatchObject({ state: 'ready' })
  })

  it('shows the ceilings and the pace as what they are', async () => {
    const { pool } = setUp([{ id: 'a', perHour: 1 }, { id: 'b' }], { egressPerMinute: 2 })
    ;(await pool.lease({ prefer: 'a' })).release()
    expect(await stateOf(pool)).toMatchObject({
      text: 'cooling until 2026-11-20T19:00:00.000Z',
      reason: 'It has reached its own ceiling of requests',
    })
    ;(await pool.lease()).release()
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_unavailable', retryAfterMs: 30_000 })
    expect(await stateOf(pool, 'b')).toMatchObject({
      text: 'cooling until 2026-11-20T18:00:30.000Z',
      reason: 'The pace of the address direct is used up',
    })
  })

  it('answers with the earliest return when every account rests', async () => {
    const { pool, clock } = setUp([{ id: 'a' }, { id: 'b' }])
    ;(await pool.lease({ prefer: 'a' })).fail({ code: 'rate_limited', retryAfterMs: 90_000 })
    ;(await pool.lease({ prefer: 'b' })).fail({ code: 'rate_limited', retryAfterMs: 40_000 })
    clock.now += 10_000
    await expect(pool.lease()).rejects.toMatchObject({
      code: 'upstream_unavailable',
      retryAfterMs: 30_000,
      message: 'No account can serve now: 2 cooling down. Try again in 30 seconds.',
    })
  })

  it('says that a person is needed when only that helps', async () => {
    const { pool } = setUp([{ id: 'a' }, { id: 'b' }])
    ;(await pool.lease({ prefer: 'a' })).fail({ code: 'upstream_auth' })
    await pool.pause('b')
    const error = await pool.lease().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'upstream_auth',
      message: 'No account can serve: 1 signed out, 1 disabled. The operator has to sign in again.',
      retryAfterMs: undefined,
    })
  })

  it('says so when there is no account, or none enabled', async () => {
    const { pool } = setUp([])
    await expect(pool.lease()).rejects.toMatchObject({
      code: 'upstream_unavailable',
      message: 'No account is set up for this upstream. Add one and try again.',
    })
    await pool.add({ id: 'a', value: 'late', paused: true })
    await expect(pool.lease()).rejects.toMatchObject({ message: expect.stringContaining('1 disabled') as string })
    await pool.resume('a')
    expect((await pool.lease()).value).toBe('late')
  })

  it('lets a request wait for a busy account, first come first served', async () => {
    const { pool } = setUp([{ id: 'a', maxConcurrent: 1 }], { waitMs: 20_000 })
    const running = await pool.lease()
    const order: string[] = []
    const first = pool.lease().then((lease) => {
      order.push('first')
      lease.release()
    })
    const second = pool.lease().then((lease) => {
      order.push('second')
      lease.release()
    })
    await settle()
    expect(pool.waiting).toBe(2)
    running.release()
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'second'])
    expect([pool.waiting, pool.held]).toEqual([0, 0])
  })

  it('passes a chance on that the first in line cannot use', async () => {
    const policy = { maxConcurrent: 1, waitMs: 20_000 }
    const { pool } = setUp([{ id: 'a' }, { id: 'b' }], policy)
    const [a, b] = [await pool.lease({ prefer: 'a' }), await pool.lease({ prefer: 'b' })]
    const onlyB = pool.lease({ exclude: ['a'] })
    const either = pool.lease()
    await settle()
    a.release()
    expect((await either).account.id).toBe('a')
    b.release()
    expect((await onlyB).account.id).toBe('b')
    expect(pool.waiting).toBe(0)
  })

  it('lets all who wait go on when one has shown that a blocked address is well', async () => {
    const { pool, clock } = setUp(
      ['a', 'b', 'c'].map((id) => ({ id })),
      { waitMs: 60_000 },
    )
    await pool.report('a', { code: 'upstream_refused', retryAfterMs: 1_000 })
    clock.now += 1_000
    const probe = await pool.lease()
    const waiting = Promise.all([pool.lease(), pool.lease(), pool.lease(), pool.lease()])
    await expect.poll(() => pool.waiting).toBe(4)
    probe.succeed()
    expect((await waiting).map(({ account }) => account.id).sort()).toEqual(['a', 'b', 'b', 'c'])
  })

  it('takes no light call for proof that what has rested is well', async () => {
    const { pool, clock, changes } = setUp([{ id: 'a' }, { id: 'b' }])
    await pool.report('a', { code: 'upstream_refused', retryAfterMs: 1_000 })
    clock.now += 1_000
    const light = await pool.lease({ light: true })
    light.succeed()
    light.release()
    expect(await stateOf(pool)).toMatchObject({ state: 'address-blocked' })
    expect(changes.map(({ type }) => type)).toEqual(['rested'])
    await pool.lease()
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_unavailable' })
  })

  it('waits for the pace of an account that is full as well, and says how long', async () => {
    const { pool, clock } = setUp([{ id: 'a', maxConcurrent: 1 }], { egressPerMinute: 1 })
    const first = await pool.lease()
    await expect(pool.lease()).rejects.toMatchObject({
      code: 'upstream_unavailable',
      message: 'No account can serve now: 1 held back by the pace of its address. Try again in 60 seconds.',
      retryAfterMs: 60_000,
    })
    clock.now += 60_000
    first.release()
    await pool.lease()
  })

  it('tells how long until an account would serve, and takes nothing', async () => {
    const { pool, clock } = setUp([{ id: 'a' }], { egressPerMinute: 1 })
    expect([await pool.waitFor(), await pool.waitFor(), pool.held]).toEqual([0, 0, 0])
    await pool.lease()
    clock.now += 20_000
    expect(await pool.waitFor({ model: 'm' })).toBe(40_000)
    await pool.pause('a')
    expect(await pool.waitFor()).toBe(undefined)
  })

  it('does not blame newer cookies for what became of the old ones', async () => {
    const { pool } = setUp([{ id: 'a' }])
    const [old, other] = [await pool.lease(), await pool.lease()]
    await pool.add({ id: 'a', value: 'newer client of a' })
    old.fail({ code: 'upstream_auth' })
    expect(await stateOf(pool)).toMatchObject({ state: 'ready' })
    // The address is the same.
    other.fail({ code: 'upstream_refused' })
    expect(await stateOf(pool)).toMatchObject({ state: 'address-blocked' })
  })

  it('keeps what was added, and forgets what was removed, while it is being paused or resumed', async () => {
    const { pool } = setUp([{ id: 'a' }, { id: 'b' }])
    await Promise.all([pool.resume('a'), pool.add({ id: 'a', value: 'newer client of a' })])
    await Promise.all([pool.pause('b'), pool.remove('b')])
    expect(pool.accounts.map(({ value }) => value)).toEqual(['newer client of a'])
  })

  it('ends the wait with the time the policy allows, and with the caller', async () => {
    const { pool } = setUp([{ id: 'a', maxConcurrent: 1 }], { waitMs: 20 })
    const running = await pool.lease()
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_unavailable', retryAfterMs: 5_000 })
    const leaving = new AbortController()
    const waiting = pool.lease({ waitMs: 60_000, signal: leaving.signal })
    await settle()
    leaving.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    await expect(pool.lease({ signal: leaving.signal })).rejects.toMatchObject({ code: 'aborted' })
    running.release()
    expect([pool.waiting, pool.held]).toEqual([0, 0])
  })

  it('does not wait for what comes back too late', async () => {
    const { pool } = setUp([{ id: 'a' }], { waitMs: 20_000 })
    ;(await pool.lease()).fail({ code: 'rate_limited' })
    await expect(pool.lease()).rejects.toMatchObject({ retryAfterMs: 60_000 })
  })

  it('replaces value and limits of a known account and keeps its leases', async () => {
    const { pool } = setUp([{ id: 'a', maxConcurrent: 1 }])
    await pool.lease()
    await pool.add({ id: 'a', value: 'newer', label: 'renamed', maxConcurrent: 2 })
    const lease = await pool.lease()
    expect([lease.value, lease.account.label]).toEqual(['newer', 'renamed'])
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_unavailable' })
  })

  it('removes an account in use without losing the request on it', async () => {
    const { pool } = setUp([{ id: 'a' }])
    const lease = await pool.lease()
    expect(await pool.remove('a')).toBe(true)
    expect(await pool.remove('a')).toBe(false)
    expect(await pool.pause('a')).toBe(false)
    lease.fail({ code: 'rate_limited' })
    expect([pool.held, await pool.status()]).toEqual([0, []])
  })

  it('knows by an answer to background work that the address is well, and by nothing less', async () => {
    const { pool } = setUp([{ id: 'a' }, { id: 'b' }])
    await pool.report('a', { code: 'upstream_refused' })
    await pool.recovered('a')
    expect(await stateOf(pool)).toMatchObject({ state: 'address-blocked' })
    await pool.recovered('b', { address: true })
    expect(await stateOf(pool)).toMatchObject({ state: 'ready' })
  })

  it('rests and heals accounts by background work as by requests', async () => {
    const { pool, changes } = setUp([{ id: 'a' }])
    expect(await pool.report('a', { code: 'protocol_drift' })).toBeUndefined()
    expect(await pool.report('unknown', { code: 'upstream_auth' })).toBeUndefined()
    expect(await pool.report('a', { code: 'upstream_auth' })).toMatchObject({ kind: 'signed-out' })
    expect(await stateOf(pool)).toMatchObject({ state: 'signed-out' })
    await pool.recovered('a')
    expect(await stateOf(pool)).toMatchObject({ state: 'ready' })
    expect(changes).toEqual([
      {
        type: 'rested',
        account: { id: 'a', label: 'a' },
        egress: 'direct',
        model: undefined,
        state: 'signed-out',
        reason: 'The session or key was refused; sign in again',
        until: START + 15 * 60_000,
        link: undefined,
      },
    ])
  })

  it('tells when an account on trial is well again', async () => {
    const { pool, clock, changes } = setUp([{ id: 'a' }])
    ;(await pool.lease()).fail({ code: 'upstream_unavailable' })
    const unsuspected = await pool.lease()
    unsuspected.succeed()
    unsuspected.release()
    ;(await pool.lease()).fail({ code: 'rate_limited' })
    clock.now += 60_000
    const trial = await pool.lease({ model: 'm' })
    trial.succeed()
    trial.succeed()
    trial.release()
    await pool.close()
    expect(changes.map(({ type }) => type)).toEqual(['rested', 'recovered'])
  })

  it('answers honestly while a shared state is away, and tells who did not get a lease back', async () => {
    const line = { cut: true }
    const inner = createMemoryPoolState()
    const away = () => Promise.reject(new Error('Redis does not answer'))
    const errors: unknown[] = []
    const pool = createAccountPool({
      accounts: [{ id: 'a', value: 'client' }],
      policy: OPEN,
      state: {
        ...inner,
        put: (accounts) => (line.cut ? away() : inner.put(accounts)),
        release: () => away(),
      },
      onStateError: (error) => errors.push(error),
    })
    await expect(pool.lease()).rejects.toMatchObject({ code: 'upstream_unavailable', retryAfterMs: 2_000 })
    line.cut = false
    ;(await pool.lease()).release()
    await pool.close()
    expect(errors).toMatchObject([{ message: 'Redis does not answer' }])
  })

  it.each([
    [{ policy: { maxConcurrent: 0 } }, /policy\.maxConcurrent must be a whole number of at least 1/],
    [{ policy: { egressPerMinute: 0 } }, /policy\.egressPerMinute is 0, so nothing could ever pass; use false/],
    [{ policy: { perHour: -1 } }, /policy\.perHour must be a number of at least 1, or false/],
    [{ policy: { leaseTtlMs: 10 } }, /policy\.leaseTtlMs must be a number of milliseconds, at least 300/],
    [{ policy: { failures: { nonsense: {} } as object } }, /policy\.failures\.nonsense is not an error code/],
    [{ accounts: [{ id: '', value: '' }] }, /accounts\[\]\.id is empty/],
    [{ accounts: [{ id: 'a', value: '', weight: 0 }] }, /accounts\[a\]\.weight must be above 0/],
    [{ accounts: [{ id: 'a', value: '', perDay: 0 }] }, /accounts\[a\]\.perDay is 0/],
    [{ accounts: [{ id: 'a', value: '', egress: 'http://u:p@proxy' }] }, /accounts\[a\]\.egress holds a password/],
    [
      {
        accounts: [
          { id: 'a', value: '' },
          { id: 'a', value: '' },
        ],
      },
      /accounts\[a\] is there twice/,
    ],
  ])('refuses a wrong setting by name (%#)', (options, message) => {
    expect(() => createAccountPool<string>(options)).toThrow(message)
  })
})

/** Lets every promise that can go on go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
