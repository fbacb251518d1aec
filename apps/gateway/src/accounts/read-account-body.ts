import { isCookieImportError, readImport, readJsonImport, type CookieImport } from '@castorjs/cookie-import'
import { GenerationError } from '@castorjs/content-generator'
import * as v from 'valibot'
import { ProxySchema } from '../config-fields.ts'
import { shownName } from '../shown-name.ts'
import type { AddOptions } from './add-account.ts'

export interface AccountBody {
  found: CookieImport
  options: AddOptions
}

const indexWords = 'must be a whole number from 0 to 20, the N of /u/N'

/** Fields that are ours; all others of an object are cookies. */
const SettingsSchema = v.looseObject({
  label: v.optional(
    v.pipe(
      v.string('must be a text'),
      v.regex(/^[\w.@ -]{1,64}$/, 'must be 1 to 64 letters, digits, spaces or . _ @ -'),
      v.check(
        (label) => label.toLowerCase() !== 'guest',
        'must not be "guest": that is the session without an account',
      ),
    ),
  ),
  accountIndex: v.optional(
    v.pipe(v.number(indexWords), v.integer(indexWords), v.minValue(0, indexWords), v.maxValue(20, indexWords)),
  ),
  proxy: v.optional(ProxySchema),
})

const SETTINGS = Object.keys(SettingsSchema.entries)

/** The two or three cookies everybody has at hand, as configurations and the reference servers call them. */
const COOKIE_FIELD = /^_*(?:secure_?_?)?1psid(ts|cc|rts)?$/i

/**
 * Reads what somebody posts as an account: any import text as it is; a JSON object with `cookies` (text, list or object)
 * or with `SECURE_1PSID`, `SECURE_1PSIDTS`, `SECURE_1PSIDCC` beside `label`, `accountIndex`, `proxy`; or a list of such.
 *
 * @throws {GenerationError} `invalid_request`, naming the field.
 */
export function readAccountBodies(text: string): AccountBody[] {
  const value = tryJson(text)
  if (Array.isArray(value) && value.some(isAccount)) {
    if (value.length > 100) throw wrong('cookies', 'holds more than 100 accounts; send fewer at a time')
    return value.map((each, index) => {
      if (isAccount(each)) return readOne(each, `[${index}]`)
      throw wrong(`[${index}]`, 'is no account: it has neither `cookies` nor SECURE_1PSID')
    })
  }
  if (isAccount(value)) return [readOne(value)]
  return [{ found: read(() => (value === undefined ? readImport(text) : readJsonImport(value))), options: {} }]
}

/** The same for what comes from a command line. @throws {GenerationError} `invalid_request`, naming the field. */
export function readAddOptions(options: Record<string, unknown>): AddOptions {
  const { label, accountIndex, proxy } = parse(SettingsSchema, options)
  return { label, accountIndex, proxy }
}

/** The proxy of `{ "proxy": … }`; null takes it away. */
export function readProxy(body: unknown): string | null {
  const isNone = typeof body !== 'object' || body === null || !('proxy' in body)
  if (isNone) throw wrong('proxy', 'is missing: give a URL such as socks5://host:port, or null for no proxy')
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

function readOne(value: Record<string, unknown>, place = ''): AccountBody {
  try {
    const { label, accountIndex, proxy, ...rest } = parse(SettingsSchema, value)
    refuseUnknownSettings(value, rest)
    return { found: readCookies(rest), options: { label, accountIndex, proxy } }
  } catch (error) {
    if (place === '' || !(error instanceof GenerationError)) throw error
    throw new GenerationError(error.code, `${place}: ${error.message}`, { field: `${place}.${error.field}` })
  }
}

/**
 * A misspelt `proxy` would be no proxy. Exports have fields of their own beside a list of cookies, but none of ours, and
 * never a text.
 */
function refuseUnknownSettings(value: Record<string, unknown>, { cookies, ...others }: Record<string, unknown>): void {
  const isExport = typeof cookies === 'object' && !SETTINGS.some((name) => name in value)
  if (cookies === undefined || isExport) return
  for (const [name, given] of Object.entries(others)) {
    // Clients send null and nothing for what they do not have, and exports have lists such as `origins`.
    if (given === '' || typeof given === 'object') continue
    throw wrong(shownName(name), `is no setting of an account; beside \`cookies\` there are ${SETTINGS.join(', ')}`)
  }
}

function readCookies(rest: Record<string, unknown>): CookieImport {
  const { cookies } = rest
  if (cookies !== undefined) {
    if (typeof cookies === 'string') return read(() => readImport(cookies))
    if (typeof cookies !== 'object' || cookies === null) throw wrong('cookies', 'must be a text, a list or an object')
    return read(() => readJsonImport(cookies))
  }
  const given = Object.entries(rest).filter(([name]) => COOKIE_FIELD.test(name))
  for (const [name, value] of given) {
    // Clients send null and nothing for what they do not have.
    if (value !== null && typeof value !== 'string') throw wrong(name, 'must be a text')
  }
  const session = given.find(([name]) => COOKIE_FIELD.exec(name)?.[1] === undefined)
  if (given.length > 0 && (session === undefined || session[1] === null || session[1] === '')) {
    throw wrong(session?.[0] ?? 'SECURE_1PSID', 'is missing: without the cookie __Secure-1PSID there is no session')
  }
  return read(() => readJsonImport(rest))
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
