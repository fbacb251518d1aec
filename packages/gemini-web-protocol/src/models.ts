/**
 * Models of the web app and the headers that choose one. All of it is data: an id is a slot in the
 * product line-up and the version behind it is replaced in place, so the account's own list
 * (`otAQ7b`) wins over this table. Source: fact sheet §3.3, §3.4.
 */

import { parse } from './envelope.ts'
import { get, readList, readNumber, readString } from './path.ts'

/** Mode numbers, header index 14 and prompt slot 79. Source: fact sheet §3.3 [M 2026-09]. */
export const MODES = { fast: 1, thinking: 2, pro: 3, auto: 4, dynamic: 5, lite: 6 } as const

export type ModeName = keyof typeof MODES

export interface WebModel {
  /** Sixteen hex digits. */
  id: string
  /** Our name for the place in the line-up. */
  slot: string
  mode: ModeName
  /** Listed for paying accounts. */
  paid: boolean
  /** Display names seen, newest last. */
  names: readonly string[]
}

/** Fallback line-up. Source: fact sheet §3.4 [M 2026-10]. */
export const WEB_MODELS: readonly WebModel[] = [
  {
    id: 'fbb127bbb056c959',
    slot: 'free-flash',
    mode: 'fast',
    paid: false,
    names: ['3 Flash', '3.5 Flash', '3.6 Flash'],
  },
  { id: '5bf011840784117a', slot: 'free-thinking', mode: 'thinking', paid: false, names: ['3 Flash Thinking'] },
  { id: '9d8ca3786ebdfbea', slot: 'free-pro', mode: 'pro', paid: false, names: ['3 Pro', '3.1 Pro'] },
  { id: 'cf41b0e0dd7d53e5', slot: 'free-lite', mode: 'lite', paid: false, names: ['3.5 Flash-Lite'] },
  {
    id: '56fdd199312815e2',
    slot: 'paid-flash',
    mode: 'fast',
    paid: true,
    names: ['3 Flash', '3.5 Flash', '3.7 Flash', '3.8 Flash'],
  },
  { id: 'e051ce1aa80aa576', slot: 'paid-thinking', mode: 'thinking', paid: true, names: ['3 Flash Thinking'] },
  { id: 'e6fa609c3fa255c0', slot: 'paid-pro', mode: 'pro', paid: true, names: ['3 Pro', '3.1 Pro'] },
  { id: '8c46e95b1a07cecc', slot: 'paid-lite', mode: 'lite', paid: true, names: ['3.5 Flash-Lite'] },
  { id: '4af6c7f5da75d65d', slot: '2.5-pro', mode: 'pro', paid: false, names: ['2.5 Pro'] },
  { id: '71c2d248d3b102ff', slot: '2.5-flash', mode: 'fast', paid: false, names: ['2.5 Flash'] },
  { id: 'f299729663a2343f', slot: '2.0-flash', mode: 'fast', paid: false, names: ['2.0 Flash'] },
  { id: '7ca48d02d802f20a', slot: '2.0-thinking', mode: 'thinking', paid: false, names: ['2.0 Flash Thinking'] },
]

/** Ids that were seen once or only point elsewhere; known so that they are not called drift. Source: fact sheet §3.4 [W]. */
export const OTHER_MODEL_IDS: readonly string[] = [
  '797f3d0293f288ad',
  '852fc722e6249d28',
  '1640bdc9f7ef4826',
  '203e6bb81620bcfe',
  'a74ec8485b3b5ce4',
  '1bc6b5d98741cd3d',
]

/** Finds a model by id or slot. `models` replaces the table, for overrides from a configuration. */
export function findWebModel(idOrSlot: string, models: readonly WebModel[] = WEB_MODELS): WebModel | undefined {
  return models.find((model) => model.id === idOrSlot || model.slot === idOrSlot)
}

