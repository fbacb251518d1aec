import { createAccountBook, type AccountBook, type AccountSpec } from './accounts.ts'
import { createAssets, type Assets } from './assets.ts'
import { createClock, type Clock } from './clock.ts'
import { createFaultList, type FaultList } from './faults.ts'
import { createIds, type Ids } from './ids.ts'
import { createJobs, type Jobs } from './jobs.ts'
import { createProfile, type Profile } from './profile.ts'
import { createRequestLog, type RequestLog } from './request-log.ts'
import { createScriptedAnswers, type ScriptedAnswers } from './scripted.ts'
import { applySettings, defaultSettings, type EmulatorSettings, type SettingsPatch } from './settings.ts'
import { createUploads, type Uploads } from './uploads.ts'

/** All that an emulator knows. `reset` brings back the first moment. */
export interface World {
  readonly clock: Clock
  readonly ids: Ids
  readonly settings: EmulatorSettings
  readonly accounts: AccountBook
  readonly uploads: Uploads
  readonly assets: Assets
  readonly jobs: Jobs
  readonly faults: FaultList
  readonly answers: ScriptedAnswers
  readonly log: RequestLog
  /** The profile of a guest, by its cookies; undefined cookies make one that is forgotten. */
  guest(key: string | undefined): Profile
  reset(): void
}

/** Guests remembered; the oldest go first. */
const MOST_GUESTS = 1_000

export function createWorld({
  specs,
  settings: patch = {},
  now,
  seed = 1,
}: {
  specs: readonly AccountSpec[]
  settings?: SettingsPatch
  now?: () => number
  seed?: number
}): World {
  const clock = createClock(now)
  const ids = createIds(seed)
  const settings = defaultSettings()
  applySettings(settings, patch)
  const guests = new Map<string, Profile>()
  const world: World = {
    clock,
    ids,
    settings,
    accounts: createAccountBook({ specs, clock, ids }),
    uploads: createUploads({ clock, ids }),
    assets: createAssets(ids),
    jobs: createJobs(clock),
    faults: createFaultList(),
    answers: createScriptedAnswers(),
    log: createRequestLog(),
    guest(key) {
      const known = key === undefined ? undefined : guests.get(key)
      if (known !== undefined) return known
      const profile = createProfile({ account: 'guest', index: 0, email: '', guest: true })
      if (key !== undefined) guests.set(key, profile)
      if (guests.size > MOST_GUESTS) guests.delete(guests.keys().next().value as string)
      return profile
    },
    reset() {
      clock.reset()
      ids.reset()
      Object.assign(settings, defaultSettings())
      applySettings(settings, patch)
      guests.clear()
      for (const part of [world.uploads, world.assets, world.jobs, world.faults, world.answers, world.log]) part.clear()
      world.accounts.reset()
    },
  }
  return world
}
