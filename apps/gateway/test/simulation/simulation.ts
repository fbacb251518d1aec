import { emulatorBaseUrls } from '@castorjs/gemini-web-emulator'
import { startGeminiWebEmulator, type RunningEmulator } from '@castorjs/gemini-web-emulator/node'

/** A seed repeats what is decided, not when: clock and sockets are real. */
export const SEED = Number(process.env['CASTOR_SEED'] ?? 20_261_120)

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const SIMULATED = Array.from({ length: 20 }, (_, index) => ({
  name: `person-${index + 1}`,
  session: `g.a000simulated-${index + 1}`,
  ticket: `sidts-simulated-${index + 1}`,
}))

/** The first two get ten times the share of the others, so that they meet their ceilings while the others do not. */
const FAVOURITES = 2

/** What accounts and their address may be asked for in a run: less than what the load wants. */
export interface Ceilings {
  /** Answers of an account at a time. */
  places: number
  perHour: number
  egressPerMinute: number
}

export const TICKET_LIFE_MS = 60_000

/** The web app with 20 accounts and tickets of a minute. */
export function startSimulatedApp(): Promise<RunningEmulator> {
  return startGeminiWebEmulator({
    port: 0,
    accounts: SIMULATED,
    settings: { ticketLifeMs: TICKET_LIFE_MS, log: { size: 1_000_000 }, latency: { firstByte: 20, snapshot: 5 } },
  })
}

/** Configuration of a gateway for that app. */
export function simulatedConfig(emulator: RunningEmulator, { places, perHour, egressPerMinute }: Ceilings): object {
  return {
    host: '127.0.0.1',
    port: 0,
    accounts: SIMULATED.map(({ name, session, ticket }, index) => ({
      label: name,
      secure1psid: session,
      secure1psidts: ticket,
      weight: index < FAVOURITES ? 10 : 1,
    })),
    limits: { perHour: false, modelSpacingMs: false },
    pacing: { egressPerMinute, perHour, perDay: false, waitMs: 2_000 },
    renewal: { startAfterMs: 500, spreadMs: 100 },
    geminiWeb: { baseUrls: emulatorBaseUrls(emulator.url), guest: false, maxConcurrent: places },
  }
}

/** What no log, answer, metric or file may hold: session cookies, tickets, the name of the page token, callers' keys. */
export const SECRETS = /g\.a000|sidts-|SNlM0e|sk-castor-[a-z0-9]{12}-/
