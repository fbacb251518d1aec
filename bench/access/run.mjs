// What the doorkeepers cost a request: key, limits, ledger; in memory, one after the other. Prints; never fails on time.
//   node access/run.mjs        (needs built packages)
import { createCallerKeys } from '@castorjs/caller-keys'
import { createRequestLimits } from '@castorjs/request-limits'
import { createMemoryStateStore } from '@castorjs/state-store'
import { createUsageLedger } from '@castorjs/usage-ledger'

async function measure(name, count, work, steps = count) {
  const rounds = []
  for (let round = 0; round < 6; round++) {
    const started = performance.now()
    for (let index = 0; index < count; index++) await work(index)
    rounds.push(((performance.now() - started) * 1_000) / steps)
  }
  const micros = rounds.slice(1).sort((left, right) => left - right)[2]
  console.log(`${name.padEnd(48)} ${micros.toFixed(1).padStart(8)} µs`)
}

const store = createMemoryStateStore()
const keys = createCallerKeys({ store })
const made = []
for (let index = 0; index < 1_000; index++) made.push(await keys.create({ name: `key ${index}` }))
const limits = createRequestLimits({ perHour: 1e9, modelSpacingMs: false })
const spaced = createRequestLimits({ perHour: 1e9, modelSpacingMs: 1_000 })
const ledger = createUsageLedger({ store, flushMs: 1e9 })
const usage = { inputTokens: 10, cachedTokens: 0, outputTokens: 20, thoughtTokens: 5, estimated: false }

console.log(`node ${process.version}\n`)
await measure('a key of 1,000 checked', 5_000, (index) => keys.check(made[index % 1_000].key))
await measure('limit counted: requests an hour', 20_000, (index) => limits.check(`caller-${index % 100}`, 'm'))
await measure('limit counted: hour and model spacing', 5_000, (index) => spaced.check('caller', `m${index}`))
await measure('ledger: a request recorded', 50_000, (index) =>
  ledger.record({
    key: `k${index % 100}`,
    upstream: 'u',
    account: `a${index % 10}`,
    model: 'm',
    usage,
    firstChunkMs: 5,
  }),
)
await measure(
  'ledger: a row written, 1,000 at a time',
  1,
  async () => {
    for (let index = 0; index < 1_000; index++) ledger.record({ key: `k${index}`, model: 'm' })
    await ledger.flush()
  },
  1_000,
)
await ledger.close()
