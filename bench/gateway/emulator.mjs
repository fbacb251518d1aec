// The emulator on a port of its own; every measured server talks to the same one.
import { startGeminiWebEmulator } from '@castorjs/gemini-web-emulator/node'

const emulator = await startGeminiWebEmulator({ port: 0 })
process.send({ port: Number(new URL(emulator.url).port) })
process.on('disconnect', () => process.exit())
