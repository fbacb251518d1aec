import type { CookieImport } from '@castorjs/cookie-import'
import { RENEWAL_FLOOR_MS, type SessionState } from '@castorjs/gemini-web-client'
import { withLock, type StateStore } from '@castorjs/state-store'
import { createSessionStore, sessionIn, sessionKey } from '../state/session-store.ts'
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
 * are only replaced by newer ones; those that do not work, by any that do.
 *
 * @throws {GenerationError} `invalid_request`, naming `cookies`, `label` or `proxy`; nothing is changed then.
 */
export async function addAccount(ports: ChangePorts, found: CookieImport, options: AddOptions): Promise<AddResult> {
  const { state, roster } = ports
  const place = findPlace(roster.entries, found, options)
  const { target } = place
  const before = await readSession(state, place.home)
  const rank = await rankFor(target, before, found)
  if (target !== undefined && rank !== 'newer') {
    const check = await checkAsItIs(ports, target, options)
    if (check !== undefined) return result(ports, found, { outcome: 'kept', rank, entry: target, check })
  }
  const sameSession = before !== undefined && sessionIn(before.cookies) === sessionIn(found.cookies)
  const fits = before === undefined || (sameSession && (target === undefined || rank === 'newer'))
  if (fits) {
    const taken = await withRenewalHeld(ports, place.home, async () => {
      const stored = await readSession(state, place.home)
      // Whatever ticket comes now, ours is the last that Google gave out, and no other is to be had for a minute.
      return target !== undefined && wasJustRenewed(target, stored)
        ? undefined
        : tryOut(ports, found, options, place, stored)
    })
    if (taken !== undefined || target === undefined) return taken ?? tryOut(ports, found, options, place, before)
    const check = await collectSteps(checkWebSession(target.session))
    return result(ports, found, { outcome: 'kept', rank: 'renewed', entry: target, check })
  }
  // Another session than the one there: that one stays untouched until this one has shown that it works.
  const home = `${place.id}+${crypto.randomUUID().slice(0, 8)}`
  return tryOut(ports, found, options, { ...place, home }, undefined)
}

/** While an import is tried out nobody else renews the session: one of the two tickets would be lost. */
async function withRenewalHeld<Result>(
  { state }: ChangePorts,
  home: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const times = { ttlMs: 10_000, waitMs: RENEWAL_WAIT_MS }
  const done = await withLock(state, sessionKey(home), () => work(), times)
  return done === undefined ? work() : done.value
}

async function readSession(state: StateStore, home: string): Promise<SessionState | undefined> {
  return (await state.get(sessionKey(home)))?.value as SessionState | undefined
}

function wasJustRenewed({ session }: WebAccountEntry, stored: SessionState | undefined): boolean {
  const { ticketAtMs, rotatedAtMs } = stored ?? {}
  if (session.trouble !== undefined || ticketAtMs === undefined || rotatedAtMs === undefined) return false
  return ticketAtMs >= rotatedAtMs && Date.now() - rotatedAtMs < RENEWAL_FLOOR_MS
}

async function tryOut(
  ports: ChangePorts,
  found: CookieImport,
  { label, proxy }: AddOptions,
  { target, id, accountIndex, home }: Place,
  before: SessionState | undefined,
): Promise<AddResult> {
  const { state, open, roster } = ports
  const instead = target?.configured === undefined ? undefined : markOf(target.configured)
  const facts = { cookies: found.cookies, deviceBound: found.deviceBound, accountIndex, instead }
  const record = { ...blank(id), ...target?.record, ...facts, ...(proxy === undefined ? {} : { proxy }) }
  const store = createSessionStore(state, home)
  store.lockHeld = true
  const session = open(id, roster.credentialsOf(target?.configured, record), store)

  async function giveUp(): Promise<void> {
    store.retire()
    await session.close()
    const used = [...roster.entries.values()].find((entry) => entry.home === home)?.session.client.export()
    // What the session in use knows is at least as new as what was stored.
    const rest = used !== undefined && used.cookies.length > 0 ? used : before
    await (rest === undefined ? state.delete(sessionKey(home)) : state.set(sessionKey(home), rest))
  }

  try {
    const check = await collectSteps(checkWebSession(session))
    const failed = failedSignIn(check)
    if (failed !== undefined && (failed.fault === 'account' || proxy !== undefined))
      throw refusal(failed, target, proxy)

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
    const known = person ?? { id, record: undefined, configured: undefined }
    const change: Partial<AccountRecord> = {
      ...facts,
      instead: known.configured === undefined ? undefined : markOf(known.configured),
      home,
      past: pastOf(person, found),
      ...(proxy === undefined ? {} : { proxy }),
      ...(number === undefined ? {} : { accountNumber: number }),
    }
    session.label = known.id
    const entry: WebAccountEntry = {
      id: known.id,
      configured: known.configured,
      record: await roster.changeRecord({ ...known, record: undefined }, change),
      session,
      store,
      home,
    }
    await roster.use(entry)
    store.lockHeld = false
    await reportSteps(ports, entry.id, check)
    return await result(ports, found, { outcome: person === undefined ? 'added' : 'updated', rank, entry, check })
  } catch (error) {
    if (roster.entries.get(session.label)?.session !== session) await giveUp()
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
}
