// The gateway as it is shipped (built, not from source), with the official API behind it and limits out of the way.
import { parseConfig, startGateway } from '@castorjs/gateway'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const gateway = await startGateway(
  parseConfig({
    host: '127.0.0.1',
    port: 0,
    dataDir: mkdtempSync(join(tmpdir(), 'castor-bench-')),
    defaultUpstream: 'gemini-api',
    geminiApi: { keys: [{ label: 'bench', key: 'key' }], baseUrl: process.env.UPSTREAM_URL },
    limits: { perHour: false, modelSpacingMs: false },
    log: { level: 'warn', format: 'json' },
  }),
)
process.send({ port: gateway.port })
process.on('disconnect', () => process.exit())
