import { pacedUntil, spend } from './pace.ts'
import {
  DAY_MS,
  HOUR_MS,
  type AccountLimits,
  type Answer,
  type Ask,
  type HeldLease,
  type Obstacle,
  type PoolMemory,
  type PoolState,
  type Rest,
  type RestOrder,
  type Scope,
  type Use,
  type Window,
} from './pool-state.ts'
import { isForgotten, isOnTrial, nextRest } from './rest.ts'

interface Account {
  limits: AccountLimits
  egress: Egress
  paused: boolean
  /** Place in the line: taken when lowest. */
  due: number
  active: Set<string>
  lastUsedAt: number
  hour: Window
  day: Window
  rest: Rest | undefined
  models: Map<string, Rest>
}

interface Egress {
  name: string
  /** When its bucket is full again; each request moves it on. */
  fullAt: number
  /** The pace it was last asked to keep. */
  perMinute: number
  rest: Rest | undefined
}

interface Obstruction {
  by: Obstacle
  /** Infinity when the clock alone does not end it. */
  until: number
}

/** Conversations remembered at most; the least recently used is forgotten first. */
const MAX_CONVERSATIONS = 10_000

/** A state in memory, which can be told what was known elsewhere or before. */
export interface MemoryPoolState extends PoolState {
  /**
   * Takes over rests, counts and pace of the accounts and addresses it knows, in the place of its own, unless its own
   * failure is newer than that. Leases belong to whoever holds them and are not taken over.
   *
   * @param memory By any clock; the facts of a state are one.
   * @param at What their `at` is by this state's clock, such as when they were asked for. Default: now.
   */
  recall(memory: PoolMemory, at?: number): void
}

