import { createAccountPool, type AccountPool, type PoolChange } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import type { ContentGenerator } from '@castorjs/content-generator'
import type { GuardedFetch } from '@castorjs/guarded-fetch'
import type { SessionStore } from '@castorjs/gemini-web-client'
import type { Config, WebAccount } from '../config-schema.ts'
import { routeByModel } from './route-by-model.ts'
import { openWebSession, type WebSession } from './web-session.ts'

/** The Gemini web app: the operator's accounts behind one generator, and a guest for what needs no account. */
export interface GeminiWebUpstream {
  generator: ContentGenerator
  /** Accounts, or the guest alone. */
  pool: AccountPool<WebSession>
  sessions: readonly WebSession[]
  description: string
  close: () => Promise<void>
}

export interface GeminiWebUpstreamOptions {
  config: Config
  mediaFetch: GuardedFetch
  /** Where a session is kept between runs, by account label. */
  storeFor: (label: string) => SessionStore | undefined
  onChange: (change: PoolChange) => void
}

/** Model names that ask for a guest's session whatever accounts there are. Source: reference document 000. */
const GUEST_MODELS = ['*-free']
const GUEST = 'guest'

export function openGeminiWeb({ config, mediaFetch, storeFor, onChange }: GeminiWebUpstreamOptions): GeminiWebUpstream {
  const open = (label: string, account?: WebAccount): WebSession =>
    openWebSession({ label, account, config, mediaFetch, store: storeFor(label) })
  const sessions = config.accounts.map((account) => open(account.label, account))
  const guest = config.geminiWeb.guest || sessions.length === 0 ? open(GUEST) : undefined

  const poolOf = (members: readonly WebSession[]): AccountPool<WebSession> =>
    createAccountPool({
      accounts: members.map((session) => ({
        id: session.label,
        egress: session.egress,
        maxConcurrent: config.geminiWeb.maxConcurrent,
        value: session,
      })),
      policy: config.pacing,
      onChange,
    })
  const guestPool = guest === undefined ? undefined : poolOf([guest])
  const pool = sessions.length > 0 || guestPool === undefined ? poolOf(sessions) : guestPool
  const asGenerator = (members: AccountPool<WebSession>): ContentGenerator =>
    withAccounts(members, (session) => session.generator)

  const generator =
    guestPool === undefined || guestPool === pool
      ? asGenerator(pool)
      : routeByModel('gemini-web', [
          { upstream: asGenerator(guestPool), models: GUEST_MODELS },
          { upstream: asGenerator(pool) },
        ])

  const all = guest === undefined ? sessions : [...sessions, guest]
  return {
    generator,
    pool,
    sessions: all,
    description:
      sessions.length === 0
        ? 'Gemini web app as a guest: the smallest model, text only'
        : `Gemini web app, ${sessions.length === 1 ? 'one account' : `${sessions.length} accounts`}`,
    async close() {
      await pool.close()
      await guestPool?.close()
      await Promise.all(all.map((session) => session.close()))
    },
  }
}
