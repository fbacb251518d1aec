import { readImport } from '@castorjs/cookie-import'
import { toGenerationError, type ContentGenerator, type GenerationError } from '@castorjs/content-generator'
import {
  createGeminiWebClient,
  type CookieInput,
  type GeminiWebClient,
  type SessionStore,
} from '@castorjs/gemini-web-client'
import { createGeminiWebGenerator } from '@castorjs/gemini-web-client/content-generator'
import type { GuardedFetch } from '@castorjs/guarded-fetch'
import type { Transport } from '@castorjs/http-transport'
import { createNodeTransport } from '@castorjs/http-transport/node'
import type { KeptTrouble } from '../accounts/kept-troubles.ts'
import { readTrouble, withNotes, type Trouble, type TroubleCause } from '../accounts/trouble.ts'
import type { Config } from '../config-schema.ts'
import { egressOf } from './egress.ts'

/** One session of the web app, ready to be leased. */
export interface WebSession {
  /** Name in logs and states. */
  label: string
  /** Name of the address it leaves by; never a proxy's password. */
  egress: string
  client: GeminiWebClient
  generator: ContentGenerator
  /** When a host last answered anything at all, Unix milliseconds. */
  readonly reachedAt: number | undefined
  /** What went wrong last; undefined while it works. */
  readonly trouble: Trouble | undefined
  /** How often it worked again after a trouble, whoever found out. */
  readonly recoveries: number
  /** When Google was last asked what showed that it works, Unix milliseconds. */
  readonly workedAt: number | undefined
  /** Its cookies bear the marks of device binding. */
  readonly deviceBound: boolean
  /** Google refused the last renewal, and the session went on. */
  readonly renewalRefused: boolean
  /** Takes over what another process, or this one before a restart, found out; undefined: that it works. */
  learn: (kept: Pick<KeptTrouble, 'trouble' | 'renewalRefused'> | undefined) => void
  /**
   * Signs in and keeps the ticket fresh from then on, without asking the model anything.
   *
   * @throws {GenerationError}
   */
  signIn: (signal: AbortSignal) => Promise<void>
  close: () => Promise<void>
}

/** What a session is opened with: any import text, or cookies, or the two or three everybody has at hand. */
export interface SessionCredentials {
  accountIndex: number
  cookies?: CookieInput | undefined
  secure1psid?: string | undefined
  secure1psidts?: string | undefined
  secure1psidcc?: string | undefined
  proxy?: string | undefined
  /** Answers at the same time. Default: that of the configuration. */
  maxConcurrent?: number | undefined
  /** The import says that Google bound it to a device. */
  deviceBound?: boolean | undefined
}

export interface WebSessionOptions {
  label: string
  /** Undefined opens a guest session. */
  account: SessionCredentials | undefined
  config: Config
  mediaFetch: GuardedFetch
  store: SessionStore | undefined
  now?: () => number
}

/** No ticket lives longer, in milliseconds. Source: fact sheet section 2.4. */
const TICKET_LIFE_MS = 1_800_000

/** What signing in says nothing about. */
const LIMITS: ReadonlySet<TroubleCause> = new Set(['usage limit', 'throttled'])

/**
 * Opens a session; nothing is sent before its first use.
 *
 * @throws {CookieImportError} when the cookie text holds no session.
 */
export function openWebSession(options: WebSessionOptions): WebSession {
  const { label, account, config, mediaFetch, store, now = Date.now } = options
  const { baseUrls, language, models, protocol, proxy: commonProxy } = config.geminiWeb
  const proxy = account?.proxy ?? commonProxy
  const connection = createNodeTransport(proxy === undefined ? {} : { proxy })
  let reachedAt: number | undefined
  let replies = 0
  const transport: Transport = async (url, request) => {
    const response = await connection(url, request)
    reachedAt = now()
    replies++
    return response
  }
  const cookies = account === undefined ? undefined : cookiesOf(account)
  const client = createGeminiWebClient({
    transport,
    baseUrls,
    language,
    maxConcurrent: account?.maxConcurrent ?? config.geminiWeb.maxConcurrent,
    accountIndex: account?.accountIndex ?? 0,
    protocol,
    ...(cookies === undefined ? {} : { cookies }),
    ...(store === undefined ? {} : { store }),
  })
  let trouble: Trouble | undefined
  let recoveries = 0
  let workedAt: number | undefined
  let renewalRefused = false
  let ticketRanOut = false
  /** When it last came back. */
  let aliveSince = 0
  const deviceBound = account?.deviceBound === true
  const notes = {
    failed(error: GenerationError) {
      const { code, sessionEnded = false, renewalRefused: refused = false, ticketAtMs = now() } = client.status()
      // Tickets of the dead grow old too: what counts is how old it was when the session died.
      const wasDead = trouble?.code === 'signed_out' || trouble?.code === 'downgraded'
      if (!wasDead) ticketRanOut = refused && now() - ticketAtMs > TICKET_LIFE_MS
      const facts = { deviceBound, renewalRefused: session.renewalRefused, ticketRanOut, sessionEnded, code }
      trouble = readTrouble(error, facts, now()) ?? trouble
    },
    worked(askedAt: number) {
      proved(askedAt)
      forget()
    },
  }

  function proved(askedAt: number): void {
    workedAt = askedAt
    const { renewalRefused: refused = renewalRefused, rotatedAtMs = 0 } = client.status()
    // Only now it is known that the session went on; what is dead is refused too, and that says nothing later.
    if (!refused || (trouble === undefined && rotatedAtMs >= aliveSince)) renewalRefused = refused
  }

  function forget(): void {
    if (trouble === undefined) return
    recoveries++
    aliveSince = now()
    trouble = undefined
  }

  const generator = withNotes(createGeminiWebGenerator(client, { mediaFetch, models }), notes, now)
  const session: WebSession = {
    label,
    egress: egressOf(proxy, config.egress),
    client,
    generator,
    async signIn(signal) {
      const before = replies
      const askedAt = now()
      try {
        await generator.models({ signal, requestId: 'sign-in' })
        // Where all was known nobody was asked, and nothing is proved.
        if (replies === before) return
        proved(askedAt)
        if (trouble !== undefined && !LIMITS.has(trouble.cause)) forget()
      } catch (thrown) {
        const error = toGenerationError(thrown, signal)
        notes.failed(error)
        throw error
      }
    },
    get reachedAt() {
      return reachedAt
    },
    get trouble() {
      return trouble
    },
    get recoveries() {
      return recoveries
    },
    get workedAt() {
      return workedAt
    },
    deviceBound,
    get renewalRefused() {
      return renewalRefused && client.status().renewalRefused !== false
    },
    learn(kept) {
      if (kept?.trouble === undefined) forget()
      else trouble = kept.trouble
      ticketRanOut = kept?.trouble?.cause === 'expired ticket'
      renewalRefused = kept?.renewalRefused === true
      client.recheck()
    },
    async close() {
      await client.close()
      await connection.close()
    },
  }
  return session
}

/** @throws {CookieImportError} when the text holds no session. */
export function cookiesOf(account: SessionCredentials): CookieInput | undefined {
  const { cookies, secure1psid, secure1psidts, secure1psidcc } = account
  if (typeof cookies === 'string') return readImport(cookies).cookies
  if (cookies !== undefined) return cookies
  if (secure1psid === undefined) return undefined
  const fields = { SECURE_1PSID: secure1psid, SECURE_1PSIDTS: secure1psidts, SECURE_1PSIDCC: secure1psidcc }
  return readImport(JSON.stringify(fields)).cookies
}
