import type { SessionState } from '@castorjs/gemini-web-client'
import { updateRecord, type StateStore } from '@castorjs/state-store'
import { isOneSession, sessionIn, sessionKey, withRotation, type AccountSessionStore } from '../state/session-store.ts'

const HOMES = 'web-session/'
/** A home that was made for an import, until it is known whose it is. */
const TRIAL = /\+[0-9a-f]{8}$/

/** A fresh home for a session that has yet to show that it works. */
export function trialHome(id: string): string {
  return `${id}+${crypto.randomUUID().slice(0, 8)}`
}

export async function readSession(state: StateStore, home: string): Promise<SessionState | undefined> {
  return (await state.get(sessionKey(home)))?.value as SessionState | undefined
}

/** Every session that is kept, by its home. */
export async function listSessions(state: StateStore): Promise<Map<string, SessionState>> {
  const sessions = new Map<string, SessionState>()
  for await (const { key, value } of state.list(HOMES)) sessions.set(key.slice(HOMES.length), value as SessionState)
  return sessions
}

/** Where a session is kept already, the home with the newest ticket first: names of accounts change, and some share one. */
export function homesOf(sessions: ReadonlyMap<string, SessionState>, session: string): string[] {
  return [...sessions]
    .filter(([, { cookies }]) => sessionIn(cookies) === session)
    .sort(([, one], [, other]) => (other.ticketAtMs ?? 0) - (one.ticketAtMs ?? 0))
    .map(([home]) => home)
}

/**
 * Begins a trial of cookies in a home of its own: whatever becomes of it, and of this process, the session in use is as it was.
 * Google's minute between two renewals holds over both.
 *
 * @param known What is stored of the same session; undefined for another one.
 * @param reuse Take over its cookies too: those that are tried out are no newer.
 */
export async function beginTrial(
  state: StateStore,
  home: string,
  known: SessionState | undefined,
  reuse: boolean,
): Promise<void> {
  if (known === undefined) return
  const { imports, rotatedAtMs } = known
  const bare = { version: 1, cookies: [], imports, ...(rotatedAtMs === undefined ? {} : { rotatedAtMs }) }
  await state.set(sessionKey(home), reuse ? known : bare)
}

/**
 * Puts a session that was tried out in the place of the other cookies of the same session. Those become its spare, unless a
 * ticket was renewed in the trial: then they are old for certain.
 */
export async function endTrial(
  state: StateStore,
  trial: string,
  home: string,
  store: Pick<AccountSessionStore, 'moveTo'>,
): Promise<void> {
  const tried = await readSession(state, trial)
  if (tried !== undefined) {
    await updateRecord(state, sessionKey(home), (value) => takeOver(value as SessionState | undefined, tried))
  }
  store.moveTo(home)
  await state.delete(sessionKey(trial))
}

function takeOver(stored: SessionState | undefined, tried: SessionState): SessionState {
  if (stored === undefined) return tried
  const imports = [...stored.imports.filter((mark) => !tried.imports.includes(mark)), ...tried.imports]
  const spare = wasRenewed(tried, stored) ? {} : { spare: stored.cookies }
  return withRotation({ ...tried, imports, ...spare }, stored.rotatedAtMs)
}

/**
 * Ends a trial that came to nothing. If Google renewed the ticket in it, that one is the newest of its session, whoever the
 * session belongs to, and is kept with it.
 */
export async function dropTrial(state: StateStore, trial: string, home: string | undefined): Promise<void> {
  const tried = await readSession(state, trial)
  if (tried !== undefined && home !== undefined) {
    await updateRecord(state, sessionKey(home), (value) => {
      const stored = value as SessionState | undefined
      if (stored === undefined || !isOneSession(stored, tried)) return undefined
      return wasRenewed(tried, stored) ? { ...tried, imports: stored.imports } : withRotation(stored, tried.rotatedAtMs)
    })
  }
  await state.delete(sessionKey(trial))
}

/** Ends trials that a process which died has left behind. */
export async function dropLostTrials(state: StateStore, inUse: ReadonlySet<string>): Promise<void> {
  const sessions = await listSessions(state)
  for (const [trial, { cookies }] of sessions) {
    if (!TRIAL.test(trial) || inUse.has(trial)) continue
    const session = sessionIn(cookies)
    const homes = session === undefined ? [] : homesOf(sessions, session)
    await dropTrial(
      state,
      trial,
      homes.find((home) => inUse.has(home)),
    )
  }
}

/** Google renewed the ticket in the trial, after its last renewal outside. */
function wasRenewed({ ticketAtMs = 0, rotatedAtMs = 0 }: SessionState, stored: SessionState): boolean {
  return rotatedAtMs > (stored.rotatedAtMs ?? 0) && ticketAtMs >= rotatedAtMs
}
