import {
  GenerationError,
  readModelFamily,
  type FunctionDeclaration,
  type Tool,
  type ToolConfig,
  type Warning,
} from '@castorjs/content-generator'
import type { ChatRequestBody, ChatTool } from './schema.ts'
import type { ToolNames } from './tool-names.ts'

export interface DecodedTools {
  tools: Tool[]
  toolConfig: ToolConfig | undefined
  /** Names, as sent, of tools that take free text instead of JSON. */
  custom: ReadonlySet<string>
  /** The caller uses `functions` and `function_call`, so the answer must too. */
  legacy: boolean
  warnings: Warning[]
}

/** Server tools by the names clients use for them, as tool types or as functions without parameters. */
const SERVER_TOOLS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    codeExecution: 'codeExecution',
    code_execution: 'codeExecution',
    code_interpreter: 'codeExecution',
    googleSearch: 'googleSearch',
    google_search: 'googleSearch',
    web_search: 'googleSearch',
    web_search_preview: 'googleSearch',
    urlContext: 'urlContext',
    url_context: 'urlContext',
  }),
)

/**
 * Reads `tools`, `tool_choice`, their old forms `functions` and `function_call`, and `web_search_options`.
 *
 * @throws {GenerationError} `invalid_request` or `unsupported`, naming the field.
 */
export function decodeTools(body: ChatRequestBody, names: ToolNames): DecodedTools {
  const declarations = new Map<string, FunctionDeclaration>()
  const custom = new Set<string>()
  const server = new Set<string>()
  const warnings: Warning[] = []

  function declare(declaration: FunctionDeclaration): void {
    if (declarations.delete(declaration.name)) {
      warnings.push({ setting: 'tools', message: 'Two tools have the same name; the last one is used.' })
    }
    declarations.set(declaration.name, declaration)
  }

  for (const [index, tool] of (body.tools ?? []).entries()) {
    const builtIn = readServerTool(tool)
    if (builtIn !== undefined) server.add(builtIn)
    else if (tool.custom != null && tool.type === 'custom') {
      const name = names.encode(tool.custom.name)
      custom.add(name)
      declare(declareCustom(name, tool.custom.description))
    } else if (tool.function != null) declare(declareFunction(tool.function, names))
    else throw unknownTool(tool, `tools[${index}]`)
  }
  for (const declared of body.functions ?? []) declare(declareFunction(declared, names))
  if (body.web_search_options != null) server.add('googleSearch')

  if (declarations.size > 0 && server.size > 0 && readModelFamily(body.model)?.generation === 2.5) {
    warnings.push({
      setting: 'tools',
      message: `This model cannot use ${[...server].join(' and ')} together with functions; only the functions are offered.`,
    })
    server.clear()
  }
  const tools: Tool[] = [...server].map((name) => ({ [name]: {} }))
  if (declarations.size > 0) tools.push({ functionDeclarations: [...declarations.values()] })
  return {
    tools,
    toolConfig: decodeToolChoice(body, declarations, names),
    custom,
    legacy: body.functions != null && body.tools == null,
    warnings,
  }
}

/** A tool by its type, or a bare function by its name: the reference documents call code execution so. */
function readServerTool(tool: ChatTool): string | undefined {
  if (tool.type !== 'function' && tool.type !== 'custom') return SERVER_TOOLS.get(tool.type)
  if (tool.function == null || tool.function.parameters != null) return undefined
  const { name } = tool.function
  return name === 'codeExecution' || name === 'googleSearch' || name === 'urlContext' ? name : undefined
}

interface FunctionBody {
  name: string
  description?: string | null | undefined
  parameters?: Record<string, unknown> | boolean | null | undefined
}

/** The schema goes on as given: cleaning it up is the business of the upstream that is strict about it. */
function declareFunction({ name, description, parameters }: FunctionBody, names: ToolNames): FunctionDeclaration {
  const hasSchema = typeof parameters === 'object' && parameters !== null && Object.keys(parameters).length > 0
  return {
    name: names.encode(name),
    ...(description == null ? {} : { description }),
    ...(hasSchema ? { parametersJsonSchema: parameters } : {}),
  }
}

function declareCustom(name: string, description: string | null | undefined): FunctionDeclaration {
  return {
    name,
    ...(description == null ? {} : { description }),
    parametersJsonSchema: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] },
  }
}

function decodeToolChoice(
  body: ChatRequestBody,
  declarations: ReadonlyMap<string, unknown>,
  names: ToolNames,
): ToolConfig | undefined {
  const choice = body.tool_choice ?? body.function_call
  const field = body.tool_choice == null ? 'function_call' : 'tool_choice'
  if (choice == null) return undefined

  function only(mode: string, wanted: readonly string[]): ToolConfig {
    const allowed = wanted.map((name) => names.encode(name))
    const missing = wanted.find((_, index) => !declarations.has(allowed[index] ?? ''))
    if (missing !== undefined || allowed.length === 0) {
      throw new GenerationError('invalid_request', `\`${field}\` names a function that is not in \`tools\`.`, { field })
    }
    return { functionCallingConfig: { mode, allowedFunctionNames: allowed } }
  }

  if (typeof choice === 'string') {
    if (declarations.size === 0) return undefined
    const mode = choice === 'none' ? 'NONE' : choice === 'auto' ? 'AUTO' : 'ANY'
    return { functionCallingConfig: { mode } }
  }
  if ('allowed_tools' in choice && choice.allowed_tools != null) {
    const { mode, tools } = choice.allowed_tools as AllowedTools
    const wanted = tools.flatMap((tool) => tool.function?.name ?? tool.custom?.name ?? [])
    return only(mode === 'required' ? 'ANY' : 'VALIDATED', wanted)
  }
  const named = choice as { name?: string; function?: { name: string } | null; custom?: { name: string } | null }
  const name = named.function?.name ?? named.custom?.name ?? named.name
  if (name === undefined) {
    throw new GenerationError(
      'invalid_request',
      `\`${field}\` must name a function: {"type":"function","function":{"name":…}}.`,
      {
        field,
      },
    )
  }
  // "Call code execution" is not something Gemini can be told; offering it is all there is.
  if (SERVER_TOOLS.has(name) && !declarations.has(names.encode(name))) return undefined
  return only('ANY', [name])
}

interface AllowedTools {
  mode?: 'auto' | 'required' | null
  tools: { function?: { name: string } | null; custom?: { name: string } | null }[]
}

function unknownTool(tool: ChatTool, field: string): GenerationError {
  if (tool.type === 'function' || tool.type === 'custom') {
    return new GenerationError('invalid_request', `\`${field}.${tool.type}\` is missing; it must be an object.`, {
      field: `${field}.${tool.type}`,
    })
  }
  return new GenerationError(
    'unsupported',
    `\`${field}.type\`: this kind of tool cannot be used here. Use function, custom, web_search or code_execution.`,
    { field: `${field}.type` },
  )
}
