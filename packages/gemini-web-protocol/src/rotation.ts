/** Cookie rotation: bodies of RotateCookies and of the hidden page, both directions. Source: fact sheet §2. */

import { REPLY_PREFIX } from './frames.ts'
import { parse } from './envelope.ts'
import { get, readNumber } from './path.ts'

/** Body of route A, byte for byte; three zeros and nineteen, not valid JSON, so it must stay a string. Source: fact sheet §2.1 [S]. */
export const ROTATE_BODY = '[000,"-0000000000000000000"]'

/** The only cookies of route A; more of them got 401. Source: fact sheet §2.1 [S]. */
export const ROTATE_COOKIES: readonly string[] = ['__Secure-1PSID', '__Secure-1PSIDTS']

/** Cookies that a renewal sets. Source: fact sheet §2.1 [S]. */
export const TICKET_COOKIES: readonly string[] = ['__Secure-1PSIDTS', '__Secure-3PSIDTS']

/** Recommended distance between two rotations. Source: fact sheet §2.4. */
export const ROTATE_INTERVAL_MS = 480_000
/** The server refuses with 429 below this distance. Source: fact sheet §2.4 [M]. */
export const ROTATE_MINIMUM_MS = 60_000
/** A stored ticket older than this is renewed before use. Source: fact sheet §2.4, §15. */
export const TICKET_STALE_MS = 600_000

/** Headers of RotateCookies; cookies are the caller's. Source: fact sheet §2.1 [S]. */
export function rotateHeaders({
  origin = 'https://accounts.google.com',
  userAgent,
}: { origin?: string; userAgent?: string } = {}): Record<string, string> {
  return { 'content-type': 'application/json', origin, ...(userAgent === undefined ? {} : { 'user-agent': userAgent }) }
}

export interface RotateReply {
  /** Seconds until the next rotation. */
  nextSeconds?: number
  /** Server time in milliseconds. */
  ms?: number
}

/** Reads the body of a 200 or 429. Anything else gives an empty object. Source: fact sheet §2.1 [W 2026-09]. */
export function readRotateReply(body: string): RotateReply {
  const entries = parse(body.replace(/^\)\]\}'\s*/, ''))
  const reply: RotateReply = {}
  for (const entry of Array.isArray(entries) ? entries : []) {
    const value = readNumber(entry, [1])
    if (value === undefined) continue
    if (get(entry, 0) === 'identity.hfcr') reply.nextSeconds = value
    if (get(entry, 0) === 'di') reply.ms = value
  }
  return reply
}

export function buildRotateReply({ nextSeconds = 600, ms = 21 }: RotateReply = {}): string {
  return (
    REPLY_PREFIX +
    JSON.stringify([
      ['identity.hfcr', nextSeconds],
      ['di', ms],
    ])
  )
}

export interface RotatePage {
  /** Session number as text, for the body of route B. */
  session: string
  intervalSeconds: number
}

/** Reads the call `init('<session>', 658.0, 0.0, 0.0, 600.0)` of the hidden page. Source: fact sheet §2.2 [M]. */
export function readRotatePage(html: string): RotatePage | undefined {
  const call = /init\(\s*['"](-?\d+)['"]\s*((?:,\s*[\d.]+\s*)*)\)/.exec(html)
  if (call === null) return undefined
  const interval = Number(call[2]?.split(',').at(-1)?.trim())
  return { session: call[1] as string, intervalSeconds: Number.isFinite(interval) && interval > 0 ? interval : 600 }
}

export function buildRotatePage({
  session,
  intervalSeconds = 600,
}: {
  session: string
  intervalSeconds?: number
}): string {
  return `<html><body><script nonce="castor">init('${session}', 658.0, 0.0, 0.0, ${intervalSeconds.toFixed(1)})</script></body></html>`
}

/** Body of route B. Source: fact sheet §2.2 [M]. */
export function buildRotatePageBody(session: string): string {
  return `[658,"${session}"]`
}

/** Which route a body is, for the emulator; undefined for one that neither client sends. */
export function readRotateBody(body: string): { route: 'ticket' } | { route: 'page'; session: string } | undefined {
  if (body === ROTATE_BODY) return { route: 'ticket' }
  const session = /^\[658,"(-?\d+)"\]$/.exec(body)?.[1]
  return session === undefined ? undefined : { route: 'page', session }
}
