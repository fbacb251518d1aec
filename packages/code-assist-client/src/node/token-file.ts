import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readCredentials, writeCredentials, type Credentials } from '../auth/credentials.ts'
import type { TokenStorage } from '../auth/token-source.ts'

export interface TokenFile extends TokenStorage {
  /** @throws When the file is missing or holds no credentials; the error never quotes it. */
  load(): Promise<Credentials>
}

/**
 * Keeps credentials in a file as Gemini CLI does (`oauth_creds.json`): readable by its owner alone, replaced as a
 * whole, with fields nobody here knows kept.
 */
export function createTokenFile(path: string): TokenFile {
  async function read(): Promise<Record<string, unknown>> {
    const text = await readFile(path, 'utf8')
    try {
      return JSON.parse(text) as Record<string, unknown>
    } catch {
      throw new SyntaxError(`The credential file ${path} is not JSON`)
    }
  }

  return {
    load: async () => readCredentials(await read()),
    async save(credentials) {
      const known = await read().catch(() => ({}))
      const fresh = `${path}.${randomUUID()}.tmp`
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      try {
        await writeFile(fresh, `${JSON.stringify({ ...known, ...writeCredentials(credentials) }, null, 2)}\n`, {
          mode: 0o600,
        })
        await chmod(fresh, 0o600)
        await rename(fresh, path)
      } catch (error) {
        await rm(fresh, { force: true })
        throw error
      }
    },
  }
}
