import {
  isStateError,
  StateError,
  withEncryption,
  type EncryptedStateStore,
  type StateKey,
} from '@castorjs/state-store'
import { openFileStateStore, openKeyFile } from '@castorjs/state-store/node'
import { openRedisStateStore } from '@castorjs/state-store/redis'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '../config-schema.ts'

/** Everything under the data directory that must survive a restart, except media. */
const STATE_FOLDER = 'state'
const KEY_FILE = 'state.key'

/** Where the key is kept when the configuration has none. */
export const keyFileOf = (dataDir: string): string => join(resolve(dataDir), KEY_FILE)

/**
 * Opens the state: Redis when it is configured, else a folder under the data directory. Values are encrypted with the
 * configured key, or with one that is made at the first start and kept in a file of mode 0600.
 *
 * @throws {StateError} when the state cannot be used: damaged beyond repair, Redis out of reach, or the wrong key.
 */
export async function openState({ dataDir, state }: Pick<Config, 'dataDir' | 'state'>): Promise<EncryptedStateStore> {
  await mkdir(resolve(dataDir), { recursive: true, mode: 0o700 })
  const directory = resolve(dataDir, STATE_FOLDER)
  const store =
    state.redisUrl === undefined
      ? await openFileStateStore({ directory })
      : await openRedisStateStore({ url: state.redisUrl, prefix: state.redisPrefix })
  const keys = state.keys ?? (await openKeyFile(keyFileOf(dataDir)))
  const sealed = withEncryption(store, { keys: keys satisfies readonly StateKey[] })
  try {
    await sealed.checkKeys()
  } catch (error) {
    await store.close()
    if (!isStateError(error) || error.code !== 'wrong_key') throw error
    const source = state.keys === undefined ? keyFileOf(dataDir) : 'STATE_KEY (`state.keys`)'
    throw new StateError(
      'wrong_key',
      `The state was sealed with another key than that in ${source}, so Castor does not start: nothing could be read, and what it wrote would be lost with the other key. Bring back the key that sealed it, from a backup; or move the state away to begin anew without its accounts and keys.`,
      { cause: error },
    )
  }
  return sealed
}
