import type { RunScript } from './redis-state.ts'

/** The two calls of a Redis client that scripts need; ioredis has them under these names. */
export interface ScriptClient {
  evalsha(sha1: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>
  eval(script: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>
}

/** Runs scripts by their hash, and sends the text only when Redis does not know it (any more). */
export function createScriptRunner(client: ScriptClient): RunScript {
  const hashes = new Map<string, Promise<string>>()
  return async (script, keys, args) => {
    let hash = hashes.get(script)
    if (hash === undefined) hashes.set(script, (hash = sha1(script)))
    try {
      return await client.evalsha(await hash, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return client.eval(script, keys.length, ...keys, ...args)
    }
  }
}

async function sha1(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text)))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
