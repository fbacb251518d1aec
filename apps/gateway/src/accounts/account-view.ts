import type { AccountStatus } from '@castorjs/account-pool'
import { BOUND_ADVICE } from '@castorjs/cookie-import'
import { refusedAdvice, TERMS_STATUS, TERMS_WANTED, type TroubleCause } from './trouble.ts'
import type { WebSession } from '../upstreams/web-session.ts'
import type { WebAccountEntry } from './account-roster.ts'

/** One account as the operator sees it. Never a secret: no cookie, no token, no proxy password. */
export interface AccountView extends Omit<AccountStatus, 'label'> {
  /** `configuration` for one of the environment or the file, which can be paused but not removed here. */
  source: 'configuration' | 'added'
  /** The N of `/u/N`. */
  accountIndex: number
  session: {
    kind: 'account' | 'guest'
    /** Google's status of the account, 1000 when all is well. */
    code: number | undefined
    meaning: string | undefined
    ticketAt: number | undefined
    renewedAt: number | undefined
    lastRenewal: string | undefined
    /** The cookies bear the marks of device binding. */
    deviceBound: boolean
  }
  /** Why it does not work, when it does not. */
  cause: TroubleCause | undefined
  /** What to know or do, in sentences. */
  notes: string[]
}

export function toAccountView(entry: WebAccountEntry, status: AccountStatus | undefined): AccountView {
  const { id, session, record, configured } = entry
  const client = session.client.status()
  const { trouble } = session
  const termsWanted = client.code !== undefined && TERMS_STATUS.has(client.code)
  return {
    ...(status ?? unknownStatus(id, session.egress)),
    id,
    source: configured === undefined ? 'added' : 'configuration',
    accountIndex: record?.accountIndex ?? configured?.accountIndex ?? 0,
    session: {
      kind: client.kind,
      code: client.code,
      meaning: client.meaning,
      ticketAt: client.ticketAtMs,
      renewedAt: client.rotatedAtMs,
      lastRenewal: client.lastRotation,
      deviceBound: session.deviceBound,
    },
    cause: trouble?.cause ?? (termsWanted ? 'terms to accept' : undefined),
    notes: [
      ...(trouble === undefined ? [] : [trouble.message]),
      ...(termsWanted ? [TERMS_WANTED] : []),
      ...refusalNotes(session),
      ...(client.saveFailed === true
        ? ['The last cookies could not be written; they are lost with this process.']
        : []),
    ],
  }
}

/** What the cookies and the last renewal say, once. */
function refusalNotes({ deviceBound, renewalRefused, trouble }: WebSession): string[] {
  // The trouble has said it already.
  if (trouble?.cause === 'device-bound' || trouble?.cause === 'expired ticket') return []
  if (renewalRefused) return [refusedAdvice({ deviceBound, alive: trouble === undefined ? true : undefined })]
  return deviceBound ? [BOUND_ADVICE] : []
}

function unknownStatus(id: string, egress: string): AccountStatus {
  return {
    id,
    label: id,
    egress,
    state: 'disabled',
    text: 'not in the pool',
    reason: 'The shared state does not know it yet',
    since: undefined,
    until: undefined,
    link: undefined,
    limits: [],
    active: 0,
    maxConcurrent: 0,
    weight: 1,
    lastUsedAt: undefined,
    hour: { used: 0, ceiling: undefined },
    day: { used: 0, ceiling: undefined },
  }
}