/** Chooses the model. Source: fact sheet §3.3 [S]. */
export const MODEL_HEADER = 'x-goog-ext-525001261-jspb'
/** Carries the UUID of prompt slot 59. Source: fact sheet §3.3 [S]. */
export const REQUEST_ID_HEADER = 'x-goog-ext-525005358-jspb'
/** Constants beside them; the second was `[0]` until mid 2026. Source: fact sheet §3.3 [M]. */
export const EXTENSION_HEADERS: Readonly<Record<string, string>> = {
  'x-goog-ext-73010989-jspb': '[0]',
  'x-goog-ext-73010990-jspb': '[0,0,0]',
}
/** Model header that one client sends with batchexecute; not required. Source: fact sheet §3.3 [W]. */
export const BATCH_MODEL_HEADER_VALUE = '[1,null,null,null,null,null,null,null,[4]]'

/** The layouts the header has had; the server accepts all of them. Source: fact sheet §3.3 [M]. */
export type ModelHeaderEra = 'early-2025' | 'late-2025' | 'spring-2026' | 'current'

export interface ModelHeaderOptions {
  modelId: string
  /** Default `current`: 17 elements. */
  era?: ModelHeaderEra
  /** 1 free, 2 advanced, 4 plus. Default 1. */
  capacity?: number
  /** Index that holds the capacity: 12 for tiers with flag 21 or 22, else 11. */
  capacityIndex?: 11 | 12
  /** Default 1. */
  mode?: number
  extendedThinking?: boolean
  /** Client features at index 8. Default `[4,5,6,8]`; guests send `[4,6]`. */
  features?: readonly number[]
  /** UUID at index 16, one per client session. */
  sessionUuid?: string
}

/** What the current header says about the client. Source: fact sheet §3.3 [M]. */
const FEATURES = [4, 5, 6, 8]
export const GUEST_FEATURES: readonly number[] = [4, 6]

/** Writes the value of {@link MODEL_HEADER}. */
export function buildModelHeader(options: ModelHeaderOptions): string {
  const {
    modelId,
    era = 'current',
    capacity = 1,
    capacityIndex = 11,
    mode = MODES.fast,
    extendedThinking = false,
    sessionUuid,
  } = options
  const header: unknown[] = [1, null, null, null, modelId]
  if (era === 'early-2025') return JSON.stringify(header)
  header.push(null, null, 0, options.features ?? (era === 'current' ? FEATURES : [4]))
  if (era === 'late-2025') return JSON.stringify(header)
  while (header.length < capacityIndex) header.push(null)
  header.push(capacity)
  if (era === 'spring-2026') return JSON.stringify(header)
  while (header.length < 14) header.push(null)
  header.push(mode, extendedThinking ? 2 : 1, sessionUuid ?? null)
  return JSON.stringify(header)
}

export interface ModelHeader {
  era: ModelHeaderEra
  modelId: string
  capacity?: number
  mode?: number
  extendedThinking: boolean
  features?: number[]
  sessionUuid?: string
}

/** Reads the header of any era; undefined when it is no array with an id, which is refusal 1052. */
export function readModelHeader(text: string): ModelHeader | undefined {
  const header = parse(text)
  const modelId = readString(header, [4])
  if (!Array.isArray(header) || modelId === undefined) return undefined
  const capacity = readNumber(header, [11]) ?? readNumber(header, [12])
  const mode = readNumber(header, [14])
  const features = readList(header, [8])?.filter((feature) => typeof feature === 'number')
  const sessionUuid = readString(header, [16])
  return {
    era:
      header.length > 13
        ? 'current'
        : header.length > 9
          ? 'spring-2026'
          : header.length > 5
            ? 'late-2025'
            : 'early-2025',
    modelId,
    extendedThinking: get(header, 15) === 2,
    ...(capacity === undefined ? {} : { capacity }),
    ...(mode === undefined ? {} : { mode }),
    ...(features === undefined ? {} : { features }),
    ...(sessionUuid === undefined ? {} : { sessionUuid }),
  }
}

/** The four headers of one generation; without `model` the account's default answers. */
export function generateHeaders({
  model,
  requestId,
}: {
  model?: ModelHeaderOptions
  requestId: string
}): Record<string, string> {
  return {
    ...(model === undefined ? {} : { [MODEL_HEADER]: buildModelHeader(model) }),
    [REQUEST_ID_HEADER]: JSON.stringify([requestId, 1]),
    ...EXTENSION_HEADERS,
  }
}

/** The UUID of a {@link REQUEST_ID_HEADER} value. */
export function readRequestIdHeader(text: string): string | undefined {
  return readString(parse(text), [0])
}
