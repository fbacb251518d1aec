import { FrameError, isAnswered, type Candidate, type ReplySnapshot } from '@castorjs/gemini-web-protocol'
import type { DriftLog } from './drift.ts'
import { GeminiWebError, isGeminiWebError, type GeminiWebErrorCode } from './error.ts'
import type { Limiter } from './limiter.ts'
import { createReading, type Reading } from './reading.ts'
import { refusalError } from './refusal-error.ts'
import { hasContent, toWebReply, type ChatState, type WebReply } from './reply.ts'
import type { Session } from './session.ts'
import type { PostedTurn } from './stream-generate.ts'
import { createWatch, TAIL, type Patience } from './watch.ts'
import { toWireError } from './wire.ts'
import { linkSignals, sleep } from './within.ts'

/** What happens during a turn, in order. The last event is always the reply. */
export type TurnEvent =
  | { type: 'text-delta'; text: string }
  | { type: 'thought-delta'; text: string }
  /** What the app says it is doing, in its own short words. */
  | { type: 'activity'; label?: string; tool?: string }
  | { type: 'reply'; reply: WebReply }

export interface Turn {
  chat?: ChatState
  temporary: boolean
  gemId?: string
  /** The model as the caller named it; undefined means the account's default. */
  model?: string
  strictModel: boolean
  patience: Patience
  /** Attempts before any output. */
  attempts: number
  /** Posts the turn; called again for each attempt. `requested` is the id that the answer must name. */
  post: (signal: AbortSignal) => Promise<PostedTurn>
}

export interface TurnPorts {
  session: Session
  drifts: DriftLog
  limiter: Limiter
  closed: AbortSignal
  prepare: (signal: AbortSignal) => Promise<void>
  /** Asks whether the account is still trusted, and renews it if that helps. */
  confirm: (signal: AbortSignal) => Promise<'trusted' | 'renewed' | 'lost'>
  /** Reads the model list again after the model header was refused. */
  refreshModels: (signal: AbortSignal) => Promise<void>
  /** Newest turn of a chat, its first candidate. */
  readNewest: (chatId: string, responseId: string | undefined, signal: AbortSignal) => Promise<Candidate | undefined>
  recovery: { pollMs: number; totalMs: number }
}

/**
 * Runs one turn: waits for its place, posts it, turns snapshots into deltas, and finishes a broken answer from
 * the chat's history. Nothing is ever asked again after something was put out.
 */
export async function* runTurn(turn: Turn, ports: TurnPorts, signal?: AbortSignal): AsyncGenerator<TurnEvent> {
  const { session, closed } = ports
  let linked = linkSignals(signal, closed)
  let release: (() => void) | undefined
  try {
    release = await ports.limiter.acquire(linked.signal, turn.chat?.chatId)
    await ports.prepare(linked.signal)
    const repaired = new Set<string>()
    let trusted = false
    for (let attempt = 1; ; attempt++) {
      const { abort } = linked
      const watch = createWatch(turn.patience, (reason) => abort(reason))
      const reading = createReading(watch)
      const { reply } = reading
      let posted: PostedTurn | undefined
      let failure: unknown
      let distrust: unknown
      let begun = false
      const ticketAtMs = session.ticketAtMs
      try {
        posted = await turn.post(linked.signal)
        for await (const bytes of posted.response.body) {
          if (!reading.take(bytes)) continue
          // The reader's own time does not count as silence.
          watch.pause()
          // A short answer tells with its first words that a guest's model wrote it: nothing is put out then.
          if (!begun && !trusted && isDoubtful(reply, turn, ports.session, posted)) {
            distrust = await findDistrust(reply, turn, ports, { ...posted, ticketAtMs }, linked.signal).catch(
              (error: unknown) => error,
            )
            if (distrust !== undefined) break
            trusted = true
          }
          begun = true
          if (reading.activity !== undefined) yield { type: 'activity', ...reading.activity }
          if (reading.thoughts !== '') yield { type: 'thought-delta', text: reading.thoughts }
          if (reading.text !== '') yield { type: 'text-delta', text: reading.text }
          watch.resume()
        }
        reading.end()
        if (reading.thoughts !== '') yield { type: 'thought-delta', text: reading.thoughts }
        if (reading.text !== '') yield { type: 'text-delta', text: reading.text }
      } catch (error) {
        throwIfLeft(signal, closed)
        failure = toWireError(error, linked.signal)
        if (failure === TAIL) failure = undefined
        else if (posted === undefined && !isGeminiWebError(failure)) throw failure
      } finally {
        watch.stop()
      }
      if (linked.signal.aborted) {
        linked.release()
        linked = linkSignals(signal, closed)
      }

      if (distrust !== undefined) {
        throwIfLeft(signal, closed)
        if (!isGeminiWebError(distrust) || distrust.code !== 'ticket_expired' || repaired.has(distrust.code)) {
          throw distrust
        }
        // The ticket was renewed on the way, so the same question has a chance now.
        repaired.add(distrust.code)
        attempt--
        continue
      }

      let recovered = false
      const whole = reply.complete || (isAnswered(reply) && failure === undefined && (reply.ended || reply.finished))
      if (!whole) {
        failure = explain(reading, failure, session.account)
        const stored = reply.contextToken !== undefined
        if (isBroken(failure) && canRecover(reply, turn, session) && (reading.emitted || stored)) {
          for await (const done of recover(reading, ports, linked.signal)) {
            if (reading.text !== '') yield { type: 'text-delta', text: reading.text }
            recovered = done
          }
        }
        // Text with a context token behind it is an answer, even when its end was lost.
        const accepted = recovered || (isAnswered(reply) && isBroken(failure) && stored)
        if (!accepted && reading.emitted) throw failure
        if (!accepted) {
          if (posted !== undefined && (await repair(failure, repaired, ports, linked.signal))) attempt--
          else if (stored || attempt >= turn.attempts || !isRepeatable(failure)) throw failure
          continue
        }
      } else if (!hasContent(reply)) {
        if (!reading.emitted && attempt < turn.attempts) continue
        throw new GeminiWebError('empty_answer', 'The answer was complete but held nothing')
      }

      noteDrift(ports.drifts, reply, reading.rewrites)
      reading.finish()
      if (reading.thoughts !== '') yield { type: 'thought-delta', text: reading.thoughts }
      if (reading.text !== '') yield { type: 'text-delta', text: reading.text }
      if (!trusted) {
        distrust = await findDistrust(reply, turn, ports, { ...posted, ticketAtMs }, linked.signal)
        if (distrust !== undefined) throw distrust
      }
      const substituted = isSubstituted(reply, posted)
      yield { type: 'reply', reply: toReply(reading, turn, { substituted, recovered }) }
      return
    }
  } finally {
    linked.release()
    release?.()
  }
}

