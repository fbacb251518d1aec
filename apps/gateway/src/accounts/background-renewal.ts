import type { AccountPool } from '@castorjs/account-pool'
import { toGenerationError } from '@castorjs/content-generator'
import { RENEWAL_FLOOR_MS, type SessionState } from '@castorjs/gemini-web-client'
import type { StateStore } from '@castorjs/state-store'
import { sessionIn, sessionKey } from '../state/session-store.ts'
import type { WebSession } from '../upstreams/web-session.ts'
import { markOfSession } from './fingerprints.ts'
import { createKeptTroubles, holdsFor, lasting, type KeptTrouble } from './kept-troubles.ts'
import { ATTENTION_LINK, refusedAdvice, TERMS_STATUS, TERMS_WANTED, toFailure, type TroubleCause } from './trouble.ts'
import type { WebAccountEntry } from './account-roster.ts'

export interface BackgroundRenewalOptions {
  pool: AccountPool<WebSession>
  entries: () => ReadonlyMap<string, WebAccountEntry>
  /** Where other processes, or another account of one cookie set, may write newer cookies. */
  state: StateStore
  /** Something was learned that the pool does not announce by itself. Holds no secret. */
  onNotice: (notice: RenewalNotice) => void
  /** Average wait before an account is first signed in to, in milliseconds. Default 15 000. */
  startAfterMs?: number
  /** Distance between the first sign-ins of two accounts, in milliseconds. Default 2 000. */
  spreadMs?: number
  random?: () => number
  now?: () => number
}

export interface RenewalNotice {
  account: string
  /** The address, where news of it end too. */
  egress?: string
  /**
   * - `refused`: Google does not renew this session, which still answers; it dies when its ticket does.
   * - `sign-in`: it could not be signed in to, and the pool has nothing to say of it.
   * - `renewed`: Google renews it again.
   * - `terms`: it works, and Google wants terms to be accepted.
   * - `terms-accepted`: it wants that no more.
   * - `recovered`: it is signed in to again.
   * - `checked`: everything worked.
   * - `reset`: its rests were ended by hand.
   */
  type: 'refused' | 'sign-in' | 'renewed' | 'terms' | 'terms-accepted' | 'recovered' | 'checked' | 'reset'
  /** It only ends what may have been told by another process, or before the start. */
  quiet?: true
  cause: TroubleCause | undefined
  message: string
  /** When it was so, Unix milliseconds. Default now. */
  at?: number
  /** Where a person can put it right. */
  link?: string
}

/** Keeps every account signed in, used or not. The client's own clock renews; this starts it, watches, and tells the pool. */
export interface BackgroundRenewal {
  /** Plans the first sign-in of an account. */
  watch(entry: WebAccountEntry): void
  /** Reads what was known of the accounts before the start, or is known to other processes. */
  recall(): Promise<void>
  close(): Promise<void>
}

/** Something is over. */
interface Over {
  type: RenewalNotice['type']
  message: string
  at?: number | undefined
}

const LOOK_MS = 5_000
const ADOPT_EVERY_LOOKS = 3
/** A session that Google refuses is asked for less and less often: it seldom comes back without a person. */
const RETRY = { firstMs: 30_000, longestMs: 480_000, refusedMs: 6 * 3_600_000 }
const ABOUT_THE_TICKET: ReadonlySet<TroubleCause> = new Set(['expired ticket', 'signed out', 'device-bound'])
const SIGN_IN_MS = 90_000

interface Watched {
  entry: WebAccountEntry
  /** When to sign in next; undefined while the client's clock runs. */
  signInAt: number | undefined
  failures: number
  /** The renewal that was last looked at. */
  seenRotation: number | undefined
  /** The trouble that was last looked at. */
  seenTrouble: number | undefined
  /** The status of the account that was last told, null for one that is none to tell; undefined before the first. */
  toldTerms: number | null | undefined
  /** The recoveries of the session that were told; undefined until it has worked here. */
  seenRecoveries: number | undefined
  /** Whether a refused renewal was told; undefined before the first renewal. */
  toldRefusal: boolean | undefined
  /** What this process and the state agree on, as {@link wordsOf} has it. */
  agreed: string
}

