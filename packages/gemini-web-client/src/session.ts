import {
  appPageUrl,
  HOSTS,
  pageHeaders,
  readPageState,
  readPageTokens,
  readRedirect,
  REQUEST_NUMBER_STEP,
  TICKET_STALE_MS,
  type PageTokens,
  type RpcQuery,
} from '@castorjs/gemini-web-protocol'
import { createCookieJar, sessionOf, type CookieJar } from './cookies/cookie-jar.ts'
import { readCookies, SESSION_COOKIE } from './cookies/read-cookies.ts'
import { GeminiWebError } from './error.ts'
import type { Ports, SessionOptions } from './options.ts'
import { replyError } from './refusal-error.ts'
import { createRotation, type Rotation, type RotationOutcome } from './rotation.ts'
import { createSessionSaver, NO_SAVER } from './session-saver.ts'
import { fillJar, type SessionState } from './session-state.ts'
import { createWire, readText, type Wire } from './wire.ts'
import { within } from './within.ts'

/** A page is read again after this time. Source: fact sheet section 12 (token refresh, guest cookies). */
const PAGE_LIFE_MS = 3_600_000
const GUEST_PAGE_LIFE_MS = 1_500_000
/** A token keeps working for at least an hour. Source: fact sheet section 1.3 c. */
const TOKEN_LIFE_MS = 3_600_000
const PAGE_BYTES = 4_194_304

/** Cookies, page tokens and their renewal for one account or one guest. */
export interface Session {
  readonly wire: Wire
  /** True when there are, or were, cookies of an account; a guest has none. */
  readonly account: boolean
  /** The account's session cookie is gone: every exchange throws `signed_out`. */
  readonly ended: boolean
  readonly page: Readonly<PageTokens>
  readonly token: string | undefined
  /** Query of the next POST. */
  query(): RpcQuery
  /** Makes sure the page was read and the ticket is fresh. Calls at the same time share the work. */
  prepare(): Promise<void>
  /** Takes the token of an error reply. */
  takeToken(token: string): void
  rotate(): Promise<RotationOutcome>
  /** After an authentication failure: rotates and reads the page again. @throws {GeminiWebError} `signed_out` */
  renew(): Promise<void>
  /** Counts authentication failures and refused renewals: what was known of the account before one is not known any more. */
  readonly doubts: number
  /** Somebody else saw such a failure. */
  doubt(): void
  /** When the app page was read. */
  readonly pageAtMs: number | undefined
  readonly ticketAtMs: number | undefined
  readonly rotatedAtMs: number | undefined
  /** The store refused the last state: what is newer is lost with this process. */
  readonly saveFailed: boolean
  /** Everything to keep, as plain data. */
  export(): SessionState
  /** Lets a rotation that is under way come to its end, and begins no other. */
  stopRenewing(): Promise<void>
  close(): Promise<void>
}

interface Revival {
  rotate: () => Promise<RotationOutcome | undefined>
  reload: boolean
}

