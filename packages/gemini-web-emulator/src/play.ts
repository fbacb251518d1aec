import {
  ackMessage,
  activityMessage,
  contextMessage,
  progressMessage,
  quotaMessage,
  refusalEntry,
  snapshotMessage,
  titleMessage,
  trailerEntries,
  type CandidateInput,
} from '@castorjs/gemini-web-protocol'
import type { Answer } from './answers/answer.ts'
import {
  documentOf,
  finishedCandidate,
  partialCandidate,
  workingCandidate,
  type CandidateContext,
} from './candidate.ts'
import { FOR_EVER_MS } from './body.ts'
import { pause } from './clock.ts'
import type { Fault } from './faults.ts'
import type { ServedModel } from './models.ts'
import type { EmulatorSettings } from './settings.ts'
import { cutText, frameOf, growingText, messageFrame, type FrameText } from './snapshots.ts'

/** One turn that is about to be put on the wire. */
export interface Performance {
  settings: EmulatorSettings
  chatId: string
  responseId: string
  answer: Answer
  model: ServedModel
  context: CandidateContext
  contextToken: string
  /** Random text that the acknowledgement carries. */
  eventToken: string
  guest: boolean
  firstTurn: boolean
  temporary: boolean
  fault: Fault | undefined
  /** Called when the turn becomes part of the chat. */
  store: () => void
  signal: AbortSignal
  /** When the request came, and the clock, for the server time in the trailer. */
  startedMs: number
  now: () => number
  trailer: { nonce: string }
}

/** Status behind a refusal code, as recorded. Others get 13. */
const STATUS_BY_CODE: Readonly<Record<number, number>> = {
  1003: 3,
  1037: 8,
  1050: 9,
  1052: 3,
  1053: 8,
  1060: 7,
  1095: 8,
  1097: 9,
  1099: 16,
  1100: 7,
}

/** The entry of a refusal; code 0 is the bare status. */
export function refusalOf({ code, status }: { code: number; status?: number }): unknown[] {
  const known = status ?? STATUS_BY_CODE[code] ?? 13
  return refusalEntry(code === 0 ? { status: known } : { status: known, code })
}

/** The frames of a turn in their order. Source: fact sheet §4.3. */
export async function* playTurn(turn: Performance): AsyncGenerator<FrameText> {
  const { settings, chatId, responseId, answer, model, guest, fault, signal } = turn
  const { latency, layout } = settings
  const ids = { chatId, responseId }
  const code = fault?.kind === 'code' ? fault : undefined
  const when = code?.when ?? 'instead'

  if (code !== undefined && when === 'instead') {
    yield frameOf([refusalOf(code)])
    return yield* closing(turn)
  }
  if (settings.acknowledgement) yield messageFrame(ackMessage({ responseId, eventToken: turn.eventToken, layout }))
  if (fault?.kind === 'empty') return yield* closing(turn)
  if (settings.contextToken === 'first') yield* stored(turn)
  if (answer.activity !== undefined) yield messageFrame(activityMessage({ ...ids, ...answer.activity, layout }))
  await pause(latency.ack, signal)

  const snapshot = (candidate: CandidateInput): unknown =>
    snapshotMessage({ ...ids, candidates: [candidate], modelId: model.id, modelName: model.name, layout })
  if (answer.thoughts !== undefined) yield* thoughts(turn, snapshot)
  yield* work(turn, snapshot)
  yield* text(turn, snapshot)
  if (code !== undefined && when === 'partial') {
    yield frameOf([refusalOf(code)])
    return yield* closing(turn)
  }
  const tooLong = isTooLong(turn)
  if (tooLong) {
    yield frameOf([refusalOf({ code: 1155 })])
    return yield* closing(turn)
  }
  const final = finishedCandidate(answer, turn.context)
  // The last frame of a canvas can lack the document. Source: fact sheet §10.2.
  if (answer.extra?.kind === 'canvas') delete final.documents
  yield messageFrame(snapshot(final))

  await pause(latency.trailer, signal)
  if (turn.firstTurn && !turn.temporary && !guest)
    yield messageFrame(titleMessage({ ...ids, title: answer.title, layout }))
  if (!guest) yield messageFrame(quotaMessage({ ...ids, modelId: model.id, layout }))
  if (settings.contextToken !== 'first') yield* stored(turn)
  if (code !== undefined && when === 'after') yield frameOf([refusalOf(code)])
  if (guest) {
    yield messageFrame(progressMessage(0))
    if (settings.guestTail === 'open') await forever(signal)
    if (settings.guestTail === 'late') await pause(settings.guestTailMs, signal)
    if (signal.aborted) return
  }
  yield* closing(turn)
}

