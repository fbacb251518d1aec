import {
  HOSTS,
  ROTATE_BODY,
  ROTATE_INTERVAL_MS,
  ROTATE_MINIMUM_MS,
  rotateCookiesUrl,
  rotateHeaders,
} from '@castorjs/gemini-web-protocol'
import { TICKET_COOKIE } from './cookies/read-cookies.ts'
import type { Wire } from './wire.ts'
import { backgroundTimer, within } from './within.ts'

/**
 * Shortest time between two rotations of one session, in milliseconds. The clock starts before a request is on its way, so
 * that a second is added to Google's minute: the first may take longer to arrive than the next.
 */
export const RENEWAL_FLOOR_MS = ROTATE_MINIMUM_MS + 1_000

/**
 * What became of a rotation.
 *
 * - `renewed`: a new ticket is in the jar and saved.
 * - `still-good`: the server kept the ticket.
 * - `too-soon`: less than a minute after the last one, or the server said so; nothing changed.
 * - `refused`: the session is dead or bound to a device.
 */
export type RotationOutcome = 'renewed' | 'still-good' | 'too-soon' | 'refused'

export interface RotationOptions {
  wire: Wire
  userAgent: string
  /** Unix milliseconds of the last request to rotate, wherever it was made. */
  lastRotation: () => number | undefined
  /** When the ticket was last asked for, renewed or confirmed, wherever that was. */
  lastRenewal: () => number | undefined
  /** Remembers, durably, that the server is being asked now. */
  remember: (atMs: number) => Promise<void>
  /** Takes newer cookies of another process; true when there were some. */
  adopt: () => Promise<boolean>
  exclusive?: <Result>(work: () => Promise<Result>) => Promise<Result>
  /** Average distance between rotations; 0 turns the clock off. */
  intervalMs?: number
  timeoutMs: number
  closed: AbortSignal
  now: () => number
  random: () => number
  onOutcome?: (outcome: RotationOutcome) => void
}

export interface Rotation {
  /** Rotates now, unless that is too soon. Calls at the same time share one request. */
  rotate(): Promise<RotationOutcome>
  /** Starts the clock. */
  start(): void
  /** Stops it. Resolves when no rotation is under way, or one has taken too long. */
  stop(): Promise<void>
}

/**
 * How long a rotation that is under way may still take when a client closes. Google has perhaps renewed the ticket already:
 * whoever gives up then gives up the session.
 */
const LAST_ROTATION_MS = 5_000

/**
 * Renews the session ticket: one request at a time, never two within a minute, on a clock of 480 s ± 10 % that counts from
 * the last renewal, also one before a restart or of another process.
 */
export function createRotation(options: RotationOptions): Rotation {
  const { wire, now, random, intervalMs = ROTATE_INTERVAL_MS, exclusive = (work) => work() } = options
  let running: Promise<RotationOutcome> | undefined
  let cancelTimer: (() => void) | undefined
  let started = false

  /** The last request of this process. That of another one may lie ahead of this clock, and tells nothing then. */
  let askedAtMs: number | undefined

  /** A time to come is of a clock that is wrong, this one perhaps: who waited for it might wait for hours. */
  function isSoonAfter(atMs: number | undefined): boolean {
    return atMs !== undefined && now() >= atMs && now() - atMs < RENEWAL_FLOOR_MS
  }

  async function rotateOnce(): Promise<RotationOutcome> {
    if (await options.adopt()) return 'renewed'
    if (isSoonAfter(options.lastRotation()) || isSoonAfter(askedAtMs)) return 'too-soon'
    const atMs = now()
    await options.remember(atMs)
    askedAtMs = atMs
    const before = ticketOf(wire)
    const status = await within(options.timeoutMs, 'The rotation of the session ticket', [options.closed], send)
    if (status === 429) return 'too-soon'
    if (status === 401 || status === 403 || (status >= 300 && status < 400)) return 'refused'
    return ticketOf(wire) === before ? 'still-good' : 'renewed'
  }

  async function send(signal: AbortSignal): Promise<number> {
    const response = await wire.send(rotateCookiesUrl(HOSTS.accounts), {
      method: 'POST',
      headers: rotateHeaders({ userAgent: options.userAgent }),
      body: ROTATE_BODY,
      cookies: 'pair',
      signal,
    })
    await response.discard()
    return response.status
  }

  /** The renewal that the clock counts from. */
  let counted: number | undefined

  function schedule(): void {
    const last = options.lastRenewal()
    const from = last !== undefined && last !== counted && last <= now() ? last : now()
    counted = last
    wakeAfter(from + intervalMs * (0.9 + 0.2 * random()) - now())
  }

  function wakeAfter(ms: number): void {
    cancelTimer?.()
    if (!started || intervalMs <= 0) return
    cancelTimer = backgroundTimer(wake, Math.max(0, ms))
  }

  function wake(): void {
    // Somebody renewed in the meantime: the clock starts anew from there.
    if (options.lastRenewal() !== counted) return schedule()
    rotation.rotate().then(schedule, () => {
      // Google was not reached: again as soon as it may be asked. A request that needs the ticket asks on its own.
      counted = options.lastRenewal()
      wakeAfter(Math.min(intervalMs, RENEWAL_FLOOR_MS * (1.1 + 0.4 * random())))
    })
  }

  const rotation: Rotation = {
    rotate() {
      running ??= exclusive(rotateOnce)
        .then((outcome) => {
          options.onOutcome?.(outcome)
          return outcome
        })
        .finally(() => {
          running = undefined
        })
      return running
    },
    start() {
      started = true
      schedule()
    },
    async stop() {
      started = false
      cancelTimer?.()
      cancelTimer = undefined
      if (running === undefined) return
      let cancel: (() => void) | undefined
      const late = new Promise<void>((resolve) => {
        cancel = backgroundTimer(resolve, LAST_ROTATION_MS)
      })
      await Promise.race([running.catch(() => undefined), late])
      cancel?.()
    },
  }
  return rotation
}

function ticketOf(wire: Wire): string | undefined {
  return wire.jar.get(TICKET_COOKIE)
}
