// The gateway as it is shipped, with a clock that notes how long its main thread ever computed without a pause.
import { parseConfig, startGateway } from '@castorjs/gateway'
import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [session, ticket] = process.env.EMULATOR_ACCOUNT.split(' ')
const dataDir = mkdtempSync(join(tmpdir(), 'castor-pixels-'))
const gateway = await startGateway(
  parseConfig({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    accounts: [{ label: 'bench', secure1psid: session, secure1psidts: ticket }],
    geminiWeb: { baseUrls: emulatorBaseUrls(process.env.EMULATOR_URL), maxConcurrent: 100 },
    limits: { perHour: false, modelSpacingMs: false },
    pacing: { egressPerMinute: false, perHour: false, perDay: false },
    log: { level: 'warn', format: 'json' },
  }),
)

/** Milliseconds the main thread has computed. Waiting for a core that others use is not in it (Linux). */
const cpuMs = () => Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[0]) / 1e6
let longestMs = 0
let last = 0
let timer
function tick() {
  const now = cpuMs()
  longestMs = Math.max(longestMs, now - last)
  last = now
}
process.on('message', (message) => {
  if (message === 'begin') {
    last = cpuMs()
    longestMs = 0
    timer = setInterval(tick, 1)
    process.send({ begun: true })
  }
  if (message === 'end') {
    clearInterval(timer)
    process.send({ longestMs })
  }
})
process.on('disconnect', () => {
  rmSync(dataDir, { recursive: true, force: true })
  process.exit()
})
process.send({ port: gateway.port })
