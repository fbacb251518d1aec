import { openKeyFile, rotateKeyFile } from '@castorjs/state-store/node'
import { defineCommand } from 'citty'
import { open, rename, rm } from 'node:fs/promises'
import type { Config } from '../config-schema.ts'
import { keyFileOf, openState } from '../state/open-state.ts'
import { orExit } from './or-exit.ts'
import { readConfigOrExit } from './read-config-or-exit.ts'

const rotateKey = defineCommand({
  meta: { name: 'rotate-key', description: 'Seal everything kept with a new key. Stop the gateway first.' },
  async run() {
    const config = readConfigOrExit()
    await orExit(async () => console.log(await rotateStateKey(config)))
  },
})

export const stateCommand = defineCommand({
  meta: { name: 'state', description: 'Look after what Castor keeps.' },
  subCommands: { 'rotate-key': rotateKey },
})

/**
 * Makes a new key in the key file, seals every record with it, and drops the old ones. Can be stopped at any moment and run
 * again: until everything is sealed anew the file holds both.
 *
 * @throws {StateError} `in_use` while a gateway runs on an embedded state.
 */
export async function rotateStateKey(config: Config): Promise<string> {
  if (config.state.keys !== undefined) {
    // The keys are the operator's: the first one seals, the others open.
    const state = await openState(config)
    const count = await state.reseal().finally(() => state.close())
    const first = config.state.keys[0]?.id ?? ''
    return config.state.keys.length > 1
      ? `${count} records were sealed anew with the key "${first}". The other keys can go now.`
      : 'Put a new key in front, as STATE_KEY=new-id:<base64>,old-id:<base64>, and run this again. The old id of a STATE_KEY without one is "environment".'
  }
  const path = keyFileOf(config.dataDir)
  // A look first: a state in use must not get a key that the running gateway does not have.
  const before = await openState(config)
  await before.close()
  await rotateKeyFile(path)
  const state = await openState(config)
  const count = await state.reseal().finally(() => state.close())
  const [newest] = await openKeyFile(path)
  if (newest === undefined || typeof newest.key !== 'string') throw new Error(`${path} holds no key.`)
  await replaceFile(path, `${newest.id} ${newest.key}\n`)
  return `${count} records were sealed anew; ${path} holds the new key only. Backups made before need the old key.`
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
