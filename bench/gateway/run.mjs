// The gateway beside a floor, on the same emulator, in one run. Prints ratios; never fails on time.
//   node gateway/run.mjs [--quick]
import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { prepareFloorRequest } from './floor-request.mjs'
import { createClient, percentile, runCalls } from './load.mjs'
import { startProcess } from './processes.mjs'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 1 : 3
const here = (file) => new URL(file, import.meta.url).pathname
const body = (content, stream) =>
  JSON.stringify({ model: 'gemini-2.5-flash', stream, messages: [{ role: 'user', content }] })
const SHORT = 'Repeat exactly: A short answer of the usual kind, one sentence long.'

const emulator = await startProcess('emulator', here('emulator.mjs'))
const [{ session, ticket }] = DEMO_ACCOUNTS
const floor = await startProcess('floor', here('floor.mjs'), {
  env: {
    EMULATOR_URL: emulator.url,
    FLOOR_REQUEST: JSON.stringify(await prepareFloorRequest(emulatorBaseUrls(emulator.url).app)),
  },
})
const castor = await startProcess('castor', here('castor.mjs'), {
  env: { EMULATOR_URL: emulator.url, EMULATOR_ACCOUNT: `${session} ${ticket}` },
})
const servers = [floor, castor]
const clients = new Map(servers.map((server) => [server, createClient(server.url)]))

/** Median over the rounds of what `measure` returns for each server; the servers take turns. */
async function compare(measure) {
  const rounds = new Map(servers.map((server) => [server, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers) rounds.get(server).push(await measure(server, clients.get(server)))
  }
  return servers.map((server) => {
    const all = rounds.get(server)
    return Object.fromEntries(
      Object.keys(all[0]).map((key) => [
        key,
        percentile(
          all.map((values) => values[key]),
          0.5,
        ),
      ]),
    )
  })
}

async function spending(server, work) {
  const before = await server.usage()
  const result = await work()
  const after = await server.usage()
  return { ...result, cpuMs: after.cpuMs - before.cpuMs, rssMb: after.rssMb }
}

const rows = []
function report(name, [low, ours], key, digits = 2) {
  const ratio = ours[key] / low[key]
  rows.push({
    measure: name,
    floor: low[key].toFixed(digits),
    castor: ours[key].toFixed(digits),
    ratio: `${ratio.toFixed(2)}x`,
  })
}

const CALLS = quick ? 300 : 1_500
for (const [server, client] of clients) {
  process.stderr.write(`warming ${server.name}\n`)
  await runCalls(client, body(SHORT, false), { calls: CALLS, concurrency: 8 })
  await runCalls(client, body(SHORT, true), { calls: CALLS / 2, concurrency: 8 })
}

process.stderr.write('one call at a time\n')
const single = await compare(async (server, client) => {
  const { results } = await runCalls(client, body(SHORT, false), { calls: CALLS / 3, concurrency: 1 })
  const times = results.map(({ total }) => total)
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
})
report('unary, 1 at a time, p50 ms', single, 'p50')
report('unary, 1 at a time, p99 ms', single, 'p99')

process.stderr.write('sixteen calls at a time\n')
const many = await compare((server, client) =>
  spending(server, async () => {
    const { perSecond, results } = await runCalls(client, body(SHORT, false), { calls: CALLS, concurrency: 16 })
    return {
      perSecond,
      p99: percentile(
        results.map(({ total }) => total),
        0.99,
      ),
    }
  }),
)
report('unary, 16 at a time, requests/s', many, 'perSecond', 0)
report('unary, 16 at a time, p99 ms', many, 'p99')
report(
  'CPU ms per 1,000 unary calls',
  many.map(({ cpuMs }) => ({ cpuMs: (cpuMs / CALLS) * 1_000 })),
  'cpuMs',
  0,
)

process.stderr.write('first chunk of a stream\n')
const first = await compare(async (server, client) => {
  const { results } = await runCalls(client, body(SHORT, true), { calls: CALLS / 3, concurrency: 1 })
  return {
    p50: percentile(
      results.map((call) => call.first),
      0.5,
    ),
    p99: percentile(
      results.map((call) => call.first),
      0.99,
    ),
  }
})
report('stream, first chunk, p50 ms', first, 'p50')
report('stream, first chunk, p99 ms', first, 'p99')

await control({ latency: { snapshot: 10 }, snapshotChars: 24, maxSnapshots: 400 })
process.stderr.write('paced streams: CPU per chunk\n')
const STREAMS = quick ? 10 : 40
const chunks = await compare((server, client) =>
  spending(server, async () => {
    const { results } = await runCalls(client, body('Write 500 words', true), { calls: STREAMS, concurrency: 20 })
    return { pieces: results.reduce((sum, { pieces }) => sum + pieces, 0) }
  }),
)
const snapshotsPerStream = Math.max(...chunks.map(({ pieces }) => pieces)) / STREAMS
report(
  `CPU ms per 1,000 snapshots (about ${snapshotsPerStream.toFixed(0)} per stream, 10 ms apart)`,
  chunks.map(({ cpuMs }) => ({ cpuMs: (cpuMs / (snapshotsPerStream * STREAMS)) * 1_000 })),
  'cpuMs',
  0,
)

await control({ latency: { snapshot: 100 }, snapshotChars: 24, maxSnapshots: 400 })
const OPEN = quick ? 100 : 500
process.stderr.write(`${OPEN} open streams\n`)
for (const server of servers) {
  const client = clients.get(server)
  const calls = Array.from({ length: OPEN }, () => client.call(body('Write 400 words', true)))
  const failures = []
  calls.forEach((call) => call.catch((error) => failures.push(error)))
  await new Promise((resolve) => setTimeout(resolve, 6_000))
  server.openMb = (await server.usage()).rssMb
  await Promise.allSettled(calls)
  server.failures = failures.length
}
report(
  `RSS MB with ${OPEN} open streams (${castor.failures} failed)`,
  servers.map(({ openMb }) => ({ openMb })),
  'openMb',
  0,
)

console.log(
  `\nbench/gateway: web upstream, OpenAI in; node ${process.version}; median of ${ROUNDS} rounds, servers in turn`,
)
console.table(Object.fromEntries(rows.map(({ measure, ...values }) => [measure, values])))
console.log(
  'Targets, as ratio to the floor: CPU per call and first chunk at most 2x, CPU per chunk at most 1.7x, RSS at most 1.5x.',
)

for (const client of clients.values()) await client.close()
for (const server of [...servers, emulator]) await server.stop()

/** Turns the emulator's settings. */
async function control(settings) {
  const response = await fetch(`${emulator.url}/__emulator/settings`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  })
  if (!response.ok) throw new Error(`The emulator refused the settings with ${response.status}`)
}
