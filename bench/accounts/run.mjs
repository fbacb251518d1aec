// The long forms of the gateway's simulations: ten minutes of 20 accounts under faults at random, ten minutes of three gateways on
// one Redis, and 200 times kill -9 during renewals. `CASTOR_SEED` repeats a run; `CASTOR_SIMULATION_MS` and `CASTOR_KILLS` change its length.
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const seed = process.env.CASTOR_SEED ?? String(Date.now() % 1_000_000)
console.log(`CASTOR_SEED=${seed}`)
const { status } = spawnSync('npx', ['vitest', 'run', 'apps/gateway/test/simulation'], {
  cwd: root,
  stdio: 'inherit',
  env: { CASTOR_SIMULATION_MS: '600000', CASTOR_KILLS: '200', ...process.env, CASTOR_SEED: seed },
})
process.exitCode = status ?? 1
