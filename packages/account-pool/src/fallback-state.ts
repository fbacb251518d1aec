import { createMemoryPoolState, type MemoryPoolState } from './memory-state.ts'
import type { AccountLimits, HeldLease, PoolState, Rest, RestOrder, Use } from './pool-state.ts'

export interface FallbackPoolStateOptions {
  /** The state that processes share. */
  shared: PoolState
  /** What this process goes on with alone. Default: its memory. */
  local?: MemoryPoolState
  /** Share of each egress's pace that one process may use alone. Default 0.5, right for two processes. */
  share?: number
  /** How long a failed state is left in peace, in milliseconds. Default 1 000. */
  retryMs?: number
  /** The shared state went away, with what it said, or came back. Must not throw. */
  onSwitch?: (away: boolean, error: unknown) => void
  /** Clock, for tests. */
  now?: () => number
}

/**
 * Goes on alone while the shared state cannot be reached, and back to it by itself, also when nobody asks for anything.
 *
 * Alone, a process knows the rests it has seen itself, keeps its share of the pace, and counts slots and ceilings of
 * its own only: over all processes they may be exceeded. What it learned and used, and the leases it still holds, are told
 * to the shared state when that is back. Operators' changes (remove, pause) fail meanwhile.
 */
export function createFallbackPoolState({
  shared,
  share = 0.5,
  retryMs = 1_000,
  onSwitch = () => {},
  now = Date.now,
  local = createMemoryPoolState({ now }),
}: FallbackPoolStateOptions): PoolState {
  /** Accounts as they are to be told to a state that does not know them. */
  const known = new Map<string, AccountLimits>()
  /** Requests made alone that the shared state has not heard of. */
  const usedAlone = new Map<string, Use>()
  /** Leases that the shared state was asked for and has not got back; it may have given one without our hearing of it. */
  const lent = new Set<string>()
  /** Those of them that ended while it was away. */
  const ended = new Map<string, HeldLease>()
  let away = false
  let retryAt = 0
  let retrying: ReturnType<typeof setInterval> | undefined
  let comingBack: Promise<void> | undefined

  function lost(error: unknown): void {
    retryAt = now() + retryMs
    if (away) return
    away = true
    onSwitch(true, error)
    retrying = setInterval(() => void read().catch(() => {}), retryMs)
    if (typeof retrying === 'object') retrying.unref?.()
  }

  /** Asks the shared state, and the local one instead while that is away. */
  async function ask<Result>(
    act: (state: PoolState) => Promise<Result>,
    alone: () => Promise<Result>,
  ): Promise<Result> {
    if (away && now() < retryAt) return alone()
    try {
      if (away) {
        await (comingBack ??= comeBack().finally(() => {
          comingBack = undefined
        }))
      }
      return await act(shared)
    } catch (error) {
      lost(error)
      return alone()
    }
  }

  async function comeBack(): Promise<void> {
    await tell()
    away = false
    clearInterval(retrying)
    onSwitch(false, undefined)
  }

  /** Tells the shared state what was learned and used alone. */
  async function tell(): Promise<void> {
    // Whether an account is paused is the shared state's to say, unless it lost everything.
    const there = new Set((await shared.read()).accounts.map(({ limits }) => limits.id))
    await shared.put([...known.values()].map((account) => (there.has(account.id) ? asItIs(account) : account)))
    await Promise.all([...ended.values()].map((lease) => giveBack(lease)))
    await chargeAll()
    const { at, accounts, egresses } = await local.read()
    const rests = [
      ...accounts.flatMap(({ rest, modelRests }) => [rest, ...modelRests]),
      ...egresses.map(({ rest }) => rest),
    ]
    for (const rest of rests) {
      if (rest === undefined || rest.until <= at) continue
      const { scope, kind, reason, link, until } = rest
      const hintMs = until - at
      await shared.rest({ scope, kind, reason, link, hintMs, baseMs: hintMs, maxMs: hintMs, after: 1, roll: 0 })
    }
  }

  async function giveBack(lease: HeldLease, order?: RestOrder): Promise<Rest | undefined> {
    const rest = await shared.release(lease, order)
    lent.delete(lease.id)
    ended.delete(lease.id)
    return rest
  }

  /** Its life would end it, but until then nobody could use the slot. */
  function endAlone(lease: HeldLease): void {
    if (lent.delete(lease.id)) ended.set(lease.id, lease)
  }

  async function chargeAll(): Promise<void> {
    const uses = [...usedAlone.values()]
    if (uses.length === 0) return
    usedAlone.clear()
    try {
      await shared.charge(uses)
    } catch (error) {
      for (const use of uses) useAlone(use)
      throw error
    }
  }

  function useAlone(use: Use): void {
    const key = JSON.stringify([use.account, use.egress])
    usedAlone.set(key, { ...use, count: use.count + (usedAlone.get(key)?.count ?? 0) })
  }

  function learn(account: AccountLimits): void {
    const paused = account.paused ?? known.get(account.id)?.paused
    known.set(account.id, paused === undefined ? account : { ...account, paused })
  }

  async function read(): ReturnType<PoolState['read']> {
    const askedAt = now()
    const facts = await ask(
      (state) => state.read(),
      () => local.read(),
    )
    if (away) return facts
    // So that it knows what the others saw, should it have to go on alone a moment later.
    local.recall(facts, askedAt)
    for (const { limits, paused } of facts.accounts) {
      const account = known.get(limits.id)
      if (account !== undefined) known.set(limits.id, { ...account, paused })
      await local.pause(limits.id, paused)
    }
    return facts
  }

  return {
    shared: true,
    async put(accounts) {
      for (const account of accounts) learn(account)
      await local.put(accounts)
      await ask(
        (state) => state.put(accounts),
        async () => {},
      )
    },
    async remove(account) {
      await shared.remove(account)
      known.delete(account)
      await local.remove(account)
    },
    async acquire(request) {
      const takes = request.lease !== '' && request.look !== true
      let alone = false
      const answer = await ask(
        (state) => {
          if (takes) lent.add(request.lease)
          return state.acquire(request)
        },
        () => {
          alone = true
          return local.acquire({ ...request, perMinute: request.perMinute * share })
        },
      )
      if (!takes) return answer
      if (!answer.ok) {
        if (alone) endAlone({ id: request.lease, account: '', egress: '', model: request.model, at: answer.at })
        else lent.delete(request.lease)
        return answer
      }
      const { account, egress } = answer
      const use = { account, egress, count: 1, perMinute: request.perMinute }
      if (alone) useAlone(use)
      // What this process itself used since it last read belongs to what it knows.
      else await local.charge([use])
      return answer
    },
    renew: (leases, ttlMs) =>
      ask(
        (state) => state.renew(leases, ttlMs),
        async () => {},
      ),
    async release(lease: HeldLease, order?: RestOrder) {
      const alone = local.release(lease, order)
      return ask(
        () => giveBack(lease, order),
        () => {
          endAlone(lease)
          return alone
        },
      )
    },
    async succeed(lease) {
      await local.succeed(lease)
      await ask(
        (state) => state.succeed(lease),
        async () => {},
      )
    },
    async charge(uses) {
      await local.charge(uses)
      await ask(
        (state) => state.charge(uses),
        async () => uses.forEach(useAlone),
      )
    },
    async rest(order) {
      const alone = local.rest(order)
      return ask(
        (state) => state.rest(order),
        () => alone,
      )
    },
    async clear(scopes) {
      await local.clear(scopes)
      await shared.clear(scopes)
    },
    async pause(account, paused) {
      await shared.pause(account, paused)
      const limits = known.get(account)
      if (limits !== undefined) known.set(account, { ...limits, paused })
      await local.pause(account, paused)
    },
    read,
    async close() {
      clearInterval(retrying)
      await shared.close?.()
    },
  }
}

/** The limits, without a word about whether it is paused. */
function asItIs(account: AccountLimits): AccountLimits {
  const limits = { ...account }
  delete limits.paused
  return limits
}
