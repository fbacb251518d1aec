import type { EmulatedModel } from '../models.ts'
import { declarationsOf, type FunctionDeclaration, type GenerateRequest, type Schema } from '../request.ts'
import { invalid } from '../rpc-error.ts'
import { checkJsonSchema } from './json-schema.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_.:-]*$/

/**
 * The rules of `tools`, `toolConfig` and response schemas. Source: `gemini-api.md` section 6.
 *
 * @throws {RpcError} 400.
 */
export function checkTools(request: GenerateRequest, model: EmulatedModel): void {
  const declarations = declarationsOf(request)
  const names = new Set<string>()
  request.tools?.forEach((tool, index) => {
    tool.functionDeclarations?.forEach((declaration, position) => {
      checkDeclaration(declaration, model, `tools[${index}].function_declarations[${position}]`)
      if (names.has(declaration.name ?? '')) throw invalid(`Duplicate function declaration found: ${declaration.name}`)
      names.add(declaration.name ?? '')
    })
  })
  if ((request.tools?.filter((tool) => tool.functionDeclarations !== undefined).length ?? 0) > 1) {
    throw invalid('Multiple tools are supported only when they are all search tools.')
  }
  if (model.kind === 'image' && declarations.length > 0) throw invalid('Function calling is not enabled for this model')
  checkMixing(request, model, declarations.length > 0)
  checkToolConfig(request, names)
  const { responseSchema, responseJsonSchema } = request.generationConfig ?? {}
  if (responseSchema !== undefined) checkSchema(responseSchema, 'generation_config.response_schema', model)
  if (responseJsonSchema !== undefined) checkJsonSchema(responseJsonSchema, 'generation_config.response_json_schema')
}

function checkDeclaration(declaration: FunctionDeclaration, model: EmulatedModel, path: string): void {
  const { name = '', parameters, parametersJsonSchema } = declaration
  if (!NAME.test(name) || name.length > (model.generation < 3 ? 64 : 128)) {
    throw invalid(
      `* GenerateContentRequest.${path}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n`,
    )
  }
  if (parameters !== undefined && parametersJsonSchema !== undefined) {
    throw invalid(`* GenerateContentRequest.${path}: parameters and parameters_json_schema are mutually exclusive.\n`)
  }
  if (parameters !== undefined) checkSchema(parameters, `${path}.parameters`, model)
  if (parametersJsonSchema !== undefined) checkJsonSchema(parametersJsonSchema, `${path}.parameters_json_schema`)
}

function checkMixing(request: GenerateRequest, model: EmulatedModel, hasFunctions: boolean): void {
  const builtIns = (request.tools ?? [])
    .flatMap((tool) => Object.keys(tool))
    .filter((key) => key !== 'functionDeclarations')
  if (builtIns.includes('googleSearchRetrieval')) {
    throw invalid('google_search_retrieval is not supported. Please use google_search tool instead.')
  }
  if (!hasFunctions || builtIns.length === 0) return
  if (model.generation < 3)
    throw invalid('Built-in tools ({google_search}) and Function Calling cannot be combined in the same request.')
  if (request.toolConfig?.includeServerSideToolInvocations !== true) {
    throw invalid(
      'Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.',
    )
  }
}

function checkToolConfig({ toolConfig }: GenerateRequest, names: ReadonlySet<string>): void {
  const { mode, allowedFunctionNames = [] } = toolConfig?.functionCallingConfig ?? {}
  if (allowedFunctionNames.length > 0 && mode !== 'ANY' && mode !== 'VALIDATED') {
    throw invalid('Allowed function names should be set only when function calling mode is ANY.')
  }
  const stranger = allowedFunctionNames.find((name) => !names.has(name))
  if (stranger !== undefined) throw invalid(`Allowed function name "${stranger}" is not a declared function.`)
  if (mode === 'ANY' && names.size === 0) throw invalid('Function calling config is set without function_declarations.')
}

const FORMATS: Record<string, readonly string[]> = {
  STRING: ['enum', 'date-time'],
  NUMBER: ['float', 'double'],
  INTEGER: ['int32', 'int64'],
}

/** The OpenAPI subset beyond what the front end checks. */
function checkSchema(schema: Schema, path: string, model: EmulatedModel): void {
  const { type = '', format, properties, required = [], items } = schema
  if (type === '' && schema.anyOf === undefined) {
    throw invalid(`* GenerateContentRequest.${path}.type: must be specified\n`)
  }
  if (type === 'ARRAY' && items === undefined) throw invalid(`* GenerateContentRequest.${path}.items: missing field.\n`)
  if (type === 'OBJECT' && model.generation < 3 && Object.keys(properties ?? {}).length === 0) {
    throw invalid(`* GenerateContentRequest.${path}.properties: should be non-empty for OBJECT type\n`)
  }
  required.forEach((name, index) => {
    if (properties?.[name] === undefined) {
      throw invalid(`* GenerateContentRequest.${path}.required[${index}]: property is not defined\n`)
    }
  })
  if (schema.enum !== undefined && type !== 'STRING') {
    throw invalid(`* GenerateContentRequest.${path}.enum: only allowed for STRING type\n`)
  }
  const formats = FORMATS[type] ?? []
  if (format !== undefined && !formats.includes(format)) {
    const known = formats.map((name) => `'${name}'`).join(' and ')
    throw invalid(`* GenerateContentRequest.${path}.format: only ${known} are supported for ${type} type\n`)
  }
  for (const [name, inner] of Object.entries(properties ?? {})) checkSchema(inner, `${path}.properties[${name}]`, model)
  if (items !== undefined) checkSchema(items, `${path}.items`, model)
  schema.anyOf?.forEach((inner, index) => checkSchema(inner, `${path}.any_of[${index}]`, model))
}
