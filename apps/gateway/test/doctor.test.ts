import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { checkWebSession, type CheckStep } from '../src/accounts/check-web-session.ts'
import { parseConfig } from '../src/config.ts'
import { openWebSession } from '../src/upstreams/web-session.ts'

let emulator: RunningEmulator
beforeAll(async () => {
  emulator = await startGeminiWebEmulator({ port: 0 })
})
afterEach(() => emulator.emulator.controls.reset())
afterAll(() => emulator.close())

async function check(account?: { secure1psid: string; secure1psidts: string }): Promise<CheckStep[]> {
  const config = parseConfig({ geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url) } })
  const session = openWebSession({
    label: 'checked',
    account: account === undefined ? undefined : { accountIndex: 0, ...account },
    config,
    mediaFetch: createNodeGuardedFetch(),
    store: undefined,
  })
  try {
    const steps: CheckStep[] = []
    for await (const step of checkWebSession(session)) steps.push(step)
    return steps
  } finally {
    await session.close()
  }
}

const [ada] = DEMO_ACCOUNTS
const ADA = { secure1psid: ada?.session ?? '', secure1psidts: ada?.ticket ?? '' }
const outcomes = (steps: CheckStep[]) => steps.map(({ name, outcome }) => `${name} ${outcome}`)

it('walks the whole line of a healthy account', async () => {
  const steps = await check(ADA)
  expect(outcomes(steps)).toEqual(['sign-in ok', 'account ok', 'models ok', 'answer ok', 'protocol ok'])
  expect(JSON.stringify(steps)).not.toMatch(/g\.a000|sidts-/)
})

it('says that a guest is a guest', async () => {
  expect(outcomes(await check())).toEqual(['sign-in warning', 'models ok', 'answer ok', 'protocol ok'])
})

it('names the cause of a dead session and stops there', async () => {
  emulator.emulator.controls.changeAccount('ada', { revoked: true })
  const steps = await check(ADA)
  expect(outcomes(steps)).toEqual(['sign-in failed'])
  expect(steps[0]?.message).toMatch(/Sign in again.*fault of the account/)
})

it('names a shape that moved', async () => {
  emulator.emulator.controls.fail({ kind: 'garbage', afterFrames: 2 })
  const steps = await check(ADA)
  expect(outcomes(steps)).toContain('protocol warning')
  expect(steps.at(-1)?.message).toMatch(/REPLY_FRAMES/)
})
