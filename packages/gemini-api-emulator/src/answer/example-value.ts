import { isObject } from '../strict/message.ts'

/**
 * A value that fits a schema of either form.
 *
 * @param words What strings are taken from, each once; then the property's own name.
 */
export function exampleValue(schema: unknown, words: string[], name = 'value', defs?: unknown): unknown {
  if (!isObject(schema)) return name
  const known = isObject(schema.$defs) ? schema.$defs : defs
  if (typeof schema.$ref === 'string') {
    const target = isObject(known) ? known[schema.$ref.replace('#/$defs/', '')] : undefined
    return exampleValue(target, words, name, known)
  }
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const variants: unknown = schema.anyOf ?? schema.oneOf
  if (Array.isArray(variants)) return exampleValue(variants[0], words, name, known)
  const types: unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type]
  const type = types.map((entry) => String(entry).toLowerCase()).find((entry) => entry !== 'null')
  if (type === 'object' || isObject(schema.properties)) return exampleObject(schema, words, known)
  if (type === 'array') {
    const least = typeof schema.minItems === 'number' ? schema.minItems : 1
    if (Array.isArray(schema.prefixItems))
      return schema.prefixItems.map((item) => exampleValue(item, words, name, known))
    return Array.from({ length: least }, () => exampleValue(schema.items, words, name, known))
  }
  if (type === 'integer' || type === 'number') return typeof schema.minimum === 'number' ? schema.minimum : 1
  if (type === 'boolean') return true
  if (schema.format === 'date-time') return '2026-11-20T12:00:00Z'
  return words.shift() ?? name
}

function exampleObject(schema: Record<string, unknown>, words: string[], defs: unknown): Record<string, unknown> {
  const properties = isObject(schema.properties) ? schema.properties : {}
  // A schema that demands nothing gets everything once; one that demands some gets just those.
  const required = Array.isArray(schema.required) ? schema.required.map(String) : Object.keys(properties)
  return Object.fromEntries(required.map((name) => [name, exampleValue(properties[name], words, name, defs)]))
}
