/** Account status and model discovery, `otAQ7b`. Source: fact sheet §1.5 [S 2026-10]. */

import { withoutUndefined } from './fields.ts'
import { get, read, readList, readNumber, readString, wirePath, writeSlots } from './path.ts'

/** Payload of `otAQ7b`. */
export function statusPayload(): unknown[] {
  return []
}

/** Status code. Shape: number; absent means available. Source: fact sheet §1.5 [S]. */
const STATUS_CODE = wirePath('STATUS_CODE', 14)
/** Shape: list of models. Source: fact sheet §1.5 [S]. */
const STATUS_MODELS = wirePath('STATUS_MODELS', 15)
/** Shape: list of integers. Source: fact sheet §1.5 [S]. */
const STATUS_TIER_FLAGS = wirePath('STATUS_TIER_FLAGS', 16)
/** Shape: list of integers. Source: fact sheet §1.5 [S]. */
const STATUS_CAPABILITY_FLAGS = wirePath('STATUS_CAPABILITY_FLAGS', 17)
/** Rows of the mode picker. Source: fact sheet §1.5 [W]. */
const STATUS_MODE_ROWS = wirePath('STATUS_MODE_ROWS', 24, 1)

export interface AccountStatusMeaning {
  meaning: string
  /** Nothing can be generated. */
  blocked: boolean
}

/** What the status codes mean. Source: fact sheet §1.5 [M 2026-04]. */
export const ACCOUNT_STATUS: Readonly<Record<number, AccountStatusMeaning>> = {
  1000: { meaning: 'available', blocked: false },
  1014: { meaning: 'access temporarily unavailable for this region or session', blocked: true },
  1016: { meaning: 'not authenticated: a guest, or dead cookies', blocked: false },
  1021: { meaning: 'account rejected', blocked: true },
  1033: { meaning: 'account not trusted for some features', blocked: false },
  1040: { meaning: 'terms must be accepted', blocked: false },
  1042: { meaning: 'accepted terms are outdated', blocked: false },
  1054: { meaning: 'blocked by a guardian', blocked: true },
  1057: { meaning: 'approval of a guardian needed', blocked: true },
  1060: { meaning: 'country not supported', blocked: true },
}

export interface AccountModel {
  id: string
  /** Short label such as "Fast". */
  label: string
  description?: string
  /** See `MODES`. */
  mode?: number
  /** Versioned display name such as "3.1 Pro". */
  name?: string
}

export interface AccountStatus {
  /** 1000 when the reply has none. */
  code: number
  meaning: string
  blocked: boolean
  /** Not authenticated. */
  guest: boolean
  models: AccountModel[]
  tierFlags: number[]
  capabilityFlags: number[]
  /** Value for the model header, and the index it belongs to. */
  capacity: number
  capacityIndex: 11 | 12
  /** Mode numbers of the picker, which has more than the models. */
  modes: number[]
}

export function readAccountStatus(payload: unknown): AccountStatus {
  const code = readNumber(payload, STATUS_CODE) ?? 1_000
  const tierFlags = numbers(readList(payload, STATUS_TIER_FLAGS))
  const capabilityFlags = numbers(readList(payload, STATUS_CAPABILITY_FLAGS))
  const known = ACCOUNT_STATUS[code]
  return {
    code,
    meaning: known?.meaning ?? 'a status that is not documented',
    blocked: known?.blocked ?? true,
    guest: code === 1_016,
    models: (readList(payload, STATUS_MODELS) ?? []).map(readAccountModel).filter((model) => model !== undefined),
    tierFlags,
    capabilityFlags,
    ...deriveCapacity(tierFlags, capabilityFlags),
    modes: numbers(
      (readList(payload, STATUS_MODE_ROWS) ?? []).map((row) => (typeof row === 'number' ? row : get(row, 0))),
    ),
  }
}

function readAccountModel(row: unknown): AccountModel | undefined {
  const id = readString(row, [0])
  if (id === undefined) return undefined
  const names = [10, 11, 19].map((index) => get(row, index))
  return {
    id,
    label: readString(row, [1]) ?? '',
    ...withoutUndefined({
      description: readString(row, [2]),
      mode: readNumber(row, [9]) ?? readNumber(row, [17]),
      // Which of them is filled varies: take the first that looks like a version.
      name: names.find((name): name is string => typeof name === 'string' && /\d/.test(name)),
    }),
  }
}

function numbers(list: readonly unknown[] | undefined): number[] {
  return (list ?? []).filter((value) => typeof value === 'number')
}

/** Capacity value of the model header; the first match wins. Source: fact sheet §1.5 [M 2026-08]. */
export function deriveCapacity(
  tierFlags: readonly number[],
  capabilityFlags: readonly number[],
): { capacity: number; capacityIndex: 11 | 12 } {
  if (tierFlags.includes(21)) return { capacity: 1, capacityIndex: 12 }
  if (tierFlags.includes(22)) return { capacity: 2, capacityIndex: 12 }
  if (capabilityFlags.includes(115)) return { capacity: 4, capacityIndex: 11 }
  if (tierFlags.includes(16) || capabilityFlags.includes(106)) return { capacity: 3, capacityIndex: 11 }
  if (tierFlags.includes(8) || capabilityFlags.includes(19)) return { capacity: 2, capacityIndex: 11 }
  return { capacity: 1, capacityIndex: 11 }
}

