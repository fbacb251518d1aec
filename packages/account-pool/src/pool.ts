import { GenerationError, throwIfAborted } from '@castorjs/content-generator'
import { readStatus, type AccountStatus } from './account-status.ts'
import { judge, type Failure, type RestKind, type Verdict } from './failures.ts'
import { createMemoryPoolState } from './memory-state.ts'
import { readLimits, readPolicy, type AccountOptions, type PoolPolicy } from './policy.ts'
import type { Answer, Ask, HeldLease, PoolState, Rest, RestOrder, Scope } from './pool-state.ts'
import { refusal } from './refusal.ts'
import { createWaitingLine } from './waiting-line.ts'

export interface AccountPoolOptions<Value> {
  accounts?: readonly AccountOptions<Value>[]
  policy?: PoolPolicy
  /** Where leases, rests and counts live. Default: the memory of this process. */
  state?: PoolState
  /** Clock of the default state, for tests. */
  now?: () => number
  /** 0 to 1, for the jitter of rests. */
  random?: () => number
  /** Something came to rest or recovered: for logs, metrics and a webhook. Must not throw. */
  onChange?: (change: PoolChange) => void
  /** A shared state failed where nobody waits for it, such as giving a lease back. Leases end by themselves then. */
  onStateError?: (error: unknown) => void
}

/** What happened to an account or an egress. Holds labels, never secrets. */
export interface PoolChange {
  type: 'rested' | 'recovered'
  /** Undefined when it is the egress that rests. */
  account: { id: string; label: string } | undefined
  egress: string
  model: string | undefined
  state: RestKind | 'ready'
  reason: string
  until: number | undefined
  link: string | undefined
}

export interface LeaseOptions {
  /** The model asked for; rests are per model where the refusal was. */
  model?: string
  /** Accounts of this group only. Default: those of no group. */
  group?: string
  /** Conversation key: the account that last served it comes first. */
  affinity?: string
  /** The conversation begins: the account is remembered for it, but nobody comes first. */
  begins?: boolean
  /** Id of an account to take if it is ready. */
  prefer?: string
  /** Ids of accounts not to take: this request has tried them. */
  exclude?: Iterable<string>
  /** Take an account on trial only if no other is ready. */
  avoidTrials?: boolean
  /** A side call such as listing models: takes no slot and does not count, but keeps away from resting accounts. */
  light?: boolean
  /** Overrides the policy's wait, in milliseconds. */
  waitMs?: number
  signal?: AbortSignal
}

/** The temporary use of an account. End it with `release` or `fail` on every path; further calls do nothing. */
export interface Lease<Value> {
  readonly account: PooledAccount
  readonly value: Value
  /** The upstream accepted the request: an account on trial is well again. */
  succeed(): void
  /** Gives the account back and rests what is at fault. Returns what the table says. */
  fail(failure: Failure): Verdict
  release(): void
}

export interface PooledAccount {
  id: string
  label: string
  egress: string
  /** Empty for none. */
  group: string
}

export interface AccountPool<Value> {
  /**
   * Takes an account, waiting for a busy one as long as the policy says.
   *
   * @throws {GenerationError} `upstream_unavailable` with the true `retryAfterMs` when none will be ready in time;
   * `upstream_auth` when only a person can change that; `aborted` when the signal aborts.
   */
  lease(options?: LeaseOptions): Promise<Lease<Value>>
  /**
   * How long until an account would serve such a request, in milliseconds: 0 when one is free now, undefined when only a
   * person can change that. Takes nothing.
   */
  waitFor(options?: Pick<LeaseOptions, 'model' | 'group' | 'light'>): Promise<number | undefined>
  /** Adds an account, or replaces the value and limits of a known one; rests and leases stay. */
  add(account: AccountOptions<Value>): Promise<void>
  /** Forgets an account. Requests on it run to their end. False when there is none of this id. */
  remove(id: string): Promise<boolean>
  /** Takes an account out of use. Requests on it run to their end. False when there is none of this id. */
  pause(id: string): Promise<boolean>
  resume(id: string): Promise<boolean>
  /** Ends every rest of an account, of its models and of its egress. False when there is none of this id. */
  reset(id: string): Promise<boolean>
  /** Ends the rest of an egress. */
  resetEgress(egress: string): Promise<void>
  /** Background work on an account failed: the same table decides. Undefined when nothing rests. */
  report(id: string, failure: Failure, options?: { model?: string }): Promise<Verdict | undefined>
  /**
   * Background work showed that an account is well: a fresh session, a check that passed.
   *
   * @param options.address It was asked what a caller asks, and answered, so its address is well too.
   */
  recovered(id: string, options?: { address?: boolean }): Promise<void>
  /** Every account of this pool as a person reads it. */
  status(): Promise<AccountStatus[]>
  get(id: string): { account: PooledAccount; value: Value } | undefined
  readonly accounts: readonly { account: PooledAccount; value: Value }[]
  /** Leases this process holds. */
  readonly held: number
  /** Requests of this process that wait for an account. */
  readonly waiting: number
  /** Stops renewing, and waits for what was given back. Leases not yet ended end with their life. */
  close(): Promise<void>
}

