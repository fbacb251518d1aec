// Two accounts, one of them limited: the request is answered by the other, and the pool says why.
//   node examples/failover.mjs
import { createAccountPool } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import { collect, finalChunk, GenerationError, partsChunk, textPart } from '@castorjs/content-generator'

const pool = createAccountPool({
  accounts: [
    { id: 'anna', label: 'anna@example.com', value: { key: 'limited' } },
    { id: 'ben', label: 'ben@example.com', egress: 'proxy-1', weight: 2, value: { key: 'fine' } },
  ],
})

/** The generator of one account; a real one asks an upstream. */
function toContentGenerator({ key }) {
  return {
    name: 'example',
    async *generateContentStream() {
      if (key === 'limited') throw new GenerationError('rate_limited', 'Too fast.', { retryAfterMs: 60_000 })
      yield partsChunk([textPart('Hello')])
      yield finalChunk('STOP')
    },
    models: async () => [{ name: 'example-model' }],
  }
}

const generator = withAccounts(pool, toContentGenerator)
const request = { model: 'example-model', contents: [{ parts: [{ text: 'Hi' }] }] }
const answer = await collect(
  generator.generateContentStream(request, {
    signal: new AbortController().signal,
    requestId: 'example',
    onServed: ({ account }) => console.log('served by', account),
  }),
)
console.log(answer.candidates?.[0]?.content?.parts?.[0]?.text)
for (const { label, text, reason } of await pool.status()) console.log(label, '·', text, '·', reason)
