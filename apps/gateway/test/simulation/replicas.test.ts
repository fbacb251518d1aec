import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { redisMissing, startRedis } from '../redis-server.ts'
import { bundle } from './bundle.ts'
import { askOnce, seeded, shortestRenewal, SIMULATED, tally, type Ending } from './simulation.ts'

if (redisMissing !== undefined) console.log(redisMissing)

/** The whole form: `node bench/accounts/run.mjs`, ten minutes. */
const RUN_MS = Number(process.env['CASTOR_SIMULATION_MS'] ?? 7_000)
const KILL_EVERY_MS = RUN_MS > 60_000 ? 60_000 : 3_000
const WORKERS = 6
/** Requests an hour of the limited key: less than what is asked with it. */
const LIMIT = RUN_MS > 60_000 ? 200 : 10
const SEED = Number(process.env['CASTOR_SEED'] ?? 20_261_120)

interface Replica {
  child: ChildProcess
  url: string
}

it.skipIf(redisMissing !== undefined)(
  `three gateways on one Redis, killed in turn, Redis restarted once, seed ${SEED}`,
  { timeout: RUN_MS + 120_000 },
  async () => {
    const random = seeded(SEED)
    const folder = mkdtempSync(join(tmpdir(), 'castor-replicas-sim-'))
    const script = await bundle('gateway-process', folder)
    const redis = await startRedis()
    const emulator = await startGeminiWebEmulator({
      port: 0,
      accounts: SIMULATED,
      settings: { ticketLifeMs: 60_000, log: { size: 1_000_000 }, latency: { firstByte: 20, snapshot: 5 } },
    })
    const said: string[] = []
    const children: ChildProcess[] = []

    async function startReplica(name: string): Promise<Replica> {
      const settings = {
        host: '127.0.0.1',
        port: 0,
        dataDir: join(folder, name),
        state: { redisUrl: redis.url, keys: [{ id: 'test', key: Buffer.alloc(32, 'k').toString('base64') }] },
        accounts: SIMULATED.map((one) => ({ label: one.name, secure1psid: one.session, secure1psidts: one.ticket })),
        limits: { perHour: false, modelSpacingMs: false },
        pacing: { egressPerMinute: false, perHour: false, perDay: false, waitMs: 2_000 },
        renewal: { startAfterMs: 500, spreadMs: 100 },
        geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url), guest: false },
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

    /** A key with a limit of its own, made on one replica and used on all. */
    async function makeLimitedKey(url: string): Promise<string> {
      const response = await fetch(`${url}/api/keys`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'limited', limits: { perHour: LIMIT, modelSpacingMs: false } }),
      })
      return ((await response.json()) as { key: string }).key
    }

    const endings: Ending[] = []
    const limited: Ending[] = []
    let kills = 0
    let redisRestarts = 0
    try {
      const replicas = await Promise.all(['one', 'two', 'three'].map((name) => startReplica(name)))
      const key = await makeLimitedKey(replicas[0]?.url ?? '')
      const until = performance.now() + RUN_MS
      let count = 0
      const worker = async (): Promise<void> => {
        while (performance.now() < until) {
          const { url } = replicas[Math.floor(random() * replicas.length)] as Replica
          const own = random() < 0.5 ? key : undefined
          const ending = await askOnce(url, `word-${++count}-end`, random() < 0.5, AbortSignal.timeout(60_000), own)
          endings.push(ending)
          if (own !== undefined) limited.push(ending)
          await sleep(20 + random() * 80)
        }
      }
      const killer = async (): Promise<void> => {
        for (let at = 0; performance.now() + KILL_EVERY_MS < until; at++) {
          await sleep(KILL_EVERY_MS * 0.8)
          const index = at % replicas.length
          const { child } = replicas[index] as Replica
          const ended = once(child, 'exit')
          child.kill('SIGKILL')
          await ended
          kills++
          replicas[index] = await startReplica(`again-${at}`)
          if (at > 0) continue
          await redis.stop()
          await sleep(300)
          await redis.start()
          redisRestarts++
        }
      }
      await Promise.all([killer(), ...Array.from({ length: WORKERS }, worker)])

      // What a killed gateway held comes back within ten seconds.
      const { url } = replicas[0] as Replica
      const active = async (): Promise<number> => {
        const { accounts } = (await (await fetch(`${url}/api/accounts`)).json()) as { accounts: { active: number }[] }
        return accounts.reduce((sum, one) => sum + one.active, 0)
      }
      await expect.poll(active, { timeout: 11_000, interval: 250 }).toBe(0)
      const text = await (await fetch(`${url}/api/accounts`)).text()
      said.push(text, await (await fetch(`${url}/metrics`)).text(), await redis.dump())
      const { accounts } = JSON.parse(text) as { accounts: { id: string; active: number }[] }
      const renewed = shortestRenewal(emulator)
      console.log(
        JSON.stringify({
          seed: SEED,
          ms: RUN_MS,
          kills,
          redisRestarts,
          requests: endings.length,
          limited: {
            asked: limited.length,
            answered: limited.filter(({ kind }) => kind === 'answer').length,
            limit: LIMIT,
          },
          ...tally(endings),
          ...renewed,
        }),
      )
      expect(endings.filter(({ complaint }) => complaint !== undefined)).toEqual([])
      // Only what a killed process had in hand, or what met it while it was gone, may get no answer.
      expect(endings.filter(({ kind, code }) => kind === 'lost' && code !== 'TypeError')).toEqual([])
      // While Redis is away or a process dies, a request that was counted may be asked again; no more than that.
      const answered = limited.filter(({ kind }) => kind === 'answer').length
      expect(limited.length).toBeGreaterThan(LIMIT)
      expect(answered).toBeLessThanOrEqual(LIMIT + WORKERS * (kills + redisRestarts))
      expect(answered).toBeGreaterThan(0)
      expect(accounts.map(({ id }) => id).sort()).toEqual(SIMULATED.map(({ name }) => name).sort())
      expect(accounts.filter(({ active }) => active > 0)).toEqual([])
      expect(renewed.shortestMs).toBeGreaterThanOrEqual(59_000)
      expect([kills > 0, redisRestarts]).toEqual([true, 1])
    } finally {
      for (const child of children) child.kill('SIGKILL')
      await emulator.close()
      await redis.close()
      rmSync(folder, { recursive: true, force: true })
      rmSync(dirname(script), { recursive: true, force: true })
    }
    expect(said.join('\n')).not.toMatch(/g\.a000|sidts-|sk-castor-[a-z0-9]{12}-/)
  },
)