export type AccountStatusInput = Partial<
  Pick<AccountStatus, 'code' | 'models' | 'tierFlags' | 'capabilityFlags' | 'modes'>
>

export function buildAccountStatus({
  code = 1_000,
  models = [],
  tierFlags = [],
  capabilityFlags = [],
  modes = [],
}: AccountStatusInput): unknown[] {
  return writeSlots({
    14: code,
    15: models.map(({ id, label, description, mode, name }) =>
      writeSlots({ 0: id, 1: label, 2: description, 9: mode, 10: name, 11: name, 17: mode, 19: name }),
    ),
    16: tierFlags,
    17: capabilityFlags,
    24: modes.length > 0 ? [null, modes.map((mode) => [mode])] : undefined,
  })
}

/** Payload of `ESY5D`. No client uses the reply. [M] */
export function readPreferencesPayload(names: readonly string[] = ['bard_activity_enabled']): unknown[] {
  return [[names]]
}

export interface Profile {
  id?: string
  name?: string
  photoUrl?: string
  email?: string
}

/** Payload of `o30O0e`. [W] */
export function profilePayload(): unknown[] {
  return [['me'], [[['person.photo', 'person.name', 'person.email']], null, [1, 7]]]
}

/** Reply of `o30O0e`: `[[["me",1,user]]]`. [W] */
export function readProfile(payload: unknown): Profile {
  const user = read(payload, [0, 0, 2])
  return withoutUndefined({
    id: readString(user, [0]),
    name: readString(user, [2, 0, 1]),
    photoUrl: readString(user, [3, 0, 1]),
    email: readString(user, [9, 0, 1]),
  })
}

export function buildProfile({ id, name, photoUrl, email }: Profile): unknown[] {
  const user = writeSlots({
    0: id,
    2: [[null, name ?? null]],
    3: [[null, photoUrl ?? null]],
    9: [[null, email ?? null]],
  })
  return [[['me', 1, user]]]
}

/** Payload of `K4WWud`. [M] */
export function placePayload({ signedIn, language = 'en' }: { signedIn: boolean; language?: string }): unknown[] {
  return [[signedIn ? 1 : 0], [language]]
}

/** Reply of `K4WWud`: `[[place,source,false,null,map URL]]`. [M] */
export function readPlace(payload: unknown): string | undefined {
  return readString(payload, [0, 0])
}

export function buildPlace(place: string): unknown[] {
  return [
    [place, 'SWML_DESCRIPTION_FROM_YOUR_INTERNET_ADDRESS', false, null, '//www.google.com/maps/vt/data=exampleTile'],
  ]
}

export interface AccountTool {
  /** Names the app calls it by, outer first: `["workspace_tool","Gmail"]`. */
  names: string[]
  label: string
  iconUrl?: string
}

/** Payload of `cYRIkd` and `uPDUsc`. [W] */
export function toolsPayload(language = 'en'): unknown[] {
  return [language]
}

/** Reply of `cYRIkd`: groups of rows `[[names],label,icon,…]`. Source: recorded 2026-06 [W]. */
export function readTools(payload: unknown): AccountTool[] {
  const tools: AccountTool[] = []
  for (const group of Array.isArray(payload) ? payload : []) {
    for (const row of Array.isArray(group) ? group : []) {
      const names = (readList(row, [0]) ?? []).filter((name) => typeof name === 'string')
      if (names.length === 0) continue
      tools.push({ names, label: readString(row, [1]) ?? '', ...withoutUndefined({ iconUrl: readString(row, [2]) }) })
    }
  }
  return tools
}

export function buildTools(tools: readonly AccountTool[]): unknown[] {
  return [tools.map(({ names, label, iconUrl }) => [names, label, iconUrl ?? null])]
}

export interface Extension {
  id: string
  label: string
  description?: string
}

/** Reply of `uPDUsc`: `[[row]]`, row `[id,label,description,…]`. Source: recorded 2026-06 [W]. */
export function readExtensions(payload: unknown): Extension[] {
  const extensions: Extension[] = []
  for (const row of readList(payload, [0]) ?? []) {
    const id = readString(row, [0])
    if (id !== undefined)
      extensions.push({
        id,
        label: readString(row, [1]) ?? '',
        ...withoutUndefined({ description: readString(row, [2]) }),
      })
  }
  return extensions
}

export function buildExtensions(extensions: readonly Extension[]): unknown[] {
  return [extensions.map(({ id, label, description }) => [id, label, description ?? null])]
}

export interface FeatureSwitch {
  number: number
  enabled: boolean
  value: number
}

/** Reply of `MyzX6c`: `[false,[[n,enabled,value,0,null,1],…]]`. Source: recorded 2026-06 [W]. */
export function readFeatureSwitches(payload: unknown): FeatureSwitch[] {
  return (readList(payload, [1]) ?? []).map((row) => ({
    number: readNumber(row, [0]) ?? 0,
    enabled: get(row, 1) === true,
    value: readNumber(row, [2]) ?? 0,
  }))
}

export function buildFeatureSwitches(switches: readonly FeatureSwitch[]): unknown[] {
  return [false, switches.map(({ number, enabled, value }) => [number, enabled, value, 0, null, 1])]
}

/** Payload of `maGuAc`: gives a guest its cookies. Source: fact sheet §1.7 [M]. */
export function guestStartPayload(): unknown[] {
  return [0]
}
