/**
 * The inner array of a StreamGenerate request: builder, and a reader that understands every era.
 * Source: fact sheet §3.2, §3.5, §3.6, §7.4.
 */

import { buildForm, parse, readForm } from './envelope.ts'
import { withoutUndefined } from './fields.ts'
import { get, read, readList, readNumber, readString } from './path.ts'

/** Index of each slot that means something to us. Source: fact sheet §3.2. */
export const PROMPT_SLOT = {
  /** `[prompt,0,null,files,null,null,0]`, media options at its index 9. [S] */
  message: 0,
  /** `["en"]` [S] */
  language: 1,
  /** Ten elements, ids of the last turn. [S] */
  continuation: 2,
  /** `!` and about 2 600 URL-safe characters, or null. [S null, M random] */
  attestation: 3,
  /** 32 hex digits, new per request. [M] */
  nonce: 4,
  /** `[[n]]`, n earlier turns of this chat. [M] */
  turn: 17,
  /** [S] */
  gem: 19,
  /** 1 = not stored. [S] */
  temporary: 45,
  /** {@link TOOLS} [S] */
  tool: 49,
  /** [M] */
  toolParameter: 54,
  /** [M] */
  toolChips: 55,
  /** Upper-case UUID, repeated in a header. [S] */
  requestId: 59,
  /** Copy of the header's mode number. [M] */
  mode: 79,
  /** 2 = extended thinking; works only together with header index 15. [M 2026-09] */
  thinking: 80,
  /** 1 on a first turn or with extended thinking. [W] */
  firstTurn: 96,
} as const

/** Length of the array in September 2026. Source: fact sheet §3.2 [S]. */
export const PROMPT_LENGTH = 99

/** Slots that are the same in every request; override them per request with `slots`. Source: fact sheet §3.2, examples http-08. */
export const PROMPT_CONSTANTS: Readonly<Record<number, unknown>> = {
  6: [1],
  7: 1,
  10: 1,
  11: 0,
  18: 0,
  27: 1,
  30: [4],
  41: [1],
  53: 0,
  61: [],
  68: 2,
  91: 0,
  98: 1,
}

/** Tool modes of slot 49. Source: fact sheet §3.5. */
export const TOOLS = {
  /** [S 2026-06] */
  research: 1,
  /** [M 2026-09] */
  canvas: 2,
  /** [S 2026-09] */
  video: 11,
  /** [M 2026-09] */
  image: 14,
  /** [W] */
  deepThink: 20,
  /** [M 2026-09] */
  music: 21,
} as const

export type ToolName = keyof typeof TOOLS

/** Kinds of attachments. Source: fact sheet §7.4 [M]. */
export type FileKind = 1 | 2 | 3

/** A file that was uploaded before. */
export interface FileReference {
  /** `/contrib_service/ttl_1d/…` */
  reference: string
  name?: string
  mimeType?: string
  /** 1 image, 2 video, 3 anything else. Default: from the type. */
  kind?: FileKind
}

/** The attachment kind of a media type. Source: fact sheet §7.4. */
export function fileKind(mimeType: string | undefined): FileKind {
  if (mimeType?.startsWith('image/')) return 1
  return mimeType?.startsWith('video/') ? 2 : 3
}

/** Ids of the last reply of a chat. Source: fact sheet §11.1 [S]. */
export interface Continuation {
  chatId: string
  responseId: string
  /** May be empty for guests. */
  candidateId: string
  /** Missing works in older sources, recommended now. */
  contextToken?: string
}

export interface MediaOptions {
  /** Video only. */
  orientation?: 'landscape' | 'portrait'
  /** Music only. */
  length?: 'short' | 'standard'
  /** Music only. */
  vocals?: 'instrumental' | 'vocals'
  /** Music only: names of {@link MUSIC_GENRES}. */
  genres?: readonly string[]
}

/** Chips of slot 55 for music. Source: fact sheet §3.6 [M 2026-09]. */
export const MUSIC_GENRES: Readonly<Record<string, number>> = {
  'k-pop': 40,
  pop: 44,
  'hip-hop': 45,
  rock: 46,
  electronic: 47,
  'r&b': 48,
  country: 49,
  jazz: 50,
  'lo-fi': 51,
  classical: 52,
  acoustic: 53,
  folk: 54,
  latin: 55,
  afrobeats: 56,
  reggae: 57,
  cinematic: 36,
  ambient: 68,
}

const MUSIC_LENGTHS = { short: { option: 4, chip: 42 }, standard: { option: 5, chip: 43 } } as const
const MUSIC_VOCALS = { instrumental: { option: 1, chip: 26 }, vocals: { option: 2, chip: 27 } } as const
const ORIENTATIONS = { landscape: { option: 1, chip: 16 }, portrait: { option: 2, chip: 17 } } as const

