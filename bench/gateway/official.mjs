// The official API behind the gateway, beside the upstream itself, a floor and a peer, in one run. Prints ratios; never
// fails on time.
//   node gateway/official.mjs [--quick]
import { createClient, percentile, runCalls } from './load.mjs'
import { startProcess } from './processes.mjs'

const quick = process.argv.includes('--quick')
const ROUNDS = quick ? 1 : 3
const CALLS = quick ? 300 : 1_500
const here = (file) => new URL(file, import.meta.url).pathname

const upstream = await startProcess('upstream', here('official-upstream.mjs'))
const env = { UPSTREAM_URL: upstream.url }
const floor = await startProcess('floor', here('official-floor.mjs'), { env })
const castor = await startProcess('castor', here('official-castor.mjs'), { env })
const portkey = await startProcess('portkey', here('official-portkey.mjs'))
const servers = [upstream, floor, castor, portkey]
const clients = new Map(servers.map((server) => [server, createClient(server.url)]))

const QUESTION = 'What is the weather like in Boston today, and what should I wear for it?'
const portkeyHeaders = {
  'x-portkey-provider': 'google',
  'x-portkey-custom-host': `${upstream.url}/v1beta`,
  authorization: 'Bearer key',
}

/** Ways in: how a call looks, and who understands it. Directly, every way is the native one. */
const WAYS = {
  native: {
    servers: [upstream, floor, castor],
    call: (_, model, stream) => ({
      body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: QUESTION }] }] }),
      path: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    }),
  },
  openai: {
    servers: [upstream, floor, castor, portkey],
    call: (server, model, stream) =>
      server === upstream
        ? WAYS.native.call(server, model, stream)
        : {
            body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: QUESTION }] }),
            headers: server === portkey ? portkeyHeaders : {},
          },
  },
}

function send(server, way, { model = 'm-5-0', stream = false, ...load }) {
  const { body, ...options } = WAYS[way].call(server, model, stream)
  return runCalls(clients.get(server), body, { ...options, ...load })
}

async function spending(server, work) {
  const before = await server.usage()
  const result = await work()
  const after = await server.usage()
  return { ...result, cpuMs: after.cpuMs - before.cpuMs, rssMb: after.rssMb }
}

const rows = {}
/** Medians over the rounds of one number per server; the servers take turns. `against` names what 1x is. */
async function compare(name, way, against, measure, digits = 2) {
  process.stderr.write(`${name}, ${way} in\n`)
  const members = WAYS[way].servers.filter((server) => against === upstream || server !== upstream)
  const values = new Map(members.map((server) => [server, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of members) values.get(server).push(await measure(server))
  }
  const median = (server) => percentile(values.get(server), 0.5)
  const row = (rows[`${way} in: ${name}`] = {})
  for (const server of members) {
    const base = server === floor ? undefined : median(server) / median(floor)
    row[server.name === 'upstream' ? 'direct' : server.name] =
      median(server).toFixed(digits) + (base === undefined ? '' : ` (${base.toFixed(2)}x)`)
  }
}

for (const way of Object.keys(WAYS)) {
  for (const server of WAYS[way].servers) {
    const calls = server === portkey ? CALLS / 3 : CALLS
    await send(server, way, { calls, concurrency: 8 })
    await send(server, way, { calls: calls / 3, concurrency: 8, stream: true })
  }
}

for (const way of Object.keys(WAYS)) {
  await compare('unary, 1 at a time, p50 ms', way, upstream, async (server) => {
    const { results } = await send(server, way, { calls: CALLS / 3, concurrency: 1 })
    return percentile(
      results.map(({ total }) => total),
      0.5,
    )
  })
  await compare(
    'unary, 16 at a time, requests/s',
    way,
    upstream,
    async (server) => {
      const { perSecond } = await send(server, way, { calls: server === portkey ? CALLS / 3 : CALLS, concurrency: 16 })
      return perSecond
    },
    0,
  )
  await compare(
    'CPU ms per 1,000 unary calls',
    way,
    floor,
    async (server) => {
      const calls = server === portkey ? CALLS / 3 : CALLS
      const { cpuMs } = await spending(server, () => send(server, way, { calls, concurrency: 16 }))
      return (cpuMs / calls) * 1_000
    },
    0,
  )
  await compare('stream, first chunk, p50 ms', way, upstream, async (server) => {
    const { results } = await send(server, way, { calls: CALLS / 5, concurrency: 1, stream: true })
    return percentile(
      results.map(({ first }) => first),
      0.5,
    )
  })
  await compare(
    'CPU ms per 1,000 chunks (100 per stream, 10 ms apart)',
    way,
    floor,
    async (server) => {
      const streams = quick ? 10 : 40
      const work = () => send(server, way, { calls: streams, concurrency: 20, stream: true, model: 'm-100-10' })
      return ((await spending(server, work)).cpuMs / (streams * 100)) * 1_000
    },
    0,
  )
}

const OPEN = quick ? 100 : 500
rows[`openai in: RSS MB with ${OPEN} open streams`] = {}
for (const server of [floor, castor, portkey]) {
  const calls = send(server, 'openai', { calls: OPEN, concurrency: OPEN, stream: true, model: 'm-60-100' })
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  server.openMb = (await server.usage()).rssMb
  await calls
  const ratio = server === floor ? '' : ` (${(server.openMb / floor.openMb).toFixed(2)}x)`
  rows[`openai in: RSS MB with ${OPEN} open streams`][server.name] = server.openMb.toFixed(0) + ratio
}

console.log(
  `\nbench/gateway: official API out; node ${process.version}; median of ${ROUNDS} rounds, in turn; (ratio to the floor)`,
)
console.table(rows)
console.log(
  'Targets, as ratio to the floor: CPU per call, added p50 and first chunk at most 2x, CPU per chunk at most 1.7x, RSS at most 1.5x; CPU per call at most a seventh of the peer’s.',
)
for (const client of clients.values()) await client.close()
for (const server of servers) await server.stop()
