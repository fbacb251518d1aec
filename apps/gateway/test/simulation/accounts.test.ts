import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
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
import { compareStates, findExcess, findRepeats, findSilentSubstitutes, readTruth } from './truth.ts'

/** The whole form: `node bench/accounts/run.mjs`, ten minutes. */
const RUN_MS = Number(process.env['CASTOR_SIMULATION_MS'] ?? 8_000)
const LONG = RUN_MS > TICKET_LIFE_MS
const WORKERS = 8
const CEILINGS: Ceilings = { places: 2, perHour: LONG ? 3_000 : 60, egressPerMinute: LONG ? 3_000 : 400 }

it(`serves 20 accounts under faults at random, seed ${SEED}`, { timeout: RUN_MS + 180_000 }, async () => {
  const random = seeded(SEED)
  const dataDir = mkdtempSync(join(tmpdir(), 'castor-simulation-'))
  const emulator = await startSimulatedApp()
  const said: string[] = []
  const gateway = await startGateway(parseConfig({ ...simulatedConfig(emulator, CEILINGS), dataDir }), {
    log: pino({ level: 'info', base: null }, { write: (line: string) => void said.push(line) }),
  })
  const trouble = createTrouble({
    emulator,
    random,
    async lift(account) {
      await gateway.accounts.resetEgress('direct')
      if (account !== undefined) await gateway.accounts.reset(account)
    },
  })
  const endings: Ending[] = []
  try {
    const until = performance.now() + RUN_MS
    let count = 0
    const worker = async (): Promise<void> => {
      while (performance.now() < until) {
        const stream = random() < 0.5
        const strict = random() < 0.3
        const number = ++count
        const signal = AbortSignal.timeout(90_000)
        endings.push(await askOnce(gateway.url, { word: `word-${number}-🙂-end`, stream, strict, signal }))
        // Somebody who leaves early, now and then.
        if (random() < 0.05)
          void askOnce(gateway.url, { word: `left-${number}`, stream: true, signal: AbortSignal.timeout(15) })
        await sleep(random() * 60)
      }
    }
    await Promise.all([trouble.run(until), ...Array.from({ length: WORKERS }, worker)])

    emulator.emulator.controls.clearFaults()
    await expect.poll(() => gateway.accounts.held, { timeout: 30_000 }).toBe(0)
    const truth = readTruth(emulator)
    // Tickets of a minute may have run out a moment after their renewal.
    if (LONG) await sleep(TICKET_LIFE_MS + 2_000)
    const compared = await compareStates(gateway.url, emulator)
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    said.push(...endings.map(({ message = '' }) => message))
    said.push(...compared.texts, metrics, await (await fetch(`${gateway.url}/api/accounts`)).text())

    const { renewals, shortestRenewalMs } = truth
    const answers = endings.filter(({ kind }) => kind === 'answer').length
    console.log(
      JSON.stringify({
        seed: SEED,
        ms: RUN_MS,
        requests: endings.length,
        ...tally(endings),
        toldSubstitutes: endings.filter(({ toldSubstitute }) => toldSubstitute).length,
        renewals,
        shortestRenewalMs,
        struck: trouble.counts,
      }),
    )
    expect(endings.filter(({ complaint }) => complaint !== undefined)).toEqual([])
    expect(endings.filter(({ kind }) => kind === 'lost')).toEqual([])
    expect(answers).toBeGreaterThan(endings.length / 5)
    expect(findRepeats(truth)).toEqual([])
    expect(findSilentSubstitutes(truth, endings)).toEqual([])
    expect(findExcess(truth, CEILINGS, { inFlight: WORKERS })).toEqual([])
    expect(shortestRenewalMs).toBeGreaterThanOrEqual(60_000)
    expect(compared.states).toEqual(compared.truth)
    expect((await gateway.accounts.status()).filter(({ active }) => active > 0)).toEqual([])
  } finally {
    await gateway.close(0)
    await emulator.close()
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    said.push(...files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')))
    rmSync(dataDir, { recursive: true, force: true })
  }
  expect(said.join('\n')).not.toMatch(SECRETS)
})
