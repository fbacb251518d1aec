import type { JsonSchema } from './clean-json-schema.ts'

/**
 * The same schema in the older OpenAPI form of `parameters` and `responseSchema`, for upstreams that refuse the
 * other one: one type, upper case, `nullable`, arrays with items, string enums.
 *
 * @param schema As `cleanJsonSchema` leaves it.
 */
export function toOpenApiSchema(schema: JsonSchema): JsonSchema {
  const types = [schema.type].flat().filter((type) => typeof type === 'string')
  const real = types.filter((type) => type !== 'null')
  const open: JsonSchema = {}
  for (const name of ['title', 'description', 'format', 'minItems', 'maxItems', 'minimum', 'maximum'] as const) {
    if (schema[name] !== undefined) open[name] = schema[name]
  }
  if (types.length > real.length) open.nullable = true
  if (real.length > 1) {
    open.anyOf = real.map((type) => toOpenApiSchema({ ...schema, type, description: undefined, title: undefined }))
    return open
  }
  if (Array.isArray(schema.anyOf)) {
    open.anyOf = schema.anyOf.map((variant) => toOpenApiSchema(variant as JsonSchema))
    return open
  }
  const type = real[0] ?? 'string'
  open.type = type.toUpperCase()
  if (type === 'string' && Array.isArray(schema.enum)) open.enum = schema.enum.map(String)
  if (type === 'array') open.items = toOpenApiSchema(readItems(schema))
  if (type === 'object' && typeof schema.properties === 'object' && schema.properties !== null) {
    const entries = Object.entries(schema.properties as Record<string, JsonSchema>)
    open.properties = Object.fromEntries(entries.map(([name, inner]) => [name, toOpenApiSchema(inner)]))
    if (schema.required !== undefined) open.required = schema.required
    if (schema.propertyOrdering !== undefined) open.propertyOrdering = schema.propertyOrdering
  }
  return open
}

function readItems({ items, prefixItems }: JsonSchema): JsonSchema {
  if (typeof items === 'object' && items !== null) return items as JsonSchema
  if (Array.isArray(prefixItems) && prefixItems.length > 0) return prefixItems[0] as JsonSchema
  return { type: 'string' }
}
