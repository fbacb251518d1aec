import { createAccountPool, type AccountPool, type PoolChange, type PoolState } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import type { ContentGenerator } from '@castorjs/content-generator'
import { createGeminiApiGenerator, createSignatureCache } from '@castorjs/gemini-api-client'
import type { GuardedFetch } from '@castorjs/guarded-fetch'
import { createNodeTransport } from '@castorjs/http-transport/node'
import { closeInOrder } from '../close-in-order.ts'
import type { Config } from '../config-schema.ts'
import { createAccountControls } from './account-controls.ts'
import { egressOf } from './egress.ts'
import type { OpenUpstream } from './open-upstream.ts'
import type { PausedAccounts } from './paused-accounts.ts'

export interface GeminiApiUpstreamOptions {
  config: Config['geminiApi']
  /** Name of the machine's own address. */
  egress: string
  mediaFetch: GuardedFetch
  onChange: (change: PoolChange) => void
  /** Where leases and rests live. */
  poolState: PoolState
  paused: PausedAccounts
}

/** The official API: every configured key in one pool. Google counts for us, so nothing is paced. */
export async function openGeminiApi({
  config,
  egress,
  mediaFetch,
  onChange,
  poolState,
  paused,
}: GeminiApiUpstreamOptions): Promise<OpenUpstream> {
  const { keys, baseUrl } = config
  const pausedIds = await paused.ids()
  // Signatures belong to a conversation, not to a key: the next turn may come to another one.
  const signatures = createSignatureCache()
  const transports: ReturnType<typeof createNodeTransport>[] = []
  const pool: AccountPool<ContentGenerator> = createAccountPool({
    accounts: keys.map(({ label, key, proxy }) => {
      const transport = createNodeTransport(proxy === undefined ? {} : { proxy })
      transports.push(transport)
      const generator = createGeminiApiGenerator({
        apiKey: key,
        transport,
        mediaFetch,
        signatures,
        ...(baseUrl === undefined ? {} : { baseUrl }),
      })
      const pausedBefore = pausedIds.has(label) ? { paused: true } : {}
      return { id: label, egress: egressOf(proxy, egress), value: generator, ...pausedBefore }
    }),
    policy: { egressPerMinute: false, perHour: false, perDay: false, maxConcurrent: MAX_CONCURRENT },
    onChange,
    state: poolState,
  })
  return {
    generator: withAccounts(pool, (generator) => generator, { name: 'gemini-api' }),
    describe: () => `Gemini API, ${keys.length === 1 ? 'one key' : `${keys.length} keys`}`,
    status: () => pool.status(),
    controls: createAccountControls(pool, paused),
    close: () => closeInOrder([pool.close, ...transports.map(({ close }) => close)]),
  }
}

/** Google's own limits are lower; this only keeps a runaway client from opening sockets without end. */
const MAX_CONCURRENT = 1_000