/** The state of one process. Every step is synchronous inside, so nothing can come between check and act. */
export function createMemoryPoolState({ now = Date.now }: { now?: () => number } = {}): MemoryPoolState {
  const accounts = new Map<string, Account>()
  const egresses = new Map<string, Egress>()
  const conversations = new Map<string, { account: string; until: number }>()
  let totalWeight = 0
  let turn = 0
  let added = 0

  function egressOf(name: string): Egress {
    let egress = egresses.get(name)
    if (egress === undefined) {
      egress = { name, fullAt: 0, perMinute: 0, rest: undefined }
      egresses.set(name, egress)
    }
    return egress
  }

  function recordOf(scope: Scope): Rest | undefined {
    if (scope.type === 'egress') return egresses.get(scope.egress)?.rest
    const account = accounts.get(scope.account)
    return scope.type === 'account' ? account?.rest : account?.models.get(scope.model)
  }

  function record(scope: Scope, rest: Rest | undefined): void {
    if (scope.type === 'egress') {
      egressOf(scope.egress).rest = rest
      return
    }
    const account = accounts.get(scope.account)
    if (account === undefined) return
    if (scope.type === 'account') account.rest = rest
    else if (rest === undefined) account.models.delete(scope.model)
    else {
      for (const [model, known] of account.models) if (isForgotten(known, now())) account.models.delete(model)
      account.models.set(scope.model, rest)
    }
  }

  function restNow(order: RestOrder): Rest {
    const rest = nextRest(recordOf(order.scope), order, now())
    record(order.scope, rest)
    return { ...rest }
  }

  /** The records a lease of this account for this model depends on. */
  function records(account: Account, model: string): (Rest | undefined)[] {
    return [account.rest, model === '' ? undefined : account.models.get(model), account.egress.rest]
  }

  /** What keeps an account from serving, weightiest first; undefined when it is free. */
  function obstruction(account: Account, ask: Ask, at: number): Obstruction | undefined {
    if (account.paused) return { by: 'disabled', until: Infinity }
    const { rest, egress } = account
    const modelRest = ask.model === '' ? undefined : account.models.get(ask.model)
    let by: Obstacle | undefined
    let until = 0
    function see(obstacle: Obstacle, end: number): void {
      by ??= obstacle
      until = Math.max(until, end)
    }
    for (const known of [rest, modelRest, egress.rest]) {
      if (known !== undefined && known.until > at) see(known.kind, known.until)
    }
    if (ask.lease !== '') {
      const ceiling = ceilingUntil(account, at)
      if (ceiling > at) see('ceiling', ceiling)
      const paced = pacedUntil(egress.fullAt, ask.perMinute, at)
      if (paced > at) see('paced', paced)
      const tried = isTried(rest, at) || isTried(modelRest, at) || isTried(egress.rest, at)
      // What the clock ends tells when to look again; how long an answer takes nobody knows.
      if (by === undefined && (tried || account.active.size >= account.limits.maxConcurrent)) see('busy', Infinity)
    }
    return by === undefined ? undefined : { by, until }
  }

  /** The same as a yes or no, for a look at a thousand accounts. */
  function isFree(account: Account, ask: Ask, at: number): boolean {
    const { rest, egress, active, limits } = account
    if (account.paused || isResting(rest, at) || isResting(egress.rest, at)) return false
    const modelRest = ask.model === '' ? undefined : account.models.get(ask.model)
    if (isResting(modelRest, at)) return false
    if (ask.lease === '') return true
    if (active.size >= limits.maxConcurrent) return false
    if (isTried(rest, at) || isTried(modelRest, at) || isTried(egress.rest, at)) return false
    return ceilingUntil(account, at) <= at && pacedUntil(egress.fullAt, ask.perMinute, at) === 0
  }

  /** The account to take: the wanted one if it is free, else the first in line, those on trial last if asked so. */
  function choose(ask: Ask, at: number): Account | undefined {
    for (const wanted of [ask.prefer, ask.begins ? '' : conversation(ask.affinity, at)]) {
      const account = accounts.get(wanted)
      if (account === undefined || account.limits.group !== ask.group || ask.exclude.includes(wanted)) continue
      if (isFree(account, ask, at)) return account
    }
    let best: Account | undefined
    let trial: Account | undefined
    for (const account of accounts.values()) {
      if (account.limits.group !== ask.group || (best !== undefined && account.due >= best.due)) continue
      if (!isFree(account, ask, at) || ask.exclude.includes(account.limits.id)) continue
      if (ask.avoidTrials && records(account, ask.model).some((rest) => isOnTrial(rest, at))) {
        if (trial === undefined || account.due < trial.due) trial = account
      } else best = account
    }
    return best ?? trial
  }

  function conversation(key: string, at: number): string {
    const known = key === '' ? undefined : conversations.get(key)
    return known !== undefined && known.until > at ? known.account : ''
  }

  function remember(key: string, account: string, until: number): void {
    conversations.delete(key)
    conversations.set(key, { account, until })
    if (conversations.size > MAX_CONVERSATIONS) {
      for (const oldest of conversations.keys()) {
        conversations.delete(oldest)
        break
      }
    }
  }

  function take(account: Account, ask: Ask, at: number): Answer {
    const { id, weight } = account.limits
    const all = records(account, ask.model)
    const marked = all.some((rest) => rest !== undefined)
    const trial = all.some((rest) => isOnTrial(rest, at))
    turn++
    account.due = turn + totalWeight / weight
    if (ask.lease !== '') {
      for (const rest of all) if (rest !== undefined && isOnTrial(rest, at)) rest.trial = ask.lease
      account.active.add(ask.lease)
      account.lastUsedAt = at
      charge(account, account.egress, { count: 1, perMinute: ask.perMinute }, at)
      if (ask.affinity !== '') remember(ask.affinity, id, at + ask.affinityMs)
    }
    return { ok: true, account: id, egress: account.egress.name, marked, trial, at }
  }

  function charge(account: Account, egress: Egress, use: Pick<Use, 'count' | 'perMinute'>, at: number): void {
    count(account.hour, use.count, at, HOUR_MS)
    count(account.day, use.count, at, DAY_MS)
    if (use.perMinute === 0) return
    egress.fullAt = spend(egress.fullAt, use.perMinute, at, use.count)
    egress.perMinute = use.perMinute
  }

  function refuse(ask: Ask, at: number): Answer {
    const obstacles: Partial<Record<Obstacle, number>> = {}
    let retryAt: number | undefined
    let freeAt: number | undefined
    for (const account of accounts.values()) {
      if (account.limits.group !== ask.group) continue
      const found = obstruction(account, ask, at)
      const tried = found === undefined || ask.exclude.includes(account.limits.id)
      const by = tried ? 'tried' : found.by
      obstacles[by] = (obstacles[by] ?? 0) + 1
      if (found === undefined || found.until === Infinity) continue
      retryAt = Math.min(retryAt ?? Infinity, found.until)
      if (!tried) freeAt = Math.min(freeAt ?? Infinity, found.until)
    }
    return { ok: false, obstacles, retryAt, freeAt, at }
  }

  function endTrial(lease: HeldLease, account: Account | undefined): void {
    const all = account === undefined ? [] : records(account, lease.model)
    for (const rest of all) if (rest?.trial === lease.id) rest.trial = undefined
    const shared = egresses.get(lease.egress)?.rest
    if (shared?.trial === lease.id) shared.trial = undefined
  }

  return {
    shared: false,
    async put(limits) {
      for (const next of limits) {
        const known = accounts.get(next.id)
        if (known === undefined) {
          accounts.set(next.id, {
            limits: next,
            egress: egressOf(next.egress),
            paused: next.paused ?? false,
            // Newcomers come first, in their own order.
            due: ++added * 1e-9,
            active: new Set(),
            lastUsedAt: 0,
            hour: { endsAt: 0, count: 0 },
            day: { endsAt: 0, count: 0 },
            rest: undefined,
            models: new Map(),
          })
        } else {
          totalWeight -= known.limits.weight
          known.limits = next
          known.egress = egressOf(next.egress)
          known.paused = next.paused ?? known.paused
        }
        totalWeight += next.weight
      }
    },
    async remove(id) {
      const account = accounts.get(id)
      if (account === undefined) return
      totalWeight -= account.limits.weight
      for (const { rest } of egresses.values()) {
        if (rest?.trial !== undefined && account.active.has(rest.trial)) rest.trial = undefined
      }
      accounts.delete(id)
    },
    async acquire(ask) {
      const at = now()
      const account = choose(ask, at)
      if (account === undefined) return refuse(ask, at)
      if (ask.look !== true) return take(account, ask, at)
      return { ok: true, account: account.limits.id, egress: account.egress.name, marked: false, trial: false, at }
    },
    async renew() {
      // Leases of this process end with it.
    },
    async release(lease, order) {
      const account = accounts.get(lease.account)
      account?.active.delete(lease.id)
      endTrial(lease, account)
      return order === undefined ? undefined : restNow(order)
    },
    async succeed(lease) {
      const scopes: Scope[] = [
        { type: 'account', account: lease.account },
        { type: 'egress', egress: lease.egress },
      ]
      if (lease.model !== '') scopes.push({ type: 'model', account: lease.account, model: lease.model })
      for (const scope of scopes) {
        // A failure that came after the lease began is news that this success does not undo.
        const rest = recordOf(scope)
        if (rest !== undefined && rest.since <= lease.at) record(scope, undefined)
      }
    },
    async charge(uses) {
      for (const use of uses) {
        const account = accounts.get(use.account)
        if (account !== undefined) charge(account, egressOf(use.egress), use, now())
      }
    },
    async rest(order) {
      return restNow(order)
    },
    async clear(scopes) {
      for (const scope of scopes) record(scope, undefined)
    },
    async pause(id, paused) {
      const account = accounts.get(id)
      if (account !== undefined) account.paused = paused
    },
    async read() {
      const at = now()
      const used = new Set<Egress>()
      for (const { egress } of accounts.values()) used.add(egress)
      for (const egress of egresses.values()) {
        if (!used.has(egress) && egress.rest === undefined && egress.fullAt <= at) egresses.delete(egress.name)
      }
      return {
        at,
        accounts: [...accounts.values()].map((account) => ({
          limits: account.limits,
          paused: account.paused,
          active: account.active.size,
          lastUsedAt: account.lastUsedAt,
          ceilingUntil: ceilingUntil(account, at),
          hour: account.hour.endsAt > at ? { ...account.hour } : { endsAt: 0, count: 0 },
          day: account.day.endsAt > at ? { ...account.day } : { endsAt: 0, count: 0 },
          rest: account.rest === undefined ? undefined : { ...account.rest },
          modelRests: [...account.models.entries()].map(([model, rest]) => ({
            ...rest,
            scope: { type: 'model' as const, account: account.limits.id, model },
          })),
        })),
        egresses: [...egresses.values()].map((egress) => ({
          egress: egress.name,
          rest: egress.rest === undefined ? undefined : { ...egress.rest },
          pacedUntil: pacedUntil(egress.fullAt, egress.perMinute, at),
          fullAt: egress.fullAt > at ? Math.ceil(egress.fullAt) : 0,
        })),
      }
    },
    recall(memory, at = now()) {
      const shift = at - memory.at
      const moved = (rest: Rest): Rest => ({
        ...rest,
        since: rest.since + shift,
        until: rest.until === 0 ? 0 : rest.until + shift,
        trial: undefined,
      })
      const window = ({ endsAt, count }: Window): Window => ({ endsAt: endsAt === 0 ? 0 : endsAt + shift, count })
      const isNewer = (own: Rest | undefined): boolean => own !== undefined && own.since > at
      for (const { limits, lastUsedAt, hour, day, rest, modelRests } of memory.accounts) {
        const account = accounts.get(limits.id)
        if (account === undefined) continue
        account.lastUsedAt = lastUsedAt === 0 ? account.lastUsedAt : lastUsedAt + shift
        account.hour = window(hour)
        account.day = window(day)
        if (!isNewer(account.rest)) account.rest = rest === undefined ? undefined : moved(rest)
        for (const [model, own] of account.models) if (!isNewer(own)) account.models.delete(model)
        for (const known of modelRests) {
          if (!account.models.has(known.scope.model)) account.models.set(known.scope.model, moved(known))
        }
      }
      for (const { egress: name, rest, fullAt } of memory.egresses) {
        const egress = egressOf(name)
        if (fullAt > 0) egress.fullAt = fullAt + shift
        if (!isNewer(egress.rest)) egress.rest = rest === undefined ? undefined : moved(rest)
      }
    },
  }
}

function isResting(rest: Rest | undefined, at: number): boolean {
  return rest !== undefined && rest.until > at
}

/** True while a request tries out what has rested. */
function isTried(rest: Rest | undefined, at: number): boolean {
  return rest?.trial !== undefined && isOnTrial(rest, at)
}

function count(window: Window, requests: number, at: number, lengthMs: number): void {
  if (window.endsAt <= at) {
    window.endsAt = at + lengthMs
    window.count = 0
  }
  window.count += requests
}

function ceilingUntil({ hour, day, limits }: Account, at: number): number {
  const hourly = limits.perHour > 0 && hour.endsAt > at && hour.count >= limits.perHour ? hour.endsAt : 0
  const daily = limits.perDay > 0 && day.endsAt > at && day.count >= limits.perDay ? day.endsAt : 0
  return Math.max(hourly, daily)
}
