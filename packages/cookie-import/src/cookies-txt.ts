import { expiryField, type ExportedCookie } from './cookie.ts'

/** True for the Netscape form that curl, yt-dlp and "Get cookies.txt" write. */
export function looksLikeCookiesTxt(text: string): boolean {
  return /^# (Netscape )?HTTP Cookie File/im.test(text) || COLUMNS.test(text)
}

const COLUMNS = /^(?:#HttpOnly_)?\S+[\t ]+(?:TRUE|FALSE)[\t ]+\/\S*[\t ]+(?:TRUE|FALSE)[\t ]+[\d.]+[\t ]+\S/im

/** Seven columns with tabs: domain, whole domain?, path, secure?, expiry in seconds (0 = session), name, value. */
export function readCookiesTxt(text: string): ExportedCookie[] {
  const cookies: ExportedCookie[] = []
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/^#HttpOnly_/, '')
    if (line.startsWith('#')) continue
    // Tabs become spaces on many a clipboard; values of cookies hold none.
    const [domain, wholeDomain, path = '/', , expires, name, value] = line.includes('\t')
      ? line.split('\t')
      : line.trim().split(/ +/)
    if (domain === undefined || name === undefined || value === undefined) continue
    cookies.push({
      name: name.trim(),
      value: value.trim(),
      domain,
      path,
      hostOnly: wholeDomain?.toUpperCase() !== 'TRUE',
      ...expiryField(Number(expires)),
    })
  }
  return cookies
}
