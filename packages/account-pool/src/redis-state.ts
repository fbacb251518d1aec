import {
  HOUR_MS,
  type AccountFacts,
  type Answer,
  type EgressFacts,
  type PoolFacts,
  type PoolState,
  type Rest,
} from './pool-state.ts'
import { POOL_SCRIPT } from './redis-script.ts'

/**
 * How long a lease that was given back waits for another step to travel with, in milliseconds. With traffic there always
 * is one, so that a request costs one round trip and not two.
 */
const TRAVEL_MS = 10

/** Leases given back that no step has taken along yet. */
interface Returned {
  ids: string[]
  /** Settles with the step that took them along. */
  sent: Promise<void>
  go: (step: Promise<unknown>) => void
  timer: ReturnType<typeof setTimeout>
}

/** Runs a Lua script in Redis. The pool asks for nothing else, so any client will do. */
export type RunScript = (script: string, keys: string[], args: string[]) => Promise<unknown>

export interface RedisPoolStateOptions {
  runScript: RunScript
  /** Name of the pool; processes with the same name share it. Default `pool`. */
  name?: string
  /** Begins every key. Default `castor`. */
  prefix?: string
  /**
   * An account that no process spoke of for so long is forgotten, in milliseconds: it was taken out of a configuration
   * while nobody ran. Default 1 hour; the pool speaks of its accounts six times in it.
   */
  forgetMs?: number
  /** Clock, for tests. Default: Redis's own, so that processes need not agree on the time. */
  now?: () => number
}

/**
 * A pool's state in Redis, shared by any number of processes: rests, leases, pace and ceilings hold over all, and
 * the leases of a dead process come back when they expire. One round trip per operation; a lease that is given back
 * travels with the next one, or alone after a moment. Needs Redis 5 or newer,
 * with scripts allowed.
 */
export function createRedisPoolState({
  runScript,
  name = 'pool',
  prefix = 'castor',
  forgetMs = HOUR_MS,
  now,
}: RedisPoolStateOptions): PoolState {
  const keys = [`{${prefix}:${name}}`]
  let returned: Returned | undefined

  async function run<Result>(operation: string, input: unknown): Promise<Result> {
    const time = now === undefined ? '' : String(now())
    const travelling = returned
    returned = undefined
    const args = [operation, time, JSON.stringify(input), ...(travelling?.ids ?? [])]
    const step = runScript(POOL_SCRIPT, keys, args)
    travelling?.go(step)
    const text = await step
    if (typeof text !== 'string') throw new TypeError('The Redis client gave something else than text for a script')
    return (text === '' ? undefined : JSON.parse(text)) as Result
  }

  function giveBack(id: string): Promise<void> {
    returned ??= openReturned(() => void run('release', {}).catch(() => {}))
    returned.ids.push(id)
    return returned.sent
  }

  return {
    shared: true,
    put: (accounts) => run('put', { accounts, forgetMs }),
    remove: (account) => run('remove', { account }),
    acquire: (ask) => run<Answer>('acquire', ask),
    renew: (leases, ttlMs) => run('renew', { leases, ttlMs }),
    async release(lease, order) {
      const sent = giveBack(lease.id)
      if (order === undefined) {
        await sent
        return undefined
      }
      const [rest] = await Promise.all([run<Rest>('release', { order }), sent])
      return toRest(rest)
    },
    succeed: (lease) => run('succeed', lease),
    charge: (uses) => run('charge', uses),
    rest: async (order) => toRest(await run<Rest>('rest', order)),
    clear: (scopes) => run('clear', scopes),
    pause: (account, paused) => run('pause', { account, paused }),
    read: async () => toFacts(await run<RawFacts>('read', {})),
  }
}

/** A new collection; `alone` sends it when nothing else has. */
function openReturned(alone: () => void): Returned {
  let go: Returned['go'] = () => {}
  const sent = new Promise<void>((resolve, reject) => {
    go = (step) => {
      clearTimeout(timer)
      step.then(() => resolve(), reject)
    }
  })
  const timer = setTimeout(alone, TRAVEL_MS)
  return { ids: [], sent, go, timer }
}

interface RawFacts {
  at: number
  /** Lua writes an empty list as an object. */
  accounts: Omit<AccountFacts, 'rest' | 'modelRests'>[] | Record<string, never>
  egresses: Omit<EgressFacts, 'rest'>[] | Record<string, never>
  rests: Rest[] | Record<string, never>
}

function toFacts({ at, accounts, egresses, rests }: RawFacts): PoolFacts {
  const ofAccount = new Map<string, Rest>()
  const ofEgress = new Map<string, Rest>()
  const ofModels = new Map<string, AccountFacts['modelRests']>()
  for (const rest of list(rests).map(toRest)) {
    const { scope } = rest
    if (scope.type === 'account') ofAccount.set(scope.account, rest)
    else if (scope.type === 'egress') ofEgress.set(scope.egress, rest)
    else ofModels.set(scope.account, [...(ofModels.get(scope.account) ?? []), { ...rest, scope }])
  }
  return {
    at,
    accounts: list(accounts).map((account) => ({
      ...account,
      rest: ofAccount.get(account.limits.id),
      modelRests: ofModels.get(account.limits.id) ?? [],
    })),
    egresses: list(egresses).map((egress) => ({ ...egress, rest: ofEgress.get(egress.egress) })),
  }
}

function list<Item>(value: Item[] | Record<string, never>): Item[] {
  return Array.isArray(value) ? value : []
}

function toRest(rest: Rest): Rest {
  return { ...rest, link: rest.link || undefined, trial: rest.trial || undefined }
}