export function startBackgroundRenewal(options: BackgroundRenewalOptions): BackgroundRenewal {
  const { pool, entries, state, onNotice, startAfterMs = 15_000, spreadMs = 2_000 } = options
  const { random = Math.random, now = Date.now } = options
  const troubles = createKeptTroubles(state)
  const watched = new Map<string, Watched>()
  const closing = new AbortController()
  let looks = 0
  let looking: Promise<void> | undefined

  async function signIn(one: Watched): Promise<void> {
    const { id, session } = one.entry
    const restedAt = await restOf(id)
    try {
      await session.signIn(AbortSignal.any([closing.signal, AbortSignal.timeout(SIGN_IN_MS)]))
      one.failures = 0
      one.signInAt = undefined
      const restsSince = await restOf(id)
      if (restsSince === undefined) return
      if (restsSince === restedAt) await pool.recovered(id)
      // Which of the two is the truth, the next one tells.
      else one.signInAt = now()
    } catch (thrown) {
      if (closing.signal.aborted) return
      const error = toGenerationError(thrown)
      one.failures++
      const longest = error.code === 'upstream_auth' ? RETRY.refusedMs : RETRY.longestMs
      const wait = Math.min(RETRY.firstMs * 2 ** Math.min(one.failures - 1, 20), longest)
      one.signInAt = now() + wait * (0.9 + 0.2 * random())
      one.seenTrouble = session.trouble?.at
      const verdict = await pool.report(id, toFailure(error))
      // What rests an account at once is announced by the pool.
      if (one.failures === 1 && verdict?.after !== 1)
        onNotice({ account: id, type: 'sign-in', cause: session.trouble?.cause, message: error.message })
    }
  }

  /**
   * Since when an account is resting for what a sign-in disproves; it proves nothing about limits, pace, or what came to
   * light meanwhile.
   */
  async function restOf(id: string): Promise<number | undefined> {
    const status = (await pool.status()).find((each) => each.id === id)
    return status?.state === 'signed-out' || status?.state === 'needs-attention' ? status.since : undefined
  }

  async function look(one: Watched): Promise<void> {
    const { session } = one.entry
    const { lastRotation, rotatedAtMs } = session.client.status()
    if (rotatedAtMs !== one.seenRotation) {
      one.seenRotation = rotatedAtMs
      // Whether it still answers is what a refusal leaves open.
      if (lastRotation === 'refused' && session.trouble === undefined) one.signInAt = now()
      // The ticket is fresh again: what was said of the session before may be over.
      if (lastRotation === 'renewed' && session.trouble !== undefined) one.signInAt ??= now()
    }
    // Lost within a minute of the last renewal, when no other was allowed: one more try as soon as it is.
    const { trouble } = session
    if (trouble !== undefined && ABOUT_THE_TICKET.has(trouble.cause) && one.seenTrouble !== trouble.at) {
      one.seenTrouble = trouble.at
      one.signInAt ??= Math.max(now(), (rotatedAtMs ?? 0) + RENEWAL_FLOOR_MS)
    }
    tellRecovery(one)
    tellTerms(one)
    tellRefusal(one)
    if (one.signInAt !== undefined && now() >= one.signInAt) await signIn(one)
    else if (looks % ADOPT_EVERY_LOOKS === 0 && (state.shared || sharesHome(one.entry))) await adopt(one)
  }

  /** A dead session is refused too; that was announced by the pool. */
  function tellRefusal(one: Watched): void {
    const { id, session } = one.entry
    const { deviceBound, renewalRefused, trouble } = session
    if (renewalRefused && one.toldRefusal !== true && trouble === undefined) {
      const message = refusedAdvice({ deviceBound, alive: true })
      onNotice({ account: id, type: 'refused', cause: deviceBound ? 'device-bound' : undefined, message })
    }
    const renewed = session.client.status().renewalRefused === false
    if (renewed && one.toldRefusal !== false)
      over(one, { type: 'renewed', message: 'Google renews the session again' }, one.toldRefusal)
    if (renewed || renewalRefused) one.toldRefusal = renewalRefused
  }

  /** Whoever found out: a check, a request, or the sign-in here. The webhook drops what nobody was told of. */
  function tellRecovery(one: Watched): void {
    const { recoveries, trouble, workedAt } = one.entry.session
    if (trouble !== undefined || recoveries === one.seenRecoveries) return
    if (recoveries === 0 && workedAt === undefined) return
    over(one, { type: 'recovered', message: 'The account works again', at: workedAt }, recoveries > 0)
    one.seenRecoveries = recoveries
  }

  function over(one: Watched, notice: Over, wasTold: boolean | undefined): void {
    const { at = now(), type, message } = notice
    const quiet = wasTold === true ? {} : ({ quiet: true } as const)
    onNotice({ account: one.entry.id, type, cause: undefined, message, at, ...quiet })
  }

  /** Google still serves the account, so nothing rests; a person has to know before it no longer does. */
  function tellTerms(one: Watched): void {
    const { code } = one.entry.session.client.status()
    if (code === undefined) return
    const wanted = TERMS_STATUS.has(code) ? code : null
    const told = one.toldTerms
    if (wanted === null && told !== null)
      over(
        one,
        { type: 'terms-accepted', message: 'Google no longer wants its terms to be accepted' },
        told !== undefined,
      )
    if (wanted !== null && wanted !== told)
      onNotice({
        account: one.entry.id,
        type: 'terms',
        cause: 'terms to accept',
        message: TERMS_WANTED,
        link: ATTENTION_LINK,
      })
    one.toldTerms = wanted
  }

  function sharesHome({ id, home }: WebAccountEntry): boolean {
    return [...watched.values()].some(({ entry }) => entry.home === home && entry.id !== id)
  }

  /** Takes the ticket that another process or account renewed, without asking Google. */
  async function adopt({ entry: { home, session } }: Watched): Promise<void> {
    const { ticketAtMs } = session.client.status()
    if (ticketAtMs === undefined) return
    const stored = (await state.get(sessionKey(home)))?.value as SessionState | undefined
    if ((stored?.ticketAtMs ?? 0) > ticketAtMs) await session.client.rotate()
  }

  /** Fingerprint of the session, also of one that was not used yet; empty when there is none. */
  async function markOf({ home, session }: WebAccountEntry): Promise<string> {
    const { cookies } = session.client.export()
    const stored =
      cookies.length > 0 ? undefined : ((await state.get(sessionKey(home)))?.value as SessionState | undefined)
    const value = sessionIn(stored?.cookies ?? cookies)
    return value === undefined ? '' : markOfSession(value)
  }

  /** Takes over what another process wrote of an account since we agreed. */
  async function hear(one: Watched, all: ReadonlyMap<string, KeptTrouble>): Promise<void> {
    const { id, session } = one.entry
    let kept = all.get(id)
    if (kept !== undefined && !holdsFor(kept, await markOf(one.entry), session.egress)) kept = undefined
    const theirs = wordsOf(kept)
    // What we found out meanwhile is the newest.
    if (theirs === one.agreed || wordsOf(session) !== one.agreed) return
    one.agreed = theirs
    // It has worked here after it failed there: then they are told, not we.
    if (kept?.trouble !== undefined && (session.workedAt ?? 0) > kept.trouble.at) return
    session.learn(kept)
    // It was tried by whoever found out.
    one.seenTrouble = session.trouble?.at
    one.toldRefusal = session.renewalRefused
  }

  /** Writes what we found out of an account since we agreed. */
  async function say(one: Watched): Promise<void> {
    const { id, session } = one.entry
    const ours = wordsOf(session)
    if (ours === one.agreed) return
    const trouble = lasting(session.trouble)
    if (ours === '') await troubles.remove(id)
    else {
      await troubles.put({
        version: 1,
        id,
        session: await markOf(one.entry),
        egress: session.egress,
        ...(trouble === undefined ? {} : { trouble }),
        ...(session.renewalRefused ? { renewalRefused: true } : {}),
      })
    }
    one.agreed = ours
  }

  async function recall(): Promise<void> {
    const all = await troubles.list()
    await Promise.all([...watched.values()].map((one) => hear(one, all)))
  }

  async function lookAtAll(): Promise<void> {
    looks++
    for (const [id, one] of watched) {
      if (entries().get(id) !== one.entry) watched.delete(id)
    }
    // A state that is away is heard again later.
    if (state.shared) await recall().catch(() => undefined)
    await Promise.all([...watched.values()].map((one) => look(one).catch(() => undefined)))
    await sayAll()
  }

  async function sayAll(): Promise<void> {
    await Promise.all([...watched.values()].map((one) => say(one).catch(() => undefined)))
  }

  const timer = setInterval(
    () => {
      looking ??= lookAtAll().finally(() => {
        looking = undefined
      })
    },
    Math.min(LOOK_MS, Math.max(startAfterMs, 100)),
  )
  timer.unref()

  return {
    watch(entry) {
      const known = watched.get(entry.id)
      const place = known === undefined ? watched.size : 0
      const after = startAfterMs * (0.5 + random()) + place * spreadMs * (0.5 + random())
      watched.set(entry.id, {
        failures: 0,
        seenRotation: undefined,
        seenTrouble: undefined,
        toldTerms: undefined,
        seenRecoveries: undefined,
        toldRefusal: undefined,
        agreed: '',
        // Something else of it was changed.
        ...(known?.entry.session === entry.session ? known : {}),
        entry,
        signInAt: now() + after,
      })
    },
    recall,
    async close() {
      clearInterval(timer)
      closing.abort()
      await looking
      await sayAll()
    },
  }
}

/** What is worth telling, in a form that can be compared; empty while there is nothing. */
function wordsOf(known: Partial<Pick<WebSession, 'trouble' | 'renewalRefused'>> | undefined): string {
  const trouble = lasting(known?.trouble)
  const refused = known?.renewalRefused === true
  return trouble === undefined && !refused ? '' : JSON.stringify([trouble?.cause, trouble?.message, refused])
}
