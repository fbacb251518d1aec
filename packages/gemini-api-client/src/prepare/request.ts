import {
  GenerationError,
  type Content,
  type GenerateContentRequest,
  type GenerateOptions,
  type GenerationConfig,
  type Part,
  type Tool,
  type ToolConfig,
} from '@castorjs/content-generator'
import { readModelRules, readThinkingSuffix, type ModelRuleRow } from '../model-rules.ts'
import { prepareConfig } from './config.ts'
import { prepareSafety } from './safety.ts'
import { prepareSignatures, type SignatureCache } from './signatures.ts'
import { prepareTools } from './tools.ts'
import { prepareTurns } from './turns.ts'

export interface PrepareOptions {
  rules?: readonly ModelRuleRow[]
  signatures: SignatureCache
}

/** The body of `generateContent`; the model is not in it. */
export interface RequestBody {
  contents: Content[]
  systemInstruction?: Content
  tools?: Tool[]
  toolConfig?: ToolConfig
  safetySettings?: NonNullable<GenerateContentRequest['safetySettings']>
  generationConfig?: GenerationConfig
  store?: unknown
  [field: string]: unknown
}

/** A request as Google takes it. */
export interface PreparedRequest {
  /** Model of the path, without suffixes of our own. */
  model: string
  body: RequestBody
  /** Functions whose arguments must be taken out of `{value: …}`. */
  wrapped: ReadonlySet<string>
}

/**
 * Fits a request to what the model accepts. Everything that is known to be refused is translated or left out, with
 * a warning; fields nobody here knows stay. The given request is not changed.
 *
 * @throws {GenerationError} `unsupported` or `invalid_request` for what cannot be approximated.
 */
export function prepareRequest(
  request: GenerateContentRequest,
  { media, onWarning }: Pick<GenerateOptions, 'media' | 'onWarning'>,
  { rules: rows, signatures }: PrepareOptions,
): PreparedRequest {
  const warn = onWarning ?? (() => undefined)
  const { model, thinking } = readThinkingSuffix(request.model)
  const rules = readModelRules(model, rows)
  const {
    model: _,
    labels,
    contents,
    systemInstruction,
    tools,
    toolConfig,
    generationConfig,
    safetySettings,
    ...rest
  } = request
  if (labels !== undefined) warn({ setting: 'labels', message: 'Only Vertex takes labels; left out.' })
  const ordered = prepareTurns(
    contents.filter(({ role }) => role !== 'system'),
    rules,
  )
  if (ordered.length === 0) {
    throw new GenerationError('invalid_request', '`contents` holds nothing to answer: every part is empty.', {
      field: 'contents',
    })
  }
  const system = readSystem(systemInstruction, contents)
  const prepared = prepareTools(tools, toolConfig, rules, warn)
  const config = prepareConfig(generationConfig ?? {}, { model, rules, thinking, media, warn })
  const hasFunctions = prepared.tools?.some(({ functionDeclarations }) => functionDeclarations !== undefined) === true
  if (hasFunctions && !rules.mixing && config.responseMimeType === 'application/json') {
    system.push({ text: formatInWords(config.responseJsonSchema) })
    delete config.responseMimeType
    delete config.responseJsonSchema
    warn({
      setting: 'generationConfig.responseMimeType',
      message: 'This model cannot hold to a format and offer functions at once; the format was put into words.',
    })
  }
  const turns = rules.signatures ? prepareSignatures(ordered, signatures, model) : ordered
  const body: RequestBody = {
    ...rest,
    contents: turns,
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system } }),
    ...(prepared.tools === undefined ? {} : { tools: prepared.tools }),
    ...(prepared.toolConfig === undefined ? {} : { toolConfig: prepared.toolConfig }),
    safetySettings: prepareSafety(safetySettings, warn),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
  }
  if (rules.kind !== 'speech') return { model, body, wrapped: prepared.wrapped }
  return { model, body: prepareSpeech(body, warn), wrapped: new Set() }
}

/** System texts from their own field and from turns of the role `system`; empty ones are refused by Google. */
function readSystem(instruction: Content | undefined, contents: readonly Content[]): Part[] {
  const turns = contents.filter(({ role }) => role === 'system')
  const parts = [...(instruction?.parts ?? []), ...turns.flatMap(({ parts = [] }) => parts)]
  return parts.filter(({ text }) => text !== undefined && text !== '')
}

function formatInWords(schema: unknown): string {
  const shape = schema === undefined ? '' : ` that follows this JSON Schema: ${JSON.stringify(schema)}`
  return `Unless you call a function, answer with nothing but JSON${shape}`
}

/** Models that speak take one text: no system text, no tools, no history. */
function prepareSpeech(body: RequestBody, warn: NonNullable<GenerateOptions['onWarning']>): RequestBody {
  const { systemInstruction, tools, toolConfig, contents, ...rest } = body
  const last = contents.findLast(({ role }) => role === 'user')
  if (systemInstruction !== undefined || tools !== undefined || toolConfig !== undefined || contents.length > 1) {
    warn({
      setting: 'contents',
      message: 'A model that speaks takes one text; system text, tools and history were left out.',
    })
  }
  return { ...rest, contents: last === undefined ? contents : [last] }
}