/** The context token says that the turn is stored; guests get none. */
async function* stored({
  settings,
  chatId,
  responseId,
  context,
  contextToken,
  guest,
  store,
}: Performance): AsyncGenerator<FrameText> {
  store()
  if (guest || settings.contextToken === 'none') return
  yield messageFrame(
    contextMessage({ chatId, responseId, candidateId: context.candidateId, contextToken, layout: settings.layout }),
  )
}

async function* thoughts(
  { settings, answer, context, signal }: Performance,
  snapshot: (candidate: CandidateInput) => unknown,
): AsyncGenerator<FrameText> {
  const growing = growingText((mark) => snapshot({ id: context.candidateId, thoughts: mark }))
  for (const part of cutText(
    answer.thoughts ?? '',
    settings.snapshotChars === 'auto' ? 120 : settings.snapshotChars,
    settings.maxSnapshots,
  )) {
    if (signal.aborted) return
    yield growing.add(part)
    await pause(settings.latency.thought, signal)
  }
}

/** Snapshots that show a tool at work. */
async function* work(
  { settings, answer, context, signal }: Performance,
  snapshot: (candidate: CandidateInput) => unknown,
): AsyncGenerator<FrameText> {
  const working = workingCandidate(answer, context)
  if (working !== undefined) {
    yield messageFrame(snapshot(working))
    await pause(answer.extra?.kind === 'music' ? settings.durations.music : settings.durations.image, signal)
  }
  if (answer.extra?.kind === 'canvas') {
    const lead = answer.text.slice(0, answer.text.indexOf('immersive_entry_chip/0') + 'immersive_entry_chip/0\n'.length)
    for (const part of [0.3, 0.6, 1]) {
      yield messageFrame(
        snapshot({ id: context.candidateId, text: lead, documents: [documentOf(answer, context, part)] }),
      )
      await pause(settings.latency.snapshot, signal)
    }
  }
}

function isTooLong({ settings, answer }: Performance): boolean {
  return settings.limits.answerChars > 0 && answer.text.length > settings.limits.answerChars
}

/** Text snapshots, all but the final one. */
async function* text(turn: Performance, snapshot: (candidate: CandidateInput) => unknown): AsyncGenerator<FrameText> {
  const { settings, answer, context, fault, signal } = turn
  const around = answer.thoughts === undefined ? {} : { thoughts: answer.thoughts }
  if (answer.snapshots !== undefined) {
    for (const said of answer.snapshots) {
      yield messageFrame(snapshot({ id: context.candidateId, ...around, text: said }))
      await pause(settings.latency.snapshot, signal)
    }
    return
  }
  if (answer.extra !== undefined) {
    const shown = partialCandidate(answer, context)
    if (shown === undefined) return
    yield messageFrame(snapshot(shown))
    return await pause(settings.latency.snapshot, signal)
  }
  const whole = isTooLong(turn) ? answer.text.slice(0, settings.limits.answerChars) : answer.text
  const parts = cutText(whole, settings.snapshotChars, settings.maxSnapshots)
  const partial = fault?.kind === 'code' && fault.when === 'partial'
  const count = partial ? Math.max(1, Math.floor(parts.length / 2)) : isTooLong(turn) ? parts.length : parts.length - 1
  if (count <= 0) return
  const growing = growingText((mark) => snapshot({ id: context.candidateId, ...around, text: mark }))
  for (const part of parts.slice(0, count)) {
    if (signal.aborted) return
    yield growing.add(part)
    await pause(settings.latency.snapshot, signal)
  }
}

async function* closing({ startedMs, now, trailer }: Performance): AsyncGenerator<FrameText> {
  yield frameOf(trailerEntries({ ms: Math.max(1, Math.round(now() - startedMs)), nonce: trailer.nonce }))
}

function forever(signal: AbortSignal): Promise<void> {
  return pause(FOR_EVER_MS, signal)
}
