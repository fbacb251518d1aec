import { readAccountStatus, RPC, statusPayload, type AccountStatus } from '@castorjs/gemini-web-protocol'
import type { Batch } from './batch-execute.ts'
import { GeminiWebError, isGeminiWebError } from './error.ts'
import type { Session } from './session.ts'

/** The model list is read again after this time. Source: fact sheet section 12. */
const STATUS_LIFE_MS = 6 * 3_600_000

/** What the web app says about the account. */
export interface AccountInfo {
  readonly status: AccountStatus | undefined
  /**
   * Makes sure the status is known and recent.
   * @throws {GeminiWebError} `signed_out`, `account_rejected`, `address_blocked`
   */
  prepare(): Promise<void>
  refresh(): Promise<AccountStatus>
  /**
   * After a suspicious answer: is the account still trusted, and does a rotation help?
   * @throws {GeminiWebError} `account_rejected`, `address_blocked` when the account is stopped by now.
   */
  confirm(): Promise<'trusted' | 'renewed' | 'lost'>
}

export interface AccountInfoOptions {
  session: Session
  batch: Batch
  now: () => number
}

export function createAccountInfo({ session, batch, now }: AccountInfoOptions): AccountInfo {
  let status: AccountStatus | undefined
  let readAtMs: number | undefined
  /** Authentication failures before it was read. */
  let doubts = 0
  let running: Promise<AccountStatus> | undefined
  let preparing: Promise<void> | undefined

  function refresh(): Promise<AccountStatus> {
    if (running === undefined) doubts = session.doubts
    running ??= batch
      .one(RPC.status, statusPayload())
      .then((payload) => {
        status = readAccountStatus(payload)
        readAtMs = now()
        return status
      })
      .finally(() => {
        running = undefined
      })
    return running
  }

  async function prepareOnce(): Promise<void> {
    let current: AccountStatus
    try {
      current = await refresh()
    } catch (error) {
      if (isGeminiWebError(error) && (error.code === 'drift' || error.code === 'unavailable')) {
        // Chatting works without the list; the fallback line-up takes its place until the next try.
        readAtMs = now()
        return
      }
      throw error
    }
    if (current.guest) {
      await session.renew()
      current = await refresh()
    }
    if (current.guest) {
      readAtMs = undefined
      throw new GeminiWebError('signed_out', 'The web app does not recognise the session in these cookies', {
        upstreamCode: String(current.code),
      })
    }
    refuseIfBlocked(current)
  }

  function refuseIfBlocked({ blocked, code }: AccountStatus): void {
    if (!blocked) return
    readAtMs = undefined
    throw blockedError(code)
  }

  async function refreshOrRefuse(): Promise<AccountStatus> {
    const current = await refresh()
    refuseIfBlocked(current)
    return current
  }

  return {
    get status() {
      return status
    },
    prepare() {
      if (!session.account) return Promise.resolve()
      const isRecent = readAtMs !== undefined && now() - readAtMs < STATUS_LIFE_MS
      if (isRecent && session.doubts === doubts) return Promise.resolve()
      preparing ??= prepareOnce().finally(() => {
        preparing = undefined
      })
      return preparing
    },
    refresh,
    async confirm() {
      const before = await refreshOrRefuse()
      if (!before.guest) return 'trusted'
      await session.renew()
      const { guest } = await refreshOrRefuse()
      if (guest) readAtMs = undefined
      return guest ? 'lost' : 'renewed'
    },
  }
}

/** Statuses that stop everything. Source: fact sheet section 1.5. */
function blockedError(code: number): GeminiWebError {
  const facts = { upstreamCode: String(code) }
  if (code === 1060) {
    return new GeminiWebError('address_blocked', 'The web app is not offered in the country of this address', facts)
  }
  if (code === 1014) {
    return new GeminiWebError('account_rejected', 'The account has no access to the web app at the moment', facts)
  }
  return new GeminiWebError('account_rejected', `The web app does not serve this account (status ${code})`, facts)
}
