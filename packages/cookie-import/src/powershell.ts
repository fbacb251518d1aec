import { addAll, isGoogles, OF_THE_APP_ONLY, readCookiePairs, type ExportedCookie, type RawExport } from './cookie.ts'

/** True for what "Copy as PowerShell" puts on the clipboard. */
export function looksLikePowerShell(text: string): boolean {
  return /^\$session\s*=|^Invoke-(WebRequest|RestMethod)\b/im.test(text)
}

/** Between double quotes a backtick escapes. A paste that was cut ends inside of them: then they end with the text. */
const TEXT = '"((?:`[\\s\\S]|[^"`])*)(?:"|$)'
const COOKIE = new RegExp(
  `System\\.Net\\.Cookie\\(\\s*${TEXT}\\s*,\\s*${TEXT}(?:\\s*,\\s*${TEXT}\\s*,\\s*${TEXT})?`,
  'gi',
)
const ADDRESS = new RegExp(`-Uri\\s+${TEXT}`, 'gi')
const QUOTED = new RegExp(TEXT, 'g')

/** Reads "Copy as PowerShell" of Chrome, Edge and Firefox: `$session.Cookies.Add(…)`, and `"cookie"="…"` of older ones. */
export function readPowerShell(text: string): RawExport {
  const found: RawExport = { cookies: [], urls: [], authUsers: [] }
  for (const [, name = '', value = '', path, domain] of text.matchAll(COOKIE)) {
    found.cookies.push(toCookie(plain(name), plain(value), path, domain))
  }
  for (const [, url = ''] of text.matchAll(ADDRESS)) found.urls.push(plain(url))
  for (const [name, value] of readPairs(text)) {
    if (/^cookie$/i.test(name)) addAll(found.cookies, readCookiePairs(plain(value)))
    if (/^x-goog-authuser$/i.test(name)) found.authUsers.push(plain(value))
  }
  return found
}

/** Each `"name" = "value"`. Whole texts are passed over one after the other: a body holds thousands of quotes. */
function* readPairs(text: string): Generator<[name: string, value: string]> {
  let name: string | undefined
  let end = 0
  for (const { 0: quoted, 1: inner = '', index } of text.matchAll(QUOTED)) {
    if (name !== undefined && /^\s*=\s*$/.test(text.slice(end, index))) yield [name, inner]
    name = inner
    end = index + quoted.length
  }
}

/** Firefox gives every cookie the host of the request; only a leading dot says where a cookie belongs. */
function toCookie(name: string, value: string, path = '/', domain = ''): ExportedCookie {
  if (domain.startsWith('.')) return { name, value, path, domain, hostOnly: false }
  if (OF_THE_APP_ONLY.has(name)) return { name, value, path, domain: 'gemini.google.com', hostOnly: true }
  if (domain === '' || isGoogles({ domain })) return { name, value, path }
  return { name, value, path, domain, hostOnly: true }
}

function plain(text: string): string {
  return text
    .replace(/\$\(\[char\](\d+)\)/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/`([\s\S])/g, '$1')
}
