import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { askOnce, seeded, shortestRenewal, SIMULATED, strike, tally, type Ending } from './simulation.ts'

/** The whole form: `node bench/accounts/run.mjs`, ten minutes. */
const RUN_MS = Number(process.env['CASTOR_SIMULATION_MS'] ?? 8_000)
const SEED = Number(process.env['CASTOR_SEED'] ?? 20_261_120)
const WORKERS = 8

it(`serves 20 accounts under faults at random, seed ${SEED}`, { timeout: RUN_MS + 180_000 }, async () => {
  const random = seeded(SEED)
  const dataDir = mkdtempSync(join(tmpdir(), 'castor-simulation-'))
  const emulator = await startGeminiWebEmulator({
    port: 0,
    accounts: SIMULATED,
    settings: { ticketLifeMs: 60_000, log: { size: 1_000_000 }, latency: { firstByte: 20, snapshot: 5 } },
  })
  const { controls } = emulator.emulator
  const log: string[] = []
  const gateway = await startGateway(
    parseConfig({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      accounts: SIMULATED.map(({ name, session, ticket }) => ({
        label: name,
        secure1psid: session,
        secure1psidts: ticket,
      })),
      limits: { perHour: false, modelSpacingMs: false },
      pacing: { egressPerMinute: false, perHour: false, perDay: false, waitMs: 2_000 },
      renewal: { startAfterMs: 500, spreadMs: 100 },
      geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url), guest: false },
    }),
    { log: pino({ level: 'info', base: null }, { write: (line: string) => void log.push(line) }) },
  )
  const revoked = new Set<string>()
  const expired = new Map<string, number>()
  const endings: Ending[] = []
  const answers: string[] = []
  try {
    const until = performance.now() + RUN_MS
    let count = 0
    const worker = async (): Promise<void> => {
      while (performance.now() < until) {
        count++
        endings.push(await askOnce(gateway.url, `word-${count}-🙂-end`, random() < 0.5, AbortSignal.timeout(90_000)))
        // Somebody who leaves early, now and then.
        if (random() < 0.05) void askOnce(gateway.url, `left-${count}`, true, AbortSignal.timeout(15))
        await sleep(random() * 60)
      }
    }
    const trouble = async (): Promise<void> => {
      while (performance.now() < until) {
        strike(emulator, random, revoked, expired)
        await sleep(60 + random() * 120)
        // The operator lifts what would rest for hours, so that the load goes on.
        if (random() < 0.3) await gateway.accounts.resetEgress('direct')
        const limited = SIMULATED[Math.floor(random() * SIMULATED.length)]?.name ?? ''
        if (random() < 0.3 && !revoked.has(limited)) await gateway.accounts.reset(limited)
      }
    }
    await Promise.all([trouble(), ...Array.from({ length: WORKERS }, worker)])

    controls.clearFaults()
    await expect.poll(() => gateway.accounts.held, { timeout: 30_000 }).toBe(0)
    // Tickets of a minute may have run out a moment after their renewal.
    if (RUN_MS > 60_000) await sleep(62_000)
    const states: Record<string, string> = {}
    for (const { name } of SIMULATED) {
      await gateway.accounts.reset(name)
      const response = await fetch(`${gateway.url}/api/accounts/${name}/check`, { method: 'POST' })
      const text = await response.text()
      answers.push(text)
      states[name] = (JSON.parse(text) as { account: { state: string } }).account.state
    }
    const truth = Object.fromEntries(
      controls.accounts().map(({ name, revoked: out }) => [name, out ? 'signed-out' : 'ready']),
    )
    answers.push(
      await (await fetch(`${gateway.url}/metrics`)).text(),
      await (await fetch(`${gateway.url}/api/accounts`)).text(),
    )

    const renewed = shortestRenewal(emulator)
    console.log(
      JSON.stringify({
        seed: SEED,
        ms: RUN_MS,
        requests: endings.length,
        ...tally(endings),
        ...renewed,
        signedOut: revoked.size,
      }),
    )
    expect(endings.filter(({ complaint }) => complaint !== undefined)).toEqual([])
    expect(endings.filter(({ kind }) => kind === 'lost')).toEqual([])
    expect(endings.filter(({ kind }) => kind === 'answer').length).toBeGreaterThan(endings.length / 2)
    expect(renewed.shortestMs).toBeGreaterThanOrEqual(59_000)
    expect(states).toEqual(truth)
    expect((await gateway.accounts.status()).filter(({ active }) => active > 0)).toEqual([])
  } finally {
    await gateway.close(0)
    await emulator.close()
  }
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const kept = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
  const seen = [...log, ...answers, ...kept].join('\n')
  rmSync(dataDir, { recursive: true, force: true })
  expect(seen).not.toMatch(/g\.a000|sidts-|SNlM0e/)
})
