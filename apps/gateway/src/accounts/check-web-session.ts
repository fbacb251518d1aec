import type { AccountPool, Failure } from '@castorjs/account-pool'
import {
  collect,
  GenerationError,
  isGenerationError,
  toGenerationError,
  type GenerateContentResponse,
} from '@castorjs/content-generator'
import { isGeminiWebError, type ClientStatus } from '@castorjs/gemini-web-client'
import { GENERATION_CODES } from '@castorjs/gemini-web-client/content-generator'
import { toFailure, type TroubleCause } from './trouble.ts'
import type { WebSession } from '../upstreams/web-session.ts'

/** One step of the check, in words for the operator. Never holds a secret. */
export interface CheckStep {
  /** `account` is Google's status of it and its tier; `answer` one streamed answer; `protocol` what else could have moved. */
  name: 'connect' | 'page' | 'token' | 'account' | 'models' | 'answer' | 'protocol'
  outcome: 'ok' | 'warning' | 'failed'
  message: string
  /** Who is at fault, when it failed. */
  fault?: string
  /** Why the session does not work, when it does not. */
  cause?: TroubleCause
  /** For the pool; not part of any answer. */
  failure?: Failure
}

const PROBE = 'Repeat exactly: castor'

/**
 * Checks a session along the path of a chat: connection, app page, request token, status and tier of the account, model
 * list, one streamed answer, and whether the protocol still is as we know it. Ends at the first step that makes the rest
 * pointless.
 */
export async function* checkWebSession(
  session: WebSession,
  signal = AbortSignal.timeout(180_000),
): AsyncGenerator<CheckStep> {
  const { client, generator } = session
  const startedAt = Date.now()
  let error: unknown
  await session.signIn(signal).catch((thrown: unknown) => {
    error = thrown
  })
  const status = client.status()
  const signedIn = status.kind === 'account'
  // Nothing was asked of Google then, and nothing can be.
  if (error !== undefined && status.sessionEnded === true) return yield failed('account', error, session)
  const failedAt = error === undefined ? undefined : stepOf(error, session, startedAt)
  if (failedAt === 'connect') return yield failed('connect', error, session)
  yield ok('connect', connectionWords(session, startedAt))
  if (failedAt === 'page') return yield failed('page', error, session)
  yield status.buildLabel === undefined
    ? { name: 'page', outcome: 'warning', message: 'The app page shows nothing to a session like this.' }
    : ok('page', `The app page was read ${since(status.pageAtMs)}; the app is ${status.buildLabel}.`)
  if (failedAt === 'token') return yield failed('token', error, session)
  if (signedIn) yield tokenStep(client.export().token)
  if (failedAt === 'account') return yield failed('account', error, session)
  yield accountStep(status)
  try {
    const models = await client.models(signal)
    const names = models.map((model) => model.displayName ?? model.label ?? model.id)
    yield ok('models', `${models.length} offered: ${names.join(', ')}.`)
  } catch (error) {
    yield failed('models', error, session)
  }
  try {
    const startedAt = performance.now()
    let served: string | undefined
    const ask = (): Promise<GenerateContentResponse> =>
      collect(
        generator.generateContentStream(
          {
            model: signedIn ? 'gemini-2.5-flash' : 'gemini-2.5-flash-free',
            contents: [{ role: 'user', parts: [{ text: PROBE }] }],
          },
          { signal, requestId: 'check', onServed: ({ model }) => (served = model ?? served) },
        ),
      )
    // A ticket that ran out is found, and renewed, by the answer it spoiled: the next one tells how the account is.
    const answer = await ask().catch((error: unknown) => (isTicketRenewed(error) ? ask() : Promise.reject(error)))
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    const characters = answer.candidates?.[0]?.content?.parts?.reduce((sum, { text = '' }) => sum + text.length, 0) ?? 0
    yield ok('answer', `${characters} characters from ${served ?? 'an unnamed model'} in ${seconds} s.`)
  } catch (error) {
    yield failed('answer', error, session)
  }
  // Reads what a chat does not, so that a moved shape shows here first and not in somebody's work.
  if (signedIn) {
    for (const read of [
      () => client.chats.list({ signal }),
      () => client.gems.list({ signal }),
      () => client.quota(signal),
    ]) {
      try {
        await read()
      } catch (error) {
        if (!isGeminiWebError(error) || error.code !== 'drift') yield failed('protocol', error, session)
      }
    }
  }
  const drifts = client.drifts()
  if (drifts.length === 0) yield ok('protocol', 'Every shape seen was as expected.')
  for (const { constant, path, expected, found, count } of drifts) {
    yield {
      name: 'protocol',
      outcome: 'warning',
      message: `${constant} at [${path.join(', ')}] should be ${expected} and is ${found} (seen ${count} times).`,
    }
  }
}

/** Every step of a check, once it is over. */
export async function collectSteps(steps: AsyncIterable<CheckStep>): Promise<CheckStep[]> {
  const list: CheckStep[] = []
  for await (const step of steps) list.push(step)
  return list
}

/** The step that shows that a session does not work, whatever the address it is used from. */
export function deadStep(steps: readonly CheckStep[]): CheckStep | undefined {
  return steps.find(({ failure }) => failure?.code === 'upstream_auth')
}

