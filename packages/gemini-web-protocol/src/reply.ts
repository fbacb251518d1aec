/**
 * Merges the messages of a StreamGenerate reply into one snapshot. Messages are cumulative for text
 * and thoughts, and each may carry only some of the fields. Source: fact sheet §4.3, §4.4.
 */

import { type Candidate, CARD_PREFIX, readCandidate } from './candidate.ts'
import { parse, readEntry } from './envelope.ts'
import { withoutUndefined } from './fields.ts'
import { get, read, readBoolean, readList, readNumber, readString, wirePath } from './path.ts'
import { findReport } from './research.ts'
import { changeText, compareText, type TextChange } from './text-change.ts'

/** Chat id and response id. Source: fact sheet §4.4 [S]. */
export const MESSAGE_CHAT_ID = wirePath('MESSAGE_CHAT_ID', 1, 0)
export const MESSAGE_RESPONSE_ID = wirePath('MESSAGE_RESPONSE_ID', 1, 1)
/** Source: fact sheet §4.4 [S]. */
export const MESSAGE_CANDIDATES = wirePath('MESSAGE_CANDIDATES', 4)
/** Label of what is going on. Source: fact sheet §4.4 [M]. */
export const MESSAGE_ACTIVITY_TOOL = wirePath('MESSAGE_ACTIVITY_TOOL', 6, 1, 0)
export const MESSAGE_ACTIVITY_LABEL = wirePath('MESSAGE_ACTIVITY_LABEL', 6, 5, 0)
/** Source: fact sheet §4.4 [M]. */
export const MESSAGE_COUNTRY = wirePath('MESSAGE_COUNTRY', 8)
/** Chat title, first turn only. Source: fact sheet §4.4 [M]. */
export const MESSAGE_TITLE = wirePath('MESSAGE_TITLE', 10, 0)
/** False in snapshots, true at the end. Source: fact sheet §4.4 [M]. */
export const MESSAGE_FINAL = wirePath('MESSAGE_FINAL', 14)
/** Source: fact sheet §4.4 [M]. */
export const MESSAGE_LANGUAGE = wirePath('MESSAGE_LANGUAGE', 19)
/** Source: fact sheet §4.4 [M]. */
export const MESSAGE_EVENT_TOKEN = wirePath('MESSAGE_EVENT_TOKEN', 20, 0)
/** Context token: the turn is stored. Shape: text. Source: fact sheet §4.4 [S]. */
export const MESSAGE_CONTEXT = wirePath('MESSAGE_CONTEXT', 25)
/** One client found the token here; off by one, but read when it is text. Source: fact sheet §14. */
export const MESSAGE_CONTEXT_OFF_BY_ONE = wirePath('MESSAGE_CONTEXT_OFF_BY_ONE', 26)
/** `[[[[2,4,2],1,n,[sec,nanos],25,m]],"<model id>"]`. Source: fact sheet §4.4 [M]. */
export const MESSAGE_QUOTA = wirePath('MESSAGE_QUOTA', 27)
/** Progress code; 0 is the end of a guest answer. Source: fact sheet §4.4 [M]. */
export const MESSAGE_PROGRESS = wirePath('MESSAGE_PROGRESS', 36, 0)
/** Served model, final snapshot. Source: fact sheet §4.4 [M 2026-09]. */
export const MESSAGE_MODEL_ID = wirePath('MESSAGE_MODEL_ID', 39)
export const MESSAGE_MODEL_NAME = wirePath('MESSAGE_MODEL_NAME', 42)

/** What one entry of the reply did. */
export interface ReplyUpdate {
  type: 'message' | 'refusal' | 'error' | 'end' | 'other'
  /** Text of the first candidate, when it changed. */
  text?: TextChange
  /** Thoughts of the first candidate, when they changed. */
  thoughts?: TextChange
  refusal?: EntryRefusal
}

export interface EntryRefusal {
  status: number
  code?: number
}

export interface QuotaNotice {
  /** When the bucket is filled again, probably. */
  resetMs?: number
  modelId?: string
}

