import { createFetchTransport, type Transport } from '@castorjs/http-transport'
import {
  createGeminiWebEmulator,
  type GeminiWebEmulator,
  type GeminiWebEmulatorOptions,
} from '@castorjs/gemini-web-emulator'
import { createGeminiWebClient, type GeminiWebClient, type GeminiWebClientOptions } from '../src/client.ts'

export interface Emulated {
  emulator: GeminiWebEmulator
  client: GeminiWebClient
  transport: Transport
  /** Requests of one kind that the emulator saw. */
  count: (path: string) => number
  /** Connections and generations that are still held. */
  held: () => number
  close: () => Promise<void>
}

export interface EmulatedOptions extends GeminiWebEmulatorOptions {
  client?: GeminiWebClientOptions
  /** Name of the account; `guest` for none. Default `grace`. */
  account?: string
}

/** A client and an emulator in one process, without a port. */
export function emulated({ client: clientOptions, account = 'grace', ...options }: EmulatedOptions = {}): Emulated {
  const emulator = createGeminiWebEmulator(options)
  const transport = createFetchTransport({ fetch: (input, init) => emulator.fetch(new Request(input, init)) })
  const client = createGeminiWebClient({
    transport,
    ...(account === 'guest' ? {} : { cookies: cookiesOf(emulator, account) }),
    recovery: { pollMs: 5, totalMs: 500 },
    ...clientOptions,
  })
  return {
    emulator,
    client,
    transport,
    count: (path) => emulator.controls.requests.filter((request) => request.path.endsWith(path)).length,
    held: () => emulator.open + client.status().running + client.status().waiting,
    async close() {
      await client.close()
      emulator.close()
    },
  }
}

/** The cookie header of an account, with its ticket of this moment. */
export function cookiesOf(emulator: GeminiWebEmulator, name: string): string {
  const account = emulator.state.accounts.all.find((one) => one.name === name)
  if (account === undefined) throw new Error(`The emulator has no account ${name}`)
  return `__Secure-1PSID=${account.session}; __Secure-1PSIDTS=${account.ticket?.value ?? ''}`
}
