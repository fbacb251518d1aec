import { invalid, RPC } from '../rpc-error.ts'

/** The type of a field in Google's JSON, as its front end checks it before any model sees the request. */
export type Kind =
  | 'string'
  | 'bool'
  | 'int'
  | 'number'
  /** base64, standard or URL-safe. */
  | 'bytes'
  /** Any JSON object. */
  | 'struct'
  /** Any JSON value. */
  | 'value'
  | { enum: readonly string[] }
  | { list: Kind }
  | { map: Kind }
  | { message: () => Fields }

/** Fields of a message by their camelCase name. */
export interface Fields {
  readonly [name: string]: Kind
}

interface Violation {
  field: string
  description: string
}

/**
 * Checks a value as strictly as Google's front end and gives it back spelled in camelCase, lone objects made lists.
 *
 * @throws {RpcError} 400 with all violations, in Google's words.
 */
export function parseMessage(value: unknown, fields: Fields): Record<string, unknown> {
  const violations: Violation[] = []
  const parsed = parse(value, { message: () => fields }, '', violations)
  if (violations.length === 0) return parsed as Record<string, unknown>
  const message = violations.map(({ description }) => description).join('\n')
  throw invalid(message, [{ '@type': `${RPC}BadRequest`, fieldViolations: violations }])
}

function parse(value: unknown, kind: Kind, path: string, violations: Violation[]): unknown {
  if (typeof kind === 'string') return parseScalar(value, kind, path, violations)
  if ('enum' in kind) return parseEnum(value, kind.enum, path, violations)
  if ('list' in kind) {
    const list: unknown[] = Array.isArray(value) ? value : [value]
    return list.map((entry, index) => parse(entry, kind.list, `${path}[${index}]`, violations))
  }
  if (!isObject(value)) {
    reject(violations, path, `Invalid value at '${path}' (type.googleapis.com/message), ${quote(value)}`)
    return value
  }
  if ('map' in kind) {
    const entries = Object.entries(value)
    return Object.fromEntries(
      entries.map(([key, held], index) => [key, parse(held, kind.map, `${path}[${index}].value`, violations)]),
    )
  }
  return parseFields(value, kind.message(), path, violations)
}

function parseFields(value: object, fields: Fields, path: string, violations: Violation[]): unknown {
  const parsed: Record<string, unknown> = {}
  for (const [name, held] of Object.entries(value)) {
    const camel = name in fields ? name : toCamelCase(name)
    const kind = fields[camel]
    if (kind === undefined) {
      const where = path === '' ? '' : ` at '${path}'`
      reject(violations, path, `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`)
      continue
    }
    if (held === null || held === undefined) continue
    const inner = path === '' ? toSnakeCase(camel) : `${path}.${toSnakeCase(camel)}`
    parsed[camel] = parse(held, kind, inner, violations)
  }
  return parsed
}

function parseScalar(value: unknown, kind: Kind & string, path: string, violations: Violation[]): unknown {
  if (kind === 'value') return value
  if (kind === 'struct' && isObject(value)) return value
  if (kind === 'bool' && typeof value === 'boolean') return value
  if (kind === 'string' && typeof value === 'string') return value
  if (kind === 'bytes' && typeof value === 'string') {
    if (/^[A-Za-z0-9+/\-_]*={0,2}$/.test(value) && value.replace(/=+$/, '').length % 4 !== 1) return value
    reject(violations, path, `Invalid value at '${path}' (TYPE_BYTES), Base64 decoding failed for ${quote(value)}`)
    return value
  }
  if (kind === 'number' || kind === 'int') {
    const number = typeof value === 'string' && value !== '' ? Number(value) : value
    if (typeof number === 'number' && Number.isFinite(number) && (kind === 'number' || Number.isInteger(number))) {
      return number
    }
  }
  reject(violations, path, `Invalid value at '${path}' (${TYPE_NAMES[kind]}), ${quote(value)}`)
  return value
}

function parseEnum(value: unknown, names: readonly string[], path: string, violations: Violation[]): unknown {
  if (typeof value === 'string') {
    const name = names.find((known) => known === value.toUpperCase())
    if (name !== undefined) return name
  }
  reject(violations, path, `Invalid value at '${path}' (TYPE_ENUM), ${quote(value)}`)
  return value
}

const TYPE_NAMES: Record<Kind & string, string> = {
  string: 'TYPE_STRING',
  bool: 'TYPE_BOOL',
  int: 'TYPE_INT32',
  number: 'TYPE_FLOAT',
  bytes: 'TYPE_BYTES',
  struct: 'type.googleapis.com/google.protobuf.Struct',
  value: 'type.googleapis.com/google.protobuf.Value',
}

function reject(violations: Violation[], field: string, description: string): void {
  violations.push({ field, description })
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
