import { expect, it } from 'vitest'
import { readDuration } from './duration.ts'
import { untilPacificMidnight } from './quota-error.ts'

it.each([
  ['12s', 12_000],
  ['1.5s', 1_500],
  ['500ms', 500],
  ['373.801628ms', 374],
  ['33740.910400305s', 33_740_911],
  ['161h39m41.300432511s', 581_981_301],
  ['1h2m3.4s', 3_723_400],
  ['5h3m2.5s', 18_182_500],
  ['0s', 0],
  ['', undefined],
  ['soon', undefined],
  ['12', undefined],
  ['12s later', undefined],
])('reads the duration %j as %s ms', (text, ms) => {
  expect(readDuration(text)).toBe(ms)
})

it.each([
  ['winter', '2026-11-20T19:00:00Z', 13],
  ['summer', '2026-07-01T06:30:00Z', 0.5],
  ['midnight', '2026-11-20T08:00:00Z', 24],
])('knows how long it is until midnight in California, in %s', (_, time, hours) => {
  expect(untilPacificMidnight(Date.parse(time))).toBe(hours * 3_600_000)
})
