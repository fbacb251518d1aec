import { createAccountPool } from '@castorjs/account-pool'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createMetrics, type Metrics } from './metrics.ts'
import { createModelNames } from './telemetry/model-names.ts'

const pool = createAccountPool({ accounts: ['ada', 'grace'].map((id) => ({ id, value: id })) })
const other = createAccountPool({ accounts: [{ id: 'key', value: 'key' }] })
let metrics: Metrics
beforeEach(() => {
  metrics = createMetrics({
    upstreams: [
      { name: 'gemini-web', status: () => pool.status() },
      { name: 'gemini-api', status: () => other.status() },
    ],
    modelNames: createModelNames([]),
    stateIsWell: () => true,
  })
})
afterEach(() => metrics.close())

async function statesSeen(): Promise<string[]> {
  const { body } = await metrics.text()
  return [...body.matchAll(/^castor_account_state\{upstream="(.*?)",account="(.*?)",state="(.*?)"\} 1$/gm)]
    .map(([, ...labels]) => labels.join(' '))
    .sort()
}

it('tells every scraper of every account, though several ask at the same moment', async () => {
  const all = ['gemini-api key ready', 'gemini-web ada ready', 'gemini-web grace ready']
  // Each begins at another step of the one before.
  const scrapes: Promise<string[]>[] = []
  for (let step = 0; step < 20; step++) {
    scrapes.push(statesSeen())
    await Promise.resolve()
  }
  expect(await Promise.all(scrapes)).toEqual(Array(20).fill(all))
})

it('forgets the state an account was in', async () => {
  await statesSeen()
  await pool.pause('ada')
  expect(await statesSeen()).toEqual(['gemini-api key ready', 'gemini-web ada disabled', 'gemini-web grace ready'])
  await pool.resume('ada')
})
