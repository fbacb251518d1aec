import { expect, it } from 'vitest'
import { startStack } from './stack.ts'
import { UNLIMITED } from './unlimited.ts'

it('gives an account the share and the places that the configuration names', async () => {
  const people = [
    { label: 'ada', secure1psid: 'g.a000castor-demo-ada', secure1psidts: 'sidts-castor-demo-ada', weight: 3 },
    {
      label: 'grace',
      secure1psid: 'g.a000castor-demo-grace',
      secure1psidts: 'sidts-castor-demo-grace',
      maxConcurrent: 5,
    },
  ]
  const stack = await startStack({
    config: {
      accounts: people,
      ...UNLIMITED,
    },
  })
  try {
    for (let count = 0; count < 16; count++) {
      const response = await fetch(`${stack.gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gemini-2.5-flash', messages: [{ role: 'user', content: `Question ${count}` }] }),
      })
      expect(response.status).toBe(200)
    }
    const { accounts } = (await (await fetch(`${stack.gateway.url}/api/accounts`)).json()) as {
      accounts: { id: string; weight: number; maxConcurrent: number; hour: { used: number } }[]
    }
    expect(accounts.map(({ id, weight, maxConcurrent }) => [id, weight, maxConcurrent])).toEqual([
      ['ada', 3, 2],
      ['grace', 1, 5],
    ])
    const used = Object.fromEntries(accounts.map(({ id, hour }) => [id, hour.used]))
    expect(used['ada']).toBeGreaterThan((used['grace'] ?? 0) * 2)
    expect(used['grace']).toBeGreaterThan(0)
  } finally {
    await stack.close()
  }
})
