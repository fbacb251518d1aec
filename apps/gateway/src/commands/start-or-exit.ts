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
    const known = describeStartFailure(error)
    if (known === undefined) throw error
    console.error(known.message)
    process.exit(known.exitCode)
  }
}

/** What is known to stand in the way, in words for the operator; a stack would only hide them. */
export function describeStartFailure(error: unknown): { message: string; exitCode: 1 | 2 } | undefined {
  if (error instanceof ConfigError) return { message: error.message, exitCode: 2 }
  if (isStateError(error)) return { message: error.message, exitCode: 1 }
  const { code, syscall, port } = (error ?? {}) as { code?: unknown; syscall?: unknown; port?: unknown }
  if (code === 'EADDRINUSE') {
    const message = `Port ${String(port)} is taken. Set PORT (and EMULATOR_PORT for the demo) to a free one.`
    return { message, exitCode: 1 }
  }
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined
  const mistake =
    code === 'EACCES'
      ? `PORT: this user may not listen on port ${String(port)}; take one from 1024 on`
      : `HOST: is no address of this machine (${String(code)}); set 127.0.0.1 for this machine alone, 0.0.0.0 for all, or leave it out`
  return { message: new ConfigError([mistake]).message, exitCode: 2 }
}
