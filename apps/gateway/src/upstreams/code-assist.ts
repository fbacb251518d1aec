import { createAccountPool, type AccountOptions, type PoolChange, type PoolState } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import { createCodeAssistGenerator, readAttentionLink, type CodeAssistGenerator } from '@castorjs/code-assist-client'
import { createTokenFile, type TokenFile } from '@castorjs/code-assist-client/node'
import { ConfigError } from '../config.ts'
import { isGenerationError } from '@castorjs/content-generator'
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
  logins: readonly CodeAssistLogin[]
  /** Name of the machine's own address. */
  egress: string
  mediaFetch: GuardedFetch
  onChange: (change: PoolChange) => void
  /** Where leases and rests live. */
  poolState: PoolState
  paused: PausedAccounts
}

/** An account with what its file holds. */
export interface CodeAssistLogin {
  account: Config['codeAssist']['accounts'][number]
  storage: TokenFile
  credentials: Awaited<ReturnType<TokenFile['load']>>
}

/**
 * Reads the login of each configured account.
 *
 * @throws {ConfigError} naming the accounts whose file cannot be used. It never quotes what was configured: somebody may
 * have put the login itself there.
 */
export async function readCodeAssistLogins({ accounts }: Config['codeAssist']): Promise<CodeAssistLogin[]> {
  const mistakes: string[] = []
  const logins: CodeAssistLogin[] = []
  for (const account of accounts) {
    const storage = createTokenFile(resolve(account.credentialsFile))
    try {
      logins.push({ account, storage, credentials: await storage.load() })
    } catch (error) {
      const where = `CODE_ASSIST_CREDENTIALS (\`codeAssist.accounts\`, "${account.label}")`
      mistakes.push(
        `${where}: ${whyUnusable(error)}; set the path of the file that \`castor login code-assist\` writes`,
      )
    }
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return logins
}

function whyUnusable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  if (code === 'ENOENT' || code === 'ENAMETOOLONG') return 'there is no such file'
  return isGenerationError(error) || error instanceof SyntaxError ? 'holds no login' : `cannot be read (${code})`
}

/** Code Assist with the operator's own logins. Off unless accounts are configured. */
export async function openCodeAssist({
  config,
  logins,
  egress,
  mediaFetch,
  onChange,
  poolState,
  paused,
}: CodeAssistUpstreamOptions): Promise<OpenUpstream> {
  const { clientId, clientSecret, baseUrl, tokenUrl, fallback } = config
  const transports: ReturnType<typeof createNodeTransport>[] = []
  const pausedIds = await paused.ids()
  const members: AccountOptions<CodeAssistGenerator>[] = []
  for (const { account, storage, credentials } of logins) {
    const { label, project, proxy } = account
    const transport = createNodeTransport(proxy === undefined ? {} : { proxy })
    transports.push(transport)
    const generator = createCodeAssistGenerator({
      credentials,
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
