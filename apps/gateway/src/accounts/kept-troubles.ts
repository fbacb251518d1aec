import type { StateStore } from '@castorjs/state-store'
import type { Trouble, TroubleCause } from './trouble.ts'

/** What is known of a session that does not work, or soon will not: for the next start and for other processes. No secret. */
export interface KeptTrouble {
  version: 1
  id: string
  /** Fingerprint of the session it is about; another one begins without it. Empty when its cookie had ended. */
  session: string
  /** Name of the address it left by. */
  egress: string
  trouble?: Trouble
  /** Google refused a renewal, and the session went on. */
  renewalRefused?: true
}

export interface KeptTroubles {
  list(): Promise<Map<string, KeptTrouble>>
  put(kept: KeptTrouble): Promise<void>
  remove(id: string): Promise<void>
}

const PREFIX = 'web-trouble/'
/** A dead session is tried again every few hours, and what is found out is written anew when it is something else. */
const KEPT_MS = 90 * 86_400_000

/** Those that last until somebody does something, or are long. Others are over before anybody starts. */
const LASTING: ReadonlySet<TroubleCause> = new Set([
  'expired ticket',
  'signed out',
  'device-bound',
  'terms to accept',
  'region',
  'verification wanted',
  'consent wanted',
  'address blocked',
])
const OF_THE_ADDRESS: ReadonlySet<TroubleCause> = new Set(['region', 'consent wanted', 'address blocked'])

export function createKeptTroubles(state: StateStore): KeptTroubles {
  // Keys of the state are short and have no control characters; labels may be anything.
  const keyOf = (id: string): string => `${PREFIX}${encodeURIComponent(id).slice(0, 400)}`
  return {
    async list() {
      const all = new Map<string, KeptTrouble>()
      for await (const { value } of state.list(PREFIX)) {
        const kept = value as KeptTrouble
        all.set(kept.id, kept)
      }
      return all
    },
    put: async (kept) => void (await state.set(keyOf(kept.id), kept, { ttlMs: KEPT_MS })),
    remove: async (id) => void (await state.delete(keyOf(id))),
  }
}

/** What of a trouble is worth keeping. */
export function lasting(trouble: Trouble | undefined): Trouble | undefined {
  return trouble !== undefined && LASTING.has(trouble.cause) ? trouble : undefined
}

/** True when it holds for a session with this fingerprint, by this address. */
export function holdsFor(kept: KeptTrouble, session: string, egress: string): boolean {
  if (kept.session !== session && kept.session !== '' && session !== '') return false
  return kept.egress === egress || kept.trouble === undefined || !OF_THE_ADDRESS.has(kept.trouble.cause)
}
