import type { FunctionDeclaration } from '@castorjs/content-generator'
import type { RequestBody } from './prepare/request.ts'
import { replaceSignatures } from './prepare/signatures.ts'
import type { JsonSchema } from './schema/clean-json-schema.ts'
import { toOpenApiSchema } from './schema/to-openapi.ts'
import type { GoogleError } from './wire/google-error.ts'
import { isSchemaRefusal, isSignatureRefusal, isStoreRefusal } from './wire/upstream-error.ts'

/** Cures for refusals that say nothing about what the caller wants. Each is tried once. */
export type Repair = 'signatures' | 'store' | 'schema'

/**
 * The request changed so that this refusal cannot come again; undefined when there is no cure, or it was tried.
 * Source: `gemini-api.md` sections 3 and 4.1, `dialects.md` 6.4.
 *
 * @param tried What was tried for this request; the cure taken is added.
 */
export function repairRequest(body: RequestBody, refusal: GoogleError, tried: Set<Repair>): RequestBody | undefined {
  const repair = chooseRepair(refusal)
  if (repair === undefined || tried.has(repair)) return undefined
  tried.add(repair)
  if (repair === 'signatures') return { ...body, contents: replaceSignatures(body.contents) }
  if (repair === 'schema') return withOpenApiSchemas(body)
  const { store: _, ...rest } = body
  return rest as RequestBody
}

function chooseRepair(refusal: GoogleError): Repair | undefined {
  if (isSignatureRefusal(refusal)) return 'signatures'
  if (isStoreRefusal(refusal)) return 'store'
  return isSchemaRefusal(refusal) ? 'schema' : undefined
}

function withOpenApiSchemas(body: RequestBody): RequestBody {
  const tools = body.tools?.map((tool) => {
    if (tool.functionDeclarations === undefined) return tool
    return { ...tool, functionDeclarations: tool.functionDeclarations.map(toOpenApiDeclaration) }
  })
  const { responseJsonSchema, ...config } = body.generationConfig ?? {}
  const schema =
    responseJsonSchema === undefined ? {} : { responseSchema: toOpenApiSchema(responseJsonSchema as JsonSchema) }
  return {
    ...body,
    ...(tools === undefined ? {} : { tools }),
    ...(body.generationConfig === undefined ? {} : { generationConfig: { ...config, ...schema } }),
  }
}

function toOpenApiDeclaration({ parametersJsonSchema, ...declaration }: FunctionDeclaration): FunctionDeclaration {
  if (parametersJsonSchema === undefined) return declaration
  return { ...declaration, parameters: toOpenApiSchema(parametersJsonSchema as JsonSchema) }
}
