import { createAccountPool, type AccountOptions, type PoolChange, type PoolState } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import { createCodeAssistGenerator, readAttentionLink, type CodeAssistGenerator } from '@castorjs/code-assist-client'
import { createTokenFile } from '@castorjs/code-assist-client/node'
import type { GuardedFetch } from '@castorjs/guarded-fetch'
import { createNodeTransport } from '@castorjs/http-transport/node'
import { resolve } from 'node:path'
import { closeInOrder } from '../close-in-order.ts'
import type { Config } from '../config-schema.ts'
import { createAccountControls } from './account-controls.ts'
import { egressOf } from './egress.ts'
import type { OpenUpstream } from './open-upstream.ts'
import type { PausedAccounts } from './paused-accounts.ts'

export interface CodeAssistUpstreamOptions {
  config: Config['codeAssist']
  /** Name of the machine's own address. */
  egress: string
  mediaFetch: GuardedFetch
  onChange: (change: PoolChange) => void
  /** Where leases and rests live. */
  poolState: PoolState
  paused: PausedAccounts
}

/**
 * Code Assist with the operator's own logins. Off unless accounts are configured.
 *
 * @throws when a credential file is missing or cannot be read; the error names the file and never quotes it.
 */
export async function openCodeAssist({
  config,
  egress,
  mediaFetch,
  onChange,
  poolState,
  paused,
}: CodeAssistUpstreamOptions): Promise<OpenUpstream> {
  const { accounts, clientId, clientSecret, baseUrl, tokenUrl, fallback } = config
  const transports: ReturnType<typeof createNodeTransport>[] = []
  const pausedIds = await paused.ids()
  const members: AccountOptions<CodeAssistGenerator>[] = []
  for (const { label, credentialsFile, project, proxy } of accounts) {
    const storage = createTokenFile(resolve(credentialsFile))
    const transport = createNodeTransport(proxy === undefined ? {} : { proxy })
    transports.push(transport)
    const generator = createCodeAssistGenerator({
      credentials: await storage.load(),
      storage,
      label,
      transport,
      mediaFetch,
      fallback,
      ...(clientId === undefined || clientSecret === undefined ? {} : { client: { clientId, clientSecret } }),
      ...(project === undefined ? {} : { project }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
      ...(tokenUrl === undefined ? {} : { tokenUrl }),
    })
    const pausedBefore = pausedIds.has(label) ? { paused: true } : {}
    members.push({ id: label, egress: egressOf(proxy, egress), value: generator, ...pausedBefore })
  }
  const pool = createAccountPool({
    accounts: members,
    // Google counts for us and tells the true wait; an agent makes dozens of calls a minute.
    policy: { egressPerMinute: false, perHour: false, perDay: false, maxConcurrent: MAX_CONCURRENT },
    onChange,
    state: poolState,
  })
  return {
    generator: withAccounts(pool, (generator) => generator, { name: 'code-assist', attentionLink: readAttentionLink }),
    describe: () => `Code Assist, ${members.length === 1 ? 'one login' : `${members.length} logins`}`,
    status: () => pool.status(),
    controls: createAccountControls(pool, paused),
    close: () => closeInOrder([pool.close, ...transports.map(({ close }) => close)]),
  }
}

/** Google's own limits are lower; this only keeps a runaway client from opening sockets without end. */
const MAX_CONCURRENT = 100
