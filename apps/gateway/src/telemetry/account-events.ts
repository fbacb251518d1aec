import type { PoolChange } from '@castorjs/account-pool'
import type { RenewalNotice } from '../accounts/background-renewal.ts'
import type { Trouble } from '../accounts/trouble.ts'
import type { UpstreamName } from '../config-schema.ts'

/** What happened to an account, for the operator's webhook. Labels and states, never a secret. */
export interface AccountEvent {
  type:
    | 'account.rested'
    | 'account.recovered'
    | 'account.renewal-refused'
    | 'account.sign-in-failed'
    | 'account.terms-wanted'
  upstream: UpstreamName
  /** Null when it is the address that rests, with every account behind it. */
  account: string | null
  egress: string | null
  model: string | null
  /** The pool's word: `signed-out`, `needs-attention`, `address-blocked`, `limited`, `cooling`, `ready`. */
  state: string | null
  /** `expired ticket`, `signed out`, `device-bound`, `terms to accept`, `region`, `verification wanted`, … */
  cause: string | null
  message: string
  /** ISO 8601; null when the clock alone does not end it. */
  until: string | null
  link: string | null
}

/** An event, and what it is news of. */
export interface News {
  event: AccountEvent
  /** The matters that begin with it, or end: each has its last news, which stand until it is over. */
  matters: readonly Matter[]
  /** When it was so, Unix milliseconds. Default: when it is sent. */
  at?: number
}

/**
 * Something that is the matter with an account or address, or is no more.
 *
 * - `session`: signed out, or a person is wanted. A sign-in that works ends it.
 * - `rest`: any other rest; of a model `rest gemini-2.5-pro`.
 * - `sign-in`, `renewal`, `terms`: what background renewal found out.
 */
export type Matter = 'session' | 'rest' | `rest ${string}` | 'sign-in' | 'renewal' | 'terms'
/** Stands for every rest, whatever the model. */
export const ALL_RESTS = 'rest *'

/** What the pool announced, with the cause where the session knows it. What ended may have been told of the address. */
export function toAccountNews(upstream: UpstreamName, change: PoolChange, trouble: Trouble | undefined): News[] {
  const { account, egress, model, state, reason, until, link } = change
  const recovered = change.type === 'recovered'
  const event: AccountEvent = {
    type: recovered ? 'account.recovered' : 'account.rested',
    upstream,
    account: account?.label ?? null,
    egress,
    model: model ?? null,
    state,
    cause: recovered ? null : (trouble?.cause ?? null),
    message: recovered ? reason : (trouble?.message ?? reason),
    until: until === undefined ? null : new Date(until).toISOString(),
    link: link ?? null,
  }
  const ofModel: Matter[] = model === undefined ? [] : [`rest ${model}`]
  if (!recovered) {
    const whole: Matter = state === 'signed-out' || state === 'needs-attention' ? 'session' : 'rest'
    return [{ event, matters: model === undefined ? [whole] : ofModel }]
  }
  return [
    { event, matters: ['session', 'rest', 'sign-in', ...ofModel] },
    { event: { ...event, account: null, model: null }, matters: ['rest'] },
  ]
}

/** What background renewal found out, and what was ended by hand. */
export function toRenewalNews({ account, egress, type, cause, message, link, at }: RenewalNotice): News[] {
  const [eventType, ...matters] = NOTICES[type]
  const event: AccountEvent = {
    type: eventType,
    upstream: 'gemini-web',
    account,
    egress: egress ?? null,
    model: null,
    state: eventType === 'account.recovered' ? 'ready' : null,
    cause: cause ?? null,
    message,
    until: null,
    link: link ?? null,
  }
  const ofAddress: News = { event: { ...event, account: null }, matters: ['rest'] }
  const news: News = { event, matters, ...(at === undefined ? {} : { at }) }
  return [news, ...(egress === undefined ? [] : [ofAddress])]
}

const NOTICES: Record<RenewalNotice['type'], readonly [AccountEvent['type'], ...Matter[]]> = {
  refused: ['account.renewal-refused', 'renewal'],
  renewed: ['account.recovered', 'renewal'],
  'sign-in': ['account.sign-in-failed', 'sign-in'],
  terms: ['account.terms-wanted', 'terms'],
  'terms-accepted': ['account.recovered', 'terms'],
  recovered: ['account.recovered', 'session', 'sign-in'],
  checked: ['account.recovered', 'session', 'rest', 'sign-in'],
  reset: ['account.recovered', ALL_RESTS, 'session', 'sign-in'],
}