/** How often a waiting request looks again when other processes may have given an account back, in milliseconds. */
const SHARED_LOOK_MS = 250

/** How often other processes are told of the accounts anew, in milliseconds. What nobody speaks of is forgotten. */
const TELL_MS = 600_000

/** When to ask again while a shared state is away, in milliseconds. */
const STATE_RETRY_MS = 2_000

interface Entry<Value> {
  account: PooledAccount
  value: Value
  options: AccountOptions<Value>
}

/** A pool of accounts, knowing nothing of what they are for. */
export function createAccountPool<Value>({
  accounts = [],
  policy: policyOptions = {},
  now = Date.now,
  random = Math.random,
  state = createMemoryPoolState({ now }),
  onChange = () => {},
  onStateError = () => {},
}: AccountPoolOptions<Value>): AccountPool<Value> {
  const policy = readPolicy(policyOptions)
  const entries = new Map<string, Entry<Value>>()
  const held = new Map<string, HeldLease>()
  const line = createWaitingLine()
  const pending = new Set<Promise<unknown>>()
  const leasePrefix = crypto.randomUUID()
  let leaseCount = 0
  let renewal: ReturnType<typeof setInterval> | undefined
  const telling = state.shared ? setInterval(() => inBackground(putAll()), TELL_MS) : undefined
  // Where timers keep a process alive, this one does not.
  if (typeof telling === 'object') telling.unref?.()

  for (const options of accounts) {
    if (entries.has(options.id)) throw new RangeError(`accounts[${options.id}] is there twice; ids must differ`)
    entries.set(options.id, toEntry(options))
  }
  let ready = state.put([...entries.values()].map(({ options }) => readLimits(options, policy)))
  ready.catch(() => {})

  function inBackground(work: Promise<unknown>): void {
    const tracked = work.catch(onStateError).finally(() => pending.delete(tracked))
    pending.add(tracked)
  }

  function hold(lease: HeldLease): void {
    held.set(lease.id, lease)
    if (!state.shared || renewal !== undefined) return
    renewal = setInterval(() => inBackground(state.renew([...held.values()], policy.leaseTtlMs)), policy.leaseTtlMs / 3)
  }

  function letGo(id: string): boolean {
    const known = held.delete(id)
    if (held.size === 0) {
      clearInterval(renewal)
      renewal = undefined
    }
    return known
  }

  function orderOf(verdict: Verdict, account: PooledAccount, model: string): RestOrder | undefined {
    const scope = scopeOf(verdict, account, model)
    if (scope === undefined) return undefined
    const { kind, reason, link, baseMs, maxMs, after, hintMs } = verdict
    return { scope, kind, reason, link, baseMs, maxMs, after, hintMs, roll: random() }
  }

  function announce(rest: Rest | undefined, account: PooledAccount): void {
    if (rest === undefined || rest.until === 0) return
    const { scope, kind, reason, until, link } = rest
    onChange({
      type: 'rested',
      account: scope.type === 'egress' ? undefined : { id: account.id, label: account.label },
      egress: account.egress,
      model: scope.type === 'model' ? scope.model : undefined,
      state: kind,
      reason,
      until,
      link,
    })
  }

  function announceRecovery({ id, label, egress }: PooledAccount, model: string): void {
    onChange({
      type: 'recovered',
      account: { id, label },
      egress,
      model: model || undefined,
      state: 'ready',
      reason: 'A request was accepted',
      until: undefined,
      link: undefined,
    })
  }

  function toLease(entry: Entry<Value>, answer: Answer & { ok: true }, ask: Ask): Lease<Value> {
    const account = { ...entry.account, egress: answer.egress }
    const lease: HeldLease = {
      id: ask.lease,
      account: account.id,
      egress: answer.egress,
      model: ask.model,
      at: answer.at,
    }
    const light = ask.lease === ''
    let open = true
    if (!light) hold(lease)

    function end(order?: RestOrder): void {
      open = false
      if (!light) letGo(lease.id)
      const ended = light ? (order === undefined ? undefined : state.rest(order)) : state.release(lease, order)
      if (ended !== undefined) inBackground(ended.then((rest) => announce(rest, account)))
      line.wake()
    }

    return {
      account,
      value: entry.value,
      succeed() {
        // A light call may be answered from what is known: it proves nothing.
        if (light || !answer.marked) return
        answer.marked = false
        inBackground(
          state.succeed(lease).then(() => {
            if (answer.trial) announceRecovery(account, ask.model)
            line.wakeAll()
          }),
        )
      },
      fail(failure) {
        const verdict = judge(failure, policy.failures)
        // What took its place in the meantime, such as newer cookies, is not at fault.
        const replaced = entries.get(account.id)?.value !== entry.value && verdict.rests !== 'egress'
        if (open) end(replaced ? undefined : orderOf(verdict, account, ask.model))
        return verdict
      },
      release() {
        if (open) end()
      },
    }
  }

  async function acquire(ask: Ask): Promise<Answer> {
    try {
      await ready.catch(() => (ready = putAll({ all: true })))
      const answer = await state.acquire(ask)
      if (answer.ok || entries.size === 0 || Object.keys(answer.obstacles).length > 0) return answer
      // Only a state that knows no account of the group gives no obstacle: it was emptied, or there is none.
      if (!hasGroup(ask.group)) return answer
      await putAll({ all: true })
      return await state.acquire(ask)
    } catch (error) {
      const message = 'The state that the accounts share cannot be reached. Try again in a moment.'
      throw new GenerationError('upstream_unavailable', message, {
        retryAfterMs: STATE_RETRY_MS,
        fault: 'castor',
        cause: error,
      })
    }
  }

  /** @param all Also whether accounts are paused: for a state that knows nothing. */
  function putAll({ all = false } = {}): Promise<void> {
    return state.put(
      [...entries.values()].map(({ options }) => {
        const limits = readLimits(options, policy)
        if (!all) delete limits.paused
        return limits
      }),
    )
  }

  async function setPaused(id: string, paused: boolean): Promise<boolean> {
    if (!entries.has(id)) return false
    await state.pause(id, paused)
    // It may have been replaced or removed meanwhile.
    const current = entries.get(id)
    if (current !== undefined) entries.set(id, { ...current, options: { ...current.options, paused } })
    if (!paused) line.wakeAll()
    return true
  }

  function hasGroup(group: string): boolean {
    for (const { options } of entries.values()) if ((options.group ?? '') === group) return true
    return false
  }

  function askOf(options: LeaseOptions, exclude: readonly string[]): Ask {
    const { model = '', group = '', affinity = '', begins = false, prefer = '' } = options
    const { avoidTrials = false, light = false } = options
    const { affinityMs, perMinute, leaseTtlMs: ttlMs } = policy
    const id = light ? '' : `${leasePrefix}.${++leaseCount}`
    return {
      lease: id,
      group,
      model,
      affinity,
      affinityMs,
      begins,
      prefer,
      exclude,
      avoidTrials,
      perMinute,
      ttlMs,
    }
  }

  async function lease(options: LeaseOptions = {}): Promise<Lease<Value>> {
    const { waitMs = policy.waitMs, light = false, signal } = options
    const exclude = [...(options.exclude ?? [])]
    const startedAt = performance.now()
    const place = line.join()
    let used = false
    try {
      for (;;) {
        if (signal !== undefined) throwIfAborted(signal)
        const ask = askOf(options, exclude)
        const answer = await acquire(ask)
        if (answer.ok) {
          const entry = entries.get(answer.account)
          if (entry !== undefined) {
            const taken = toLease(entry, answer, ask)
            used = signal?.aborted !== true
            if (used) return taken
            taken.release()
            continue
          }
          // Another process added it, or this one has just removed it.
          if (!light) {
            await state.release({ ...answer, id: ask.lease, model: ask.model })
          }
          exclude.push(answer.account)
          continue
        }
        place.passOn()
        const left = waitMs - (performance.now() - startedAt)
        const byClock = answer.freeAt === undefined ? Infinity : Math.max(1, answer.freeAt - answer.at)
        const busy = (answer.obstacles.busy ?? 0) > 0
        if (left <= 0 || (!busy && byClock > left)) throw refusal(answer)
        await place
          .wait(Math.min(left, byClock, busy && state.shared ? SHARED_LOOK_MS : Infinity), signal)
          .catch(() => {})
      }
    } finally {
      place.leave(used)
    }
  }

  return {
    lease,
    async waitFor(options = {}) {
      const answer = await acquire({ ...askOf(options, []), look: true })
      return answer.ok ? 0 : refusal(answer).retryAfterMs
    },
    async add(options) {
      const limits = readLimits(options, policy)
      entries.set(options.id, toEntry(options))
      await ready.catch(() => {})
      await state.put([limits])
      line.wakeAll()
    },
    async remove(id) {
      const known = entries.delete(id)
      if (known) await state.remove(id)
      return known
    },
    pause: (id) => setPaused(id, true),
    resume: (id) => setPaused(id, false),
    async reset(id) {
      const entry = entries.get(id)
      if (entry === undefined) return false
      const facts = (await state.read()).accounts.find(({ limits }) => limits.id === id)
      await state.clear([
        { type: 'account', account: id },
        { type: 'egress', egress: entry.account.egress },
        ...(facts?.modelRests ?? []).map(({ scope }) => scope),
      ])
      line.wakeAll()
      return true
    },
    async resetEgress(egress) {
      await state.clear([{ type: 'egress', egress }])
      line.wakeAll()
    },
    async report(id, failure, { model = '' } = {}) {
      const entry = entries.get(id)
      if (entry === undefined) return undefined
      const verdict = judge(failure, policy.failures)
      const order = orderOf(verdict, entry.account, model)
      if (order === undefined) return undefined
      announce(await state.rest(order), entry.account)
      return verdict
    },
    async recovered(id, { address = false } = {}) {
      const entry = entries.get(id)
      if (entry === undefined) return
      const { egress } = entry.account
      await state.clear([{ type: 'account', account: id }, ...(address ? [{ type: 'egress', egress } as const] : [])])
      line.wakeAll()
    },
    async status() {
      await ready
      let facts = await state.read()
      const known = new Set(facts.accounts.map(({ limits }) => limits.id))
      // A shared state that was emptied is told of the accounts again, before a request has to wait for it.
      if ([...entries.keys()].some((id) => !known.has(id))) {
        await putAll({ all: true })
        facts = await state.read()
      }
      return facts.accounts.flatMap((account) => {
        const entry = entries.get(account.limits.id)
        return entry === undefined ? [] : [readStatus(account, facts, entry.account.label)]
      })
    },
    get: (id) => entries.get(id),
    get accounts() {
      return [...entries.values()]
    },
    get held() {
      return held.size
    },
    get waiting() {
      return line.length
    },
    async close() {
      clearInterval(renewal)
      clearInterval(telling)
      renewal = undefined
      await ready.catch(() => {})
      while (pending.size > 0) await Promise.all(pending)
      await state.close?.()
    },
  }
}

function toEntry<Value>(options: AccountOptions<Value>): Entry<Value> {
  const { id, label = id, egress = 'direct', group = '', value } = options
  return { account: { id, label, egress, group }, value, options }
}

function scopeOf({ rests }: Verdict, { id, egress }: PooledAccount, model: string): Scope | undefined {
  if (rests === 'nothing') return undefined
  if (rests === 'egress') return { type: 'egress', egress }
  // A refusal of the model in a call about no model can only rest the account.
  if (rests === 'model' && model !== '') return { type: 'model', account: id, model }
  return { type: 'account', account: id }
}