export interface PromptRequest {
  prompt: string
  /** Answer language hint. Default `en`. */
  language?: string
  files?: readonly FileReference[]
  continuation?: Continuation
  /** Upper-case UUID, also sent in a header. */
  requestId: string
  /** 32 hex digits. */
  nonce?: string
  /** Text of slot 3; research and video clients send `!` and random URL-safe characters. */
  attestation?: string
  gemId?: string
  /** Not stored: no history, no title, no original pictures. */
  temporary?: boolean
  tool?: ToolName | number
  media?: MediaOptions
  extendedThinking?: boolean
  /** Mode number, as in the model header. */
  mode?: number
  /** Earlier turns of this chat. Default 0. */
  turn?: number
  /** Replaces single slots, for overrides from a configuration. */
  slots?: Readonly<Record<number, unknown>>
  /** Default {@link PROMPT_LENGTH}. */
  length?: number
}

/** Builds the inner array. */
export function buildPrompt(request: PromptRequest): unknown[] {
  const {
    prompt,
    language = 'en',
    files = [],
    continuation,
    tool,
    media = {},
    extendedThinking = false,
    turn = 0,
    length = PROMPT_LENGTH,
  } = request
  const toolNumber = typeof tool === 'string' ? TOOLS[tool] : tool
  const message: unknown[] = [prompt, 0, null, files.length > 0 ? files.map(writeFile) : null, null, null, 0]
  const options = mediaOptions(toolNumber, media)
  if (options !== undefined) message.push(null, null, [null, null, null, null, null, null, options])
  const filled: Record<number, unknown> = {
    ...PROMPT_CONSTANTS,
    [PROMPT_SLOT.message]: message,
    [PROMPT_SLOT.language]: [language],
    [PROMPT_SLOT.continuation]: writeContinuation(continuation),
    [PROMPT_SLOT.attestation]: request.attestation,
    [PROMPT_SLOT.nonce]: request.nonce,
    [PROMPT_SLOT.turn]: [[turn]],
    [PROMPT_SLOT.gem]: request.gemId,
    [PROMPT_SLOT.temporary]: request.temporary === true ? 1 : undefined,
    [PROMPT_SLOT.tool]: toolNumber,
    ...toolSlots(toolNumber, media),
    [PROMPT_SLOT.requestId]: request.requestId,
    [PROMPT_SLOT.mode]: request.mode,
    [PROMPT_SLOT.thinking]: extendedThinking ? 2 : 1,
    [PROMPT_SLOT.firstTurn]: continuation === undefined || extendedThinking ? 1 : 0,
    ...request.slots,
  }
  return Array.from({ length }, (_, index) => filled[index] ?? null)
}

function writeContinuation(continuation: Continuation | undefined): unknown[] {
  const { chatId = '', responseId = '', candidateId = '', contextToken = '' } = continuation ?? {}
  return [chatId, responseId, candidateId, null, null, null, null, null, null, contextToken]
}

/** The nine-element form of browser captures. Source: fact sheet §7.4. */
function writeFile({ reference, name, mimeType, kind = fileKind(mimeType) }: FileReference): unknown[] {
  return [[reference, kind, null, mimeType ?? null], name ?? null, null, null, null, null, null, null, [0]]
}

function mediaOptions(tool: number | undefined, { orientation = 'landscape', length, vocals }: MediaOptions): unknown {
  if (tool === TOOLS.video) return [[null, null, null, ORIENTATIONS[orientation].option]]
  if (tool === TOOLS.music && (length !== undefined || vocals !== undefined)) {
    return [null, null, [MUSIC_LENGTHS[length ?? 'standard'].option, MUSIC_VOCALS[vocals ?? 'vocals'].option]]
  }
  return undefined
}

/** Slots 54 and 55 of a tool. Source: fact sheet §3.5, §3.6. */
function toolSlots(tool: number | undefined, media: MediaOptions): Record<number, unknown> {
  const { orientation = 'landscape', length, vocals, genres = [] } = media
  switch (tool) {
    case TOOLS.research:
      return { [PROMPT_SLOT.toolParameter]: [[[[[1]]]]], [PROMPT_SLOT.toolChips]: [[1]] }
    case TOOLS.video:
      return { [PROMPT_SLOT.toolParameter]: [], [PROMPT_SLOT.toolChips]: [[ORIENTATIONS[orientation].chip]] }
    case TOOLS.music: {
      const chips = genres.map((genre) => MUSIC_GENRES[genre]).filter((chip) => chip !== undefined)
      if (length !== undefined) chips.unshift(MUSIC_LENGTHS[length].chip)
      if (vocals !== undefined) chips.unshift(MUSIC_VOCALS[vocals].chip)
      return chips.length === 0 ? {} : { [PROMPT_SLOT.toolChips]: [chips] }
    }
    default:
      return {}
  }
}

/** The form body of one generation. Guests leave the token out. */
export function buildPromptForm(request: PromptRequest, token?: string): string {
  const fReq = JSON.stringify([null, JSON.stringify(buildPrompt(request))])
  return buildForm({ fReq, ...(token === undefined ? {} : { token }) })
}

