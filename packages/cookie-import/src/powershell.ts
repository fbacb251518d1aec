import { isGoogles, OF_THE_APP_ONLY, readCookiePairs, type ExportedCookie, type RawExport } from './cookie.ts'

/** True for what "Copy as PowerShell" puts on the clipboard. */
export function looksLikePowerShell(text: string): boolean {
  return /^\$session\s*=|^Invoke-(WebRequest|RestMethod)\b/im.test(text)
}

/** Between double quotes a backtick escapes. */
const TEXT = '"((?:`[\\s\\S]|[^"`])*)"'
const COOKIE = new RegExp(
  `System\\.Net\\.Cookie\\(\\s*${TEXT}\\s*,\\s*${TEXT}(?:\\s*,\\s*${TEXT}\\s*,\\s*${TEXT})?`,
  'gi',
)
const ADDRESS = new RegExp(`-Uri\\s+${TEXT}`, 'gi')
const HEADER = new RegExp(`${TEXT}\\s*=\\s*${TEXT}`, 'g')

/** Reads "Copy as PowerShell" of Chrome, Edge and Firefox: `$session.Cookies.Add(…)`, and `"cookie"="…"` of older ones. */
export function readPowerShell(text: string): RawExport {
  const found: RawExport = { cookies: [], urls: [], authUsers: [] }
  for (const [, name = '', value = '', path, domain] of text.matchAll(COOKIE)) {
    found.cookies.push(toCookie(plain(name), plain(value), path, domain))
  }
  for (const [, url = ''] of text.matchAll(ADDRESS)) found.urls.push(plain(url))
  for (const [, name = '', value = ''] of text.matchAll(HEADER)) {
    if (/^cookie$/i.test(name)) found.cookies.push(...readCookiePairs(plain(value)))
    if (/^x-goog-authuser$/i.test(name)) found.authUsers.push(plain(value))
  }
  return found
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
