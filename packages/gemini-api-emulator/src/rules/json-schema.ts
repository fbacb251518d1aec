import { invalid } from '../rpc-error.ts'
import { isObject } from '../strict/message.ts'

/** Keywords that are honoured. The real front end ignores some of the others; this one refuses them all. */
const KEYWORDS = new Set([
  '$id',
  '$defs',
  '$ref',
  '$anchor',
  'type',
  'format',
  'title',
  'description',
  'enum',
  'items',
  'prefixItems',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'anyOf',
  'oneOf',
  'properties',
  'additionalProperties',
  'required',
  'propertyOrdering',
])
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])
const FORMATS = new Set(['float', 'double', 'int32', 'int64', 'enum', 'date-time'])

/**
 * The JSON Schema subset. Source: `gemini-api.md` section 6.2.
 *
 * @throws {RpcError} 400 naming the keyword and where it is.
 */
export function checkJsonSchema(root: unknown, path: string): void {
  const defs = isObject(root) && isObject(root.$defs) ? root.$defs : {}
  check(root, path)

  function check(schema: unknown, at: string): void {
    if (!isObject(schema)) throw invalid(`Invalid value at '${at}': a schema must be an object.`)
    for (const keyword of Object.keys(schema)) {
      if (!KEYWORDS.has(keyword)) {
        throw invalid(`Invalid JSON payload received. Unknown name "${keyword}" at '${at}': Cannot find field.`)
      }
    }
    checkRef(schema, at)
    checkType(schema, at)
    checkRequired(schema, at)
    for (const [name, inner] of entriesOf(schema.properties)) check(inner, `${at}.properties[${name}]`)
    for (const [name, inner] of entriesOf(schema.$defs)) check(inner, `${at}.$defs[${name}]`)
    for (const name of ['anyOf', 'oneOf', 'prefixItems']) {
      const list = schema[name]
      if (list === undefined) continue
      if (!Array.isArray(list)) throw invalid(`Invalid value at '${at}.${name}': must be a list.`)
      list.forEach((inner, index) => check(inner, `${at}.${name}[${index}]`))
    }
    if (schema.items !== undefined) check(schema.items, `${at}.items`)
    const { additionalProperties: rest } = schema
    if (rest !== undefined && typeof rest !== 'boolean') check(rest, `${at}.additionalProperties`)
  }

  function checkRef(schema: Record<string, unknown>, at: string): void {
    const { $ref } = schema
    if ($ref === undefined) return
    if (Object.keys(schema).some((keyword) => !keyword.startsWith('$'))) {
      throw invalid(`Invalid value at '${at}': a schema with $ref must not have other keywords.`)
    }
    const name = typeof $ref === 'string' ? /^#\/\$defs\/([^/]+)$/.exec($ref)?.[1] : undefined
    if ($ref !== '#' && (name === undefined || defs[name] === undefined)) {
      throw invalid(`Invalid value at '${at}.$ref': reference to undefined schema.`)
    }
  }
}

function checkType(schema: Record<string, unknown>, at: string): void {
  const types: unknown[] = Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type]
  for (const type of types) {
    if (typeof type !== 'string' || !TYPES.has(type.toLowerCase())) throw invalid(`Invalid value at '${at}.type'.`)
  }
  if (schema.format !== undefined && (typeof schema.format !== 'string' || !FORMATS.has(schema.format))) {
    throw invalid(`Invalid value at '${at}.format': unsupported format.`)
  }
  if (schema.enum === undefined) return
  const values: unknown[] = Array.isArray(schema.enum) ? schema.enum : [null]
  if (values.length === 0 || values.some((value) => typeof value !== 'string' && typeof value !== 'number')) {
    throw invalid(`Invalid value at '${at}.enum': only strings and numbers are supported.`)
  }
}

function checkRequired(schema: Record<string, unknown>, at: string): void {
  if (schema.required === undefined) return
  const names: unknown[] = Array.isArray(schema.required) ? schema.required : [null]
  for (const name of names) {
    if (typeof name !== 'string' || !isObject(schema.properties) || schema.properties[name] === undefined) {
      throw invalid(`Invalid value at '${at}.required': property is not defined.`)
    }
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : []
}
