import { createAccountPool, type AccountStatus } from '@castorjs/account-pool'
import { describe, expect, it } from 'vitest'
import { readReadiness } from './readiness.ts'

const NOW = Date.parse('2026-11-20T18:00:00.000Z')
const soon = new Date(NOW + 20_000).toISOString()

async function accounts(changes: readonly Partial<AccountStatus>[]): Promise<AccountStatus[]> {
  const pool = createAccountPool({ accounts: changes.map((_, index) => ({ id: `a${index}`, value: index })) })
  const status = await pool.status()
  await pool.close()
  return status.map((account, index) => ({ ...account, ...changes[index] }))
}

async function ask(changes: readonly Partial<AccountStatus>[]) {
  const list = await accounts(changes)
  const upstreams = [{ name: 'gemini-web', status: async () => list }]
  return readReadiness({ upstreams, waitMs: 30_000, now: () => NOW })
}

const limit = { model: 'm', reason: 'Spent', since: NOW - 1, until: NOW + 3_600_000 }

describe('readReadiness', () => {
  it.each<[string, Partial<AccountStatus>]>([
    ['is ready', { state: 'ready' }],
    ['is busy', { state: 'busy' }],
    ['is limited for one model', { state: 'limited', since: limit.since, until: limit.until, limits: [limit] }],
    ['is back while a request waits', { state: 'cooling', until: NOW + 30_000 }],
    ['waits for a request that tries it again', { state: 'signed-out', until: NOW - 1 }],
  ])('is ready when an account %s', async (_, change) => {
    expect(await ask([{ state: 'disabled' }, change])).toEqual({ ready: true })
  })

  it.each<[Partial<AccountStatus>, string]>([
    [{ state: 'disabled', until: NOW - 1 }, 'gemini-web: 1 disabled until 2026-11-20T17:59:59.999Z'],
    [{ state: 'signed-out', until: NOW + 20_000 }, `gemini-web: 1 signed out until ${soon}`],
    [{ state: 'needs-attention' }, 'gemini-web: 1 needs attention'],
    [{ state: 'cooling', until: NOW + 30_001 }, 'gemini-web: 1 cooling until 2026-11-20T18:00:30.001Z'],
    [{ state: 'limited', since: NOW, until: NOW + 20_000, limits: [limit] }, `gemini-web: 1 limited until ${soon}`],
  ])('is not when it is %o', async (change, reason) => {
    expect(await ask([change])).toEqual({
      ready: false,
      reason: `No account can serve (${reason}). GET /api/upstreams has the details.`,
    })
  })

  it('sums up several accounts and upstreams, and one is enough', async () => {
    const down = { state: 'signed-out', until: NOW + 20_000 } as const
    const list = await accounts([down, { ...down, until: NOW + 60_000 }, { state: 'disabled' }])
    const web = { name: 'gemini-web', status: async () => list }
    const none = { name: 'code-assist', status: async () => [] }
    const options = { waitMs: 0, now: () => NOW }
    expect(await readReadiness({ upstreams: [web, none], ...options })).toEqual({
      ready: false,
      reason: `No account can serve (gemini-web: 2 signed out until ${soon}, 1 disabled; code-assist: no account). GET /api/upstreams has the details.`,
    })
    const ready = await accounts([{}])
    const upstreams = [web, { name: 'gemini-api', status: async () => ready }]
    expect(await readReadiness({ upstreams, ...options })).toEqual({ ready: true })
  })
})
