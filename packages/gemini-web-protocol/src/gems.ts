/** Gems: a named prompt that every turn of a chat carries. Payloads in both directions. Source: fact sheet §6.2, §10.4. */

import { read, readList, readNumber, readString, requireList, requireString, wirePath } from './path.ts'

/** Ids of the gems that everybody has. Source: fact sheet §10.4 [M]. */
export const PREDEFINED_GEMS: readonly string[] = [
  'coding-partner',
  'writing-editor',
  'brainstormer',
  'career-guide',
  'learning-coach',
  'productivity-helper',
  'storybook',
]

export interface GemInput {
  name: string
  description: string
  /** What the model is told. */
  prompt: string
}

export interface Gem extends GemInput {
  id: string
}

/** Which gems a list call asks for. Source: fact sheet §6.2 [S]. */
const GEM_LISTS = { own: 2, predefined: 3, withHidden: 4 } as const

export type GemList = keyof typeof GEM_LISTS

/** Payload of `CNgdBe`. [S] */
export function listGemsPayload({
  list = 'own',
  language = 'en',
}: { list?: GemList; language?: string } = {}): unknown[] {
  return [GEM_LISTS[list], [language], 0]
}

/** Reads it tolerantly: some clients send the language in single quotes. The browser's 1 means own gems. */
export function readListGemsPayload(payload: unknown): { list: GemList; language: string } {
  const number = readNumber(payload, [0])
  const list = (Object.keys(GEM_LISTS) as GemList[]).find((name) => GEM_LISTS[name] === number) ?? 'own'
  return { list, language: (readString(payload, [1, 0]) ?? 'en').replace(/'/g, '') }
}

/** Reply of `CNgdBe`. Shape: list of `[id,[name,description],[prompt,…]]`; the whole reply is `[]` when there are none. Source: fact sheet §6.2 [S]. */
const GEM_ROWS = wirePath('GEM_ROWS', 2)

/** @throws {ProtocolDriftError} when the rows are something else than a list. */
export function readGems(payload: unknown): Gem[] {
  const rows = read(payload, GEM_ROWS) == null ? [] : requireList(payload, GEM_ROWS)
  const gems: Gem[] = []
  for (const row of rows) {
    const id = readString(row, [0])
    if (id === undefined) continue
    gems.push({
      id,
      name: readString(row, [1, 0]) ?? '',
      description: readString(row, [1, 1]) ?? '',
      prompt: readString(row, [2, 0]) ?? '',
    })
  }
  return gems
}

export function buildGems(gems: readonly Gem[]): unknown[] {
  if (gems.length === 0) return []
  return [null, null, gems.map(({ id, name, description, prompt }) => [id, [name, description], [prompt, null, null]])]
}

function gemFields({ name, description, prompt }: GemInput): unknown[] {
  return [name, description, prompt, null, null, null, null, null, 0, null, 1, null, null, null, []]
}

function readGemFields(fields: unknown): GemInput | undefined {
  const name = readString(fields, [0])
  if (name === undefined) return undefined
  return { name, description: readString(fields, [1]) ?? '', prompt: readString(fields, [2]) ?? '' }
}

/** Payload of `oMH3Zd`. [S] */
export function createGemPayload(gem: GemInput): unknown[] {
  return [gemFields(gem)]
}

export function readCreateGemPayload(payload: unknown): GemInput | undefined {
  return readGemFields(readList(payload, [0]))
}

/** Reply of `oMH3Zd`. Shape: string. Source: fact sheet §6.2 [S]. */
const CREATED_GEM = wirePath('CREATED_GEM', 0)

/** Id of the new gem. @throws {ProtocolDriftError} */
export function readCreatedGem(payload: unknown): string {
  return requireString(payload, CREATED_GEM)
}

export function buildCreatedGem(id: string): unknown[] {
  return [id]
}

/** Payload of `kHv0Vd`. [M] */
export function updateGemPayload({ id, ...gem }: Gem): unknown[] {
  return [id, [...gemFields(gem), 0]]
}

export function readUpdateGemPayload(payload: unknown): Gem | undefined {
  const id = readString(payload, [0])
  const gem = readGemFields(readList(payload, [1]))
  return id === undefined || gem === undefined ? undefined : { id, ...gem }
}

/** Payload of `UXcSJb`. [M] */
export function deleteGemPayload(id: string): unknown[] {
  return [id]
}