/** What a request asks for, whatever its era. */
export interface ReadPrompt {
  prompt: string
  language?: string
  files: FileReference[]
  continuation?: Continuation
  requestId?: string
  nonce?: string
  attestation?: string
  gemId?: string
  temporary: boolean
  tool?: number
  toolName?: ToolName
  media?: MediaOptions
  extendedThinking: boolean
  mode?: number
  turn: number
  /** The array as it came. */
  slots: unknown[]
}

/** Reads an inner array of any length; undefined when it holds no prompt. */
export function readPrompt(inner: unknown): ReadPrompt | undefined {
  if (!Array.isArray(inner)) return undefined
  const prompt = readString(inner, [0, 0])
  if (prompt === undefined) return undefined
  const tool = readNumber(inner, [PROMPT_SLOT.tool]) || undefined
  const optional = {
    language: readString(inner, [PROMPT_SLOT.language, 0]),
    continuation: readContinuation(get(inner, PROMPT_SLOT.continuation)),
    requestId: readString(inner, [PROMPT_SLOT.requestId]),
    nonce: readString(inner, [PROMPT_SLOT.nonce]),
    attestation: readString(inner, [PROMPT_SLOT.attestation]),
    gemId: readString(inner, [PROMPT_SLOT.gem]),
    tool,
    toolName: (Object.keys(TOOLS) as ToolName[]).find((name) => TOOLS[name] === tool),
    media: readMediaOptions(inner, tool),
    mode: readNumber(inner, [PROMPT_SLOT.mode]),
  }
  return {
    prompt,
    files: (readList(inner, [0, 3]) ?? []).map(readFile).filter((file) => file !== undefined),
    temporary: get(inner, PROMPT_SLOT.temporary) === 1,
    extendedThinking: get(inner, PROMPT_SLOT.thinking) === 2,
    turn: readNumber(inner, [PROMPT_SLOT.turn, 0, 0]) ?? 0,
    slots: inner,
    ...withoutUndefined(optional),
  }
}

/** Reads a form body. `prompt` is undefined when `f.req` is missing or nested wrongly (HTTP 400, `er` 3). */
export function readPromptForm(body: string): { token?: string; prompt?: ReadPrompt } {
  const { fReq, token } = readForm(body)
  const outer = fReq === undefined ? undefined : parse(fReq)
  const text = Array.isArray(outer) && outer.length >= 2 ? readString(outer, [1]) : undefined
  const prompt = text === undefined ? undefined : readPrompt(parse(text))
  return withoutUndefined({ token, prompt })
}

function readContinuation(slot: unknown): Continuation | undefined {
  const chatId = readString(slot, [0])
  if (chatId === undefined || chatId === '') return undefined
  const contextToken = readString(slot, [9])
  return {
    chatId,
    responseId: readString(slot, [1]) ?? '',
    candidateId: readString(slot, [2]) ?? '',
    ...(contextToken === undefined || contextToken === '' ? {} : { contextToken }),
  }
}

/** Reads a reference in any of the five forms of fact sheet §7.4. */
function readFile(file: unknown): FileReference | undefined {
  const reference = readString(file, [0, 0]) ?? readString(file, [2])
  if (reference === undefined) return undefined
  const kind = readNumber(file, [0, 1])
  return {
    reference,
    ...withoutUndefined({
      name: readString(file, [1]),
      mimeType: readString(file, [0, 3]),
      kind: kind === 1 || kind === 2 || kind === 3 ? kind : undefined,
    }),
  }
}

function readMediaOptions(inner: unknown, tool: number | undefined): MediaOptions | undefined {
  const options = read(inner, [0, 9, 6])
  const chips = (readList(inner, [PROMPT_SLOT.toolChips, 0]) ?? []).filter((chip) => typeof chip === 'number')
  if (tool === TOOLS.video) {
    const portrait =
      readNumber(options, [0, 3]) === ORIENTATIONS.portrait.option || chips.includes(ORIENTATIONS.portrait.chip)
    return { orientation: portrait ? 'portrait' : 'landscape' }
  }
  if (tool !== TOOLS.music) return undefined
  const length = keyOf(MUSIC_LENGTHS, readNumber(options, [2, 0]), chips)
  const vocals = keyOf(MUSIC_VOCALS, readNumber(options, [2, 1]), chips)
  const genres = Object.keys(MUSIC_GENRES).filter((genre) => chips.includes(MUSIC_GENRES[genre] as number))
  return withoutUndefined({ length, vocals, genres: genres.length > 0 ? genres : undefined })
}

function keyOf<Key extends string>(
  table: Readonly<Record<Key, { option: number; chip: number }>>,
  option: number | undefined,
  chips: readonly number[],
): Key | undefined {
  return (Object.keys(table) as Key[]).find((key) => table[key].option === option || chips.includes(table[key].chip))
}
