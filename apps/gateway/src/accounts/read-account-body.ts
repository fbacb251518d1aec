import { isCookieImportError, readImport, readJsonImport, type CookieImport } from '@castorjs/cookie-import'
import { GenerationError } from '@castorjs/content-generator'
import * as v from 'valibot'
import { ProxySchema } from '../config-schema.ts'
import type { AddOptions } from './add-account.ts'

export interface AccountBody {
  found: CookieImport
  options: AddOptions
}

/** Fields that are ours; all others of an object are cookies. */
const SettingsSchema = v.looseObject({
  label: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.@ -]{1,64}$/, 'must be 1 to 64 letters, digits, spaces or . _ @ -')),
  ),
  accountIndex: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(20, 'must be the N of /u/N, from 0 on')),
  ),
  proxy: v.optional(ProxySchema),
})

/**
 * Reads what somebody posts as an account: any import text as it is; a JSON object with `cookies` (text, list or object)
 * or with `SECURE_1PSID`, `SECURE_1PSIDTS`, `SECURE_1PSIDCC` beside `label`, `accountIndex`, `proxy`; or a list of such.
 *
 * @throws {GenerationError} `invalid_request`, naming the field.
 */
export function readAccountBodies(text: string): AccountBody[] {
  const value = tryJson(text)
  if (Array.isArray(value) && value.length > 0 && value.every(isAccount)) {
    if (value.length > 100) throw wrong('cookies', 'holds more than 100 accounts; send fewer at a time')
    return value.map((each) => readOne(each))
  }
  if (isAccount(value)) return [readOne(value)]
  return [{ found: read(() => (value === undefined ? readImport(text) : readJsonImport(value))), options: {} }]
}

/** The proxy of `{ "proxy": … }`; null takes it away. */
export function readProxy(body: unknown): string | null {
  const schema = v.strictObject({ proxy: v.nullable(ProxySchema) })
  return parse(schema, body).proxy
}

/** Not a cookie list, not an export: an object with our fields or those of the reference servers. */
function isAccount(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const names = Object.keys(value)
  if (names.includes('name') && names.includes('value')) return false
  return (
    names.some((name) => /^(label|accountIndex|proxy)$/.test(name)) || 'cookies' in value || /1psid/i.test(names.join())
  )
}

function readOne(value: Record<string, unknown>): AccountBody {
  const { label, accountIndex, proxy, ...rest } = parse(SettingsSchema, value)
  const { cookies = rest } = rest
  const found = read(() => (typeof cookies === 'string' ? readImport(cookies) : readJsonImport(cookies)))
  return { found, options: { label, accountIndex, proxy } }
}

function parse<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const [issue] = result.issues
  const field = v.getDotPath(issue) ?? 'body'
  // Only our own sentences: the library's quote what was given.
  throw wrong(field, issue.message.startsWith('Invalid') ? 'is of the wrong type' : issue.message)
}

function read(work: () => CookieImport): CookieImport {
  try {
    return work()
  } catch (error) {
    if (!isCookieImportError(error)) throw error
    throw new GenerationError('invalid_request', error.message, { field: 'cookies' })
  }
}

function wrong(field: string, what: string): GenerationError {
  return new GenerationError('invalid_request', `\`${field}\` ${what}.`, { field })
}

function tryJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text.replace(/^\uFEFF/, ''))) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
