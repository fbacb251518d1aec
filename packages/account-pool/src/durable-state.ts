import { createMemoryPoolState } from './memory-state.ts'
import {
  DAY_MS,
  HOUR_MS,
  type AccountMemory,
  type EgressMemory,
  type PoolMemory,
  type PoolState,
  type Rest,
  type Window,
} from './pool-state.ts'

/** Where a pool's memory survives its process. What goes in is JSON; a record is replaced whole or not at all. */
export interface PoolRecords {
  /** Everything that was saved and not removed. */
  load(): Promise<Omit<PoolMemory, 'at'>>
  /** Resolves when it is durable. */
  saveAccount(account: AccountMemory): Promise<void>
  saveEgress(egress: EgressMemory): Promise<void>
  removeAccount(id: string): Promise<void>
}

export interface DurablePoolStateOptions {
  records: PoolRecords
  /** How long counts and pace may wait to be written, in milliseconds. Rests do not wait. Default 1 000. */
  writeAfterMs?: number
  /** Something could not be written; it is tried again. Must not throw. */
  onError?: (error: unknown) => void
  /** Clock, for tests. */
  now?: () => number
}

/** The longest rest there is, with its jitter. */
const LONGEST_REST_MS = 1.2 * DAY_MS

/**
 * The memory of one process, and what survives it: what rests goes on resting after a restart, and what was used of an
 * hour, a day and a pace stays used. A rest is written as it comes, counts and pace within `writeAfterMs`; a process
 * that is killed loses no more than the latter. Leases end with the process.
 */
export function createDurablePoolState({
  records,
  writeAfterMs = 1_000,
  onError = () => {},
  now = Date.now,
}: DurablePoolStateOptions): PoolState {
  const local = createMemoryPoolState({ now })
  /** Loaded, and not yet asked for. */
  const kept = { accounts: new Map<string, AccountMemory>(), egresses: new Map<string, EgressMemory>() }
  /** Accounts with a ceiling: their uses count. */
  const counted = new Set<string>()
  const changed = { accounts: new Set<string>(), egresses: new Set<string>() }
  let loading: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let writing: Promise<void> | undefined
  let nextWriting: Promise<void> | undefined
  let closed = false

  async function load(): Promise<void> {
    const { accounts, egresses } = await records.load()
    for (const account of accounts) kept.accounts.set(account.limits.id, account)
    for (const egress of egresses) kept.egresses.set(egress.egress, egress)
  }

  /** Tells the state what was kept under a name, once. */
  function recall(ids: readonly string[], names: readonly string[]): void {
    const at = now()
    const memory: PoolMemory = {
      at,
      accounts: takeAll(kept.accounts, ids).map((account) => withinReason(account, at)),
      egresses: takeAll(kept.egresses, names).map(({ egress, rest, fullAt }) => ({
        egress,
        rest: rest === undefined ? undefined : endingSoon(rest, at),
        fullAt: Math.min(fullAt, at + HOUR_MS),
      })),
    }
    local.recall(memory, at)
  }

  function writeSoon(): void {
    if (!closed) timer ??= setTimeout(() => void write(), writeAfterMs)
  }

  /** Writes all that changed. Those who come while it writes share the next time. */
  function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (writing !== undefined) {
      nextWriting ??= writing.then(() => {
        nextWriting = undefined
        return write()
      })
      return nextWriting
    }
    writing = writeChanged().finally(() => {
      writing = undefined
    })
    return writing
  }

  async function writeChanged(): Promise<void> {
    const [ids, names] = [new Set(changed.accounts), new Set(changed.egresses)]
    changed.accounts.clear()
    changed.egresses.clear()
    const { accounts, egresses } = await local.read()
    async function save(work: Promise<void>, again: () => void): Promise<void> {
      try {
        await work
      } catch (error) {
        again()
        writeSoon()
        onError(error)
      }
    }
    await Promise.all([
      ...accounts.flatMap(({ limits: { id }, rest, modelRests, hour, day, lastUsedAt }) =>
        ids.has(id)
          ? save(records.saveAccount({ limits: { id }, rest, modelRests, hour, day, lastUsedAt }), () =>
              changed.accounts.add(id),
            )
          : [],
      ),
      ...egresses.flatMap(({ egress, rest, fullAt }) =>
        names.has(egress) ? save(records.saveEgress({ egress, rest, fullAt }), () => changed.egresses.add(egress)) : [],
      ),
    ])
  }

  function keep(scope: Rest['scope']): void {
    if (scope.type === 'egress') changed.egresses.add(scope.egress)
    else changed.accounts.add(scope.account)
  }

  return {
    ...local,
    async put(limits) {
      loading ??= load()
      await loading.catch((error: unknown) => {
        loading = undefined
        throw error
      })
      await local.put(limits)
      for (const { id, perHour, perDay } of limits) {
        if (perHour + perDay > 0) counted.add(id)
        else counted.delete(id)
      }
      recall(
        limits.map(({ id }) => id),
        limits.map(({ egress }) => egress),
      )
    },
    async remove(id) {
      await local.remove(id)
      kept.accounts.delete(id)
      counted.delete(id)
      changed.accounts.delete(id)
      await writing
      await records.removeAccount(id)
    },
    async acquire(ask) {
      const answer = await local.acquire(ask)
      if (answer.ok && ask.lease !== '') {
        if (counted.has(answer.account)) changed.accounts.add(answer.account)
        if (ask.perMinute > 0) changed.egresses.add(answer.egress)
        if (changed.accounts.size + changed.egresses.size > 0) writeSoon()
      }
      return answer
    },
    async release(lease, order) {
      const rest = await local.release(lease, order)
      if (rest === undefined) return undefined
      keep(rest.scope)
      await write()
      return rest
    },
    async succeed(lease) {
      await local.succeed(lease)
      changed.accounts.add(lease.account)
      changed.egresses.add(lease.egress)
      await write()
    },
    async charge(uses) {
      await local.charge(uses)
      for (const { account, egress } of uses) {
        changed.accounts.add(account)
        changed.egresses.add(egress)
      }
      await write()
    },
    async rest(order) {
      const rest = await local.rest(order)
      keep(rest.scope)
      await write()
      return rest
    },
    async clear(scopes) {
      await local.clear(scopes)
      for (const scope of scopes) keep(scope)
      await write()
    },
    async close() {
      closed = true
      await write()
    },
  }
}

function takeAll<Value>(from: Map<string, Value>, names: readonly string[]): Value[] {
  return names.flatMap((name) => {
    const value = from.get(name)
    from.delete(name)
    return value === undefined ? [] : [value]
  })
}

/** A clock that was wrong when this was written must not rest an account for years. */
function withinReason({ limits, rest, modelRests, hour, day, lastUsedAt }: AccountMemory, at: number): AccountMemory {
  const window = ({ endsAt, count }: Window, longest: number): Window =>
    endsAt > at ? { endsAt: Math.min(endsAt, at + longest), count } : { endsAt: 0, count: 0 }
  return {
    limits,
    rest: rest === undefined ? undefined : endingSoon(rest, at),
    modelRests: modelRests.map((known) => ({ ...known, ...endingSoon(known, at), scope: known.scope })),
    hour: window(hour, HOUR_MS),
    day: window(day, DAY_MS),
    lastUsedAt: Math.min(lastUsedAt, at),
  }
}

function endingSoon(rest: Rest, at: number): Rest {
  return { ...rest, since: Math.min(rest.since, at), until: Math.min(rest.until, at + LONGEST_REST_MS) }
}
