import { ConfigError, readConfig, type ConfigSources } from '../src/config.ts'

/** What is wrong with a configuration, each mistake in its words. */
export function readMistakes(sources: ConfigSources): readonly string[] {
  try {
    readConfig(sources)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes
    throw error
  }
}
