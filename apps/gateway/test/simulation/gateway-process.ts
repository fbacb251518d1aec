import { parseConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'

// A gateway of its own, until it is killed. Says its URL in the first line of its output; the log follows.
const gateway = await startGateway(parseConfig(JSON.parse(process.env['CASTOR_SETTINGS'] ?? '{}')))
process.stdout.write(`\n${gateway.url}\n`)
