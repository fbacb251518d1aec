import { createAccountPool, type AccountPool, type PoolChange, type PoolState } from '@castorjs/account-pool'
import { withAccounts } from '@castorjs/account-pool/content-generator'
import type { ContentGenerator } from '@castorjs/content-generator'
import type { GuardedFetch } from '@castorjs/guarded-fetch'
import type { StateStore } from '@castorjs/state-store'
import { closeInOrder } from '../close-in-order.ts'
import { startBackgroundRenewal, type RenewalNotice } from '../accounts/background-renewal.ts'
import { hasAnswered, type CheckStep } from '../accounts/check-web-session.ts'
import { attentionLink, type Trouble } from '../accounts/trouble.ts'
import { openWebAccounts, type WebAccounts } from '../accounts/web-accounts.ts'
import type { Config } from '../config-schema.ts'
import { keptPoolState } from '../state/pool-records.ts'
import { createSessionStore } from '../state/session-store.ts'
import { createAccountControls } from './account-controls.ts'
import type { OpenUpstream } from './open-upstream.ts'
import { createPausedAccounts } from './paused-accounts.ts'
import { routeByModel } from './route-by-model.ts'
import { openWebSession, type WebSession } from './web-session.ts'

/** The Gemini web app: the operator's accounts behind one generator, and a guest for what needs no account. */
export interface GeminiWebUpstream extends OpenUpstream {
  /** The operator's accounts, and the guest in a group of its own. */
  pool: AccountPool<WebSession>
  accounts: WebAccounts
  /** True while a guest answers because there is no account. */
  isGuest: () => boolean
}

export interface GeminiWebUpstreamOptions {
  config: Config
  mediaFetch: GuardedFetch
  state: StateStore
  /** Where leases and rests live. Default: memory, kept in `state`. */
  poolState?: PoolState
  onChange: (change: PoolChange, trouble: Trouble | undefined) => void
  onNotice?: (notice: RenewalNotice) => void
  /** An account was checked, for whatever reason. */
  onChecked?: (account: string, steps: readonly CheckStep[]) => void
}

/** Model names that ask for a guest's session whatever accounts there are. Source: reference document 000. */
const GUEST_MODELS = ['*-free']
const GUEST = 'guest'
/** Not the name of an account that somebody calls "guest". */
const GUEST_ID = `(${GUEST})`
/** Changes that other processes made are looked for so often, in milliseconds. */
const CHECKED = 'The account works again: it was checked'
const SYNC_MS = 2_000

export async function openGeminiWeb({
  config,
  mediaFetch,
  state,
  poolState = keptPoolState(state, 'gemini-web'),
  onChange,
  onNotice = () => {},
  onChecked = () => {},
}: GeminiWebUpstreamOptions): Promise<GeminiWebUpstream> {
  const guest = config.geminiWeb.guest
    ? openWebSession({
        label: GUEST,
        account: undefined,
        config,
        mediaFetch,
        store: createSessionStore(state, GUEST_ID),
      })
    : undefined
  const paused = createPausedAccounts(state, 'gemini-web')
  const guestPaused = (await paused.ids()).has(GUEST_ID) ? { paused: true } : {}
  // One pool: accounts without a proxy leave by the guest's address, so they share its pace and its rests.
  const pool: AccountPool<WebSession> = createAccountPool({
    accounts:
      guest === undefined
        ? []
        : [{ id: GUEST_ID, label: GUEST, group: GUEST, egress: guest.egress, value: guest, ...guestPaused }],
    policy: { ...config.pacing, maxConcurrent: config.geminiWeb.maxConcurrent },
    onChange: (change) => {
      const { account, egress } = change
      const culprit =
        account === undefined
          ? pool.accounts.find(({ value }) => value.egress === egress && value.trouble !== undefined)
          : pool.get(account.id)
      onChange(change, culprit?.value.trouble)
    },
    state: poolState,
  })
  const generatorOf = (group: string): ContentGenerator =>
    withAccounts(pool, (session) => session.generator, {
      name: 'gemini-web',
      group,
      provides: { countTokens: true, embedContent: false },
      attentionLink,
    })

  const renewal = startBackgroundRenewal({
    pool,
    entries: () => accounts?.entries ?? new Map(),
    state,
    onNotice,
    ...config.renewal,
  })
  let accounts: WebAccounts | undefined
  const opened = await openWebAccounts({
    pool,
    state,
    configured: config.accounts,
    maxConcurrent: config.geminiWeb.maxConcurrent,
    open: (label, account, store) => openWebSession({ label, account, config, mediaFetch, store }),
    onOpened: (entry) => renewal.watch(entry),
    onChecked(account, steps) {
      onChecked(account, steps)
      if (!hasAnswered(steps)) return
      const egress = pool.get(account)?.account.egress
      const told = egress === undefined ? {} : { egress }
      onNotice({ account, ...told, type: 'checked', quiet: true, cause: undefined, message: CHECKED })
    },
    onReset: (account, egress) =>
      onNotice({ account, egress, type: 'reset', cause: undefined, message: 'Its rests were ended by hand' }),
  })
  accounts = opened
  // What was known of a dead account is known again, before anybody asks; a state that is away is asked later.
  await renewal.recall().catch(() => undefined)

  let syncing: Promise<void> | undefined
  const syncTimer = state.shared
    ? setInterval(() => {
        // While the state is away there is nothing to take over; the next look is soon.
        // Asking the pool also brings it back from going on alone, without a request.
        syncing ??= opened
          .sync()
          .then(() => pool.status())
          .then(() => undefined)
          .catch(() => undefined)
          .finally(() => {
            syncing = undefined
          })
      }, SYNC_MS)
    : undefined
  syncTimer?.unref()

  const signedIn = generatorOf('')
  const asGuest = guest === undefined ? undefined : generatorOf(GUEST)
  const both =
    asGuest === undefined
      ? signedIn
      : routeByModel('gemini-web', [{ upstream: asGuest, models: GUEST_MODELS }, { upstream: signedIn }])
  /** Accounts come and go; without any, a guest answers. */
  const current = (): ContentGenerator => (opened.entries.size > 0 || asGuest === undefined ? both : asGuest)

  const guestControls = createAccountControls(pool, paused)
  return {
    generator: {
      name: 'gemini-web',
      generateContentStream: (request, options) => current().generateContentStream(request, options),
      countTokens: async (request, options) =>
        (await current().countTokens?.(request, options)) ?? Promise.reject(new TypeError('Web sessions count tokens')),
      models: (options) => current().models(options),
    },
    pool,
    accounts: opened,
    async status() {
      const isGuest = opened.entries.size === 0
      return (await pool.status()).filter(({ id }) => (id === GUEST_ID) === isGuest)
    },
    controls: {
      list: guestControls.list,
      async setPaused(id, wanted) {
        if (!opened.entries.has(id)) return guestControls.setPaused(id, wanted)
        await opened.setPaused(id, wanted)
        return true
      },
      async reset(id) {
        if (!opened.entries.has(id)) return guestControls.reset(id)
        await opened.reset(id)
        return true
      },
    },
    isGuest: () => guest !== undefined && opened.entries.size === 0,
    describe() {
      const count = opened.entries.size
      if (count > 0) return `Gemini web app, ${count === 1 ? 'one account' : `${count} accounts`}`
      return guest === undefined
        ? 'Gemini web app, no account yet'
        : 'Gemini web app as a guest: the smallest model, text only'
    },
    async close() {
      clearInterval(syncTimer)
      await closeInOrder([renewal.close, () => syncing, pool.close, opened.close, () => guest?.close()])
    },
  }
}
