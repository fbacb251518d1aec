import type { LoggedRequest } from '@castorjs/gemini-web-emulator'
import type { RunningEmulator } from '@castorjs/gemini-web-emulator/node'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ending } from './load.ts'
import type { Ceilings } from './simulation.ts'

/** One question as it arrived at the web app. */
interface Attempt {
  word: string
  /** Account of a session that counted; undefined when the app saw a guest in it. */
  account: string | undefined
  status: number
  fault: string | undefined
  from: number
  to: number
}

/** A time in which the gateways could not know of each other: from when to when, Unix time in milliseconds. */
export interface Outage {
  from: number
  to: number
}

/** What the web app saw of a run. */
export interface Truth {
  attempts: readonly Attempt[]
  /** Renewals that were asked for, and the shortest time between two of one account. */
  renewals: number
  shortestRenewalMs: number
}

export function readTruth({ emulator }: RunningEmulator): Truth {
  const attempts: Attempt[] = []
  const renewedAt = new Map<string, number>()
  let renewals = 0
  let shortestRenewalMs = Infinity
  for (const request of emulator.controls.requests) {
    const { method, path, caller, atMs } = request
    if (method === 'POST' && path.endsWith('/StreamGenerate')) attempts.push(toAttempt(request))
    if (method !== 'POST' || !path.endsWith('/RotateCookies') || caller.startsWith('guest')) continue
    renewals++
    shortestRenewalMs = Math.min(shortestRenewalMs, atMs - (renewedAt.get(caller) ?? -Infinity))
    renewedAt.set(caller, atMs)
  }
  return { attempts, renewals, shortestRenewalMs }
}

function toAttempt({ inner, caller, status, fault, atMs, endedAtMs = atMs }: LoggedRequest): Attempt {
  const prompt = JSON.stringify((inner as unknown[] | undefined)?.[0] ?? '')
  return {
    word: nameOf(prompt),
    account: caller.startsWith('guest') ? undefined : caller,
    status,
    fault,
    from: atMs,
    to: endedAtMs,
  }
}

/** What is the same in a word wherever it stands. */
export const nameOf = (text: string): string => /\b(?:word|left)-\d+/.exec(text)?.[0] ?? ''

function group<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const members = groups.get(key)
    if (members === undefined) groups.set(key, [item])
    else members.push(item)
  }
  return groups
}

/** A whole answer of an account: nothing struck it. */
const isWhole = ({ account, status, fault }: Attempt): boolean =>
  account !== undefined && status === 200 && (fault === undefined || fault === 'stall')

/** Words that were answered whole twice, or tried at more than three accounts. */
export function findRepeats(truth: Truth): string[] {
  const found: string[] = []
  for (const [word, attempts] of group(truth.attempts, ({ word }) => word)) {
    const whole = attempts.filter(isWhole).length
    if (whole > 1) found.push(`${word} was answered ${whole} times`)
    const accounts = new Set(attempts.map(({ account }) => account))
    accounts.delete(undefined)
    if (accounts.size > 3) found.push(`${word} was tried at ${accounts.size} accounts`)
  }
  return found
}

/** Answers that came from a guest's model without a word about it, or from nowhere. */
export function findSilentSubstitutes(truth: Truth, endings: readonly Ending[]): string[] {
  const attempts = group(truth.attempts, ({ word }) => word)
  return endings.flatMap(({ kind, word, strict, toldSubstitute }) => {
    if (kind !== 'answer') return []
    const served = (attempts.get(nameOf(word)) ?? []).filter(({ status }) => status === 200)
    if (served.some(isWhole) || served.some(({ fault }) => isBroken(fault))) return []
    if (served.some(({ fault }) => fault === 'downgrade'))
      return toldSubstitute && !strict ? [] : [`${word} came from another model, strict: ${strict}`]
    return [`${word} was answered, but not by an account: ${JSON.stringify(served)}`]
  })
}

/** The body broke off, but what came may have been all, or was read back from the chat. */
const isBroken = (fault: string | undefined): boolean => fault === 'cut' || fault === 'reset'

/**
 * Where more was asked of an account or an address than the ceilings allow. What was asked in an outage does not count,
 * and `inFlight` requests may have been on their way for a while before they arrived.
 */
export function findExcess(
  { attempts }: Truth,
  { places, perHour, egressPerMinute }: Ceilings,
  { inFlight, outages = [] }: { inFlight: number; outages?: readonly Outage[] },
): string[] {
  const found: string[] = []
  const outside = attempts.filter(({ from }) => !outages.some((outage) => outage.from <= from && from <= outage.to))
  for (const [account, own] of group(outside, ({ account }) => account)) {
    if (account === undefined) continue
    const words = new Set(own.map(({ word }) => word)).size
    if (words > perHour) found.push(`${account} was asked ${words} times, ceiling ${perHour}`)
    const most = mostAtOnce(own)
    if (most > places) found.push(`${account} answered ${most} at once, places ${places}`)
  }
  // One bucket for the one address all accounts have.
  let level = egressPerMinute
  let lowest = level
  let last = 0
  const seen = new Set<string>()
  for (const { word, account, from } of outside) {
    // A repaired token and a ticket that ran out are the same try of the same account.
    if (seen.has(`${word} ${account}`)) continue
    seen.add(`${word} ${account}`)
    level = Math.min(egressPerMinute, level + ((from - last) * egressPerMinute) / 60_000) - 1
    last = from
    lowest = Math.min(lowest, level)
  }
  if (lowest < -inFlight) found.push(`The address was ${-lowest} requests ahead of its pace`)
  return found
}

function mostAtOnce(attempts: readonly Attempt[]): number {
  const edges = attempts.flatMap(({ from, to }) => [
    [from, 1],
    [to, -1],
  ])
  // Ends first: a place that was left may be taken in the same millisecond.
  edges.sort(([one = 0, up = 0], [other = 0, down = 0]) => one - other || up - down)
  let now = 0
  let most = 0
  for (const [, step = 0] of edges) most = Math.max(most, (now += step))
  return most
}

interface AccountAnswer {
  account: { state: string; reason: string; until?: number; hour: { used: number; ceiling?: number } }
}

/** What a check of every account says, after its rests were ended, and what the web app knows to be true. */
export async function compareStates(
  url: string,
  { emulator }: RunningEmulator,
): Promise<{ states: Record<string, string>; truth: Record<string, string>; texts: string[] }> {
  const states: Record<string, string> = {}
  const truth: Record<string, string> = {}
  const texts: string[] = []
  for (const { name, revoked } of emulator.controls.accounts()) {
    await fetch(`${url}/api/accounts/${name}/reset`, { method: 'POST' })
    const text = await (await fetch(`${url}/api/accounts/${name}/check`, { method: 'POST' })).text()
    let { account } = JSON.parse(text) as AccountAnswer
    // The load may have left the bucket of the address empty for a moment.
    while (account.reason.startsWith('The pace of the address')) {
      await sleep((account.until ?? 0) - Date.now())
      account = (await (await fetch(`${url}/api/accounts/${name}`)).json()) as AccountAnswer['account']
    }
    const { used, ceiling = Infinity } = account.hour
    texts.push(text)
    const expected = revoked ? 'signed-out' : used >= ceiling ? 'cooling' : 'ready'
    truth[name] = expected
    states[name] = account.state === expected ? expected : JSON.stringify(account)
  }
  return { states, truth, texts }
}