export function createSession(options: SessionOptions, ports: Ports): Session {
  const { accountIndex, language = 'en', userAgent, store } = options
  const { now, random, closed, timeoutMs } = ports
  const given = options.cookies === undefined ? undefined : readCookies(options.cookies)
  /** All that came. */
  const jar: CookieJar = createCookieJar()
  const persists = store !== undefined || options.onCookies !== undefined
  // What is sent: only what a save has kept, so that a crash never sends Google back to older cookies. Counters come with
  // every reply, and requests side by side carry older ones in a browser too; the other way, a request that waits for the
  // save of the reply before it, would put a disk between a caller and the first byte.
  const kept: CookieJar = persists ? createCookieJar() : jar

  let page: PageTokens = {}
  let pageAtMs: number | undefined
  let token: SessionState['token']
  let imports: string[] = []
  let spare: SessionState['spare']
  let doubts = 0
  /** Tickets taken over from other processes. */
  let adoptions = 0
  let rotatedAtMs: number | undefined
  let ticketAtMs: number | undefined
  let loaded = false
  let account = given !== undefined
  let preparing: Promise<void> | undefined
  let requestNumber = 10_000 + Math.floor(random() * 900_000)

  const wire = createWire({
    transport: ports.transport,
    jar,
    // A guest has nothing to lose, and needs what the page gave it at once.
    kept: { header: (url, choice) => (account ? kept : jar).header(url, choice) },
    beforeSend: requireSession,
    ...(options.baseUrls === undefined ? {} : { baseUrls: options.baseUrls }),
    onCookies(change) {
      if (!change.ticket) {
        saver.saveSoon()
        return Promise.resolve()
      }
      ticketAtMs = newTicketAtMs()
      token = undefined
      // All other tickets of this session are old now.
      spare = undefined
      return saver.save()
    },
  })

  const saver = persists
    ? createSessionSaver({
        take: exportState,
        async keep(state) {
          await store?.save(state)
          await options.onCookies?.(state)
        },
        onKept: ({ cookies }) => send(cookies),
      })
    : NO_SAVER

  /**
   * The time of a ticket that came just now. Of two tickets the one with the later time is the newer one, so it is later
   * than that of the ticket before, whatever the clock of the process that had that.
   */
  function newTicketAtMs(beforeAtMs = ticketAtMs): number {
    return Math.max(now(), (beforeAtMs ?? 0) + 1)
  }

  /** From now on these are sent. */
  function send(cookies: SessionState['cookies']): void {
    if (kept === jar) return
    kept.clear()
    kept.add(cookies)
  }

  function exportState(): SessionState {
    return {
      version: 1,
      cookies: jar.export(),
      imports,
      ...(spare === undefined ? {} : { spare }),
      ...(rotatedAtMs === undefined ? {} : { rotatedAtMs }),
      ...(ticketAtMs === undefined ? {} : { ticketAtMs }),
      ...(token === undefined ? {} : { token }),
    }
  }

  /** The jar lets a session cookie go at its end. What is left would be answered as a guest is, and pass for the account. */
  function isEnded(): boolean {
    return account && loaded && sessionOf(jar) === undefined
  }

  /** @throws {GeminiWebError} `signed_out` */
  function requireSession(): void {
    if (!isEnded()) return
    const { sessionEndMs } = jar
    const when =
      sessionEndMs === undefined ? 'has ended' : `ended on ${new Date(sessionEndMs).toISOString().slice(0, 10)}`
    throw new GeminiWebError('signed_out', `The session cookie of this account ${when}`)
  }

  const rotation: Rotation = createRotation({
    wire,
    userAgent,
    now,
    random,
    closed,
    timeoutMs,
    ...(options.rotationIntervalMs === undefined ? {} : { intervalMs: options.rotationIntervalMs }),
    lastRotation: () => rotatedAtMs,
    lastRenewal: () => Math.max(rotatedAtMs ?? 0, ticketAtMs ?? 0) || undefined,
    async remember(atMs) {
      // What is not asked needs no minute of its own.
      requireSession()
      rotatedAtMs = atMs
      await saver.save()
    },
    async adopt() {
      if (store?.exclusive === undefined) return false
      const stored = await store.load()
      // Another process may have asked without getting an answer: its minute counts here too.
      rotatedAtMs = Math.max(stored?.rotatedAtMs ?? 0, rotatedAtMs ?? 0) || undefined
      if (stored?.ticketAtMs === undefined || stored.ticketAtMs <= (ticketAtMs ?? 0)) return false
      adoptions++
      // A save of what we had before must not end after this.
      await saver.settle()
      jar.add(stored.cookies)
      if (kept !== jar) kept.add(stored.cookies)
      rotatedAtMs = stored.rotatedAtMs
      ticketAtMs = stored.ticketAtMs
      spare = stored.spare
      token = undefined
      return true
    },
    ...(store?.exclusive === undefined ? {} : { exclusive: (work) => store.exclusive?.(work) ?? work() }),
    onOutcome(outcome) {
      if (outcome === 'still-good') ticketAtMs = newTicketAtMs()
      if (outcome === 'refused') doubts++
      ports.onRotation?.(outcome)
    },
  })

  async function load(): Promise<void> {
    const stored = await store?.load()
    const merged = await fillJar(jar, stored, given)
    imports = merged.imports
    account ||= imports.length > 0 || sessionOf(jar) !== undefined || jar.sessionEndMs !== undefined
    spare = merged.spare
    rotatedAtMs = stored?.rotatedAtMs
    if (!merged.imported) {
      ticketAtMs = stored?.ticketAtMs
      token = stored?.token
    } else {
      // The age of a fresh export is unknown; it is taken as new and renewed on demand.
      ticketAtMs = newTicketAtMs(stored?.ticketAtMs)
      // Google counts its minute per session, whoever exported the cookies again in between.
      if (stored !== undefined && stored.cookies.length > 0 && !isSame(stored)) rotatedAtMs = undefined
    }
    if (merged.changed) await saver.save()
    send(jar.export())
    loaded = true
  }

  function isSame(stored: SessionState): boolean {
    return stored.cookies.some(({ name, value }) => name === SESSION_COOKIE && value === sessionOf(jar))
  }

  /** The cookies in use were refused: others of the same session take their place, and the other way round. */
  async function swapSpare(): Promise<boolean> {
    if (spare === undefined) return false
    const refused = jar.export()
    jar.add(spare)
    spare = refused
    ticketAtMs = newTicketAtMs()
    token = undefined
    await saver.save()
    return true
  }

  /** Reads the app page; false when it shows no token. */
  async function loadPage(): Promise<boolean> {
    return within(timeoutMs, 'The app page', [closed], async (signal) => {
      const url = appPageUrl(HOSTS.app, { language, ...(accountIndex === undefined ? {} : { accountIndex }) })
      const response = await wire.send(url, { headers: pageHeaders({ userAgent }), signal })
      const location = response.header('location')
      const body = await readText(response, PAGE_BYTES, signal)
      const reply = { status: response.status, body, ...(location === undefined ? {} : { location }) }
      const state = readPageState(reply)
      // A guest's redirect to the sign-in page and an account's dead cookies look alike; both show no token.
      if (state === 'sign-in' || state === 'small-body') return false
      if (state !== 'signed-in' && state !== 'guest') throw pageError(reply)
      page = readPageTokens(body, ports.pageKeys)
      pageAtMs = now()
      if (page.token !== undefined) {
        token = { value: page.token, fetchedAtMs: now() }
        if (account) await saver.save()
      }
      return state === 'signed-in'
    })
  }

  function pageError(reply: { status: number; body: string; location?: string }): GeminiWebError {
    if (reply.status === 200 || (reply.location !== undefined && readRedirect(reply.location) === undefined)) {
      return new GeminiWebError('drift', 'The app page has a shape that is not known', { status: reply.status })
    }
    return replyError(reply)
  }

  function ticketIsStale(): boolean {
    return account && ticketAtMs !== undefined && now() - ticketAtMs > TICKET_STALE_MS
  }

  async function prepareOnce(): Promise<void> {
    if (!loaded) await load()
    // Another process may have a newer session by now.
    if (ticketIsStale() || isEnded()) await rotateQuietly()
    requireSession()
    const life = account ? PAGE_LIFE_MS : GUEST_PAGE_LIFE_MS
    if (pageAtMs === undefined || now() - pageAtMs > life) await openPage()
    if (account) rotation.start()
  }

  async function openPage(): Promise<void> {
    if ((await loadPage()) || !account) {
      pageAtMs ??= now()
      return
    }
    if (await revive({ rotate: rotateQuietly, reload: false })) return
    // Some pages leave the token out although the session is fine: an old token, or the repair by the first
    // POST, takes its place, and the status call tells whether the account is alive.
    if (token !== undefined && now() - token.fetchedAtMs > TOKEN_LIFE_MS) token = undefined
    pageAtMs ??= now()
  }

  /**
   * Gets a fresh ticket and reads the page with it.
   *
   * @param options.reload Also where no new ticket came.
   * @returns Whether the page knows the account.
   */
  async function revive({ rotate, reload }: Revival): Promise<boolean> {
    const before = adoptions
    let outcome = await rotate()
    if ((reload || outcome === 'renewed') && (await loadPage())) return true
    if (adoptions !== before) {
      // What another process renewed may be old by now: then it is renewed here.
      outcome = await rotate()
      if (outcome === 'renewed' && (await loadPage())) return true
    }
    return outcome === 'refused' && (await swapSpare()) && loadPage()
  }

  /** A rotation whose failure is left to the request that needs it. */
  async function rotateQuietly(): Promise<RotationOutcome | undefined> {
    try {
      return await rotation.rotate()
    } catch {
      closed.throwIfAborted()
      return undefined
    }
  }

  return {
    wire,
    get account() {
      return account
    },
    get ended() {
      return isEnded()
    },
    get page() {
      return page
    },
    get token() {
      return token?.value
    },
    get pageAtMs() {
      return pageAtMs
    },
    get ticketAtMs() {
      return ticketAtMs
    },
    get saveFailed() {
      return saver.failed
    },
    get rotatedAtMs() {
      return rotatedAtMs
    },
    query() {
      requestNumber += REQUEST_NUMBER_STEP
      return {
        requestNumber,
        language,
        ...(accountIndex === undefined ? {} : { accountIndex }),
        ...(page.buildLabel === undefined ? {} : { buildLabel: page.buildLabel }),
        ...(page.sessionId === undefined ? {} : { sessionId: page.sessionId }),
      }
    },
    prepare() {
      if (loaded && pageAtMs !== undefined && !ticketIsStale() && !isEnded()) {
        const life = account ? PAGE_LIFE_MS : GUEST_PAGE_LIFE_MS
        if (now() - pageAtMs <= life) return Promise.resolve()
      }
      preparing ??= prepareOnce().finally(() => {
        preparing = undefined
      })
      return preparing
    },
    takeToken(value) {
      token = { value, fetchedAtMs: now() }
      saver.saveSoon()
    },
    rotate: () => rotation.rotate(),
    get doubts() {
      return doubts
    },
    doubt() {
      doubts++
    },
    async renew() {
      doubts++
      await revive({ rotate: () => rotation.rotate(), reload: true })
    },
    export: exportState,
    stopRenewing: () => rotation.stop(),
    async close() {
      await rotation.stop()
      await preparing?.catch(() => undefined)
      await saver.close()
    },
  }
}
