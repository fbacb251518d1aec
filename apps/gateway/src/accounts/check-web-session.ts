import type { AccountPool, Failure } from '@castorjs/account-pool'
import { collect, GenerationError, isGenerationError, type GenerateContentResponse } from '@castorjs/content-generator'
import { isGeminiWebError } from '@castorjs/gemini-web-client'
import { GENERATION_CODES } from '@castorjs/gemini-web-client/content-generator'
import { toFailure } from './trouble.ts'
import type { WebSession } from '../upstreams/web-session.ts'

/** One step of the check, in words for the operator. Never holds a secret. */
export interface CheckStep {
  name: 'sign-in' | 'account' | 'models' | 'answer' | 'protocol'
  outcome: 'ok' | 'warning' | 'failed'
  message: string
  /** Who is at fault, when it failed. */
  fault?: string
  /** For the pool; not part of any answer. */
  failure?: Failure
}

const SIGN_IN_STEPS: ReadonlySet<CheckStep['name']> = new Set(['sign-in'])

const PROBE = 'Repeat exactly: castor'

/**
 * Checks a session along the path of a chat: cookies and page token, state of the account, model list, one streamed
 * answer, and whether the protocol still is as we know it. Ends at the first step that makes the rest pointless.
 */
export async function* checkWebSession(
  { client, generator }: WebSession,
  signal = AbortSignal.timeout(180_000),
): AsyncGenerator<CheckStep> {
  try {
    await client.start(signal)
  } catch (error) {
    yield failed('sign-in', error)
    return
  }
  const status = client.status()
  const signedIn = status.kind === 'account'
  yield signedIn
    ? ok(
        'sign-in',
        `The session is alive${status.buildLabel === undefined ? '' : `; the app is ${status.buildLabel}`}.`,
      )
    : { name: 'sign-in', outcome: 'warning', message: 'No account: Google answers as it answers a guest.' }
  if (signedIn) {
    const renewed =
      status.ticketAtMs === undefined ? 'not yet renewed' : `last renewed ${new Date(status.ticketAtMs).toISOString()}`
    yield status.code === undefined || status.code === 1000
      ? ok('account', `The account is available; its ticket is ${renewed}.`)
      : {
          name: 'account',
          outcome: 'warning',
          message: `Google reports status ${status.code}: ${status.meaning ?? 'unknown'}.`,
        }
  }
  try {
    const models = await client.models(signal)
    const names = models.map((model) => model.displayName ?? model.label ?? model.id)
    yield ok('models', `${models.length} offered: ${names.join(', ')}.`)
  } catch (error) {
    yield failed('models', error)
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
    yield failed('answer', error)
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
        if (!isGeminiWebError(error) || error.code !== 'drift') yield failed('protocol', error)
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

/** The step that failed before anything could be asked: then nothing else was tried. */
export function failedSignIn(steps: readonly CheckStep[]): CheckStep | undefined {
  return steps.find(({ name, outcome }) => SIGN_IN_STEPS.has(name) && outcome === 'failed')
}

/** Tells the pool what a check found out: what is at fault rests, and an account that is well is ready. */
export async function reportSteps(
  pool: Pick<AccountPool<unknown>, 'report' | 'recovered'>,
  id: string,
  steps: readonly CheckStep[],
): Promise<void> {
  for (const step of steps) await reportStep(pool, id, step)
  if (steps.every(({ outcome }) => outcome !== 'failed')) await pool.recovered(id)
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
function failed(name: CheckStep['name'], error: unknown): CheckStep {
  const known = isGeminiWebError(error)
    ? new GenerationError(GENERATION_CODES[error.code], error.message, {
        fault: error.fault,
        cause: error,
        ...(error.upstreamCode === undefined ? {} : { upstreamCode: error.upstreamCode }),
      })
    : error
  if (isGenerationError(known)) {
    const { code, fault, message } = known
    const word = isGeminiWebError(known.cause) ? known.cause.code : code
    const step: CheckStep = { name, outcome: 'failed', message: `${message} (${word}, fault of the ${fault})`, fault }
    // Not for answers in JSON: it is the pool's.
    return Object.defineProperty(step, 'failure', { value: toFailure(known), enumerable: false })
  }
  return {
    name,
    outcome: 'failed',
    message: error instanceof Error ? `Unexpected ${error.name}.` : 'Unexpected failure.',
  }
}
