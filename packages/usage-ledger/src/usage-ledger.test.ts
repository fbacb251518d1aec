import { createMemoryStateStore } from '@castorjs/state-store'
import { describe, expect, it } from 'vitest'
import { createUsageLedger, sumRows, toCsv, type LedgerRow, type UsageLedgerOptions } from './index.ts'

const START = Date.parse('2026-11-20T23:59:00.000Z')
const NAME = { key: 'k1', upstream: 'gemini-web', account: 'anna', model: 'gemini-3-pro' }
const USAGE = { inputTokens: 10, cachedTokens: 4, outputTokens: 20, thoughtTokens: 5, estimated: false }

function setUp(more: Partial<UsageLedgerOptions> = {}) {
  const clock = { now: START }
  const store = createMemoryStateStore({ now: () => clock.now })
  return { clock, store, ledger: createUsageLedger({ store, now: () => clock.now, ...more }) }
}

function rowOf(more: Partial<LedgerRow>): LedgerRow {
  return {
    day: '2026-11-20',
    ...NAME,
    requests: 1,
    failures: {},
    inputTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    thoughtTokens: 0,
    estimatedTokens: 0,
    media: 0,
    firstChunk: { count: 0, totalMs: 0, maxMs: 0 },
    ...more,
  }
}

describe('createUsageLedger', () => {
  it('counts requests, failures, tokens, media and time to the first chunk in one row', async () => {
    const { ledger } = setUp()
    ledger.record({ ...NAME, usage: USAGE, firstChunkMs: 100, media: 2 })
    ledger.record({ ...NAME, usage: { ...USAGE, estimated: true }, firstChunkMs: 300 })
    ledger.record({ ...NAME, code: 'rate_limited' })
    ledger.record({ ...NAME, code: 'rate_limited' })
    expect(await ledger.rows()).toEqual([
      rowOf({
        requests: 4,
        failures: { rate_limited: 2 },
        inputTokens: 20,
        cachedTokens: 8,
        outputTokens: 40,
        thoughtTokens: 10,
        estimatedTokens: 35,
        media: 2,
        firstChunk: { count: 2, totalMs: 400, maxMs: 300 },
      }),
    ])
  })

  it('keeps a row for each day, key, account and model', async () => {
    const { ledger, clock } = setUp()
    ledger.record(NAME)
    ledger.record({ ...NAME, model: 'gemini-3-flash' })
    clock.now += 60_000
    ledger.record({ key: 'k2', code: 'unauthenticated' })
    const rows = await ledger.rows()
    expect(rows.map(({ day, key, account, model }) => [day, key, account, model])).toEqual([
      ['2026-11-20', 'k1', 'anna', 'gemini-3-flash'],
      ['2026-11-20', 'k1', 'anna', 'gemini-3-pro'],
      ['2026-11-21', 'k2', '-', '-'],
    ])
    expect(await ledger.rows({ from: '2026-11-21' })).toHaveLength(1)
    expect(await ledger.rows({ to: '2026-11-20', model: 'gemini-3-pro' })).toHaveLength(1)
    expect(await ledger.rows({ key: 'k1' })).toHaveLength(2)
  })

  it.each([
    [{ from: 'yesterday' }, 'from', '`from` must be a day such as 2026-11-20'],
    [{ from: '2026-02-30' }, 'from', '`from` must be a day such as 2026-11-20'],
    [{ to: '2026-13-01' }, 'to', '`to` must be a day such as 2026-11-20'],
    [{ to: '' }, 'to', '`to` must be a day such as 2026-11-20'],
    [{ from: '2026-11-21', to: '2026-11-20' }, 'from', '`from` (2026-11-21) comes after `to` (2026-11-20)'],
  ])('refuses the query %o by field', async (query, field, message) => {
    const error = await setUp()
      .ledger.rows(query)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'LedgerQueryError', field, message })
  })

  it.each([
    [{ from: '2026-11-20', to: '2026-11-21' }, 'usage/2026-11-2'],
    [{ from: '2026-11-20', to: '2026-11-20' }, 'usage/2026-11-20'],
    [{ from: '2026-11-20' }, 'usage/'],
  ])('asks the store for little when asked %o', async (query, prefix) => {
    const { store, clock } = setUp()
    const asked: string[] = []
    const watched: UsageLedgerOptions['store'] = {
      get: (key) => store.get(key),
      compareAndSet: (key, version, value, options) => store.compareAndSet(key, version, value, options),
      list: (start) => (asked.push(start), store.list(start)),
    }
    const ledger = createUsageLedger({ store: watched, now: () => clock.now })
    ledger.record(NAME)
    expect(await ledger.rows(query)).toHaveLength(1)
    expect(asked).toEqual([prefix])
  })

  it('adds up what several processes count', async () => {
    const { ledger, store, clock } = setUp()
    const other = createUsageLedger({ store, now: () => clock.now })
    for (let index = 0; index < 20; index++) {
      ledger.record(NAME)
      other.record(NAME)
      await Promise.all([ledger.flush(), other.flush()])
    }
    expect(await ledger.rows()).toEqual([rowOf({ requests: 40 })])
  })

  it('stays bounded when callers make up models', async () => {
    const { ledger } = setUp({ maxRowsPerDay: 3 })
    for (let index = 0; index < 100; index++) ledger.record({ ...NAME, model: `made-up-${index}` })
    const rows = await ledger.rows()
    expect(rows.map(({ model, requests }) => [model, requests])).toEqual([
      ['(other)', 97],
      ['made-up-0', 1],
      ['made-up-1', 1],
      ['made-up-2', 1],
    ])
    const long = 'm'.repeat(10_000)
    const { ledger: second } = setUp()
    second.record({ ...NAME, model: long })
    expect((await second.rows())[0]?.model).toHaveLength(200)
  })

  it('forgets rows after the days it keeps', async () => {
    const { ledger, clock } = setUp({ keepDays: 2 })
    ledger.record(NAME)
    expect(await ledger.rows()).toHaveLength(1)
    clock.now += 3 * 86_400_000
    expect(await ledger.rows()).toEqual([])
  })

  it('loses nothing when the store is away for a while', async () => {
    const { store, clock } = setUp()
    let away = true
    const shaky: UsageLedgerOptions['store'] = {
      get: (key) => (away ? Promise.reject(new Error('away')) : store.get(key)),
      compareAndSet: (key, version, value, options) => store.compareAndSet(key, version, value, options),
      list: (prefix) => store.list(prefix),
    }
    const ledger = createUsageLedger({ store: shaky, now: () => clock.now })
    ledger.record(NAME)
    ledger.record({ ...NAME, model: 'other' })
    await expect(ledger.flush()).rejects.toThrow('away')
    ledger.record(NAME)
    away = false
    expect((await ledger.rows()).map(({ model, requests }) => [model, requests])).toEqual([
      ['gemini-3-pro', 2],
      ['other', 1],
    ])
  })

  it.each([1, 7])('counts once what a store took %i times without saying so', async (times) => {
    const { store, clock } = setUp()
    let left = times
    const cut: UsageLedgerOptions['store'] = {
      get: (key) => store.get(key),
      async compareAndSet(key, version, value, options) {
        const written = await store.compareAndSet(key, version, value, options)
        if (left-- > 0) throw new Error('the connection was cut')
        return written
      },
      list: (prefix) => store.list(prefix),
    }
    const ledger = createUsageLedger({ store: cut, now: () => clock.now })
    const other = createUsageLedger({ store, now: () => clock.now })
    for (let index = 0; index < times; index++) {
      ledger.record(NAME)
      ledger.record({ ...NAME, model: 'other' })
      await expect(ledger.flush()).rejects.toThrow('cut')
      other.record(NAME)
      await other.flush()
    }
    const rows = await ledger.rows()
    expect(rows.map(({ model, requests }) => [model, requests])).toEqual([
      ['gemini-3-pro', times * 2],
      ['other', times],
    ])
    expect(rows[0]).toEqual(rowOf({ requests: times * 2 }))
  })

  it('stays small while many processes write one row', async () => {
    const { store, clock } = setUp()
    for (let index = 0; index < 50; index++) {
      const ledger = createUsageLedger({ store, now: () => clock.now })
      ledger.record(NAME)
      await ledger.close()
    }
    const kept: unknown[] = []
    for await (const { value } of store.list('usage/')) kept.push(value)
    expect(kept).toHaveLength(1)
    const [{ marks, requests }] = kept as [{ marks: object; requests: number }]
    expect([requests, Object.keys(marks).length]).toEqual([50, 32])
  })

  it('writes by itself after a while, and the rest when it closes', async () => {
    const { ledger, store } = setUp({ flushMs: 5 })
    ledger.record(NAME)
    let kept = 0
    while (kept === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      for await (const _ of store.list('usage/')) kept++
    }
    ledger.record({ ...NAME, model: 'last' })
    await ledger.close()
    expect(await createUsageLedger({ store }).rows()).toHaveLength(2)
  })

  it('says how many requests are lost when it closes and cannot write', async () => {
    const { store } = setUp()
    const away = new Error('away')
    const ledger = createUsageLedger({
      store: { get: () => Promise.reject(away), compareAndSet: store.compareAndSet, list: store.list },
    })
    ledger.record(NAME)
    await expect(ledger.close()).rejects.toThrow('The usage of one request could not be written')
    ledger.record({ ...NAME, model: 'last' })
    ledger.record({ ...NAME, model: 'last' })
    await expect(ledger.close()).rejects.toMatchObject({
      message: 'The usage of 3 requests could not be written',
      cause: away,
    })
  })
})

