import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

interface Report {
  testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[]
}

/** What fails of each upstream in `broken.judged.ts`. */
async function judge(): Promise<Record<string, string[]>> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  const config = join(import.meta.dirname, '../test/judged.config.ts')
  const text = await new Promise<string>((resolve) => {
    // It fails, as it should: only what it says counts.
    execFile(process.execPath, [vitest, 'run', '--config', config], (_error, stdout) => resolve(stdout))
  })
  const { testResults } = JSON.parse(text.slice(text.indexOf('{'))) as Report
  const failed: Record<string, string[]> = {}
  for (const { ancestorTitles, title, status } of testResults.flatMap((file) => file.assertionResults)) {
    const list = (failed[ancestorTitles[0]?.split(' ')[0] ?? ''] ??= [])
    if (status === 'failed') list.push(title)
  }
  return failed
}

const ANSWERS = 'answers with text that only grows and ends with exactly one finish reason, in the last candidate'
const COLLECTED = 'gives the same answer collected as streamed'
const LAZY = 'sends nothing until the first chunk is pulled'
const UNCHANGED = 'never changes the request'
const REFUSED = 'throws a GenerationError with the right code when the upstream refuses'
const ASKS = 'tells that it asks, before the upstream can refuse'
const BEFORE_START = 'throws aborted, without asking the upstream, when the caller left before the start'
const BEFORE_FIRST = 'throws aborted within a second when the caller leaves before the first chunk'
const IN_MID_ANSWER = 'throws aborted within a second when the caller leaves a quiet upstream in mid-answer'
const MODELS = 'lists at least one model'

it('finds each way to break the contract, and nothing wrong with what keeps it', { timeout: 60_000 }, async () => {
  expect(await judge()).toEqual({
    sound: [],
    'two-finishes': [ANSWERS],
    'no-finish': [ANSWERS, COLLECTED, UNCHANGED],
    'another-code': [REFUSED],
    eager: [LAZY],
    'changes-request': [UNCHANGED],
    deaf: [BEFORE_START, BEFORE_FIRST, IN_MID_ANSWER],
    'plain-error': [REFUSED, BEFORE_START, BEFORE_FIRST, IN_MID_ANSWER],
    leaks: [REFUSED, ASKS],
    'asks-in-silence': [ASKS],
    'no-models': [MODELS],
    'prefixed-models': [MODELS],
  })
})
