import { defineCommand } from 'citty'
import { startDemo } from '../demo.ts'
import { createLog } from '../log.ts'
import { knownArguments } from './known-arguments.ts'
import { runUntilStopped } from './run-until-stopped.ts'

const DEFAULT_PORT = 8_100
const DEFAULT_EMULATOR_PORT = 8_765

/** Everything local: emulators of all three upstreams, and the gateway wired to them with invented accounts. */
export const demoCommand = defineCommand({
  meta: { name: 'demo', description: 'Start the gateway with local emulators behind it: no account, no network.' },
  plugins: [knownArguments],
  async run() {
    const log = createLog({ level: 'info', format: 'auto' })
    await runUntilStopped(log, async () => {
      const demo = await startDemo({
        port: readPort('PORT', DEFAULT_PORT),
        emulatorPort: readPort('EMULATOR_PORT', DEFAULT_EMULATOR_PORT),
        log,
      })
      console.log(demoText(demo.gateway.url, demo.web.url))
      return [() => demo.close()]
    })
  },
})

function readPort(name: string, standard: number): number {
  const text = process.env[name] ?? ''
  const port = text === '' ? standard : Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  console.error(`${name}: must be a port number from 0 to 65535`)
  return process.exit(2)
}

function demoText(url: string, emulatorUrl: string): string {
  return `
  Castor DEMO. No Google account is used; every answer comes from local emulators (the web app's is at ${emulatorUrl}).

    page            ${url}
    web app         ${url}/v1   and ${url}/gemini_official/v1
    official API    ${url}/gemini/v1   and ${url}/gemini/v1beta
    Code Assist     ${url}/gemini_cli/v1   and ${url}/gemini_cli/v1beta

    curl ${url}/v1/chat/completions -H 'content-type: application/json' \\
      -d '{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"My name is Ada. What is my name?"}]}'

  Ctrl-C stops it.
`
}