describe('sumRows', () => {
  it('sums rows by some of their names', () => {
    const rows = [
      rowOf({ requests: 2, failures: { blocked: 1 }, firstChunk: { count: 1, totalMs: 5, maxMs: 5 } }),
      rowOf({ account: 'ben', requests: 3, failures: { blocked: 1 }, firstChunk: { count: 1, totalMs: 7, maxMs: 7 } }),
    ]
    expect(sumRows(rows, ['key'])).toEqual([
      {
        ...rowOf({ requests: 5, failures: { blocked: 2 }, firstChunk: { count: 2, totalMs: 12, maxMs: 7 } }),
        day: '*',
        upstream: '*',
        account: '*',
        model: '*',
      },
    ])
  })
})

describe('toCsv', () => {
  it('writes a header and a line for each row', () => {
    const row = rowOf({
      requests: 4,
      failures: { rate_limited: 2, upstream_auth: 1 },
      inputTokens: 20,
      estimatedTokens: 35,
      firstChunk: { count: 2, totalMs: 401, maxMs: 300.4 },
    })
    expect(toCsv([row])).toBe(
      [
        'day,key,upstream,account,model,requests,failures,failure_codes,input_tokens,cached_tokens,output_tokens,thought_tokens,estimated_tokens,media,first_chunk_mean_ms,first_chunk_max_ms',
        '2026-11-20,k1,gemini-web,anna,gemini-3-pro,4,3,rate_limited=2 upstream_auth=1,20,0,0,0,35,0,201,300',
        '',
      ].join('\r\n'),
    )
  })

  it.each([
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
    ['+1', "'+1"],
    ['-1+2', "'-1+2"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', '"\'\r=1"'],
    ['＝1', "'＝1"],
    ['a,b', '"a,b"'],
    ['two\nlines', '"two\nlines"'],
    ['-', '-'],
    ['gemini-3-pro', 'gemini-3-pro'],
  ])('makes %j harmless for a spreadsheet', (model, cell) => {
    const line = toCsv([rowOf({ model })]).slice(toCsv([]).length)
    expect(line.startsWith(`2026-11-20,k1,gemini-web,anna,${cell},1,`)).toBe(true)
  })
})
