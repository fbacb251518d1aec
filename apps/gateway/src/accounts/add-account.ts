import type { CookieImport } from '@castorjs/cookie-import'
import { RENEWAL_FLOOR_MS, type SessionState } from '@castorjs/gemini-web-client'
import { createSessionStore, sessionIn, withRenewalLock } from '../state/session-store.ts'
import type { AccountRecord } from './account-record.ts'
import type { WebAccountEntry } from './account-roster.ts'
import type { AccountView } from './account-view.ts'
import { blank, changeProxy, refusal, type ChangePorts } from './change-proxy.ts'
import {
  checkWebSession,
  collectSteps,
  deadStep,
  failedSignIn,
  reportSteps,
  type CheckStep,
} from './check-web-session.ts'
import { markOf } from './fingerprints.ts'
import { beginTrial, dropTrial, endTrial, readSession, trialHome } from './session-homes.ts'
import { findPlace, namedAnother, pastOf, personOf, rankFor, type Place, type Rank } from './whose-cookies.ts'

export interface AddOptions {
  /** Name of the account; that of a known one replaces its cookies. Default: found by the session, else invented. */
  label?: string | undefined
  accountIndex?: number | undefined
  proxy?: string | undefined
}

export interface AddResult {
  /**
   * - `added`: a new account.
   * - `updated`: the same person, newer cookies.
   * - `kept`: the cookies were taken in before, or are older than the stored ones, which stay.
   */
  outcome: 'added' | 'updated' | 'kept'
  message: string
  account: AccountView
  found: Pick<CookieImport, 'form' | 'names' | 'accountIndex' | 'deviceBound' | 'advice'>
  check: CheckStep[]
}

/**
 * Takes a session in after a real check: as a new account, or as newer cookies of somebody who is there. Cookies that work
 * are only replaced by newer ones, or by others of the same session of which nobody knows, and are then kept beside them;
 * those that do not work, by any that do. What is stored stays as it is until the new ones have shown that they work.
 *
 * @throws {GenerationError} `invalid_request`, naming `cookies`, `label` or `proxy`; nothing is changed then.
 */
export async function addAccount(ports: ChangePorts, found: CookieImport, options: AddOptions): Promise<AddResult> {
  const { state, roster } = ports
  const place = findPlace(roster.entries, found, options)
  const { target, home } = place
  const before = await readSession(state, home)
  const rank = await rankFor(target, before, found)
  if (target !== undefined && (rank === 'known' || rank === 'older')) {
    const check = await checkAsItIs(ports, target, options)
    if (check !== undefined) return result(ports, found, { outcome: 'kept', rank, entry: target, check })
  }
  const isOneSession = before !== undefined && sessionIn(before.cookies) === sessionIn(found.cookies)
  if (!isOneSession) return tryOut(ports, found, options, place, { known: undefined, reuse: false })
  // Whoever renewed the session meanwhile would lose one of the two tickets.
  const whileNobodyRenews = async (): Promise<AddResult | { stays: WebAccountEntry }> => {
    const known = (await readSession(state, home)) ?? before
    // Whatever ticket comes now, ours is the last that Google gave out, and no other is to be had for a minute.
    if (target !== undefined && rank !== 'known' && rank !== 'older' && wasJustRenewed(target, known)) {
      return { stays: target }
    }
    // Another account of the same cookies: what is stored is as good or better.
    const reuse = target === undefined && rank !== 'newer'
    return tryOut(ports, found, options, place, { known, reuse })
  }
  const done = await withRenewalLock(state, home, RENEWAL_WAIT_MS, whileNobodyRenews)
  const taken = done === undefined ? await whileNobodyRenews() : done.value
  if (!('stays' in taken)) return taken
  // Its proxy may change all the same. Not under the lock: who signs in along the new way may want it.
  const entry = taken.stays
  const { proxy } = options
  const isMoved = proxy !== undefined && proxy !== entry.record?.proxy
  const check = isMoved ? await changeProxy(ports, entry, proxy) : await collectSteps(checkWebSession(entry.session))
  return result(ports, found, { outcome: 'kept', rank: 'renewed', entry, check })
}

function wasJustRenewed({ session }: WebAccountEntry, { ticketAtMs, rotatedAtMs }: SessionState): boolean {
  if (session.trouble !== undefined || ticketAtMs === undefined || rotatedAtMs === undefined) return false
  return ticketAtMs >= rotatedAtMs && Date.now() - rotatedAtMs < RENEWAL_FLOOR_MS
}

/** What is stored of the session that is tried out, if it is the same. */
interface Known {
  known: SessionState | undefined
  reuse: boolean
}

