import { addAll, readCookiePairs, type RawExport } from './cookie.ts'

/** Reads a `Cookie` header with or without its name, cookies one a line, or a whole block of request headers. */
export function readHeader(text: string): RawExport {
  const found: RawExport = { cookies: [], urls: [], authUsers: [] }
  // Some panels put a name on one line and its value on the next.
  const lines = [...text.matchAll(/^cookie:?[ \t]*(?:\r?\n)?(\S.*)$/gim)].map(([, value = '']) => value)
  const isBlock = lines.length > 0 && /\n/.test(text.trim())
  addAll(found.cookies, readCookiePairs(isBlock ? lines.join(';') : text.replace(/^cookie:\s*/i, '')))
  if (!isBlock) return found
  const path = /^:path:?\s*(\S+)|^(?:GET|POST) (\S+) HTTP/im.exec(text)
  const host = /^(?::authority|host):?\s*(\S+)/im.exec(text)?.[1] ?? 'gemini.google.com'
  if (path !== null) found.urls.push(`https://${host}${path[1] ?? path[2]}`)
  const authUser = /^x-goog-authuser:?\s*(\d+)/im.exec(text)?.[1]
  if (authUser !== undefined) found.authUsers.push(authUser)
  return found
}
