// What a lease costs with 1,000 accounts: in memory, and on a Redis of its own. Prints; never fails on time.
//   node pool/run.mjs        (needs built packages, and redis-server for the second half)
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccountPool, createDurablePoolState } from '@castorjs/account-pool'
import { createRedisPoolState, createScriptRunner } from '@castorjs/account-pool/redis'
import { Redis } from 'ioredis'

const ACCOUNTS = 1_000
const policy = { egressPerMinute: false, perHour: false, perDay: false, waitMs: 0, maxConcurrent: 2 }
const paced = { ...policy, egressPerMinute: 1e6, perHour: 1e6, perDay: 1e7 }
const accounts = Array.from({ length: ACCOUNTS }, (_, index) => ({
  id: `account-${index}`,
  egress: `egress-${index % 50}`,
  value: index,
}))

function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function line(name, micros, note = '') {
  console.log(`${name.padEnd(64)} ${micros.toFixed(1).padStart(8)} µs  ${note}`)
}

/**
 * Median of five rounds of `count` leases, taken and given back: microseconds of CPU per lease, which other work on the
 * machine disturbs less than the clock does; by the clock for what waits.
 */
async function measure(pool, count, ask = () => ({ model: 'm' }), clock = cpuMs) {
  const rounds = []
  for (let round = 0; round < 6; round++) {
    const started = clock()
    for (let index = 0; index < count; index++) (await pool.lease(ask(index))).release()
    rounds.push(((clock() - started) * 1_000) / count)
  }
  return rounds.slice(1).sort((left, right) => left - right)[2]
}

console.log(
  `node ${process.version}, ${ACCOUNTS} accounts behind 50 addresses; a lease taken and given back\nmemory in CPU time, Redis by the clock\n`,
)

const free = createAccountPool({ accounts, policy })
line('memory: all ready', await measure(free, 20_000), 'target < 50')
line('memory: all ready, pace and ceilings on', await measure(createAccountPool({ accounts, policy: paced }), 20_000))
const records = {
  load: async () => ({ accounts: [], egresses: [] }),
  saveAccount: async (account) => void JSON.stringify(account),
  saveEgress: async (egress) => void JSON.stringify(egress),
  removeAccount: async () => {},
}
const kept = createAccountPool({ accounts, policy: paced, state: createDurablePoolState({ records }) })
line('memory: the same, kept over restarts (without the disk)', await measure(kept, 20_000))
await kept.close()
line(
  'memory: a conversation of 5,000',
  await measure(free, 20_000, (index) => ({ model: 'm', affinity: `c${index % 5_000}` })),
)

const tired = createAccountPool({ accounts, policy })
for (let index = 0; index < ACCOUNTS - 1; index++) {
  await tired.report(`account-${index}`, { code: 'quota_exhausted' }, { model: 'm' })
}
line('memory: 999 of 1,000 limited for the model', await measure(tired, 2_000))
const busy = createAccountPool({ accounts, policy })
for (let index = 0; index < ACCOUNTS * 2 - 1; index++) await busy.lease({ model: 'm' })
line('memory: 1 free slot of 2,000', await measure(busy, 2_000))
await busy.lease()
const started = cpuMs()
for (let index = 0; index < 500; index++) await busy.lease().catch(() => {})
line('memory: refused, none free', ((cpuMs() - started) * 1_000) / 500)

if (spawnSync('redis-server', ['--version']).status !== 0) {
  console.log('\nredis-server is not installed: the second half is left out (apt-get install redis-server)')
  process.exit()
}
const folder = await mkdtemp(join(tmpdir(), 'castor-bench-pool-'))
const path = join(folder, 'redis.sock')
const server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', ''], {
  cwd: folder,
  stdio: 'ignore',
})
const client = new Redis({ path, retryStrategy: () => 20 })
client.on('error', () => {})
try {
  await client.ping()
  let trips = 0
  const runScript = createScriptRunner({
    evalsha: (...args) => (trips++, client.evalsha(...args)),
    eval: (...args) => (trips++, client.eval(...args)),
  })
  const shared = (name, options) =>
    createAccountPool({ accounts, policy: options, state: createRedisPoolState({ runScript, name }) })

  async function ping(count) {
    const begun = performance.now()
    for (let index = 0; index < count; index++) await client.ping()
    return ((performance.now() - begun) * 1_000) / count
  }
  await ping(1_000)
  const floor = await ping(3_000)
  console.log()
  line('redis: PING, the floor of one round trip', floor)
  for (const { name, options } of [
    { name: 'all ready', options: policy },
    { name: 'all ready, pace and ceilings on', options: paced },
  ]) {
    const pool = shared(name, options)
    ;(await pool.lease()).release()
    trips = 0
    const micros = await measure(
      pool,
      2_000,
      () => ({ model: 'm' }),
      () => performance.now(),
    )
    const each = trips / 12_000
    line(
      `redis: ${name}, taken and given back`,
      micros,
      `${each.toFixed(2)} round trips, ${(micros / floor).toFixed(1)} x PING`,
    )

    const begun = performance.now()
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        for (let index = 0; index < 200; index++) (await pool.lease({ model: 'm' })).release()
      }),
    )
    const seconds = (performance.now() - begun) / 1_000
    console.log(`  64 at a time: ${Math.round((64 * 200) / seconds)} leases a second`)
    await pool.close()
  }
  const full = shared('full', policy)
  await full.report('account-0', { code: 'upstream_refused' })
  for (let index = 0; index < 50; index++) await full.report(`account-${index}`, { code: 'upstream_refused' })
  const begun = performance.now()
  for (let index = 0; index < 500; index++) await full.lease({ model: 'm' }).catch(() => {})
  line('redis: refused, every address blocked', ((performance.now() - begun) * 1_000) / 500)
} finally {
  client.disconnect()
  server.kill()
  await rm(folder, { recursive: true, force: true })
}
