import type { RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { bundleProcess } from '@castorjs/testkit/bundle-process'
import { redisMissing, startRedis } from '@castorjs/testkit/redis-server'
import { askOnce, tally, type Ending } from './load.ts'
import {
  SECRETS,
  SEED,
  seeded,
  simulatedConfig,
  startSimulatedApp,
  TICKET_LIFE_MS,
  type Ceilings,
} from './simulation.ts'
import { createTrouble } from './strike.ts'
import {
  compareStates,
  findExcess,
  findRepeats,
  findSilentSubstitutes,
  nameOf,
  readTruth,
  type Outage,
} from './truth.ts'

if (redisMissing !== undefined) console.log(redisMissing)

/** The whole form: `node bench/accounts/run.mjs`, ten minutes. */
const RUN_MS = Number(process.env['CASTOR_SIMULATION_MS'] ?? 10_000)
const LONG = RUN_MS > TICKET_LIFE_MS
const ROUND_MS = LONG ? 60_000 : 2_500
const WORKERS = 6
const CEILINGS: Ceilings = { places: 2, perHour: LONG ? 2_000 : 40, egressPerMinute: LONG ? 2_400 : 300 }
/** Requests an hour of a limited key: less than what is asked with it in a round. */
const LIMIT = LONG ? 400 : 6
/** What a dead process held comes back within this time. */
const LEASE_BACK_MS = 10_000
/** How late the ledger is written, with a second to spare. Source: README of `usage-ledger`. */
const LEDGER_MS = 6_000

/** One process. The one that comes in its place is another. */
interface Replica {
  child: ChildProcess
  url: string
  /** Unix time in milliseconds. */
  killedAt?: number
}

/** A key with a limit of its own, used on all replicas until the next one is made. */
interface LimitedKey {
  key: string
  endings: Ending[]
}

/** One request of the load, with the process that was asked. */
interface Asked {
  ending: Ending
  replica: Replica
}

it.skipIf(redisMissing !== undefined)(
  `three gateways on one Redis under faults at random, killed in turn, Redis restarted once, seed ${SEED}`,
  { timeout: RUN_MS + 240_000 },
  async () => {
    const random = seeded(SEED)
    const folder = mkdtempSync(join(tmpdir(), 'castor-replicas-sim-'))
    const { script, remove } = await bundleProcess(new URL('gateway-process.ts', import.meta.url))
    const redis = await startRedis({ durable: true })
    const watcher = new Redis(redis.url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
    watcher.on('error', () => undefined)
    const emulator = await startSimulatedApp()
    const said: string[] = []
    const children: ChildProcess[] = []
    const replicas: Replica[] = []
    const keys: LimitedKey[] = []
    const outages: Outage[] = []
    const leasesBack: Promise<string[]>[] = []
    const asked: Asked[] = []

    const pick = (): Replica => replicas[Math.floor(random() * replicas.length)] as Replica
    const living = (): Replica => replicas.find(({ killedAt }) => killedAt === undefined) as Replica

    /** Ends the rest of an account, its address's with it, at whichever process is there. */
    async function lift(account = 'person-1'): Promise<void> {
      await fetch(`${living().url}/api/accounts/${account}/reset`, { method: 'POST' }).catch(() => undefined)
    }

    async function kill(replica: Replica): Promise<void> {
      const ended = once(replica.child, 'exit')
      const held = await leases(watcher)
      replica.killedAt = Date.now()
      replica.child.kill('SIGKILL')
      await ended
      leasesBack.push(
        sleep(LEASE_BACK_MS).then(async () => {
          const later = new Set(await leases(watcher))
          return held.filter((lease) => later.has(lease))
        }),
      )
    }

    async function restartRedis(): Promise<void> {
      const outage = { from: Date.now(), to: Infinity }
      outages.push(outage)
      await redis.stop()
      await sleep(300)
      await redis.start()
      await expect
        .poll(() => Promise.all(replicas.map(isWhole)), { timeout: 20_000, interval: 50 })
        .not.toContain(false)
      outage.to = Date.now()
    }

    try {
      const start = (name: string) =>
        startReplica({ script, name, folder, redisUrl: redis.url, emulator, said, children })
      replicas.push(...(await Promise.all(['one', 'two', 'three'].map(start))))
      keys.push(await makeLimitedKey(living().url, 'limited-0'))
      const until = performance.now() + RUN_MS
      let count = 0
      const worker = async (): Promise<void> => {
        while (performance.now() < until) {
          const replica = pick()
          const limited = random() < 0.5 ? keys.at(-1) : undefined
          const ending = await askOnce(replica.url, {
            word: `word-${++count}-end`,
            stream: random() < 0.5,
            strict: random() < 0.3,
            key: limited?.key,
            signal: AbortSignal.timeout(60_000),
          })
          asked.push({ ending, replica })
          limited?.endings.push(ending)
          await sleep(20 + random() * 80)
        }
      }
      const killer = async (): Promise<void> => {
        for (let round = 0; performance.now() + ROUND_MS < until; round++) {
          await sleep(ROUND_MS * 0.6)
          keys.push(await makeLimitedKey(living().url, `limited-${round + 1}`))
          await sleep(ROUND_MS * 0.1)
          const index = round % replicas.length
          await kill(replicas[index] as Replica)
          replicas[index] = await start(`again-${round}`)
          if (round === 0) await restartRedis()
        }
      }
      const trouble = createTrouble({ emulator, random, lift })
      await Promise.all([killer(), trouble.run(until), ...Array.from({ length: WORKERS }, worker)])

      emulator.emulator.controls.clearFaults()
      const truth = readTruth(emulator)
      const leftOver = (await Promise.all(leasesBack)).flat()
      if (LONG) await sleep(TICKET_LIFE_MS + 2_000)
      const endings = asked.map(({ ending }) => ending)
      const { url } = living()
      const compared = await compareStates(url, emulator)
      const listed = await (await fetch(`${url}/api/accounts`)).text()
      // A process that dies has not written yet what it counted in the last seconds.
      const kept = asked.filter(
        ({ ending, replica }) => ending.endedAt < (replica.killedAt ?? Infinity) - LEDGER_MS && ending.kind !== 'lost',
      ).length
      await expect.poll(() => countUsage(url), { timeout: 2 * LEDGER_MS }).toBeGreaterThanOrEqual(kept)
      const ledger = await countUsage(url)
      const keyNames = await (await fetch(`${url}/api/keys`)).text()
      said.push(...endings.map(({ message = '' }) => message))
      said.push(...compared.texts, listed, keyNames, await (await fetch(`${url}/metrics`)).text(), await redis.dump())
      const { accounts } = JSON.parse(listed) as { accounts: { id: string; active: number }[] }
      const kills = leasesBack.length
      const { renewals, shortestRenewalMs, attempts } = truth
      const reached = new Set(truth.attempts.map(({ word }) => word))
      const usage = keys.map((each) => limitUse(each, outages, reached))
      console.log(
        JSON.stringify({
          seed: SEED,
          ms: RUN_MS,
          kills,
          outageMs: outages.map(({ from, to }) => to - from),
          requests: endings.length,
          ledger: { kept, counted: ledger },
          ...tally(endings),
          limited: { limit: LIMIT, passed: usage.map(({ passed }) => passed) },
          toldSubstitutes: endings.filter(({ toldSubstitute }) => toldSubstitute).length,
          renewals,
          shortestRenewalMs,
          struck: trouble.counts,
        }),
      )

      expect(endings.filter(({ complaint }) => complaint !== undefined)).toEqual([])
      // No answer only from a process that was killed before the answer was over.
      expect(asked.filter(({ ending, replica }) => ending.kind === 'lost' && !isKilled(ending, replica))).toEqual([])
      expect(endings.filter(({ kind }) => kind === 'answer').length).toBeGreaterThan(endings.length / 5)
      expect(findRepeats(truth)).toEqual([])
      expect(findSilentSubstitutes(truth, endings)).toEqual([])
      expect(findExcess(truth, CEILINGS, { inFlight: WORKERS, outages })).toEqual([])
      expect(attempts.length).toBeGreaterThan(0)
      expect(shortestRenewalMs).toBeGreaterThanOrEqual(60_000)

      expect(usage.filter(({ passed }) => passed > LIMIT)).toEqual([])
      expect(usage.filter(({ passed, refused, unclear }) => refused > 0 && passed + unclear < LIMIT)).toEqual([])
      expect(usage.filter(({ refused }) => refused > 0).length).toBeGreaterThan(LONG ? kills / 2 : 0)

      expect(leftOver).toEqual([])
      expect(accounts.filter(({ active }) => active > 0)).toEqual([])
      expect(compared.states).toEqual(compared.truth)
      const names = (JSON.parse(keyNames) as { keys: { name: string }[] }).keys.map(({ name }) => name)
      expect(names.sort()).toEqual(keys.map((_, index) => `limited-${index}`).sort())
      expect(ledger).toBeLessThanOrEqual(endings.length)
      expect([kills > 0, outages.length]).toEqual([true, 1])
    } finally {
      for (const child of children) child.kill('SIGKILL')
      watcher.disconnect()
      await emulator.close()
      await redis.close()
      rmSync(folder, { recursive: true, force: true })
      remove()
    }
    expect(said.join('\n')).not.toMatch(SECRETS)
  },
)

/** Only a process that is dead may leave a request without an answer. */
function isKilled({ code, endedAt }: Ending, { killedAt }: Replica): boolean {
  return code === 'TypeError' && killedAt !== undefined && endedAt >= killedAt
}

/**
 * What became of the requests with a key. Nobody can tell of those that were lost or met the outage, nor whether one that
 * came to nothing before the web app was asked took a place of the limit for a moment.
 *
 * @param reached Words that arrived at the web app.
 */
function limitUse(
  { endings }: LimitedKey,
  outages: readonly Outage[],
  reached: ReadonlySet<string>,
): Record<'passed' | 'refused' | 'unclear', number> {
  const use = { passed: 0, refused: 0, unclear: 0 }
  for (const { word, kind, overLimit, askedAt, endedAt } of endings) {
    const met = outages.some(({ from, to }) => askedAt <= to && endedAt >= from)
    if (kind === 'lost' || met) use.unclear++
    else if (overLimit) use.refused++
    else if (reached.has(nameOf(word))) use.passed++
    else use.unclear++
  }
  return use
}

async function makeLimitedKey(url: string, name: string): Promise<LimitedKey> {
  const response = await fetch(`${url}/api/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, limits: { perHour: LIMIT, modelSpacingMs: false } }),
  })
  const { key } = (await response.json()) as { key: string }
  return { key, endings: [] }
}

/** Leases that count over all processes. */
async function leases(redis: Redis): Promise<string[]> {
  const keys = (await redis.keys('*')).filter((key) => key.endsWith(':leases'))
  return (await Promise.all(keys.map((key) => redis.zrangebyscore(key, Date.now(), '+inf')))).flat()
}

async function countUsage(url: string): Promise<number> {
  const { rows } = (await (await fetch(`${url}/api/usage`)).json()) as { rows: { requests: number }[] }
  return rows.reduce((sum, { requests }) => sum + requests, 0)
}

/** Whether a gateway has everything it shares with the others. */
async function isWhole({ url }: Replica): Promise<boolean> {
  const { status } = (await (await fetch(`${url}/health`)).json()) as { status: string }
  return status === 'ok'
}

interface StartOptions {
  script: string
  name: string
  folder: string
  redisUrl: string
  emulator: RunningEmulator
  said: string[]
  children: ChildProcess[]
}

async function startReplica({
  script,
  name,
  folder,
  redisUrl,
  emulator,
  said,
  children,
}: StartOptions): Promise<Replica> {
  const settings = {
    ...simulatedConfig(emulator, CEILINGS),
    dataDir: join(folder, name),
    state: { redisUrl, keys: [{ id: 'test', key: Buffer.alloc(32, 'k').toString('base64') }] },
    log: { format: 'json' },
  }
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, CASTOR_SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`A gateway ended: ${said.slice(-3).join('')}`)))
    const read = (piece: Buffer): void => {
      said.push(piece.toString())
      const found = /^(http:\/\/\S+)$/m.exec(piece.toString())
      if (found?.[1] !== undefined) resolve(found[1])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
  })
  return { child, url }
}
