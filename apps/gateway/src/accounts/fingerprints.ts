import { createHash } from 'node:crypto'
import type { SessionCredentials } from '../upstreams/web-session.ts'
import { cookiesOf } from '../upstreams/web-session.ts'
import { sessionIn } from '../state/session-store.ts'

/** Tells configured cookies from others without keeping them a second time. */
export function markOf({ cookies, secure1psid, secure1psidts, secure1psidcc }: SessionCredentials): string {
  return hash(JSON.stringify([cookies, secure1psid, secure1psidts, secure1psidcc]))
}

/** Tells one session from another. */
export function markOfSession(session: string): string {
  return hash(session)
}

/** Value of the session cookie that credentials hold. Secret. */
export function sessionOf(credentials: SessionCredentials): string | undefined {
  const cookies = cookiesOf(credentials)
  return Array.isArray(cookies) ? sessionIn(cookies) : undefined
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
