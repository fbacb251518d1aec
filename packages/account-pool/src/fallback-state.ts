import { createMemoryPoolState, type MemoryPoolState } from './memory-state.ts'
import type { AccountLimits, HeldLease, PoolState, RestOrder } from './pool-state.ts'

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
 * Goes on alone while the shared state cannot be reached, and back to it by itself.
 *
 * Alone, a process knows the rests it has seen itself, keeps its share of the pace, and counts slots and ceilings of
 * its own only: over all processes they may be exceeded. What it learned, and the leases it still holds, are told to
 * the shared state when that is back. Operators' changes (remove, pause) fail meanwhile.
 */
export function createFallbackPoolState({
  shared,
  share = 0.5,
  retryMs = 1_000,
  onSwitch = () => {},
  now = Date.now,
  local = createMemoryPoolState({ now }),
}: FallbackPoolStateOptions): PoolState {
  const known = new Map<string, AccountLimits>()
  let away = false
  let retryAt = 0

  function lost(error: unknown): void {
    retryAt = now() + retryMs
    if (away) return
    away = true
    onSwitch(true, error)
  }

  /** Asks the shared state, and the local one instead while that is away. */
  async function ask<Result>(
    act: (state: PoolState) => Promise<Result>,
    alone: () => Promise<Result>,
  ): Promise<Result> {
    if (away && now() < retryAt) return alone()
    try {
      if (away) await tell()
      const result = await act(shared)
      if (away) {
        away = false
        onSwitch(false, undefined)
      }
      return result
    } catch (error) {
      lost(error)
      return alone()
    }
  }

  /** Tells the shared state what was learned alone. */
  async function tell(): Promise<void> {
    await shared.put([...known.values()])
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

  return {
    shared: true,
    async put(accounts) {
      for (const account of accounts) known.set(account.id, account)
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
    acquire: (request) =>
      ask(
        (state) => state.acquire(request),
        () => local.acquire({ ...request, perMinute: request.perMinute * share }),
      ),
    renew: (leases, ttlMs) =>
      ask(
        (state) => state.renew(leases, ttlMs),
        async () => {},
      ),
    async release(lease: HeldLease, order?: RestOrder) {
      const alone = local.release(lease, order)
      return ask(
        (state) => state.release(lease, order),
        () => alone,
      )
    },
    async succeed(lease) {
      await local.succeed(lease)
      await ask(
        (state) => state.succeed(lease),
        async () => {},
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
      await local.pause(account, paused)
    },
    async read() {
      const askedAt = now()
      const facts = await ask(
        (state) => state.read(),
        () => local.read(),
      )
      if (away) return facts
      // So that it knows what the others saw, should it have to go on alone a moment later.
      local.recall(facts, askedAt)
      for (const { limits, paused } of facts.accounts) await local.pause(limits.id, paused)
      return facts
    },
  }
}
