import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { parseConfig } from '../src/config.ts'
import { startGateway, type Gateway } from '../src/gateway.ts'

type Emulator = Awaited<ReturnType<typeof startGeminiWebEmulator>>

/** Emulator and gateway on loopback ports, wired as `npm run demo` wires them. */
export interface Stack {
  emulator: Emulator
  gateway: Gateway
  /** Everything the gateway logged, one JSON line each. */
  logLines: string[]
  close: () => Promise<void>
}

export interface StackOptions {
  /** Changes to the gateway's configuration. */
  config?: Record<string, unknown>
  /** No account: the gateway is a guest. */
  guest?: boolean
}

export async function startStack({ config = {}, guest = false }: StackOptions = {}): Promise<Stack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'castor-test-'))
  const emulator = await startGeminiWebEmulator({ port: 0 })
  const logLines: string[] = []
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void logLines.push(line) })
  const [ada] = DEMO_ACCOUNTS
  const account = { label: 'ada', secure1psid: ada?.session, secure1psidts: ada?.ticket }
  const gateway = await startGateway(
    parseConfig({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      accounts: guest ? [] : [account],
      limits: { perHour: false, modelSpacingMs: false },
      pacing: { egressPerMinute: false, perHour: false, perDay: false },
      ...config,
      geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url), ...(config['geminiWeb'] as object | undefined) },
    }),
    { log, demo: true },
  )
  return {
    emulator,
    gateway,
    logLines,
    async close() {
      await gateway.close(0)
      await emulator.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
