import { isStateError } from '@castorjs/state-store'
import { ConfigError } from '../config.ts'

/**
 * Starts something; what stands in the way is said on stderr, whatever the log is set to, and ends the process: with
 * code 2 for what has to be put right in the configuration, else with code 1.
 */
export async function startOrExit<Started>(start: () => Promise<Started>): Promise<Started> {
  try {
    return await start()
  } catch (error) {
    if (error instanceof ConfigError) exit(2, error.message)
    // Its words are for people; a stack would only hide them.
    if (isStateError(error)) exit(1, error.message)
    const { code, port } = error as { code?: unknown; port?: unknown }
    if (code !== 'EADDRINUSE') throw error
    exit(1, `Port ${String(port)} is taken. Set PORT (and EMULATOR_PORT for the demo) to a free one.`)
  }
}

function exit(code: number, message: string): never {
  console.error(message)
  process.exit(code)
}
