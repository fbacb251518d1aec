// The gateway as it is shipped (built, not from source), wired to the emulator, with limits and logs as a busy operator
// would set them: no pacing, because the upstream is ours.
import { parseConfig, startGateway } from '@castorjs/gateway'
import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [session, ticket] = process.env.EMULATOR_ACCOUNT.split(' ')
const gateway = await startGateway(
  parseConfig({
    host: '127.0.0.1',
    port: 0,
    dataDir: mkdtempSync(join(tmpdir(), 'castor-bench-')),
    accounts: [{ label: 'bench', secure1psid: session, secure1psidts: ticket }],
    geminiWeb: { baseUrls: emulatorBaseUrls(process.env.EMULATOR_URL), maxConcurrent: 1_000 },
    limits: { perHour: false, modelSpacingMs: false },
    pacing: { egressPerMinute: false, perHour: false, perDay: false },
    log: { level: 'warn', format: 'json' },
  }),
)
process.send({ port: gateway.port })
process.on('disconnect', () => process.exit())
