/** A schema node as a client wrote it, or as Gemini reads it. */
export type JsonSchema = Record<string, unknown>

/** A schema that names itself is followed this often on one way down, then cut to a bare object. */
const MOST_REPEATS = 2
/** Nodes written at most: a few definitions that mention each other could otherwise fill memory. */
const MOST_NODES = 5_000

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])
const NUMBER_FORMATS = new Set(['float', 'double', 'int32', 'int64'])
const STRING_FORMATS = new Set(['enum', 'date-time'])
/** Numbers that Gemini honours as they are. */
const LIMITS = ['minItems', 'maxItems', 'minimum', 'maximum'] as const
/** Keywords that say something useful but are not honoured: told in the description instead. */
const FACTS = ['default', 'pattern', 'minLength', 'maxLength', 'multipleOf', 'exclusiveMinimum', 'exclusiveMaximum']
const LONGEST_FACT = 80

/**
 * Rewrites any JSON Schema (or OpenAPI schema) into the subset that Gemini honours in `parametersJsonSchema` and
 * `responseJsonSchema`: local references inlined, `allOf` merged, `oneOf` and `const` translated, what is left over
 * deleted. Property names are never taken for keywords. Source: `dialects.md` section 6.4, `gemini-api.md` 6.2.
 *
 * @returns A new schema; the given one is not changed.
 */
export function cleanJsonSchema(root: unknown): JsonSchema {
  const followed = new Map<unknown, number>()
  let nodes = 0

  function clean(given: unknown): JsonSchema {
    if (!isObject(given) || ++nodes > MOST_NODES) return {}
    if (typeof given.$ref === 'string') return cleanReference(given, given.$ref)
    if (Array.isArray(given.allOf)) return clean(mergeAll(given, given.allOf, resolve))
    const types = readTypes(given)
    const schema: JsonSchema = {}
    copyText(given, schema)
    copyEnum(given, schema, types)
    copyLimits(given, schema, types)
    copyFormat(given, schema, types)
    copyObject(given, schema, types)
    copyArray(given, schema)
    const variants = given.anyOf ?? given.oneOf
    if (Array.isArray(variants) && variants.length > 0) copyVariants(variants, schema, types)
    if (given.nullable === true && types.length > 0 && !types.includes('null')) types.push('null')
    if (types.length > 0) schema.type = types.length === 1 ? types[0] : types
    addFacts(given, schema)
    return schema
  }

  /** A reference becomes what it names; a description beside it wins. */
  function cleanReference(given: JsonSchema, $ref: string): JsonSchema {
    const { $ref: _, ...beside } = given
    const target = resolve($ref)
    const times = followed.get(target) ?? 0
    if (target === undefined) return clean(beside)
    if (times >= MOST_REPEATS) return { type: 'object' }
    followed.set(target, times + 1)
    const schema = clean(isObject(target) ? { ...target, ...beside } : beside)
    followed.set(target, times)
    return schema
  }

  function resolve(pointer: string): unknown {
    if (pointer === '#') return root
    if (!pointer.startsWith('#/')) return undefined
    let target: unknown = root
    for (const step of pointer.slice(2).split('/')) {
      const name = unescapePointer(step)
      target = isObject(target) || Array.isArray(target) ? (target as Record<string, unknown>)[name] : undefined
    }
    return target
  }

  function copyVariants(variants: readonly unknown[], schema: JsonSchema, types: string[]): void {
    const values = variants.map((variant) => (isObject(variant) ? variant.const : undefined))
    if (values.every((value) => typeof value === 'string')) {
      schema.enum = values
      if (types.length === 0) types.push('string')
      return
    }
    // "Anything or null" is what `type: [x, "null"]` says in fewer words.
    const real = variants.filter((variant) => !isNull(variant))
    if (real.length === 1 && real.length < variants.length) {
      const { type, ...only } = clean(real[0])
      Object.assign(schema, only, { ...schema })
      for (const name of [type].flat()) if (typeof name === 'string' && !types.includes(name)) types.push(name)
      if (types.length > 0 && !types.includes('null')) types.push('null')
      return
    }
    schema.anyOf = variants.map(clean)
  }

  function copyObject(given: JsonSchema, schema: JsonSchema, types: string[]): void {
    if (isObject(given.properties)) {
      if (types.length === 0) types.push('object')
      const entries = Object.entries(given.properties).map(([name, inner]) => [name, clean(inner)] as const)
      schema.properties = Object.fromEntries(entries)
    }
    const known = isObject(schema.properties) ? schema.properties : {}
    if (Array.isArray(given.required)) {
      const required = given.required.filter((name) => typeof name === 'string' && Object.hasOwn(known, name))
      if (required.length > 0) schema.required = [...new Set(required)]
    }
    if (Array.isArray(given.propertyOrdering)) schema.propertyOrdering = given.propertyOrdering
    const rest = given.additionalProperties
    if (typeof rest === 'boolean') schema.additionalProperties = rest
    else if (isObject(rest)) schema.additionalProperties = clean(rest)
  }

  function copyArray(given: JsonSchema, schema: JsonSchema): void {
    const tuple = given.prefixItems ?? given.items
    if (Array.isArray(tuple)) schema.prefixItems = tuple.map(clean)
    if (given.items !== undefined && !Array.isArray(given.items)) schema.items = clean(given.items)
  }

  return clean(root)
}