/** An abort of the caller's, or of the whole client, is not a failure of the answer. */
function throwIfLeft(...signals: readonly (AbortSignal | undefined)[]): void {
  for (const signal of signals) signal?.throwIfAborted()
}

function toReply(
  { reply, rewrites }: Reading,
  { chat, temporary, model, gemId }: Turn,
  outcome: { substituted: boolean; recovered: boolean },
): WebReply {
  return toWebReply(reply, {
    ...outcome,
    rewrites,
    chat: {
      turns: (chat?.turns ?? 0) + 1,
      temporary,
      ...(model === undefined ? {} : { model }),
      ...(gemId === undefined ? {} : { gemId }),
    },
  })
}

/** What was odd in an answer that came through all the same. */
function noteDrift(drifts: DriftLog, reply: ReplySnapshot, rewrites: number): void {
  for (const problem of reply.problems) {
    drifts.note({ constant: 'REPLY_FRAMES', path: [], expected: 'whole frames', found: problem })
  }
  if (rewrites > 0) {
    drifts.note({
      constant: 'REPLY_TEXT',
      path: [],
      expected: 'text that only grows',
      found: 'text that was taken back',
    })
  }
}

/** The failure of a reply that is not whole. */
function explain({ reply, received }: Reading, failure: unknown, account: boolean): unknown {
  const hasOutput = reply.text !== ''
  const refusal = reply.refusals.at(-1)
  if (refusal !== undefined) return refusalError(refusal, { account, hasOutput })
  if (reply.error !== undefined) return refusalError({ status: reply.error.code ?? 0 }, { account, hasOutput })
  if (failure instanceof FrameError) {
    if (failure.code === 'malformed' && !received) return emptyAnswer()
    return new GeminiWebError('drift', 'The reply could not be read as frames', { cause: failure })
  }
  if (failure !== undefined) {
    if (hasOutput && isGeminiWebError(failure) && failure.code === 'network') {
      return new GeminiWebError('truncated', 'The connection broke in the middle of the answer', { cause: failure })
    }
    return failure
  }
  if (hasOutput || reply.thoughts !== '') {
    return new GeminiWebError('truncated', 'The answer ended before it was complete')
  }
  return emptyAnswer()
}

function emptyAnswer(): GeminiWebError {
  return new GeminiWebError('empty_answer', 'The web app closed the reply without an answer')
}

/** Failures in which the connection, not the upstream's word, ended the answer. */
const BROKEN = new Set<GeminiWebErrorCode>(['truncated', 'stalled', 'network', 'drift', 'empty_answer'])
/** Failures that a second attempt may not have, as long as nothing was put out. */
const REPEATABLE = new Set<GeminiWebErrorCode>(['empty_answer', 'truncated', 'turn_rejected', 'network'])

