import { GenerationError, type ModelInfo } from '@castorjs/content-generator'
import type { ModeName, ToolName } from '@castorjs/gemini-web-protocol'
import type { OfferedModel } from '../models.ts'

/** What a public model name asks of the web app. */
export interface ModelRow {
  /** Place in the line-up; the account's own list says which model is there today. */
  mode: ModeName
  tool?: ToolName
  gemId?: string
  extendedThinking?: boolean
  /** Served by a guest session where there is one. */
  guest?: boolean
  /** Longest side wanted of a picture, in pixels; asks for the original file. */
  imagePixels?: number
}

export type ModelTable = Readonly<Record<string, ModelRow>>

/** Names callers know, and the place in the web app's line-up that serves them. Source: reference documents. */
export const MODEL_TABLE: ModelTable = {
  'gemini-2.5-flash': { mode: 'fast' },
  'gemini-2.5-flash-free': { mode: 'fast', guest: true },
  'gemini-2.5-pro': { mode: 'pro' },
  'gemini-3-fast': { mode: 'fast' },
  'gemini-3-thinking': { mode: 'thinking' },
  'gemini-3-pro': { mode: 'pro' },
  'gemini-3.0-pro': { mode: 'pro' },
  'gemini-3-flash-preview': { mode: 'fast' },
  'gemini-2.5-flash-image': { mode: 'fast', tool: 'image' },
  'gemini-2.5-flash-image-preview': { mode: 'fast', tool: 'image' },
  'gemini-3-pro-image-preview': { mode: 'pro', tool: 'image' },
  'gemini-3-pro-image-preview-2k': { mode: 'pro', tool: 'image', imagePixels: 2048 },
  'gemini-3-pro-image-preview-4k': { mode: 'pro', tool: 'image', imagePixels: 4096 },
  'gemini-2.0-flash-exp-image-generation': { mode: 'fast', tool: 'image' },
}

/** Endings that a name takes, each once and one tool at most. Source: reference documents, "model parameters". */
export const MODEL_SUFFIXES: Readonly<Record<string, Partial<ModelRow>>> = {
  imagen: { tool: 'image' },
  canvas: { tool: 'canvas' },
  deepsearch: { tool: 'research' },
  video: { tool: 'video' },
  storybook: { gemId: 'storybook' },
  thinking: { extendedThinking: true },
  music: { tool: 'music' },
}

/** A name that is served. */
export interface ServedModel extends Omit<ModelRow, 'mode'> {
  /** What to ask the client for: a mode name or a model id. */
  wanted: string
}

/** Finds what a name asks for: the table, then the account's own list, then either with endings. */
export function resolveModel(
  name: string,
  offered: readonly OfferedModel[],
  { table, guest }: { table: ModelTable; guest: boolean },
): ServedModel {
  const served = lookUp(name.toLowerCase(), offered, table)
  if (served === undefined) {
    throw new GenerationError(
      'model_not_found',
      'No account here is offered the model asked for. GET the model list.',
      {
        field: 'model',
        suggestions: nearMatches(
          name,
          listModels(offered, { table, guest }).map((model) => model.name),
        ),
      },
    )
  }
  return served
}

function lookUp(name: string, offered: readonly OfferedModel[], table: ModelTable): ServedModel | undefined {
  const row = Object.hasOwn(table, name) ? table[name] : undefined
  if (row !== undefined) {
    const { mode, ...rest } = row
    return isOffered(mode, offered) ? { ...rest, wanted: mode } : undefined
  }
  const own = offered.find((model) => model.id === name || publicName(model) === name)
  if (own !== undefined) return { wanted: own.id }
  const [ending = '', ...rest] = name.split('-').reverse()
  const wish = Object.hasOwn(MODEL_SUFFIXES, ending) ? MODEL_SUFFIXES[ending] : undefined
  // Each ending once: or a model had as many names as anybody likes to make up.
  if (wish === undefined || rest.includes(ending)) return undefined
  const plain = lookUp(rest.reverse().join('-'), offered, table)
  // A second tool would silently take the place of the first.
  if (plain === undefined || Object.keys(wish).some((field) => field in plain)) return undefined
  return { ...plain, ...wish }
}

/** Thinking is a mode of the fast model where it is no model of its own. */
function isOffered(mode: ModeName, offered: readonly OfferedModel[]): boolean {
  const modes = offered.map((model) => model.mode)
  if (modes.includes(mode)) return true
  return mode === 'thinking' && modes.includes('pro') && modes.includes('fast')
}

/** `3.1 Pro` becomes `gemini-3.1-pro`. */
function publicName({ displayName }: OfferedModel): string | undefined {
  return displayName === undefined ? undefined : `gemini-${displayName.toLowerCase().replace(/[^a-z0-9.]+/g, '-')}`
}

/** Every name that is served, for the model list. */
export function listModels(
  offered: readonly OfferedModel[],
  { table, guest }: { table: ModelTable; guest: boolean },
): ModelInfo[] {
  const models = new Map<string, ModelInfo>()
  function add(name: string, model: OfferedModel | undefined, thinking: boolean): void {
    const displayName = model?.displayName
    if (models.has(name)) return
    models.set(name, {
      name,
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
      ...(displayName === undefined ? {} : { displayName: `Gemini ${displayName}` }),
      ...(model?.description === undefined ? {} : { description: model.description }),
      ...(thinking ? { thinking } : {}),
    })
  }
  for (const [name, row] of Object.entries(table)) {
    if (!isOffered(row.mode, offered) || (guest && row.tool !== undefined)) continue
    const model = offered.find((one) => one.mode === row.mode)
    add(name, model, row.mode === 'thinking' || row.mode === 'pro')
    if (guest || row.tool !== undefined || row.guest === true) continue
    for (const [suffix, fields] of Object.entries(MODEL_SUFFIXES)) {
      if (!name.endsWith(`-${suffix}`)) add(`${name}-${suffix}`, model, fields.extendedThinking === true)
    }
  }
  for (const model of offered) {
    const name = publicName(model)
    if (name !== undefined) add(name, model, model.mode === 'thinking' || model.mode === 'pro')
  }
  return [...models.values()]
}

/** The names most like a wrong one, best first, three at most. */
function nearMatches(name: string, names: readonly string[]): string[] {
  const wanted = bigrams(name)
  return names
    .map((one) => ({ one, score: likeness(wanted, bigrams(one)) }))
    .filter(({ score }) => score > 0.5)
    .sort((a, b) => b.score - a.score || a.one.length - b.one.length)
    .slice(0, 3)
    .map(({ one }) => one)
}

function bigrams(text: string): Set<string> {
  const lower = `^${text.toLowerCase()}$`
  return new Set(Array.from({ length: lower.length - 1 }, (_, index) => lower.slice(index, index + 2)))
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0
  for (const pair of a) if (b.has(pair)) shared++
  return (2 * shared) / (a.size + b.size)
}
