import type { CookieImport } from '@castorjs/cookie-import'
import { GenerationError, toGenerationError } from '@castorjs/content-generator'
import type { RotationOutcome } from '@castorjs/gemini-web-client'
import { withLock } from '@castorjs/state-store'
import { ACCOUNTS_LOCK, openAccountRoster, type AccountRosterOptions, type WebAccountEntry } from './account-roster.ts'
import type { AccountView } from './account-view.ts'
import { addAccount, type AddOptions, type AddResult } from './add-account.ts'
import { changeProxy } from './change-proxy.ts'
import {
  checkWebSession,
  hasAnswered,
  isHealthy,
  reportStep,
  toDoorError,
  type CheckStep,
} from './check-web-session.ts'
import { refusedAdvice, toFailure } from './trouble.ts'

/** The accounts of the web app: those of the configuration, and those added at run time, which live in the state. */
export interface WebAccounts {
  list(): Promise<AccountView[]>
  get(id: string): Promise<AccountView>
  add(found: CookieImport, options?: AddOptions): Promise<AddResult>
  /** The check along the path of a chat, step by step. */
  check(id: string, signal?: AbortSignal): AsyncGenerator<CheckStep>
  /** Renews the ticket now. */
  renew(id: string): Promise<{ outcome: RotationOutcome; message: string }>
  setPaused(id: string, paused: boolean): Promise<void>
  reset(id: string): Promise<void>
  remove(id: string): Promise<void>
  setProxy(id: string, proxy: string | null): Promise<CheckStep[]>
  readonly entries: ReadonlyMap<string, WebAccountEntry>
  /** Takes over what other processes changed. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface WebAccountsOptions extends AccountRosterOptions {
  /** All rests of an account and of its address were ended by hand. */
  onReset?: (account: string, egress: string) => void
}

const LOCK_WAIT_MS = 120_000
const SIGN_IN_MS = 90_000

/** Opens every known account. */
export async function openWebAccounts(options: WebAccountsOptions): Promise<WebAccounts> {
  const { pool, state, open, onChecked = () => {}, onReset = () => {} } = options
  const roster = await openAccountRoster(options)
  const { entries, entryOf, view } = roster
  const ports = { state, pool, open, roster, onChecked }

  function locked<Result>(work: () => Promise<Result>): Promise<Result> {
    return withLock(state, ACCOUNTS_LOCK, () => work(), { ttlMs: 10_000, waitMs: LOCK_WAIT_MS }).then((done) => {
      if (done !== undefined) return done.value
      throw new GenerationError('upstream_unavailable', 'Another change of the accounts takes too long. Try again.', {
        fault: 'castor',
      })
    })
  }

  /** Signs in, and tells the pool what that comes to; undefined when Google could not be asked. */
  async function isAlive(id: string): Promise<boolean | undefined> {
    const { session } = entryOf(id)
    session.client.recheck()
    try {
      await session.signIn(AbortSignal.timeout(SIGN_IN_MS))
      return true
    } catch (thrown) {
      const error = toGenerationError(thrown)
      await pool.report(id, toFailure(error))
      return error.code === 'upstream_auth' ? false : undefined
    }
  }

  return {
    entries,
    async list() {
      const statuses = await pool.status()
      return Promise.all([...entries.values()].map((entry) => view(entry, statuses)))
    },
    get: (id) => view(entryOf(id)),
    add: (found, addOptions = {}) => locked(() => addAccount(ports, found, addOptions)),
    async *check(id, signal) {
      const entry = entryOf(id)
      const steps: CheckStep[] = []
      try {
        for await (const step of checkWebSession(entry.session, signal)) {
          steps.push(step)
          await reportStep(pool, id, step)
          yield step
        }
        if (isHealthy(steps)) await pool.recovered(id, { address: hasAnswered(steps) })
      } finally {
        onChecked(id, steps)
      }
    },
    async renew(id) {
      const { session } = entryOf(id)
      const outcome = await session.client.rotate().catch((error: unknown) => {
        throw toDoorError(error)
      })
      if (session.client.status().renewalRefused !== true) return { outcome, message: RENEWALS[outcome] }
      const message = refusedAdvice({ deviceBound: session.deviceBound, alive: await isAlive(id) })
      return { outcome, message: outcome === 'refused' ? message : `${RENEWALS[outcome]} ${message}` }
    },
    async setPaused(id, paused) {
      const entry = entryOf(id)
      // The pool's own state tells other processes; the record is for the next start.
      entry.record = await roster.changeRecord(entry, { paused })
      await (paused ? pool.pause(id) : pool.resume(id))
    },
    async reset(id) {
      const { egress } = entryOf(id).session
      await pool.reset(id)
      onReset(id, egress)
    },
    remove: (id) =>
      locked(async () => {
        const entry = entryOf(id)
        if (entry.configured !== undefined) {
          throw new GenerationError(
            'invalid_request',
            'This account is in the configuration (.env, the environment or castor.config.json). Take it out there, or pause it.',
            { field: 'id' },
          )
        }
        await roster.drop(entry)
      }),
    setProxy: (id, proxy) => locked(() => changeProxy(ports, entryOf(id), proxy)),
    sync: roster.sync,
    close: roster.close,
  }
}

const RENEWALS: Record<RotationOutcome, string> = {
  renewed: 'The ticket was renewed.',
  'still-good': 'Google says that the ticket is still good.',
  refused: 'Google refused to renew the ticket.',
  'too-soon': 'The last renewal was less than a minute ago; nothing was asked.',
}
