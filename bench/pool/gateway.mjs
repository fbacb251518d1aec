// What pool and limits take from the throughput of the whole gateway: in memory, on Redis, and with two processes on one
// Redis. Measures the computing time a server spends on a request, because that is what throughput ends at and other
// work on the machine disturbs it least. All servers are started and warmed alike first; then they take turns in short
// rounds, and each is compared with what the other one needed in the same round. Prints ratios; never fails on time.
//   node pool/gateway.mjs [--quick]        (needs built packages, and redis-server for the second half)
import { DEMO_ACCOUNTS } from '@castorjs/gemini-web-emulator'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, percentile, runCalls } from '../gateway/load.mjs'
import { startProcess } from '../gateway/processes.mjs'

const quick = process.argv.includes('--quick')
const [CALLS, ROUNDS, WARM_UP] = quick ? [200, 9, 1_000] : [300, 41, 5_000]
const here = (file) => new URL(file, import.meta.url).pathname
const body = JSON.stringify({
  model: 'gemini-2.5-flash',
  messages: [{ role: 'user', content: 'Repeat exactly: A short answer of the usual kind, one sentence long.' }],
})
const people = DEMO_ACCOUNTS.filter(({ ticket }) => ticket !== null).map(({ name, session, ticket }) => ({
  label: name,
  secure1psid: session,
  secure1psidts: ticket,
}))

const emulator = await startProcess('emulator', here('../gateway/emulator.mjs'))
const upstream = await startProcess('upstream', here('../gateway/official-upstream.mjs'))
const started = [emulator, upstream]

async function start(name, variant) {
  const server = await startProcess(name, here('gateway-server.mjs'), {
    env: { EMULATOR_URL: emulator.url, UPSTREAM_URL: upstream.url, VARIANT: JSON.stringify(variant) },
  })
  started.push(server)
  const client = createClient(server.url, 64)
  await runCalls(client, body, { calls: WARM_UP, concurrency: 16 })
  return { server, client, rounds: [] }
}

async function measure({ server, client }) {
  const before = await server.usage()
  const { perSecond } = await runCalls(client, body, { calls: CALLS, concurrency: 16 })
  const { cpuMs } = await server.usage()
  return { micros: ((cpuMs - before.cpuMs) * 1_000) / CALLS, perSecond }
}

/** Each goes first as often as last, so that a machine that grows slower or faster is no one's fault. */
async function takeTurns(servers) {
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) server.rounds.push(await measure(server))
  }
}

const median = (values) => percentile(values, 0.5)

function report(name, plain, guarded) {
  const shares = guarded.rounds.map(({ micros }, round) => (1 - plain.rounds[round].micros / micros) * 100)
  const [micros, perSecond] = ['micros', 'perSecond'].map((figure) =>
    [plain, guarded].map(({ rounds }) => median(rounds.map((round) => round[figure])).toFixed(0)).join(' → '),
  )
  console.log(
    `${name.padEnd(58)} ${median(shares).toFixed(1).padStart(5)} % of the throughput ` +
      `(middle half of the rounds ${percentile(shares, 0.25).toFixed(1)} to ${percentile(shares, 0.75).toFixed(1)} %; ` +
      `${micros} µs a request, ${perSecond} a second here)`,
  )
}

console.log(`node ${process.version}; one short answer per request, 16 at a time; target: at most 10 %\n`)
const redis = spawnSync('redis-server', ['--version']).status === 0 ? await startRedis() : undefined
try {
  const bare = await start('parts, nothing around', { kind: 'parts', guarded: false })
  const parts = await start('parts', { kind: 'parts', guarded: true })
  await takeTurns([bare, parts])
  report('handler and client: without any → 20 accounts and limits', bare, parts)

  const plain = await start('gateway, all off', { kind: 'gateway', guarded: false, accounts: people.slice(0, 1) })
  const all = { kind: 'gateway', guarded: true, accounts: people }
  const inMemory = await start('gateway, all on', all)
  const onRedis = redis && (await start('gateway on Redis', { ...all, redisUrl: redis.url }))
  await takeTurns([plain, inMemory, ...(onRedis ? [onRedis] : [])])
  report(`gateway: one account, all off → ${people.length} accounts, all on`, plain, inMemory)

  if (onRedis === undefined)
    console.log('redis-server is not installed: the rest is left out (apt-get install redis-server)')
  else {
    report('gateway: one account, all off → all on, on Redis', plain, onRedis)
    const another = await start('another gateway on Redis', { ...all, redisUrl: redis.url })
    const alone = []
    const together = []
    for (let round = 0; round < ROUNDS; round++) {
      alone.push((await measure(onRedis)).perSecond)
      const both = await Promise.all([measure(onRedis), measure(another)])
      together.push(both[0].perSecond + both[1].perSecond)
    }
    const ratio = median(together.map((perSecond, round) => perSecond / alone[round]))
    console.log(
      `\ntwo gateways on one Redis: ${ratio.toFixed(2)} x the requests a second of one ` +
        `(${median(alone).toFixed(0)} → ${median(together).toFixed(0)}, all of it on the same cores as clients, emulator and Redis)`,
    )
  }
} finally {
  for (const server of started) await server.stop()
  await redis?.stop()
}
process.exit()

async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'castor-bench-redis-'))
  const port = await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address()
      probe.close(() => resolve(free))
    })
  })
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    cwd: folder,
    stdio: 'ignore',
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
