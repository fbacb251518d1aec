/** Writes the messages of a StreamGenerate reply with the positions of the recorded ones. Source: fact sheet §4.3, §4.4, examples. */

import { buildCandidate, type CandidateInput } from './candidate.ts'
import { type Layout, writeSlots } from './path.ts'

export interface MessageIds {
  chatId: string
  responseId: string
}

interface LayoutOption {
  /** Default `sparse` for the small messages, as recorded; `dense` for the content of snapshots. */
  layout?: Layout
}

/** Small messages switch to the trailing object right behind the ids. */
const SPARSE_FROM = 2

function smallMessage(
  { chatId, responseId }: { chatId?: string; responseId: string },
  fields: Readonly<Record<number, unknown>>,
  layout: Layout,
): unknown[] {
  const ids = { 1: [chatId ?? null, responseId] }
  // The sparse form carries a flag at index 43 that the dense recordings leave out.
  const all = layout === 'sparse' ? { ...ids, 43: false, ...fields } : { ...ids, ...fields }
  return writeSlots(all, { layout, sparseFrom: SPARSE_FROM })
}

export interface AckInput extends LayoutOption {
  /** Newer streams know it already. */
  chatId?: string
  responseId: string
  eventToken?: string
}

/** Message 1: the turn is accepted. */
export function ackMessage({
  chatId,
  responseId,
  eventToken = 'castorEventToken',
  layout = 'sparse',
}: AckInput): unknown[] {
  const ids = { responseId, ...(chatId === undefined ? {} : { chatId }) }
  return smallMessage(ids, { 17: responseId, 20: [eventToken], 43: true }, layout)
}

/** A label such as "Creating your image", or the tool at work. */
export function activityMessage({
  label,
  tool,
  layout = 'sparse',
  ...ids
}: MessageIds & LayoutOption & { label: string; tool?: string }): unknown[] {
  return smallMessage(
    ids,
    { 6: [null, tool === undefined ? null : [tool], null, null, null, [label], null, null, null, null, null, []] },
    layout,
  )
}

export interface SnapshotInput extends MessageIds, LayoutOption {
  /** The first one is the answer. */
  candidates: readonly CandidateInput[]
  /** Default: the first candidate is complete. */
  final?: boolean
  language?: string
  /** Written into final snapshots only. */
  modelId?: string
  modelName?: string
  place?: string
  country?: string
  /** The answer as parsed nodes; no client reads it. Default `[[]]`. */
  nodes?: unknown
}

/** Index 40 of a snapshot; meaning unknown. Source: fact sheet §4.4 [M]. */
const CONSTANT_40 = [
  [
    [1, 2],
    [4, 2],
  ],
]

/** A cumulative snapshot, 45 slots as in 2026 captures. `layout` is that of the rich content. */
export function snapshotMessage(input: SnapshotInput): unknown[] {
  const {
    chatId,
    responseId,
    candidates,
    language = 'en',
    modelId,
    modelName,
    place = 'Example City, Exampleland',
    country = 'XX',
    nodes = [[]],
    layout = 'dense',
  } = input
  const final = input.final ?? candidates[0]?.complete === true
  // Snapshots before the first word are a little shorter in the recordings.
  const spoken = candidates.some((candidate) => candidate.text !== undefined && candidate.text !== '')
  return writeSlots({
    1: [chatId, responseId],
    4: candidates.map((candidate) => buildCandidate({ language, ...candidate }, { layout })),
    5: [place, 'SWML_DESCRIPTION_FROM_YOUR_INTERNET_ADDRESS', false, null, '//www.google.com/maps/vt/data=exampleTile'],
    8: country,
    14: final,
    19: language,
    24: spoken ? [null, [false, false], [false]] : [null, [false, false]],
    26: nodes,
    29: [1, 1, 1],
    39: final ? modelId : undefined,
    40: spoken ? CONSTANT_40 : undefined,
    42: final ? modelName : undefined,
    43: false,
    44: [[]],
  })
}

/** The chat title, first turn only. */
export function titleMessage({
  title,
  layout = 'sparse',
  ...ids
}: MessageIds & LayoutOption & { title: string }): unknown[] {
  return smallMessage(ids, { 10: [title] }, layout)
}

/** The quota notice. */
export function quotaMessage({
  modelId,
  resetSeconds = 1_790_000_000,
  layout = 'sparse',
  ...ids
}: MessageIds & LayoutOption & { modelId: string; resetSeconds?: number }): unknown[] {
  return smallMessage(ids, { 27: [[[[2, 4, 2], 1, 12, [resetSeconds, 0], 25, 22]], modelId] }, layout)
}

/** The context token: the turn is stored. Dense for clients that read positions only. */
export function contextMessage({
  contextToken,
  candidateId,
  layout = 'sparse',
  ...ids
}: MessageIds & LayoutOption & { contextToken: string; candidateId?: string }): unknown[] {
  if (layout === 'sparse') return smallMessage(ids, { 25: contextToken }, layout)
  const all = candidateId === undefined ? [ids.chatId, ids.responseId] : [ids.chatId, ids.responseId, candidateId]
  return writeSlots({ 1: all, 25: contextToken })
}

/** Seen in one capture behind the context token. Source: fact sheet §4.3. */
export function storedMessage({ chatId, responseId }: MessageIds): unknown[] {
  return [null, [chatId, responseId], { 46: [chatId, ''], 52: [] }]
}

/** `[{"37":[code]}]`; 0 means finished (guests). */
export function progressMessage(code: number): unknown[] {
  return [{ 37: [code] }]
}
