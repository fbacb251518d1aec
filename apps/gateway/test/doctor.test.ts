import { createNodeGuardedFetch } from '@castorjs/guarded-fetch/node'
import { DEMO_ACCOUNTS, emulatorBaseUrls, type SettingsPatch } from '@castorjs/gemini-web-emulator'
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

const set = (patch: SettingsPatch) => emulator.emulator.controls.set(patch)

async function check(account?: { secure1psid: string; secure1psidts: string; proxy?: string }): Promise<CheckStep[]> {
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
  expect(outcomes(steps)).toEqual([
    'connect ok',
    'page ok',
    'token ok',
    'account ok',
    'models ok',
    'answer ok',
    'protocol ok',
  ])
  expect(JSON.stringify(steps)).not.toMatch(/g\.a000|sidts-/)
})

it('says that a guest is a guest', async () => {
  expect(outcomes(await check())).toEqual([
    'connect ok',
    'page ok',
    'account warning',
    'models ok',
    'answer ok',
    'protocol ok',
  ])
})

it('names the cause of a dead session and stops there', async () => {
  emulator.emulator.controls.changeAccount('ada', { revoked: true })
  const steps = await check(ADA)
  expect(outcomes(steps)).toEqual(['connect ok', 'page ok', 'token failed'])
  expect(steps.at(-1)?.message).toMatch(/Sign in again.*fault of the account/)
})

it('names a shape that moved', async () => {
  emulator.emulator.controls.fail({ kind: 'garbage', afterFrames: 2 })
  const steps = await check(ADA)
  expect(outcomes(steps)).toContain('protocol warning')
  expect(steps.at(-1)?.message).toMatch(/REPLY_FRAMES/)
})

it.each<[string, () => void, string[], RegExp]>([
  [
    'an address that is blocked',
    () => set({ sorry: ['*'] }),
    ['connect ok', 'page failed'],
    /address.*fault of the egress/,
  ],
  ['a consent page', () => set({ consent: true }), ['connect ok', 'page failed'], /consent.*fault of the egress/],
  [
    'a page that sends to the sign-in',
    () => (set({ deadSession: 'sign-in' }), emulator.emulator.controls.revoke('ada')),
    ['connect ok', 'page warning', 'token failed'],
    /Sign in again/,
  ],
  [
    'an account that Google wants to see',
    () => emulator.emulator.controls.changeAccount('ada', { status: 1021 }),
    ['connect ok', 'page ok', 'token ok', 'account failed'],
    /settle what it asks for.*fault of the account/,
  ],
])('names the step at which %s stops it', async (_, arrange, expected, message) => {
  arrange()
  const steps = await check(ADA)
  expect(outcomes(steps)).toEqual(expected)
  expect(steps.at(-1)?.message).toMatch(message)
})

it('says that nobody answers, and names the way it tried', async () => {
  const steps = await check({ ...ADA, proxy: 'http://127.0.0.1:9' })
  expect(outcomes(steps)).toEqual(['connect failed'])
  expect(steps[0]).toMatchObject({ fault: 'egress', cause: 'network', message: expect.stringMatching(/proxy/) })
})

it('says tier, status and age of the ticket, and goes on where terms are to be accepted', async () => {
  const words = async () => (await check(ADA)).find(({ name }) => name === 'account')
  expect(await words()).toMatchObject({
    outcome: 'ok',
    message: expect.stringMatching(/available, tier free; its ticket is of 20/),
  })
  emulator.emulator.controls.changeAccount('ada', { status: 1040 })
  expect(await words()).toEqual({
    name: 'account',
    outcome: 'warning',
    message: 'Google reports status 1040: terms must be accepted, tier free.',
  })
})

it('finds the token in an error reply when the page leaves it out', async () => {
  set({ tokenOnPage: false })
  const steps = await check(ADA)
  expect(outcomes(steps)).toEqual([
    'connect ok',
    'page ok',
    'token ok',
    'account ok',
    'models ok',
    'answer ok',
    'protocol ok',
  ])
})
