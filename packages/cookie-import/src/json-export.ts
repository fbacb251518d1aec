import { expiryField, readCookiePairs, unquote, type ExportedCookie } from './cookie.ts'

/** A record of JSON. */
export type JsonRecord = Record<string, unknown>

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Names that configurations and the reference servers use for the two or three cookies everybody has at hand. */
const FIELD = /^_*(?:secure_?_?)?1psid(ts|cc|rts)?$/i

/**
 * Reads what browser extensions and tools write: a list of cookies (EditThisCookie, Cookie-Editor, Puppeteer),
 * `{ cookies: […] }` (Playwright's storage state, CDP), one object of names and values, or the fields
 * `SECURE_1PSID`, `SECURE_1PSIDTS`, `SECURE_1PSIDCC`.
 */
export function readJsonExport(value: unknown): ExportedCookie[] {
  if (Array.isArray(value)) return value.flatMap((entry: unknown) => readEntry(entry))
  if (!isRecord(value)) return []
  const { cookies } = value
  if (Array.isArray(cookies)) return cookies.flatMap((entry: unknown) => readEntry(entry))
  return Object.entries(isRecord(cookies) ? cookies : value).flatMap(([field, each]) => {
    const text = typeof each === 'string' ? unquote(each.trim().replace(/;$/, '')) : ''
    if (text === '') return []
    const name = nameOf(field)
    // People paste the value with its name in front.
    return readCookiePairs(`${name}=${text.startsWith(`${name}=`) ? text.slice(name.length + 1) : text}`)
  })
}

function nameOf(field: string): string {
  const match = FIELD.exec(field)
  return match === null ? field : `__Secure-1PSID${(match[1] ?? '').toUpperCase()}`
}

function readEntry(entry: unknown): ExportedCookie[] {
  if (!isRecord(entry) || typeof entry['name'] !== 'string' || typeof entry['value'] !== 'string') return []
  const { name, value, domain, path, hostOnly } = entry
  const seconds = [entry['expirationDate'], entry['expires'], entry['expiry']].find((each) => typeof each === 'number')
  return [
    {
      name,
      value,
      ...(typeof domain === 'string' && domain !== '' ? { domain } : {}),
      ...(typeof path === 'string' ? { path } : {}),
      // Puppeteer and Playwright have no such field: there a cookie of a whole domain begins with a dot.
      hostOnly: typeof hostOnly === 'boolean' ? hostOnly : typeof domain === 'string' && !domain.startsWith('.'),
      ...(typeof seconds === 'number' ? expiryField(seconds) : {}),
    },
  ]
}
