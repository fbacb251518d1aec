import type { PageTokens } from '@castorjs/gemini-web-protocol'
import type { Transport } from '@castorjs/http-transport'
import type { CookieInput } from './cookies/read-cookies.ts'
import type { RotationOutcome } from './rotation.ts'
import type { SessionState, SessionStore } from './session-state.ts'
import type { BaseUrls } from './wire.ts'

/** What a session is made of. */
export interface SessionOptions {
  /** Cookies of an account in any common form; without them, and with an empty store, the client is a guest. */
  cookies?: CookieInput
  /** Which of several accounts in one cookie set: the N of `/u/N`. */
  accountIndex?: number
  /** Interface language, two letters. Default `en`. */
  language?: string
  userAgent: string
  baseUrls?: BaseUrls
  store?: SessionStore
  /** Called after each change of the cookies, with everything to keep. A renewed ticket waits for its promise. */
  onCookies?: (state: SessionState) => Promise<void> | void
  /** Average distance between two rotations, in milliseconds; 0 turns the clock off. Default 480 000. */
  rotationIntervalMs?: number
}

/** What the outside world gives us. */
export interface Ports {
  transport: Transport
  now: () => number
  random: () => number
  /** Aborts when the client is closed. */
  closed: AbortSignal
  /** Keys on the app page. */
  pageKeys: Readonly<Record<keyof PageTokens, string>>
  /** Time limit of one control call. */
  timeoutMs: number
  onRotation?: (outcome: RotationOutcome) => void
}
