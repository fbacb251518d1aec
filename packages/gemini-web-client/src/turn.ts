import {
  createDeltaWriter,
  createReplyDecoder,
  FrameError,
  isAnswered,
  type Candidate,
  type ReplySnapshot,
  type ReplyUpdate,
} from '@castorjs/gemini-web-protocol'
import type { DriftLog } from './drift.ts'
import { GeminiWebError, isGeminiWebError } from './error.ts'
import type { Limiter } from './limiter.ts'
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

/** Failures that a second attempt may not have, as long as nothing was put out. */
const REPEATABLE = new Set(['empty_answer', 'truncated', 'turn_rejected', 'network'])

/**
 * Runs one turn: waits for its place, posts it, turns snapshots into deltas, and finishes a broken answer from
 * the chat's history. Nothing is ever asked again after something was put out.
 */
export async function* runTurn(turn: Turn, ports: TurnPorts, signal?: AbortSignal): AsyncGenerator<TurnEvent> {
  const { session, closed } = ports
  const linked = linkSignals(signal, closed)
  let release: (() => void) | undefined
  try {
    release = await ports.limiter.acquire(linked.signal, turn.chat?.chatId)
    await ports.prepare(linked.signal)
    const repaired = new Set<string>()
    for (let attempt = 1; ; attempt++) {
      const text = createDeltaWriter()
      const thoughts = createDeltaWriter({ clean: false })
      const decoder = createReplyDecoder()
      const { reply } = decoder
      const own = linkSignals(linked.signal)
      const watch = createWatch(turn.patience, (reason) => own.abort(reason))
      let posted: PostedTurn | undefined
      let failure: unknown
      let emitted = false
      let received = false
      let label: string | undefined
      let mark = ''
      let thoughtDelta = ''
      let textDelta = ''
      function absorb(updates: readonly ReplyUpdate[]): void {
        thoughtDelta = ''
        textDelta = ''
        let grew = false
        for (const update of updates) {
          if (update.thoughts !== undefined) thoughtDelta += thoughts.apply(update.thoughts)
          if (update.text !== undefined) textDelta += text.apply(update.text)
          grew ||= update.thoughts !== undefined || update.text !== undefined
        }
        if (!grew) {
          const next = markOf(reply)
          grew = next !== mark
          mark = next
        }
        if (grew) watch.progress(isWorking(reply))
        if (reply.ended || (reply.finished && isAnswered(reply))) watch.complete()
      }
      try {
        posted = await turn.post(own.signal)
        for await (const bytes of posted.response.body) {
          received = true
          const updates = decoder.push(bytes)
          if (updates.length === 0) continue
          absorb(updates)
          const activity = reply.activity?.label
          if (thoughtDelta === '' && textDelta === '' && activity === label) continue
          watch.pause()
          if (activity !== label) {
            label = activity
            if (reply.activity !== undefined) yield { type: 'activity', ...reply.activity }
          }
          if (thoughtDelta !== '') {
            emitted = true
            yield { type: 'thought-delta', text: thoughtDelta }
          }
          if (textDelta !== '') {
            emitted = true
            yield { type: 'text-delta', text: textDelta }
          }
          watch.resume()
        }
        absorb(decoder.finish())
        emitted ||= thoughtDelta !== '' || textDelta !== ''
        if (thoughtDelta !== '') yield { type: 'thought-delta', text: thoughtDelta }
        if (textDelta !== '') yield { type: 'text-delta', text: textDelta }
      } catch (error) {
        linked.signal.throwIfAborted()
        failure = toWireError(error, own.signal)
        if (failure === TAIL) failure = undefined
        else if (posted === undefined && !isGeminiWebError(failure)) throw failure
      } finally {
        watch.stop()
        own.release()
        // Frees the socket of a reply that was left half read, also when the reader left the loop.
        own.abort(TAIL)
      }

      let recovered = false
      const whole = reply.complete || (isAnswered(reply) && failure === undefined && (reply.ended || reply.finished))
      if (!whole) {
        failure = explain(reply, failure, { received, account: session.account })
        if (isBroken(failure) && canRecover(reply, turn, session) && (emitted || reply.contextToken !== undefined)) {
          for await (const delta of recover(reply, ports, linked.signal, text)) {
            if (delta === DONE) recovered = true
            else yield { type: 'text-delta', text: delta }
          }
        }
        if (!recovered && !(isAnswered(reply) && isBroken(failure) && reply.contextToken !== undefined)) {
          if (emitted) throw failure
          if (posted !== undefined && (await repair(failure, repaired, ports, linked.signal))) {
            attempt--
            continue
          }
          const stored = reply.contextToken !== undefined
          if (!stored && attempt < turn.attempts && isGeminiWebError(failure) && REPEATABLE.has(failure.code)) continue
          throw failure
        }
      } else if (!hasContent(reply)) {
        const empty = new GeminiWebError('empty_answer', 'The answer was complete but held nothing')
        if (!emitted && attempt < turn.attempts) continue
        throw empty
      }

      noteDrift(ports.drifts, reply, text.drift)
      const rest = thoughts.finish()
      if (rest !== '') yield { type: 'thought-delta', text: rest }
      const end = text.finish()
      if (end !== '') yield { type: 'text-delta', text: end }
      const substituted = isSubstituted(reply, posted)
      await checkTrust(reply, turn, ports, substituted, linked.signal)
      yield {
        type: 'reply',
        reply: toWebReply(reply, {
          chat: {
            turns: (turn.chat?.turns ?? 0) + 1,
            temporary: turn.temporary,
            ...(turn.model === undefined ? {} : { model: turn.model }),
            ...(turn.gemId === undefined ? {} : { gemId: turn.gemId }),
          },
          substituted,
          rewrites: text.drift,
          recovered,
        }),
      }
      return
    }
  } finally {
    linked.release()
    release?.()
  }
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

/** Progress that shows in other fields than the text. */
function markOf(reply: ReplySnapshot): string {
  const candidate = reply.candidates[0]
  const documents = candidate?.documents.reduce((size, document) => size + document.content.length, 0) ?? 0
  const { complete, contextToken, activity, progress, refusals, ended } = reply
  return [
    complete,
    contextToken === undefined,
    activity?.label,
    progress,
    refusals.length,
    ended,
    documents,
    candidate?.images.length,
    candidate?.musicProgress,
  ].join('|')
}

/** The app says that it thinks, uses a tool or queues: silence is longer then. */
function isWorking(reply: ReplySnapshot): boolean {
  const candidate = reply.candidates[0]
  if (candidate?.working === true) return true
  return reply.text === '' && (reply.activity !== undefined || reply.thoughts !== '')
}

/** The failure of a reply that is not whole. */
function explain(
  reply: ReplySnapshot,
  failure: unknown,
  { received, account }: { received: boolean; account: boolean },
): unknown {
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
  if (hasOutput || reply.thoughts !== '')
    return new GeminiWebError('truncated', 'The answer ended before it was complete')
  return emptyAnswer()
}

function emptyAnswer(): GeminiWebError {
  return new GeminiWebError('empty_answer', 'The web app closed the reply without an answer')
}

/** The connection, not the upstream's word, ended the answer. */
function isBroken(failure: unknown): boolean {
  return (
    isGeminiWebError(failure) &&
    (failure.code === 'truncated' ||
      failure.code === 'stalled' ||
      failure.code === 'network' ||
      failure.code === 'drift' ||
      failure.code === 'empty_answer') &&
    failure.upstreamCode === undefined
  )
}

function canRecover(reply: ReplySnapshot, turn: Turn, session: Session): boolean {
  return session.account && !turn.temporary && reply.chatId !== undefined
}

const DONE = Symbol('the answer is whole')

/** Reads a broken answer back from the chat: what is new of its text, then `DONE` if it is whole. Source: fact sheet section 5.3. */
async function* recover(
  reply: ReplySnapshot,
  ports: TurnPorts,
  signal: AbortSignal,
  text: { push(text: string): string },
): AsyncGenerator<string | typeof DONE> {
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
      const delta = text.push(candidate.text)
      if (delta !== '') yield delta
      if (candidate.complete || (candidate.text !== '' && !candidate.working)) {
        adopt(reply, candidate)
        yield DONE
        return
      }
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

function isSubstituted(reply: ReplySnapshot, posted: PostedTurn | undefined): boolean {
  const requested = posted?.requested
  if (requested === undefined) return false
  if (reply.servedModelId !== undefined) return reply.servedModelId !== requested.modelId
  if (reply.servedModelName === undefined || requested.displayName === undefined) return false
  return !reply.servedModelName.startsWith(requested.displayName)
}

/** An account that is answered like a guest must not pass for the account. */
async function checkTrust(
  reply: ReplySnapshot,
  turn: Turn,
  { session, confirm }: TurnPorts,
  substituted: boolean,
  signal: AbortSignal,
): Promise<void> {
  const unstored = !turn.temporary && reply.contextToken === undefined && reply.ended
  if (session.account && (substituted || unstored)) {
    const trust = await confirm(signal)
    if (trust === 'lost') {
      throw new GeminiWebError('downgraded', 'The account was answered as a guest: its status is "not signed in"')
    }
    if (trust === 'renewed') {
      throw new GeminiWebError('ticket_expired', 'The account was answered as a guest because its ticket was too old')
    }
  }
  if (substituted && turn.strictModel) {
    throw new GeminiWebError('model_substituted', 'Another model than the one asked for answered')
  }
}
