import type { PoolChange } from '@castorjs/account-pool'
import type { RenewalNotice } from '../accounts/background-renewal.ts'
import type { Trouble } from '../accounts/trouble.ts'
import type { AccountEvent } from './webhook.ts'

/** What the pool announced, with the cause where the session knows it. */
export function toAccountEvent(change: PoolChange, trouble: Trouble | undefined): AccountEvent {
  const recovered = change.type === 'recovered'
  return {
    type: recovered ? 'account.recovered' : 'account.rested',
    account: change.account?.label ?? null,
    egress: change.egress,
    model: change.model ?? null,
    state: change.state,
    cause: recovered ? null : (trouble?.cause ?? null),
    message: recovered ? change.reason : (trouble?.message ?? change.reason),
    until: change.until === undefined ? null : new Date(change.until).toISOString(),
    link: change.link ?? null,
  }
}

/** What background renewal found out. */
export function toRenewalEvent({ account, type, cause, message, link }: RenewalNotice): AccountEvent {
  return {
    type: NOTICES[type],
    account,
    egress: null,
    model: null,
    state: type === 'recovered' ? 'ready' : null,
    cause: cause ?? null,
    message,
    until: null,
    link: link ?? null,
  }
}

const NOTICES: Record<RenewalNotice['type'], AccountEvent['type']> = {
  refused: 'account.renewal-refused',
  'sign-in': 'account.sign-in-failed',
  terms: 'account.terms-wanted',
  recovered: 'account.recovered',
}