function isBroken(failure: unknown): boolean {
  return isGeminiWebError(failure) && BROKEN.has(failure.code) && failure.upstreamCode === undefined
}

function isRepeatable(failure: unknown): boolean {
  return isGeminiWebError(failure) && REPEATABLE.has(failure.code)
}

function canRecover(reply: ReplySnapshot, turn: Turn, session: Session): boolean {
  return session.account && !turn.temporary && reply.chatId !== undefined
}

/**
 * Reads a broken answer back from the chat. Each step leaves what is new in the reading; the last one is true when
 * the answer is whole. Source: fact sheet section 5.3.
 */
async function* recover(reading: Reading, ports: TurnPorts, signal: AbortSignal): AsyncGenerator<boolean> {
  const { reply } = reading
  const { chatId, responseId } = reply
  if (chatId === undefined) return
  const started = performance.now()
  for (let missing = 0; ;) {
    let candidate: Candidate | undefined
    try {
      candidate = await ports.readNewest(chatId, responseId, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!isGeminiWebError(error) || !error.retry) return
    }
    if (candidate === undefined) missing++
    else if (candidate.text.length >= reply.text.length || candidate.complete) {
      reading.replace(candidate.text)
      const done = candidate.complete || (candidate.text !== '' && !candidate.working)
      if (done) adopt(reply, candidate)
      yield done
      if (done) return
    }
    // Without a context token the turn was probably never stored.
    if (reply.contextToken === undefined && missing >= 3) return
    if (performance.now() - started + ports.recovery.pollMs > ports.recovery.totalMs) return
    await sleep(ports.recovery.pollMs, signal)
  }
}

function adopt(reply: ReplySnapshot, candidate: Candidate): void {
  reply.candidates[0] = { ...candidate, thoughts: candidate.thoughts === '' ? reply.thoughts : candidate.thoughts }
  reply.text = candidate.text
  reply.complete = true
  if (candidate.id !== '') reply.candidateId = candidate.id
}

/** Repairs what one more try needs, each thing once. */
async function repair(failure: unknown, done: Set<string>, ports: TurnPorts, signal: AbortSignal): Promise<boolean> {
  if (!isGeminiWebError(failure) || failure.upstreamCode === undefined || done.has(failure.code)) return false
  done.add(failure.code)
  if (failure.code === 'signed_out' && ports.session.account) {
    await ports.session.renew()
    signal.throwIfAborted()
    return true
  }
  if (failure.code === 'model_refused') {
    await ports.refreshModels(signal)
    return true
  }
  return false
}

/** What a turn was asked with. */
interface Asked {
  requested?: PostedTurn['requested']
  /** When the ticket it was asked with came. */
  ticketAtMs: number | undefined
}

function isSubstituted(reply: ReplySnapshot, asked: Pick<Asked, 'requested'> | undefined): boolean {
  const requested = asked?.requested
  if (requested === undefined) return false
  if (reply.servedModelId !== undefined) return reply.servedModelId !== requested.modelId
  if (reply.servedModelName === undefined || requested.displayName === undefined) return false
  return !reply.servedModelName.startsWith(requested.displayName)
}

/** Another model than the one asked for, or nothing stored: perhaps the account was answered like a guest. */
function isDoubtful(
  reply: ReplySnapshot,
  turn: Turn,
  session: Session,
  asked: Pick<Asked, 'requested'> | undefined,
): boolean {
  if (isSubstituted(reply, asked)) return true
  return session.account && !turn.temporary && reply.contextToken === undefined && reply.ended
}

/** An account that is answered like a guest must not pass for the account. Source: fact sheet section 1.3. */
async function findDistrust(
  reply: ReplySnapshot,
  turn: Turn,
  { session, confirm }: TurnPorts,
  asked: Asked,
  signal: AbortSignal,
): Promise<GeminiWebError | undefined> {
  if (!isDoubtful(reply, turn, session, asked)) return undefined
  if (session.account) {
    // Another turn may have renewed the ticket meanwhile: the account is trusted now and was not then.
    const renewed = session.ticketAtMs !== asked.ticketAtMs
    const trust = renewed ? 'renewed' : await confirm(signal)
    if (trust === 'lost') {
      return new GeminiWebError('downgraded', 'The account was answered as a guest: its status is "not signed in"')
    }
    if (trust === 'renewed') {
      return new GeminiWebError('ticket_expired', 'The account was answered as a guest because its ticket was too old')
    }
  }
  if (isSubstituted(reply, asked) && turn.strictModel) {
    return new GeminiWebError('model_substituted', 'Another model than the one asked for answered')
  }
  return undefined
}
