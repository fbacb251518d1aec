// What pool and limits take from the throughput of the whole gateway: in memory, on Redis, and with two processes on one
// Redis. Measures the computing time a server spends on a request, because that is what throughput ends at and other
// work on the machine disturbs it least. Prints ratios; never fails on time.
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
const [CALLS, ROUNDS] = quick ? [300, 3] : [1_000, 7]
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
  await runCalls(client, body, { calls: CALLS, concurrency: 16 })
  return { server, client }
}

async function measure({ server, client }, calls = CALLS) {
  const before = await server.usage()
  const { perSecond } = await runCalls(client, body, { calls, concurrency: 16 })
  const { cpuMs } = await server.usage()
  return { micros: ((cpuMs - before.cpuMs) * 1_000) / calls, perSecond }
}

/** Medians of rounds in which the servers take turns. */
async function compare(plain, guarded) {
  const rounds = { plain: [], guarded: [] }
  for (let round = 0; round < ROUNDS; round++) {
    rounds.plain.push(await measure(plain))
    rounds.guarded.push(await measure(guarded))
  }
  return [rounds.plain, rounds.guarded].map((all) => ({
    micros: percentile(
      all.map(({ micros }) => micros),
      0.5,
    ),
    perSecond: percentile(
      all.map(({ perSecond }) => perSecond),
      0.5,
    ),
  }))
}

function report(name, [plain, guarded]) {
  const share = (1 - plain.micros / guarded.micros) * 100
  console.log(
    `${name.padEnd(58)} ${plain.micros.toFixed(0).padStart(6)} → ${guarded.micros.toFixed(0).padStart(6)} µs a request: ` +
      `${share.toFixed(1)} % of the throughput (${plain.perSecond.toFixed(0)} → ${guarded.perSecond.toFixed(0)} a second here)`,
  )
}

console.log(`node ${process.version}; one short answer per request, 16 at a time; target: at most 10 %\n`)
const redis = spawnSync('redis-server', ['--version']).status === 0 ? await startRedis() : undefined
try {
  const bare = await start('parts, nothing around', { kind: 'parts', guarded: false })
  report(
    'handler and client: without any → 20 accounts and limits',
    await compare(bare, await start('parts', { kind: 'parts', guarded: true })),
  )

  const plain = await start('gateway, all off', { kind: 'gateway', guarded: false, accounts: people.slice(0, 1) })
  const all = { kind: 'gateway', guarded: true, accounts: people }
  report(
    `gateway: one account, all off → ${people.length} accounts, all on`,
    await compare(plain, await start('gateway, all on', all)),
  )

  if (redis === undefined)
    console.log('redis-server is not installed: the rest is left out (apt-get install redis-server)')
  else {
    const one = await start('gateway on Redis', { ...all, redisUrl: redis.url })
    report('gateway: one account, all off → all on, on Redis', await compare(plain, one))
    const two = await start('another gateway on Redis', { ...all, redisUrl: redis.url })
    const together = []
    for (let round = 0; round < ROUNDS; round++) {
      const both = await Promise.all([measure(one, CALLS), measure(two, CALLS)])
      together.push({
        micros: (both[0].micros + both[1].micros) / 2,
        perSecond: both[0].perSecond + both[1].perSecond,
      })
    }
    const alone = await measure(one)
    const sum = percentile(
      together.map(({ perSecond }) => perSecond),
      0.5,
    )
    const micros = percentile(
      together.map(({ micros: each }) => each),
      0.5,
    )
    console.log(
      `\ntwo gateways on one Redis: ${micros.toFixed(0)} µs a request each, ${sum.toFixed(0)} a second together; ` +
        `one alone ${alone.micros.toFixed(0)} µs, ${alone.perSecond.toFixed(0)} a second (all of it on the same cores as clients and emulator)`,
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