function readTypes({ type, ...given }: JsonSchema): string[] {
  const names = [type].flat().filter((name) => typeof name === 'string')
  const types = [...new Set(names.map((name) => name.toLowerCase()))].filter((name) => TYPES.has(name))
  const value = given.const
  if (types.length > 0 || value === undefined) return types
  return [value === null ? 'null' : typeof value].filter((name) => TYPES.has(name))
}

function copyText(given: JsonSchema, schema: JsonSchema): void {
  for (const name of ['title', 'description'] as const) if (typeof given[name] === 'string') schema[name] = given[name]
}

/** Strings and numbers stay, null makes the value nullable, anything else says nothing Gemini could honour. */
function copyEnum(given: JsonSchema, schema: JsonSchema, types: string[]): void {
  const values: unknown[] = Array.isArray(given.enum) ? given.enum : given.const === undefined ? [] : [given.const]
  const kept = values.filter((value) => typeof value === 'string' || typeof value === 'number')
  if (kept.length > 0) {
    schema.enum = kept
    if (types.length === 0) types.push(...new Set(kept.map((value) => typeof value)))
  }
  if (Array.isArray(given.enum) && values.includes(null) && types.length > 0 && !types.includes('null')) {
    types.push('null')
  }
}

function copyLimits(given: JsonSchema, schema: JsonSchema, types: readonly string[]): void {
  for (const name of LIMITS) if (typeof given[name] === 'number') schema[name] = given[name]
  if (!types.includes('integer')) return
  const { exclusiveMinimum: above, exclusiveMaximum: below } = given
  if (typeof above === 'number') schema.minimum = Math.floor(above) + 1
  else if (above === true && typeof given.minimum === 'number') schema.minimum = given.minimum + 1
  if (typeof below === 'number') schema.maximum = Math.ceil(below) - 1
  else if (below === true && typeof given.maximum === 'number') schema.maximum = given.maximum - 1
}

function copyFormat({ format }: JsonSchema, schema: JsonSchema, types: readonly string[]): void {
  if (typeof format !== 'string') return
  const isNumber = types.includes('number') || types.includes('integer')
  if ((isNumber && NUMBER_FORMATS.has(format)) || (types.includes('string') && STRING_FORMATS.has(format))) {
    schema.format = format
  }
}

function addFacts(given: JsonSchema, schema: JsonSchema): void {
  const facts: string[] = []
  for (const name of FACTS) {
    const value = given[name]
    const isHonoured = schema.minimum !== undefined && name === 'exclusiveMinimum'
    if (value === undefined || value === null || typeof value === 'boolean' || isHonoured) continue
    if (name === 'exclusiveMaximum' && schema.maximum !== undefined) continue
    const fact = `${name}: ${JSON.stringify(value)}`
    if (fact.length <= LONGEST_FACT) facts.push(fact)
  }
  if (typeof given.format === 'string' && schema.format === undefined) facts.push(`format: ${given.format}`)
  if (facts.length === 0) return
  const text = typeof schema.description === 'string' ? `${schema.description} ` : ''
  schema.description = `${text}(${facts.join(', ')})`
}

/** Joins the members of `allOf` and what stands beside them: properties and required names add up, the rest is overwritten. */
function mergeAll(given: JsonSchema, members: readonly unknown[], resolve: (pointer: string) => unknown): JsonSchema {
  const { allOf: _, ...beside } = given
  let merged: JsonSchema = {}
  for (const member of [...members, beside]) {
    const target = isObject(member) && typeof member.$ref === 'string' ? resolve(member.$ref) : member
    if (!isObject(target) || target === given) continue
    const { properties, required, ...rest } = target
    const both = isObject(merged.properties) || isObject(properties)
    const names = [merged.required, required].flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
    merged = {
      ...merged,
      ...rest,
      ...(both ? { properties: { ...(merged.properties as object), ...(properties as object) } } : {}),
      ...(names.length > 0 ? { required: names } : {}),
    }
  }
  return merged
}

function unescapePointer(step: string): string {
  const plain = step.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

function isNull(schema: unknown): boolean {
  return isObject(schema) && (schema.type === 'null' || schema.const === null)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
