import { createFetchTransport } from '@castorjs/http-transport'
import { createGeminiWebEmulator } from '@castorjs/gemini-web-emulator'
import { describeContentGenerator } from '@castorjs/testkit'
import { createGeminiWebClient } from './client.ts'
import { createGeminiWebGenerator } from './content-generator.ts'

describeContentGenerator('the web client', () => {
  const emulator = createGeminiWebEmulator()
  const account = emulator.state.accounts.all[0]
  if (account === undefined) throw new Error('The emulator has no account')
  const client = createGeminiWebClient({
    cookies: `__Secure-1PSID=${account.session}; __Secure-1PSIDTS=${account.ticket?.value ?? ''}`,
    transport: createFetchTransport({ fetch: (input, init) => emulator.fetch(new Request(input, init)) }),
  })
  const generator = createGeminiWebGenerator(client)
  const ask = (text: string) => ({ model: 'gemini-2.5-flash', contents: [{ role: 'user', parts: [{ text }] }] })
  return {
    generator,
    answered: () => ask('Tell me about the sea in many words.'),
    silent() {
      emulator.controls.fail({ kind: 'stall', afterFrames: 0 })
      return ask('Say nothing.')
    },
    stalled() {
      emulator.controls.fail({ kind: 'stall', afterFrames: 3 })
      return ask('Tell me about the sea in many words.')
    },
    refused() {
      emulator.controls.fail({ kind: 'code', code: 1037 })
      return { request: ask('Hello'), code: 'quota_exhausted' as const }
    },
    held: () => emulator.open + client.status().running + client.status().waiting,
    async close() {
      await client.close()
      emulator.close()
    },
  }
})
