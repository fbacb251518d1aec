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
export function toRenewalEvent({ account, type, message }: RenewalNotice): AccountEvent {
  return {
    type: type === 'refused' ? 'account.renewal-refused' : 'account.sign-in-failed',
    account,
    egress: null,
    model: null,
    state: null,
    cause: type === 'refused' ? 'device-bound' : null,
    message,
    until: null,
    link: null,
  }
}
