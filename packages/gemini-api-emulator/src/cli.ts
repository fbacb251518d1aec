#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { startGeminiApiEmulator } from './node.ts'

const HELP = `castor-api-emulator: a strict local Gemini API and Code Assist

  --port <number>      default 8123; 0 takes any free port
  --host <address>     default 127.0.0.1
  --key <key>          an API key to let in; may be repeated; default emulator-key
  --chunk-delay <ms>   pause before each chunk of a stream; default 20
`

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8123' },
    host: { type: 'string', default: '127.0.0.1' },
    key: { type: 'string', multiple: true, default: ['emulator-key'] },
    'chunk-delay': { type: 'string', default: '20' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) {
  process.stdout.write(HELP)
} else {
  const emulator = await startGeminiApiEmulator({
    port: Number(values.port),
    host: values.host,
    keys: Object.fromEntries(values.key.map((key) => [key, 'emulator-project'])),
    chunkDelayMs: Number(values['chunk-delay']),
  })
  process.stdout.write(`Gemini API emulator at ${emulator.url}\n`)
  const stop = (): void => void emulator.close().then(() => process.exit(0))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
