import type { AccountPool } from '@castorjs/account-pool'
import { GenerationError } from '@castorjs/content-generator'
import type { StateStore } from '@castorjs/state-store'
import { createSessionStore, type AccountSessionStore } from '../state/session-store.ts'
import type { SessionCredentials, WebSession } from '../upstreams/web-session.ts'
import type { AccountRecord } from './account-record.ts'
import type { AccountRoster, WebAccountEntry } from './account-roster.ts'
import { checkWebSession, collectSteps, reportSteps, type CheckStep } from './check-web-session.ts'

export interface ChangePorts {
  state: StateStore
  pool: AccountPool<WebSession>
  open: (id: string, credentials: SessionCredentials, store: AccountSessionStore) => WebSession
  roster: AccountRoster
  onChecked: (account: string, steps: readonly CheckStep[]) => void
}

/**
 * Sends an account's traffic another way, after a check along it.
 *
 * @throws {GenerationError} `invalid_request`, naming `proxy`, when the way is none; nothing is changed then.
 */
export async function changeProxy(
  ports: ChangePorts,
  entry: WebAccountEntry,
  proxy: string | null,
): Promise<CheckStep[]> {
  const { state, open, roster } = ports
  const { id, home, configured, record } = entry
  const store = createSessionStore(state, home)
  const session = open(id, roster.credentialsOf(configured, { ...blank(id), ...record, proxy }), store)
  const check = await collectSteps(checkWebSession(session))
  const failed = check.find(({ outcome }) => outcome === 'failed')
  if (failed !== undefined && proxy !== null && failed.fault === 'egress') {
    store.retire()
    await session.close()
    throw refusal(failed, entry, proxy)
  }
  await roster.use({ ...entry, store, session, record: await roster.changeRecord(entry, { proxy }) })
  await reportSteps(ports, id, check)
  return check
}

/** Why a session was not taken, and what became of the one before. */
export function refusal(
  failed: CheckStep,
  target: WebAccountEntry | undefined,
  proxy: string | undefined,
): GenerationError {
  const rest = target === undefined ? 'Nothing was stored.' : `What was stored of "${target.id}" was kept.`
  const message = `${failed.message} ${rest}`
  if (proxy !== undefined && failed.fault === 'egress') {
    return new GenerationError('invalid_request', message, { field: 'proxy' })
  }
  if (failed.fault === 'account') return new GenerationError('invalid_request', message, { field: 'cookies' })
  return new GenerationError('upstream_unavailable', `${message} Try again when Google can be asked.`)
}

/** A record that says nothing yet. */
export function blank(id: string): AccountRecord {
  return { version: 1, id, addedAt: 0, revision: 0 }
}
