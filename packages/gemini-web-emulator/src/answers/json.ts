import type { Conversation } from './conversation.ts'

const WISH = /\b(?:answer|reply|respond|return|output)\b[^\n.]{0,60}\bJSON\b|\bJSON schema\b/i

/** The answer as JSON, when the prompt or an instruction asks for nothing else; it fits the schema they name. */
export function asJson({ last, notes }: Conversation, answer: string): string | undefined {
  const wish = [last, ...notes].find((text) => WISH.test(text))
  if (wish === undefined) return undefined
  const schema = readSchema(wish)
  return JSON.stringify(schema === undefined ? { answer } : example(schema, { answer, root: schema, depth: 0 }))
}

type Schema = Record<string, unknown>

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The first JSON object after the word "schema". */
function readSchema(text: string): Schema | undefined {
  const from = text.indexOf('{', text.search(/schema/i))
  if (from < 0) return undefined
  for (let end = text.lastIndexOf('}'); end > from; end = text.lastIndexOf('}', end - 1)) {
    try {
      const value: unknown = JSON.parse(text.slice(from, end + 1))
      return isSchema(value) ? value : undefined
    } catch {
      // Words behind the schema also held a brace.
    }
  }
  return undefined
}

interface Context {
  answer: string
  root: Schema
  depth: number
}

/** Deeper than this, recursive schemas get their shortest value. */
const MOST_DEPTH = 6

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-09-21',
  time: '12:00:00Z',
  'date-time': '2026-09-21T12:00:00Z',
  email: 'ada@example.com',
  uri: 'https://example.com/',
  uuid: '11111111-2222-4333-8444-555555555555',
}

/** A value that fits a schema, the same one every time. Types may be in capitals, as Google writes them. */
function example(schema: Schema, context: Context): unknown {
  if (schema['const'] !== undefined) return schema['const']
  if (Array.isArray(schema['enum'])) return schema['enum'][0]
  const target = typeof schema['$ref'] === 'string' ? resolve(schema['$ref'], context.root) : undefined
  if (target !== undefined) return example(target, deeper(context))
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const branches = schema[key]
    if (!Array.isArray(branches)) continue
    if (key === 'allOf') return example(Object.assign({}, ...branches.filter(isSchema)) as Schema, deeper(context))
    const branch = branches.find(isSchema)
    if (branch !== undefined) return example(branch, deeper(context))
  }
  switch (typeOf(schema)) {
    case 'object':
      return exampleObject(schema, context)
    case 'array': {
      const count =
        context.depth >= MOST_DEPTH ? numberOf(schema, 'minItems', 0) : Math.max(1, numberOf(schema, 'minItems', 1))
      const items = isSchema(schema['items']) ? schema['items'] : {}
      return Array.from({ length: count }, () => example(items, deeper(context)))
    }
    case 'integer':
    case 'number':
      return numberOf(schema, 'minimum', Math.min(1, numberOf(schema, 'maximum', 1)))
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return exampleText(schema, context)
  }
}

function exampleObject(schema: Schema, context: Context): Schema {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const object: Schema = {}
  for (const [name, property] of Object.entries(properties)) {
    if (context.depth >= MOST_DEPTH && !required.includes(name)) continue
    object[name] = example(isSchema(property) ? property : {}, deeper(context))
  }
  return object
}

function exampleText(schema: Schema, { answer }: Context): string {
  const format = typeof schema['format'] === 'string' ? FORMATS[schema['format']] : undefined
  const text = (format ?? answer).padEnd(numberOf(schema, 'minLength', 0), '.')
  return text.slice(0, numberOf(schema, 'maxLength', text.length))
}

function typeOf(schema: Schema): string {
  const type: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  if (typeof type === 'string') return type.toLowerCase()
  return isSchema(schema['properties']) ? 'object' : isSchema(schema['items']) ? 'array' : 'string'
}

function numberOf(schema: Schema, key: string, otherwise: number): number {
  const value = schema[key]
  return typeof value === 'number'
    ? value
    : typeof value === 'string' && value !== '' && Number.isFinite(Number(value))
      ? Number(value)
      : otherwise
}

function resolve(reference: string, root: Schema): Schema | undefined {
  let value: unknown = root
  for (const step of reference.replace(/^#\/?/, '').split('/')) {
    if (step === '') continue
    value = isSchema(value) ? value[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  }
  return isSchema(value) ? value : undefined
}

const deeper = (context: Context): Context => ({ ...context, depth: context.depth + 1 })
