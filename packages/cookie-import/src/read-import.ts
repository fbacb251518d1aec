import { looksLikeCookiesTxt, readCookiesTxt } from './cookies-txt.ts'
import type { RawExport } from './cookie.ts'
import { looksLikeCurl, readCurl } from './curl.ts'
import { describe, type CookieImport, type ImportForm } from './describe.ts'
import { CookieImportError } from './error.ts'
import { looksLikeFetch, readFetch } from './fetch-copy.ts'
import { looksLikeHar, readHar } from './har.ts'
import { readHeader } from './header.ts'
import { readJsonExport } from './json-export.ts'
import { looksLikePowerShell, readPowerShell } from './powershell.ts'

/**
 * Reads a Google session out of text: a `Cookie` header, "Copy as cURL" (bash or cmd), "Copy as PowerShell", "Copy
 * as fetch (Node.js)", cookies.txt, the JSON of a browser extension, Playwright or Puppeteer, the three fields of the
 * reference servers, or a HAR file.
 *
 * @throws {CookieImportError} that says what was found instead and what to give.
 */
export function readImport(text: string): CookieImport {
  const plain = text.replaceAll(UNSEEN, '').trim()
  if (plain === '') throw new CookieImportError('unreadable', `The text is empty. ${WHAT_TO_GIVE}`)
  if (plain.startsWith('{') || plain.startsWith('[')) return readJsonImport(parseJson(plain))
  if (NO_TEXT.test(plain)) throw new CookieImportError('unreadable', NO_TEXT_WORDS)
  if (looksLikeCurl(plain)) return finish('curl', readCurl(plain))
  if (looksLikePowerShell(plain)) return finish('powershell', readPowerShell(plain))
  if (looksLikeFetch(plain)) return finish('fetch', readFetch(plain))
  if (looksLikeCookiesTxt(plain)) return finish('cookies.txt', only(readCookiesTxt(plain)))
  return finish('header', readHeader(plain))
}

/** The same for JSON that is parsed already. */
export function readJsonImport(value: unknown): CookieImport {
  if (looksLikeHar(value)) return finish('har', readHar(value))
  return finish('json', only(readJsonExport(value)))
}

const WHAT_TO_GIVE =
  'Give the cookies of gemini.google.com as a Cookie header, "Copy as cURL" or "as PowerShell", cookies.txt, the JSON of a browser extension, or a HAR file.'

/** Marks without a width: chats and web pages put them between characters and at the ends of what is copied from them. */
const UNSEEN = /[\u200B-\u200D\u2060\uFEFF]/g

/** What no export but JSON holds, where a HAR quotes any reply: a picture, a program or a database was given. */
const NO_TEXT = /(?!\s)\p{Cc}/u
const NO_TEXT_WORDS = `This is no text: it holds control characters. ${WHAT_TO_GIVE} Of Firefox, give the profile folder.`

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new CookieImportError(
      'unreadable',
      'The text begins like JSON but is not valid JSON. It may have been cut when it was copied.',
    )
  }
}

function only(cookies: RawExport['cookies']): RawExport {
  return { cookies, urls: [], authUsers: [] }
}

function finish(form: ImportForm, raw: RawExport): CookieImport {
  if (raw.cookies.length === 0) {
    const curl =
      form === 'curl' ? 'The cURL command holds no cookies. Copy the request of a page that you are signed in to. ' : ''
    throw new CookieImportError('unreadable', `${curl}No cookies could be read. ${WHAT_TO_GIVE}`)
  }
  return describe(form, raw)
}