/** The whole reply so far. */
export interface ReplySnapshot {
  chatId?: string
  responseId?: string
  /** Id, text, thoughts and completion of the first candidate, which is the answer. */
  candidateId?: string
  text: string
  thoughts: string
  complete: boolean
  candidates: Candidate[]
  /** Present once the turn is stored. */
  contextToken?: string
  title?: string
  servedModelId?: string
  servedModelName?: string
  activity?: { tool?: string; label?: string }
  progress?: number
  language?: string
  country?: string
  eventToken?: string
  quotaNotice?: QuotaNotice
  /** The message says it is the last one. */
  final: boolean
  /** Codes inside entries; fatal only without a completed answer. */
  refusals: EntryRefusal[]
  /** The request failed as a whole. */
  error?: { status: number; code?: number; xsrfToken?: string }
  /** The end marker arrived. */
  ended: boolean
  /** Progress 0 arrived: nothing more will come although the connection may stay open. */
  finished: boolean
  /** The body ended inside a frame. */
  truncated: boolean
  serverMs?: number
  /** Messages merged so far. */
  messages: number
  /** What could not be read, in our words, never in the upstream's. */
  problems: string[]
}

export function createReply(): ReplySnapshot {
  return {
    text: '',
    thoughts: '',
    complete: false,
    candidates: [],
    final: false,
    refusals: [],
    ended: false,
    finished: false,
    truncated: false,
    messages: 0,
    problems: [],
  }
}

/**
 * Whether the answer is whole: the candidate says so, or a context token followed its text, or the
 * body ended in order with text and without a refusal. Source: fact sheet §4.6.
 */
export function isAnswered(reply: ReplySnapshot): boolean {
  if (reply.complete) return true
  if (reply.text === '') return false
  return reply.contextToken !== undefined || ((reply.ended || reply.finished) && reply.refusals.length === 0)
}

/** Merges one raw entry into the reply. Never throws: what cannot be read becomes a problem. */
export function mergeEntry(reply: ReplySnapshot, raw: unknown): ReplyUpdate {
  const entry = readEntry(raw)
  switch (entry.type) {
    case 'message': {
      const message = parse(entry.payload)
      if (Array.isArray(message)) return mergeMessage(reply, message)
      reply.problems.push('a message is not a JSON array')
      return { type: 'other' }
    }
    case 'refusal': {
      const refusal = withoutUndefined({ status: entry.status, code: entry.code }) as EntryRefusal
      reply.refusals.push(refusal)
      return { type: 'refusal', refusal }
    }
    case 'error':
      reply.error = withoutUndefined({
        status: entry.status,
        code: entry.code,
        xsrfToken: entry.xsrfToken,
      }) as NonNullable<ReplySnapshot['error']>
      return { type: 'error' }
    case 'server-time':
      reply.serverMs = entry.ms
      return { type: 'other' }
    case 'end':
      reply.ended = true
      return { type: 'end' }
    default:
      return { type: 'other' }
  }
}

/**
 * Merges one message into the reply.
 *
 * @param change When given, the first candidate's text changed by it, and the message holds only
 * `added` in its place. The decoder uses this to read long texts once.
 */
