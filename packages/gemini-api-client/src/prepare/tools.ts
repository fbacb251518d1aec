import type { FunctionDeclaration, Tool, ToolConfig, Warning } from '@castorjs/content-generator'
import type { ModelRules } from '../model-rules.ts'
import { cleanJsonSchema, type JsonSchema } from '../schema/clean-json-schema.ts'

export interface PreparedTools {
  tools: Tool[] | undefined
  toolConfig: ToolConfig | undefined
  /** Functions whose arguments are no object and travel inside `{value: …}`. */
  wrapped: ReadonlySet<string>
}

/** Server tools that clients call like functions. Source: reference document 002, example 7. */
const SERVER_TOOLS = new Set(['codeExecution', 'googleSearch', 'urlContext'])

/**
 * Puts tools into the one form every model takes: all functions in one entry, each with a clean JSON Schema or none,
 * server tools in entries of their own. Source: `gemini-api.md` section 6.1, `dialects.md` 6.3 and 6.4.
 */
export function prepareTools(
  given: readonly Tool[] | undefined,
  toolConfig: ToolConfig | undefined,
  rules: ModelRules,
  warn: (warning: Warning) => void,
): PreparedTools {
  const wrapped = new Set<string>()
  const declarations = new Map<string, FunctionDeclaration>()
  const servers = new Map<string, Tool>()
  for (const { functionDeclarations = [], ...builtIns } of given ?? []) {
    for (const [name, settings] of Object.entries(builtIns)) {
      const known = name === 'googleSearchRetrieval' ? 'googleSearch' : name
      servers.set(known, { [known]: known === name ? settings : {} })
    }
    for (const declaration of functionDeclarations) {
      if (isServerTool(declaration)) {
        servers.set(declaration.name, { [declaration.name]: {} })
        continue
      }
      if (declarations.has(declaration.name)) {
        warn({ setting: 'tools', message: 'Two functions have the same name; the last one is used.' })
      }
      declarations.set(declaration.name, prepareDeclaration(declaration, wrapped))
    }
  }
  if (declarations.size > 0 && servers.size > 0 && !rules.mixing) {
    const names = [...servers.keys()].join(' and ')
    warn({ setting: 'tools', message: `This model cannot use ${names} together with functions; left out.` })
    servers.clear()
  }
  const tools: Tool[] = [...servers.values()]
  if (declarations.size > 0) tools.push({ functionDeclarations: [...declarations.values()] })
  return {
    tools: tools.length === 0 ? undefined : tools,
    toolConfig: prepareToolConfig(toolConfig, tools, declarations),
    wrapped,
  }
}

function isServerTool({ name, parameters, parametersJsonSchema }: FunctionDeclaration): boolean {
  return SERVER_TOOLS.has(name) && parameters === undefined && parametersJsonSchema === undefined
}

function prepareDeclaration(given: FunctionDeclaration, wrapped: Set<string>): FunctionDeclaration {
  const { parameters, parametersJsonSchema, ...declaration } = given
  const raw = parametersJsonSchema ?? parameters
  if (raw === undefined || raw === null) return declaration
  const schema = cleanJsonSchema(raw)
  if (isEmptyObject(schema)) return declaration
  if (schema.type === 'object' || (schema.type === undefined && schema.anyOf === undefined)) {
    return { ...declaration, parametersJsonSchema: { ...schema, type: 'object' } }
  }
  wrapped.add(given.name)
  const value: JsonSchema = { type: 'object', properties: { value: schema }, required: ['value'] }
  return { ...declaration, parametersJsonSchema: value }
}

/** A function without parameters leaves its schema out: older models refuse an empty one. */
function isEmptyObject({ type, properties, additionalProperties, anyOf }: JsonSchema): boolean {
  if (type !== undefined && type !== 'object') return false
  if (anyOf !== undefined || (typeof additionalProperties === 'object' && additionalProperties !== null)) return false
  return properties === undefined || Object.keys(properties as object).length === 0
}

function prepareToolConfig(
  given: ToolConfig | undefined,
  tools: readonly Tool[],
  declarations: ReadonlyMap<string, FunctionDeclaration>,
): ToolConfig | undefined {
  const config: ToolConfig = { ...given }
  // Without functions there is nothing to choose from, and Google refuses the choice.
  if (declarations.size === 0) delete config.functionCallingConfig
  if (declarations.size > 0 && tools.length > 1) config.includeServerSideToolInvocations = true
  return Object.keys(config).length === 0 ? undefined : config
}
