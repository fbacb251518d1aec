import { dropOldKeys, findDamagedFiles, rotateKeyFile } from '@castorjs/state-store/node'
import { defineCommand } from 'citty'
import type { Config } from '../config-schema.ts'
import { keyFileOf, openState, stateFolderOf, withStateClaimed } from '../state/open-state.ts'
import { knownArguments } from './known-arguments.ts'
import { orExit } from './or-exit.ts'
import { readConfigOrExit } from './read-config-or-exit.ts'

const rotateKey = defineCommand({
  meta: { name: 'rotate-key', description: 'Seal everything kept with a new key. Stop the gateway first.' },
  plugins: [knownArguments],
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
 * @throws {StateError} `in_use` while a gateway runs on the state that does not have the new key in front.
 */
export async function rotateStateKey(config: Config): Promise<string> {
  return config.state.keys === undefined ? rotateOwnKey(config) : sealWithFirst(config, config.state.keys)
}

/** The keys are the operator's: the first one seals, the others open. */
async function sealWithFirst(config: Config, [first, ...others]: readonly { id: string }[]): Promise<string> {
  if (first === undefined || others.length === 0) {
    await (await openState(config)).close()
    return 'Put a new key in front, as STATE_KEY=new-id:<base64>,old-id:<base64>, and run this again. The old id of a STATE_KEY without one is "environment".'
  }
  return withStateClaimed(config, first.id, async (open) => {
    const count = await (await open()).reseal()
    return `${count} records were sealed anew with the key "${first.id}". The other keys can go now.${await describeRest(config)}`
  })
}

async function rotateOwnKey(config: Config): Promise<string> {
  const path = keyFileOf(config.dataDir)
  return withStateClaimed(config, undefined, async (open) => {
    // A look first: a state that these keys do not open gets no other one.
    await open()
    await rotateKeyFile(path)
    const count = await (await open()).reseal()
    await dropOldKeys(path)
    return `${count} records were sealed anew; ${path} holds the new key only. Backups made before need the old key.${await describeRest(config)}`
  })
}

/** What the old keys still open, and what to do about it. */
async function describeRest({ dataDir, state }: Config): Promise<string> {
  if (state.redisUrl !== undefined)
    return " The old one still opens what is left in Redis's own files: BGREWRITEAOF writes its append-only file anew, BGSAVE its dump."
  const files = await findDamagedFiles(stateFolderOf(dataDir))
  if (files.length === 0) return ''
  const which = files.length === 1 ? 'a damaged file that was' : 'damaged files that were'
  return ` The old one still opens what is in ${which} kept aside: ${files.join(', ')}. Take out of there what you miss, then delete what is left: nothing reads it any more.`
}
