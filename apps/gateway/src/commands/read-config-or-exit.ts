import { ConfigError, readConfig, readVariables } from '../config.ts'
import type { Config } from '../config-schema.ts'

/** The configuration, or every mistake in it on stderr and exit code 2. `OTEL_*` of `.env` go into the environment. */
export function readConfigOrExit(): Config {
  const sources = { env: process.env, cwd: process.cwd() }
  try {
    const config = readConfig(sources)
    // OpenTelemetry reads its variables from the process itself.
    for (const [name, value] of Object.entries(readVariables(sources))) {
      if (name.startsWith('OTEL_')) process.env[name] = value
    }
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(2)
  }
}
