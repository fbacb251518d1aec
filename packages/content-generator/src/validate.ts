import * as v from 'valibot'
import { GenerationError } from './error.ts'

/**
 * Checks a stranger's value against a schema.
 *
 * @returns The parsed value; unknown fields are kept where the schema is loose.
 * @throws {GenerationError} `invalid_request` naming the first offending field as `a.b[0].c`. The message
 * says what was expected and the type received, never the value.
 */
export function validate<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const issue = deepest(result.issues[0])
  const field = fieldName(issue.path)
  const where = field === '' ? 'The body' : `\`${field}\``
  throw new GenerationError('invalid_request', `${where} ${describe(issue)}.`, field === '' ? {} : { field })
}

/** The issue of a union that got furthest: the branch the caller most likely meant. Its path begins at the union. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  let best = issue
  for (const nested of issue.issues ?? []) {
    const candidate = deepest(nested)
    const path = [...(issue.path ?? []), ...(candidate.path ?? [])]
    const [first, ...rest] = path
    if (first !== undefined && path.length > (best.path?.length ?? 0)) best = { ...candidate, path: [first, ...rest] }
  }
  return best
}

function fieldName(path: readonly { key?: unknown }[] | undefined): string {
  let name = ''
  for (const { key } of path ?? []) {
    if (typeof key === 'number') name += `[${key}]`
    else name += name === '' ? String(key) : `.${String(key)}`
  }
  return name
}

function describe(issue: v.BaseIssue<unknown>): string {
  // Messages of our own checks begin with a verb; the library's begin with "Invalid" and repeat the value.
  if (!issue.message.startsWith('Invalid')) return issue.message
  // The library expects the key's own name where a key is missing.
  if (issue.received === 'undefined') return 'is missing'
  const expected = readable(issue.expected)
  const isType = Object.values(TYPE_NAMES).some((name) => expected.includes(name))
  return isType ? `must be ${expected}, not ${typeName(issue.input)}` : `must be ${expected}`
}

function readable(expected: string | null): string {
  if (expected === null) return 'valid'
  if (expected.startsWith('>=')) return `at least ${expected.slice(2)}`
  if (expected.startsWith('<=')) return `at most ${expected.slice(2)}`
  const options = expected.replace(/^\(|\)$/g, '').split(' | ')
  const named = options.map((option) => TYPE_NAMES[option] ?? option)
  if (named.length === 1) return named[0] ?? 'valid'
  return `${named.slice(0, -1).join(', ')} or ${named.at(-1)}`
}

const TYPE_NAMES: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Array: 'an array',
  Object: 'an object',
  object: 'an object',
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return TYPE_NAMES[typeof value] ?? typeof value
}
