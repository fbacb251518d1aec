import { GenerationError } from '@castorjs/content-generator'
import type { Answer, Obstacle } from './pool-state.ts'

/** When to ask again for a busy account: nobody knows how long an answer takes. */
const BUSY_RETRY_MS = 5_000

const WORDS: Record<Obstacle, string> = {
  'signed-out': 'signed out',
  'needs-attention': 'waiting for a person to look at it',
  'address-blocked': 'behind a blocked address',
  cooling: 'cooling down',
  limited: 'limited for this model',
  ceiling: 'at its own ceiling of requests',
  paced: 'held back by the pace of its address',
  busy: 'busy',
  disabled: 'disabled',
  tried: 'tried by this request',
}

/** States that end with a person's help only. */
const FOR_A_PERSON: ReadonlySet<string> = new Set(['signed-out', 'needs-attention', 'disabled'])

/** What a request is told that no account can serve: how many, why, and when to come back. */
export function refusal({ obstacles, retryAt, at }: Answer & { ok: false }): GenerationError {
  const kinds = Object.keys(obstacles) as Obstacle[]
  if (kinds.length === 0) {
    return new GenerationError('upstream_unavailable', 'No account is set up for this upstream. Add one and try again.')
  }
  const list = kinds.map((kind) => `${obstacles[kind]} ${WORDS[kind]}`).join(', ')
  if (kinds.every((kind) => FOR_A_PERSON.has(kind))) {
    if (kinds.every((kind) => kind === 'disabled')) {
      return new GenerationError('upstream_unavailable', `No account can serve: ${list}. Enable one and try again.`)
    }
    return new GenerationError('upstream_auth', `No account can serve: ${list}. The operator has to sign in again.`)
  }
  const waits = [
    retryAt === undefined ? Infinity : retryAt - at,
    obstacles.busy === undefined ? Infinity : BUSY_RETRY_MS,
  ]
  const retryAfterMs = Math.max(1, Math.min(...waits))
  if (retryAfterMs === Infinity) {
    return new GenerationError('upstream_unavailable', `No account can serve: ${list}. Try again later.`)
  }
  const seconds = Math.ceil(retryAfterMs / 1_000)
  return new GenerationError(
    'upstream_unavailable',
    `No account can serve now: ${list}. Try again in ${seconds} second${seconds === 1 ? '' : 's'}.`,
    { retryAfterMs },
  )
}
