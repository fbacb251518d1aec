import type { ContentGenerator } from '@castorjs/content-generator'
import {
  createGeminiWebClient,
  type CookieInput,
  type GeminiWebClient,
  type SessionStore,
} from '@castorjs/gemini-web-client'
import { createGeminiWebGenerator } from '@castorjs/gemini-web-client/content-generator'
import type { GuardedFetch } from '@castorjs/guarded-fetch'
import { createNodeTransport } from '@castorjs/http-transport/node'
import type { Config, WebAccount } from '../config-schema.ts'

/** One session of the web app, ready to be leased. */
export interface WebSession {
  /** Name in logs and states. */
  label: string
  /** Name of the address it leaves by; never a proxy's password. */
  egress: string
  client: GeminiWebClient
  generator: ContentGenerator
  close: () => Promise<void>
}

export interface WebSessionOptions {
  label: string
  /** Undefined opens a guest session. */
  account: WebAccount | undefined
  config: Config
  mediaFetch: GuardedFetch
  store: SessionStore | undefined
}

/** Opens a session; nothing is sent before its first use. */
export function openWebSession({ label, account, config, mediaFetch, store }: WebSessionOptions): WebSession {
  const { baseUrls, language, maxConcurrent, proxy: commonProxy } = config.geminiWeb
  const proxy = account?.proxy ?? commonProxy
  const transport = createNodeTransport(proxy === undefined ? {} : { proxy })
  const cookies = account === undefined ? undefined : cookiesOf(account)
  const client = createGeminiWebClient({
    transport,
    baseUrls,
    language,
    maxConcurrent,
    accountIndex: account?.accountIndex ?? 0,
    ...(cookies === undefined ? {} : { cookies }),
    ...(store === undefined ? {} : { store }),
  })
  return {
    label,
    egress: proxy === undefined ? 'direct' : `proxy ${new URL(proxy).host}`,
    client,
    generator: createGeminiWebGenerator(client, { mediaFetch }),
    async close() {
      await client.close()
      await transport.close()
    },
  }
}

function cookiesOf({ cookies, secure1psid, secure1psidts, secure1psidcc }: WebAccount): CookieInput | undefined {
  if (cookies !== undefined) return cookies
  if (secure1psid === undefined) return undefined
  const pairs = [
    ['__Secure-1PSID', secure1psid],
    ['__Secure-1PSIDTS', secure1psidts],
    ['__Secure-1PSIDCC', secure1psidcc],
  ]
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join('; ')
}
