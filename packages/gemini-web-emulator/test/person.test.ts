import { readPageTokens } from '@castorjs/gemini-web-protocol'
import { expect, it } from 'vitest'
import { createGeminiWebEmulator } from '../src/index.ts'

it('shows one number for two sessions of one person, and another for everybody else', async () => {
  const accountNumber = '104567890123456789012'
  const emulator = createGeminiWebEmulator({
    accounts: [
      { name: 'laptop', session: 'g.a000laptop', ticket: null, accountNumber },
      { name: 'phone', session: 'g.a000phone', ticket: null, accountNumber, profiles: 2 },
    ],
  })
  const numberAt = async (path: string, session: string) => {
    const headers = { cookie: `__Secure-1PSID=${session}`, 'user-agent': 'test' }
    const response = await emulator.fetch(new Request(`https://gemini.google.com${path}`, { headers }))
    return readPageTokens(await response.text()).accountNumber
  }
  expect([await numberAt('/app', 'g.a000laptop'), await numberAt('/app', 'g.a000phone')]).toEqual([
    accountNumber,
    accountNumber,
  ])
  expect(await numberAt('/u/1/app', 'g.a000phone')).not.toBe(accountNumber)
  expect(() =>
    emulator.controls.addAccount({ name: 'x', session: 'g.a000x', ticket: null, accountNumber: 'ada' }),
  ).toThrow(expect.objectContaining({ field: 'accountNumber' }))
})
