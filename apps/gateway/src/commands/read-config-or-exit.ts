import { ConfigError, readConfig } from '../config.ts'
import type { Config } from '../config-schema.ts'

/** The configuration, or every mistake in it on stderr and exit code 2. */
export function readConfigOrExit(): Config {
  try {
    return readConfig({ env: process.env, cwd: process.cwd() })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(2)
  }
}
