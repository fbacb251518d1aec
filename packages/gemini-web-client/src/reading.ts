import {
  createDeltaWriter,
  createReplyDecoder,
  isAnswered,
  type ReplySnapshot,
  type ReplyUpdate,
} from '@castorjs/gemini-web-protocol'
import type { Watch } from './watch.ts'

/** One reply that is being read: bytes in, deltas out. The fields hold what the last call brought. */
export interface Reading {
  /** Everything so far; the same object all the time. */
  readonly reply: ReplySnapshot
  /** New text and new thoughts, cleaned; empty when there are none. */
  readonly text: string
  readonly thoughts: string
  /** What the app says it is doing, when that changed. */
  readonly activity: ReplySnapshot['activity']
  /** Bytes have come at all. */
  readonly received: boolean
  /** Text or thoughts have been handed out. */
  readonly emitted: boolean
  /** How often text that had been handed out was taken back. */
  readonly rewrites: number
  /** Takes bytes; true when there is something to hand out. @throws {FrameError} */
  take(bytes: Uint8Array): boolean
  /** The body is over. @throws {FrameError} */
  end(): boolean
  /** Takes the whole text from somewhere else, such as the chat's history. */
  replace(text: string): boolean
  /** No more will come: what was held back. */
  finish(): boolean
}

/** Starts reading. The watch is told of progress and of the end of the answer. */
export function createReading(watch: Watch): Reading {
  const decoder = createReplyDecoder()
  const textWriter = createDeltaWriter()
  const thoughtWriter = createDeltaWriter({ clean: false })
  const { reply } = decoder
  let text = ''
  let thoughts = ''
  let activity: ReplySnapshot['activity']
  let label: string | undefined
  let mark = ''
  let received = false
  let emitted = false

  function absorb(updates: readonly ReplyUpdate[]): boolean {
    text = ''
    thoughts = ''
    activity = undefined
    if (updates.length === 0) return false
    let grew = false
    for (const update of updates) {
      if (update.thoughts !== undefined) thoughts += thoughtWriter.apply(update.thoughts)
      if (update.text !== undefined) text += textWriter.apply(update.text)
      grew ||= update.thoughts !== undefined || update.text !== undefined
    }
    if (!grew) {
      const next = markOf(reply)
      grew = next !== mark
      mark = next
    }
    if (grew) watch.progress(isWorking(reply))
    if (reply.ended || (reply.finished && isAnswered(reply))) watch.complete()
    if (reply.activity?.label !== label) {
      activity = reply.activity
      label = activity?.label
    }
    return handOut()
  }

  function handOut(): boolean {
    const spoken = text !== '' || thoughts !== ''
    emitted ||= spoken
    return spoken || activity !== undefined
  }

  return {
    reply,
    get text() {
      return text
    },
    get thoughts() {
      return thoughts
    },
    get activity() {
      return activity
    },
    get received() {
      return received
    },
    get emitted() {
      return emitted
    },
    get rewrites() {
      return textWriter.drift
    },
    take(bytes) {
      received = true
      return absorb(decoder.push(bytes))
    },
    end: () => absorb(decoder.finish()),
    replace(whole) {
      text = textWriter.push(whole)
      thoughts = ''
      activity = undefined
      return handOut()
    },
    finish() {
      thoughts = thoughtWriter.finish()
      text = textWriter.finish()
      activity = undefined
      return handOut()
    },
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
