// Two requests an hour for everybody, and a caller with an hour of its own. Run: node examples/limits.mjs
import { createRequestLimits } from '@castorjs/request-limits'

const limits = createRequestLimits({ perHour: 2, modelSpacingMs: false })
const callers = [{ caller: 'ada' }, { caller: 'ben' }, { caller: 'eva' }, { caller: 'rita', own: { perHour: 100 } }]
for (const { caller, own } of callers) {
  const { allowed, message, headers } = await limits.check(caller, 'gemini-3-pro', own)
  const left = headers['x-ratelimit-remaining-requests']
  console.log(`${caller}: ${allowed ? `goes on, ${left} left` : `429, ${message}`}`)
}

const spaced = createRequestLimits({ perHour: false, modelSpacingMs: 5_000 })
await spaced.check('ada', 'gemini-3-pro')
const { message, headers } = await spaced.check('ben', 'gemini-3-pro')
console.log(`ben: 429, ${message} (retry-after: ${headers['retry-after']})`)
