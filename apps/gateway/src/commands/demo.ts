import { DEMO_ACCOUNTS, emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'
import { defineCommand } from 'citty'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../config.ts'
import { startGateway } from '../gateway.ts'
import { createLog } from '../log.ts'
import { runUntilStopped } from './run-until-stopped.ts'

const DEFAULT_PORT = 8_100
const DEFAULT_EMULATOR_PORT = 8_765

/** Everything local: the emulator as the web app, and the gateway wired to it with an invented account. */
export const demoCommand = defineCommand({
  meta: { name: 'demo', description: 'Start the gateway with a local emulator behind it: no account, no network.' },
  async run() {
    const dataDir = mkdtempSync(join(tmpdir(), 'castor-demo-'))
    const config = parseConfig({
      host: '127.0.0.1',
      port: Number(process.env['PORT'] ?? DEFAULT_PORT),
      dataDir,
      accounts: DEMO_ACCOUNTS.map(({ name, session, ticket }) => ({
        label: name,
        secure1psid: session,
        ...(ticket === null ? {} : { secure1psidts: ticket }),
      })),
      limits: { perHour: false, modelSpacingMs: false },
      pacing: { egressPerMinute: false, perHour: false, perDay: false },
      remoteFiles: { allowPrivate: ['127.0.0.0/8'] },
      geminiWeb: {
        baseUrls: emulatorBaseUrls(`http://127.0.0.1:${process.env['EMULATOR_PORT'] ?? DEFAULT_EMULATOR_PORT}`),
      },
    })
    const log = createLog(config.log)
    await runUntilStopped(log, async () => {
      const emulator = await startGeminiWebEmulator({
        port: Number(process.env['EMULATOR_PORT'] ?? DEFAULT_EMULATOR_PORT),
      })
      const gateway = await startGateway(config, { log, demo: true }).catch(async (error: unknown) => {
        await emulator.close()
        throw error
      })
      console.log(demoText(gateway.url, emulator.url))
      return [gateway.close, () => emulator.close(), async () => rmSync(dataDir, { recursive: true, force: true })]
    })
  },
})

function demoText(url: string, emulatorUrl: string): string {
  return `
  Castor DEMO. No Google account is used; every answer comes from a local emulator at ${emulatorUrl}

    page        ${url}
    OpenAI      ${url}/v1
    web app     ${url}/gemini_official/v1

    curl ${url}/v1/chat/completions -H 'content-type: application/json' \\
      -d '{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"My name is Ada. What is my name?"}]}'

  Ctrl-C stops it.
`
}