export function mergeMessage(reply: ReplySnapshot, message: unknown, change?: TextChange): ReplyUpdate {
  reply.messages++
  const activity = withoutUndefined({
    tool: readString(message, MESSAGE_ACTIVITY_TOOL),
    label: readString(message, MESSAGE_ACTIVITY_LABEL),
  })
  const progress = readNumber(message, MESSAGE_PROGRESS)
  Object.assign(
    reply,
    withoutUndefined({
      chatId: nonEmpty(readString(message, MESSAGE_CHAT_ID)),
      responseId: nonEmpty(readString(message, MESSAGE_RESPONSE_ID)),
      contextToken: nonEmpty(readString(message, MESSAGE_CONTEXT) ?? readString(message, MESSAGE_CONTEXT_OFF_BY_ONE)),
      title: readString(message, MESSAGE_TITLE),
      servedModelId: readString(message, MESSAGE_MODEL_ID),
      servedModelName: readString(message, MESSAGE_MODEL_NAME),
      language: readString(message, MESSAGE_LANGUAGE),
      country: readString(message, MESSAGE_COUNTRY),
      eventToken: readString(message, MESSAGE_EVENT_TOKEN),
      quotaNotice: readQuotaNotice(read(message, MESSAGE_QUOTA)),
      activity: Object.keys(activity).length > 0 ? activity : undefined,
      final: readBoolean(message, MESSAGE_FINAL) === true ? true : undefined,
      progress,
      finished: progress === 0 ? true : undefined,
    }),
  )
  const update: ReplyUpdate = { type: 'message' }
  const candidates = readList(message, MESSAGE_CANDIDATES) ?? []
  for (const [index, node] of candidates.entries()) {
    if (!Array.isArray(node)) continue
    const changes = mergeCandidate(reply, index, readCandidate(node), index === 0 ? change : undefined)
    if (index === 0) Object.assign(update, changes)
  }
  return update
}

function mergeCandidate(
  reply: ReplySnapshot,
  index: number,
  next: Candidate,
  change?: TextChange,
): Pick<ReplyUpdate, 'text' | 'thoughts'> {
  const known = reply.candidates[index]
  const oldText = known?.text ?? ''
  const oldThoughts = known?.thoughts ?? ''
  if (change !== undefined) next.text = changeText(oldText, change)
  // Snapshots that only carry a state have no text of their own.
  else if (next.text === '') next.text = oldText
  if (next.thoughts.length < oldThoughts.length) next.thoughts = oldThoughts
  const candidate = known === undefined ? next : mergeFields(known, next)
  reply.candidates[index] = candidate
  if (index === 0) {
    if (candidate.id !== '') reply.candidateId = candidate.id
    reply.text = candidate.text
    reply.thoughts = candidate.thoughts
    reply.complete = candidate.complete
  }
  const text = change ?? compareText(oldText, candidate.text)
  const thoughts = compareText(oldThoughts, candidate.thoughts)
  return {
    ...(text.added === '' && text.kept === oldText.length ? {} : { text }),
    ...(thoughts.added === '' && thoughts.kept === oldThoughts.length ? {} : { thoughts }),
  }
}

/** The newer value wins where it says something; lists that are empty say nothing. */
function mergeFields(known: Candidate, next: Candidate): Candidate {
  const documents = [...known.documents]
  for (const document of next.documents) {
    const at = documents.findIndex((other) => other.id === document.id)
    if (at < 0) documents.push(document)
    else documents[at] = document
  }
  const report = next.report ?? findReport(documents) ?? known.report
  return {
    ...known,
    ...next,
    id: next.id === '' ? known.id : next.id,
    complete: known.complete || next.complete,
    images: next.images.length > 0 ? next.images : known.images,
    webImages: next.webImages.length > 0 ? next.webImages : known.webImages,
    videos: next.videos.length > 0 ? next.videos : known.videos,
    documents,
    ...(report === undefined ? {} : { report }),
  }
}

function readQuotaNotice(value: unknown): QuotaNotice | undefined {
  if (!Array.isArray(value)) return undefined
  const seconds = readNumber(value, [0, 0, 3, 0])
  return withoutUndefined({
    resetMs: seconds === undefined ? undefined : seconds * 1_000,
    modelId: readString(value, [1]),
  })
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** True while `text` is, or may yet become, a card answer whose text comes from elsewhere. */
export function mayBeCard(text: string): boolean {
  return text.startsWith(CARD_PREFIX) || CARD_PREFIX.startsWith(text)
}

/** Whether a message holds exactly one text part in its first candidate: `[part]`. */
export function readOnlyTextPart(message: unknown): string | undefined {
  const parts = get(get(get(message, 4), 0), 1)
  return Array.isArray(parts) && parts.length === 1 && typeof parts[0] === 'string' ? parts[0] : undefined
}
