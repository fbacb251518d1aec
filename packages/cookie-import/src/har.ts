import { addAll, readCookiePairs, type ExportedCookie, type RawExport } from './cookie.ts'
import { CookieImportError } from './error.ts'
import { isRecord, type JsonRecord } from './json-export.ts'

export function looksLikeHar(value: unknown): value is { log: { entries: unknown[] } } {
  return isRecord(value) && isRecord(value['log']) && Array.isArray(value['log']['entries'])
}

/**
 * Reads the cookies that were sent to and set by Google hosts, in the order of time: the last value counts.
 *
 * @throws {CookieImportError} `withheld` when the browser saved the file without them, as Chrome does by default.
 */
export function readHar({ log }: { log: { entries: unknown[] } }): RawExport {
  const found: RawExport = { cookies: [], urls: [], authUsers: [] }
  let google = 0
  let seen = 0
  const entries = log.entries.filter(isRecord).sort((left, right) => timeOf(left) - timeOf(right))
  for (const entry of entries) {
    const { request, response } = entry
    if (!isRecord(request) || typeof request['url'] !== 'string' || !isGoogleUrl(request['url'])) continue
    google++
    found.urls.push(request['url'])
    const headers = readHeaders(request['headers'])
    const sent = headers.filter(([name]) => name === 'cookie').flatMap(([, value]) => readCookiePairs(value))
    // The list says where a cookie belongs, the header what was really sent.
    const listed = readList(request['cookies'])
    seen += listed.length + sent.length
    addAll(found.cookies, listed)
    addAll(found.cookies, sent)
    addAll(
      found.authUsers,
      headers.filter(([name]) => name === 'x-goog-authuser').map(([, value]) => value),
    )
    if (!isRecord(response)) continue
    for (const cookie of readList(response['cookies'])) {
      seen++
      // A cookie that is set to a time gone by is deleted: so ends a session that was signed out in the recording.
      if (cookie.expiresMs === undefined || cookie.expiresMs > timeOf(entry)) found.cookies.push(cookie)
      else found.cookies = found.cookies.filter(({ name }) => name !== cookie.name)
    }
  }
  if (google > 0 && seen === 0) {
    throw new CookieImportError(
      'withheld',
      'The HAR file was saved without cookies. Export it again with sensitive data: in Chrome switch on "Allow to generate HAR with sensitive data" in the settings of the developer tools and hold the download button.',
    )
  }
  return found
}

function timeOf(entry: JsonRecord): number {
  const time = typeof entry['startedDateTime'] === 'string' ? Date.parse(entry['startedDateTime']) : NaN
  return Number.isNaN(time) ? 0 : time
}

function isGoogleUrl(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { hostname } = new URL(url)
  return hostname === 'google.com' || hostname.endsWith('.google.com')
}

function readHeaders(headers: unknown): [name: string, value: string][] {
  if (!Array.isArray(headers)) return []
  return headers.flatMap((header: unknown): [string, string][] =>
    isRecord(header) && typeof header['name'] === 'string' && typeof header['value'] === 'string'
      ? [[header['name'].toLowerCase(), header['value']]]
      : [],
  )
}

function readList(cookies: unknown): ExportedCookie[] {
  if (!Array.isArray(cookies)) return []
  return cookies.flatMap((cookie: unknown): ExportedCookie[] => {
    if (!isRecord(cookie) || typeof cookie['name'] !== 'string' || typeof cookie['value'] !== 'string') return []
    const { name, value, domain, path, expires } = cookie
    const expiresMs = typeof expires === 'string' ? Date.parse(expires) : NaN
    return [
      {
        name,
        value,
        ...(typeof domain === 'string' && domain !== '' ? { domain, hostOnly: isOneHost(domain) } : {}),
        ...(typeof path === 'string' && path !== '' ? { path } : {}),
        ...(Number.isNaN(expiresMs) ? {} : { expiresMs }),
      },
    ]
  })
}

/** The form has no field for it: a host below google.com without a dot before it set the cookie for itself. */
function isOneHost(domain: string): boolean {
  return !domain.startsWith('.') && domain !== 'google.com'
}
