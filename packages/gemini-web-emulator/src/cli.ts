#!/usr/bin/env node
import { defineCommand, runMain } from 'citty'
import { DEMO_ACCOUNTS } from './accounts.ts'
import { startGeminiWebEmulator } from './node.ts'

const command = defineCommand({
  meta: {
    name: 'castor-emulator',
    description: 'A local Gemini web app, for tests. It is not Google and knows nothing.',
  },
  args: {
    port: { type: 'string', description: 'Port; default 8765 or EMULATOR_PORT' },
    host: { type: 'string', description: 'Address to listen on', default: '127.0.0.1' },
  },
  async run({ args }) {
    const text = args.port ?? process.env['EMULATOR_PORT'] ?? '8765'
    const port = Number(text)
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      console.error(`The port must be a whole number from 0 to 65535, not ${text}. Set --port or EMULATOR_PORT.`)
      process.exitCode = 2
      return
    }
    const running = await startGeminiWebEmulator({ port, host: args.host }).catch((error: NodeJS.ErrnoException) => {
      console.error(
        error.code === 'EADDRINUSE'
          ? `Port ${port} is taken. Choose another with --port or EMULATOR_PORT.`
          : error.message,
      )
      process.exitCode = 1
    })
    if (running === undefined) return
    console.log(`Gemini web emulator at ${running.url} (this is not Google)`)
    console.log(`  app page   ${running.hosts.app}/app`)
    console.log(`  controls   ${running.url}/__emulator`)
    for (const { name, session, ticket, tier = 'free' } of DEMO_ACCOUNTS)
      console.log(`  account    ${name} (${tier}): __Secure-1PSID=${session}; __Secure-1PSIDTS=${ticket}`)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close())
  },
})

await runMain(command)
