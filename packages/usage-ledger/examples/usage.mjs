// Books two requests and prints them, as sums and as CSV. Run: node examples/usage.mjs
import { createMemoryStateStore } from '@castorjs/state-store'
import { createUsageLedger, sumRows, toCsv } from '@castorjs/usage-ledger'

const ledger = createUsageLedger({ store: createMemoryStateStore() })
const request = { key: 'notebook', upstream: 'gemini-web', account: 'anna', model: 'gemini-3-pro' }
const usage = { inputTokens: 12, cachedTokens: 0, outputTokens: 80, thoughtTokens: 0, estimated: true }
ledger.record({ ...request, firstChunkMs: 420, usage })
ledger.record({ ...request, code: 'rate_limited' })

const rows = await ledger.rows({ key: 'notebook' })
for (const { model, requests, failures, outputTokens } of sumRows(rows, ['model'])) {
  console.log(`${model}: ${requests} requests, ${JSON.stringify(failures)} failed, ${outputTokens} tokens written`)
}
console.log(toCsv(rows))
await ledger.close()