/** The step before which nothing could be asked of the account. */
export function failedSignIn(steps: readonly CheckStep[]): CheckStep | undefined {
  return steps.find(({ name, outcome }) => outcome === 'failed' && SIGN_IN_STEPS.has(name))
}

const SIGN_IN_STEPS: ReadonlySet<CheckStep['name']> = new Set(['connect', 'page', 'token', 'account'])

/** Where on the way in it went wrong. */
function stepOf(error: unknown, { client, reachedAt }: WebSession, startedAt: number): CheckStep['name'] {
  const { cause } = toDoorError(error)
  const code = isGeminiWebError(cause) ? cause.code : undefined
  if (code === 'network' && (reachedAt ?? 0) < startedAt) return 'connect'
  if (code === 'signed_out') return 'token'
  if (code === 'account_rejected') return 'account'
  return client.status().buildLabel === undefined ? 'page' : 'account'
}

function connectionWords({ egress, reachedAt }: WebSession, startedAt: number): string {
  const by = egress === 'direct' ? '' : ` by ${egress}`
  return (reachedAt ?? 0) >= startedAt ? `Google answers${by}.` : `Google answered${by} ${since(reachedAt)}.`
}

function tokenStep(token: { fetchedAtMs: number } | undefined): CheckStep {
  if (token !== undefined) return ok('token', `Google gave out a request token ${since(token.fetchedAtMs)}.`)
  return { name: 'token', outcome: 'warning', message: 'There is no request token; Google answers without one so far.' }
}

/** Names of what an account may use. Source: fact sheet section 1.5. */
const TIERS: Readonly<Record<number, string>> = { 1: 'free', 2: 'advanced', 3: 'paid', 4: 'plus' }

function accountStep({ kind, code, meaning, capacity, ticketAtMs }: ClientStatus): CheckStep {
  if (kind !== 'account') {
    return { name: 'account', outcome: 'warning', message: 'No account: Google answers as it answers a guest.' }
  }
  const tier = capacity === undefined ? '' : `, tier ${TIERS[capacity] ?? capacity}`
  if (code !== undefined && code !== 1000) {
    return { name: 'account', outcome: 'warning', message: `Google reports status ${code}: ${meaning}${tier}.` }
  }
  const renewed = ticketAtMs === undefined ? 'not yet renewed' : `of ${new Date(ticketAtMs).toISOString()}`
  return ok('account', `The account is available${tier}; its ticket is ${renewed}.`)
}

function since(atMs: number | undefined): string {
  const seconds = atMs === undefined ? 0 : Math.round((Date.now() - atMs) / 1_000)
  return seconds < 5 ? 'just now' : seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`
}

/** Tells the pool what a check found out: what is at fault rests, and an account that is well is ready. */
export async function reportSteps(
  {
    pool,
    onChecked,
  }: {
    pool: Pick<AccountPool<unknown>, 'report' | 'recovered'>
    onChecked: (id: string, steps: readonly CheckStep[]) => void
  },
  id: string,
  steps: readonly CheckStep[],
): Promise<void> {
  onChecked(id, steps)
  for (const step of steps) await reportStep(pool, id, step)
  if (isHealthy(steps)) await pool.recovered(id, { address: hasAnswered(steps) })
}

export function isHealthy(steps: readonly CheckStep[]): boolean {
  return steps.every(({ outcome }) => outcome !== 'failed')
}

/** True when everything up to an answer worked: what no address that is blocked gets. */
export function hasAnswered(steps: readonly CheckStep[]): boolean {
  return isHealthy(steps) && steps.some(({ name, outcome }) => name === 'answer' && outcome === 'ok')
}

export async function reportStep(
  pool: Pick<AccountPool<unknown>, 'report'>,
  id: string,
  { failure }: CheckStep,
): Promise<void> {
  if (failure !== undefined) await pool.report(id, failure)
}

function isTicketRenewed(error: unknown): boolean {
  const cause = isGenerationError(error) ? error.cause : error
  return isGeminiWebError(cause) && cause.code === 'ticket_expired'
}

function ok(name: CheckStep['name'], message: string): CheckStep {
  return { name, outcome: 'ok', message }
}

/** Our own errors are fit to show; anything else shows its name only. */
function failed(name: CheckStep['name'], thrown: unknown, session: WebSession): CheckStep {
  const error = toDoorError(thrown)
  if (error.code === 'internal') return { name, outcome: 'failed', message: `Unexpected ${nameOf(thrown)}.` }
  const { code, fault } = error
  const word = isGeminiWebError(error.cause) ? error.cause.code : code
  // The session knows more than one failure tells.
  const trouble = session.trouble?.code === word ? session.trouble : undefined
  const step: CheckStep = {
    name,
    outcome: 'failed',
    message: `${trouble?.message ?? error.message} (${word}, fault of the ${fault})`,
    fault,
    ...(trouble === undefined ? {} : { cause: trouble.cause }),
  }
  // Not for answers in JSON: it is the pool's.
  return Object.defineProperty(step, 'failure', { value: toFailure(error), enumerable: false })
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : 'failure'
}

/** What the client throws, in the words of the middle. */
export function toDoorError(error: unknown): GenerationError {
  if (!isGeminiWebError(error)) return toGenerationError(error)
  return new GenerationError(GENERATION_CODES[error.code], error.message, {
    fault: error.fault,
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.upstreamCode === undefined ? {} : { upstreamCode: error.upstreamCode }),
  })
}
