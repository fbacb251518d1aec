import { addAll, readCookiePairs, type RawExport } from './cookie.ts'
import { CookieImportError } from './error.ts'

/** True for what "Copy as fetch" puts on the clipboard, one request or all of them. */
export function looksLikeFetch(text: string): boolean {
  return /^(await\s+)?fetch\(\s*"/.test(text)
}

const TEXT = '("(?:\\\\.|[^"\\\\])*")'
const ADDRESS = new RegExp(`\\bfetch\\(\\s*${TEXT}`, 'g')
/** The quotes inside a body are escaped, so they never look like a header. */
const HEADER = new RegExp(`"(cookie|x-goog-authuser)"\\s*:\\s*${TEXT}`, 'gi')

/**
 * Reads "Copy as fetch (Node.js)" of Chrome and Edge.
 *
 * @throws {CookieImportError} `withheld` for "Copy as fetch", which leaves the cookies to the browser.
 */
export function readFetch(text: string): RawExport {
  const found: RawExport = { cookies: [], urls: [], authUsers: [] }
  for (const [, url = '""'] of text.matchAll(ADDRESS)) found.urls.push(parse(url))
  for (const [, name = '', value = '""'] of text.matchAll(HEADER)) {
    if (name.toLowerCase() === 'cookie') addAll(found.cookies, readCookiePairs(parse(value)))
    else found.authUsers.push(parse(value))
  }
  if (found.cookies.length > 0) return found
  throw new CookieImportError(
    'withheld',
    '"Copy as fetch" leaves the cookies out. Choose "Copy as fetch (Node.js)" or "Copy as cURL", on a request of a page that you are signed in to.',
  )
}

function parse(text: string): string {
  try {
    return JSON.parse(text) as string
  } catch {
    return text.slice(1, -1)
  }
}
