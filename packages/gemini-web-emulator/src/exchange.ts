import type { Account } from './accounts.ts'
import { readCookies, SESSION_COOKIE, setCookie } from './cookies.ts'
import type { FaultTarget } from './faults.ts'
import type { Place } from './locate.ts'
import type { Profile } from './profile.ts'
import { loggedHeaders, type LoggedRequest } from './request-log.ts'
import type { World } from './world.ts'

/** What the server around the emulator knows about a connection. */
export interface ConnectionInfo {
  /** Network address of the caller. Default `local`. */
  address?: string
  /** Breaks the connection, for the fault `reset`. */
  reset?: () => void
  /** A socket is behind it: the server cancels the body when the caller leaves, and `reset` ends a body that breaks. */
  socket?: boolean
}

/** Who a request comes from, by its cookies. */
export interface Caller {
  /** Set when the session is good and the ticket is fresh. */
  account?: Account
  profile: Profile
  /** `ok`, `guest`, or why cookies that were there do not count. */
  verdict: 'ok' | 'guest' | 'unknown-session' | 'stale-ticket' | 'no-such-profile'
  /** A guest that can be recognised again. */
  known: boolean
}

/** One request on its way through the emulator. */
export interface Exchange {
  readonly world: World
  readonly request: Request
  readonly url: URL
  readonly place: Place
  readonly address: string
  readonly cookies: ReadonlyMap<string, string>
  readonly log: LoggedRequest
  /** Fires when the caller leaves or the emulator closes. */
  readonly signal: AbortSignal
  /** Breaks the connection. */
  readonly reset: () => void
  /** Bodies that break are ended by `reset` alone. */
  readonly silent: boolean
  /** The body is a stream that calls `end` when it is over. */
  streaming: boolean
  /** Nothing of this request is left. */
  end: () => void
}

/** What a guest is recognised by. */
function guestKey(cookies: ReadonlyMap<string, string>): string | undefined {
  return cookies.get('NID') ?? cookies.get('COMPASS')
}

/** Who is calling, for the account at `/u/<index>`. */
export function identify({ world, cookies }: Pick<Exchange, 'world' | 'cookies'>, index = 0): Caller {
  const { account, verdict } = world.accounts.recognise(cookies, world.settings.ticketLifeMs)
  const profile = account?.profiles[index]
  if (account !== undefined && profile !== undefined) return { account, profile, verdict: 'ok', known: true }
  const key = guestKey(cookies)
  const why = account !== undefined ? 'no-such-profile' : verdict === 'no-session' ? 'guest' : verdict
  return { profile: world.guest(key), verdict: why as Caller['verdict'], known: key !== undefined }
}

/** The caller as nobody in particular, whatever the cookies are worth. */
export function asGuest({ world, cookies }: Pick<Exchange, 'world' | 'cookies'>): Caller {
  const key = guestKey(cookies)
  return { profile: world.guest(key), verdict: 'guest', known: key !== undefined }
}

/** Name of a caller for faults and the log. */
export function callerName(caller: Caller): string {
  return caller.account === undefined ? 'guest' : caller.profile.name
}

export function openExchange(
  world: World,
  request: Request,
  url: URL,
  place: Place,
  signal: AbortSignal,
  { address = 'local', reset = () => {}, socket = false }: ConnectionInfo,
): Exchange {
  const { log: settings } = world.settings
  const secret = (name: string): boolean => name === 'at' && !settings.secrets
  const log = world.log.add(
    {
      atMs: world.clock.now(),
      method: request.method,
      host: place.host,
      path: place.path,
      query:
        url.search === ''
          ? {}
          : Object.fromEntries([...url.searchParams].map(([name, value]) => [name, secret(name) ? '(hidden)' : value])),
      address,
      caller: '',
      headers: loggedHeaders(request.headers, settings.secrets),
    },
    settings.size,
  )
  return {
    world,
    request,
    url,
    place,
    address: request.headers.get('x-forwarded-for')?.split(',')[0]?.trim() ?? address,
    cookies: readCookies(request.headers.get('cookie')),
    log,
    signal,
    reset,
    silent: socket,
    streaming: false,
    end: () => {},
  }
}

/** The fault that strikes this request; noted in the log. */
export function takeFault(
  { world, log, address }: Exchange,
  target: Omit<FaultTarget, 'address'>,
): ReturnType<World['faults']['take']> {
  const fault = world.faults.take({ ...target, address })
  if (fault !== undefined) log.fault = fault.kind === 'code' ? `code ${fault.code}` : fault.kind
  return fault
}

/** The freshness counters that almost every reply sets again. Source: fact sheet §1.1. */
export function counterCookies(account: Account | undefined): string[] {
  if (account === undefined) return []
  const value = `AKEy${account.name}${(++account.counter).toString(36).padStart(6, '0')}`
  return [
    setCookie('SIDCC', value, { secure: false, priorityHigh: true }),
    setCookie('__Secure-1PSIDCC', value, { priorityHigh: true }),
    setCookie('__Secure-3PSIDCC', value, { priorityHigh: true, sameSiteNone: true }),
  ]
}

/** The cookies of a visitor who has none yet. */
export function guestCookies(
  { world, cookies }: Pick<Exchange, 'world' | 'cookies'>,
  { compass = true }: { compass?: boolean } = {},
): string[] {
  const lines: string[] = []
  if (!cookies.has('NID')) lines.push(setCookie('NID', `525=${world.ids.token(32)}`, { sameSiteNone: true }))
  if (compass && !cookies.has('COMPASS'))
    lines.push(setCookie('COMPASS', `bard-ui=${world.ids.token(24)}`, { domain: null, sameSiteNone: true }))
  return lines
}

/** True when the request carries a session cookie of any worth. */
export function hasSession(cookies: ReadonlyMap<string, string>): boolean {
  return (cookies.get(SESSION_COOKIE) ?? '') !== ''
}