async function tryOut(
  ports: ChangePorts,
  found: CookieImport,
  { label, proxy }: AddOptions,
  { target, id, accountIndex, home }: Place,
  { known, reuse }: Known,
): Promise<AddResult> {
  const { state, open, roster } = ports
  const instead = target?.configured === undefined ? undefined : markOf(target.configured)
  const facts = { cookies: found.cookies, deviceBound: found.deviceBound, accountIndex, instead }
  const record = { ...blank(id), ...target?.record, ...facts, ...(proxy === undefined ? {} : { proxy }) }
  const trial = trialHome(id)
  await beginTrial(state, trial, known, reuse)
  const store = createSessionStore(state, trial)
  const session = open(id, roster.credentialsOf(target?.configured, record), store)
  let taken = false

  async function giveUp(): Promise<void> {
    store.retire()
    await session.close()
    await dropTrial(state, trial, known === undefined ? undefined : home)
  }

  try {
    const check = await collectSteps(checkWebSession(session))
    const failed = failedSignIn(check)
    // Somebody new may come while Google cannot be asked; who is there keeps what works.
    const isWelcome = target === undefined && known === undefined && proxy === undefined && failed?.fault !== 'account'
    if (failed !== undefined && !isWelcome) throw refusal(failed, target, proxy)

    const number = session.client.status().accountNumber
    const owner = await personOf(roster.entries, number, home)
    if (owner !== undefined && target !== undefined && owner !== target) throw namedAnother(owner, label)
    const person = target ?? owner
    const rank = target === undefined ? await rankFor(person, undefined, found) : 'newer'
    if (person !== undefined && rank !== 'newer') {
      const asItIs = await checkAsItIs(ports, person, { proxy })
      if (asItIs !== undefined) {
        await giveUp()
        return await result(ports, found, { outcome: 'kept', rank, entry: person, check: asItIs })
      }
    }
    const owned = person ?? { id, record: undefined, configured: undefined }
    if (known !== undefined) await endTrial(state, trial, home, store)
    const own = known === undefined ? trial : home
    const change: Partial<AccountRecord> = {
      ...facts,
      instead: owned.configured === undefined ? undefined : markOf(owned.configured),
      home: own,
      past: pastOf(person, found),
      ...(proxy === undefined ? {} : { proxy }),
      ...(number === undefined ? {} : { accountNumber: number }),
    }
    session.label = owned.id
    const entry: WebAccountEntry = {
      id: owned.id,
      configured: owned.configured,
      record: await roster.changeRecord({ ...owned, record: undefined }, change),
      session,
      store,
      home: own,
    }
    await roster.use(entry)
    taken = true
    await reportSteps(ports, entry.id, check)
    return await result(ports, found, { outcome: person === undefined ? 'added' : 'updated', rank, entry, check })
  } catch (error) {
    if (!taken) await giveUp()
    throw error
  }
}

/** Checks what is stored, through the new proxy if there is one. Undefined when it does not work, so that any other will do. */
async function checkAsItIs(
  ports: ChangePorts,
  entry: WebAccountEntry,
  { proxy }: AddOptions,
): Promise<CheckStep[] | undefined> {
  if (proxy !== undefined && proxy !== entry.record?.proxy) return changeProxy(ports, entry, proxy)
  const check = await collectSteps(checkWebSession(entry.session))
  await reportSteps(ports, entry.id, check)
  return deadStep(check) === undefined ? check : undefined
}

interface Taken {
  outcome: AddResult['outcome']
  rank: Rank
  entry: WebAccountEntry
  check: CheckStep[]
}

async function result({ roster }: ChangePorts, found: CookieImport, taken: Taken): Promise<AddResult> {
  const { outcome, rank, entry, check } = taken
  const { form, names, accountIndex, deviceBound, advice } = found
  return {
    outcome,
    message: MESSAGES[outcome](entry.id, rank),
    account: await roster.view(roster.entryOf(entry.id)),
    found: { form, names, accountIndex, deviceBound, advice },
    check,
  }
}

const RENEWAL_WAIT_MS = 40_000

const MESSAGES: Record<AddResult['outcome'], (id: string, rank: Rank) => string> = {
  added: (id) => `The account "${id}" was added.`,
  updated: (id) => `The account "${id}" was there already; it has the newer cookies now.`,
  kept: (id, rank) => `The account "${id}" was there already and keeps its cookies: ${REASONS[rank]}`,
}

const REASONS: Record<Rank, string> = {
  older: 'these are older than those stored.',
  known: 'these were taken in before, and those stored may be newer.',
  renewed: 'its own ticket was renewed a moment ago.',
  newer: 'those stored work.',
  unclear: 'those stored work.',
}
