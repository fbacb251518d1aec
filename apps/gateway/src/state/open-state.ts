import {
  isStateError,
  StateError,
  withEncryption,
  type EncryptedStateStore,
  type StateKey,
  type StateStore,
} from '@castorjs/state-store'
import { makeFolder, openFileStateStore, openKeyFile } from '@castorjs/state-store/node'
import { openRedisStateStore } from '@castorjs/state-store/redis'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '../config-schema.ts'
import { claimState, joinState } from './state-users.ts'

/** Everything under the data directory that must survive a restart, except media. */
const STATE_FOLDER = 'state'
const KEY_FILE = 'state.key'

/** Where the embedded state is kept. */
export const stateFolderOf = (dataDir: string): string => join(resolve(dataDir), STATE_FOLDER)

/** Where the key is kept when the configuration has none. */
export const keyFileOf = (dataDir: string): string => join(resolve(dataDir), KEY_FILE)

type StateConfig = Pick<Config, 'dataDir' | 'state'>

/** Hears what the operator must know: a record that does not open, keys that are no longer those of the state. */
type OnTrouble = (message: string) => void

/**
 * Opens the state: Redis when it is configured, else a folder under the data directory. Values are encrypted with the
 * configured key, or with one that is made at the first start and kept in a file of mode 0600.
 *
 * @throws {StateError} when the state cannot be used: damaged beyond repair, Redis out of reach, or the wrong key.
 */
export async function openState(config: StateConfig, onTrouble?: OnTrouble): Promise<EncryptedStateStore> {
  const home = await openHome(config)
  let leave = async (): Promise<void> => {}
  try {
    const opened = await readKeys(config)
    let sealed: EncryptedStateStore | undefined
    if (home.shared) leave = await joinState(home, idOf(opened.keys), async () => sealed?.checkKeys())
    sealed = await unseal(home, config, opened, onTrouble)
    return {
      ...sealed,
      async close() {
        await leave()
        await home.close()
      },
    }
  } catch (error) {
    await leave()
    await home.close()
    throw error
  }
}

/**
 * Opens the state to change its key: with Redis, processes that seal with another one than `key` are in the way, and none
 * may start meanwhile. Undefined is a key that nobody has yet.
 *
 * @param work Gets what opens the state, each time with the keys there are then.
 * @throws {StateError} `in_use`, naming who uses the state.
 */
export async function withStateClaimed<Result>(
  config: StateConfig,
  key: string | undefined,
  work: (open: () => Promise<EncryptedStateStore>) => Promise<Result>,
): Promise<Result> {
  const home = await openHome(config)
  try {
    const remedy = key === undefined ? 'Stop them all' : `Restart those with the key "${key}" in front, or stop them`
    const release = home.shared
      ? await claimState(home, {
          key: key ?? 'a new one',
          mayStay: (user) => user.key === key,
          remedy: `${remedy}, then run this again.`,
        })
      : async () => {}
    try {
      return await work(async () => unseal(home, config, await readKeys(config)))
    } finally {
      await release()
    }
  } finally {
    await home.close()
  }
}

async function openHome({ dataDir, state }: StateConfig): Promise<StateStore> {
  await makeDataDir(dataDir)
  return state.redisUrl === undefined
    ? openFileStateStore({ directory: stateFolderOf(dataDir) })
    : openRedisStateStore({ url: state.redisUrl, prefix: state.redisPrefix })
}

interface OpenedKeys {
  keys: readonly StateKey[]
  /** The key file was made just now. */
  made: boolean
}

async function readKeys({ dataDir, state }: StateConfig): Promise<OpenedKeys> {
  if (state.keys !== undefined) return { keys: state.keys, made: false }
  const file = keyFileOf(dataDir)
  const made = !existsSync(file)
  return { keys: await openKeyFile(file), made }
}

function idOf([first]: readonly StateKey[]): string {
  return first?.id ?? ''
}

async function unseal(
  store: StateStore,
  { dataDir, state }: StateConfig,
  { keys, made }: OpenedKeys,
  onTrouble?: OnTrouble,
): Promise<EncryptedStateStore> {
  const file = keyFileOf(dataDir)
  const sealed = seal(store, keys, onTrouble)
  try {
    const isNew = await sealed.checkKeys()
    // A key of the operator's may well be there first.
    return isNew && !made && state.keys === undefined ? withWarning(sealed, describeLoss(store, file)) : sealed
  } catch (error) {
    // A new key beside an old state would only hide that the old one is missing.
    if (made) await rm(file, { force: true })
    if (!isStateError(error) || error.code !== 'wrong_key') throw error
    const source = state.keys === undefined ? file : 'STATE_KEY (`state.keys`)'
    const what = made
      ? `The key that sealed the state is missing: there is no ${file}`
      : `The state was sealed with another key than that in ${source}`
    const shared = store.shared ? ' All gateways on one Redis need the same STATE_KEY.' : ''
    throw new StateError(
      'wrong_key',
      `${what} (${error.message}). So Castor does not start: what it wrote would be lost with the other key. Bring back the key that sealed it, from a backup; or move the state away to begin anew without its accounts and keys.${shared}`,
      { cause: error },
    )
  }
}

function describeLoss({ shared }: StateStore, file: string): string {
  const where = shared ? 'this Redis, under this prefix' : `the folder "${STATE_FOLDER}" beside it`
  return `There is a key in ${file}, but there was no state in ${where}: a new one was begun. If accounts and keys were kept here before, they are missing; stop Castor and bring the state back from a backup.`
}

function withWarning(store: EncryptedStateStore, warning: string): EncryptedStateStore {
  return {
    ...store,
    status() {
      const status = store.status()
      return { ...status, warnings: [...status.warnings, warning] }
    },
  }
}

function seal(store: StateStore, keys: readonly StateKey[], onTrouble: OnTrouble = () => {}): EncryptedStateStore {
  try {
    return withEncryption(store, { keys, onTrouble: ({ message }) => onTrouble(message) })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new StateError(
      'invalid',
      `STATE_KEY (\`state.keys\`) cannot be used: ${error.message}. \`openssl rand -base64 32\` makes a key.`,
    )
  }
}

/** @throws {StateError} `denied`, with the remedy. */
export async function makeDataDir(dataDir: string): Promise<void> {
  await makeFolder(resolve(dataDir)).catch((error: unknown) => {
    throw unusable(dataDir, error)
  })
}

function unusable(dataDir: string, error: unknown): StateError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new StateError(
    'denied',
    `The data directory ${resolve(dataDir)} cannot be made (${code}). Set DATA_DIR to a folder that this user may write.`,
    { cause: error },
  )
}
