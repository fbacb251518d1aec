/** Cookies of a request by name. The last of two equal names wins, as servers read them. */
export function readCookies(header: string | null | undefined): Map<string, string> {
  const cookies = new Map<string, string>()
  if (header === null || header === undefined) return cookies
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0) cookies.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim())
  }
  return cookies
}

const EXPIRES = 'Wed, 01-Jan-2031 00:00:00 GMT'

export interface SetCookieOptions {
  /** Default `.google.com`; null makes a host-only cookie. */
  domain?: string | null
  /** Default true. */
  secure?: boolean
  sameSiteNone?: boolean
  priorityHigh?: boolean
}

/** A Set-Cookie line as the service writes it. Source: examples http-01, http-04. */
export function setCookie(name: string, value: string, options: SetCookieOptions = {}): string {
  const { domain = '.google.com', secure = true, sameSiteNone = false, priorityHigh = false } = options
  const parts = [`${name}=${value}`, `expires=${EXPIRES}`, 'path=/']
  if (domain !== null) parts.push(`domain=${domain}`)
  if (secure) parts.push('Secure', 'HttpOnly')
  if (priorityHigh) parts.push('priority=high')
  if (sameSiteNone) parts.push('SameSite=none')
  return parts.join('; ')
}

export const SESSION_COOKIE = '__Secure-1PSID'
export const TICKET_COOKIE = '__Secure-1PSIDTS'
