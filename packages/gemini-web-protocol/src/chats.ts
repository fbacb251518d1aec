/** Chat list, chat history, deleting, library: payloads in both directions. Source: fact sheet §6.2. */

import { buildCandidate, type Candidate, type CandidateInput, readCandidate } from './candidate.ts'
import type { BatchCall } from './envelope.ts'
import { buildTime, readTime, withoutUndefined } from './fields.ts'
import { get, type Layout, read, readList, readNumber, readString, requireList, wirePath } from './path.ts'
import { RPC } from './rpc-ids.ts'

export interface ChatSummary {
  /** `c_…` */
  id: string
  title: string
  pinned: boolean
  updatedMs?: number
  /** Last response, when the row carries it. */
  responseId?: string
  unread?: boolean
  /** Meaning unknown; 1 and 2 were seen. */
  kind?: number
}

export interface ListChatsRequest {
  /** Default false. */
  pinned?: boolean
  /** From the page before. */
  cursor?: string
  /** Default 13 for the first page and 20 behind it. */
  count?: number
}

/** Payload of `MaZiqc`. [S] */
export function listChatsPayload({ pinned = false, cursor, count }: ListChatsRequest = {}): unknown[] {
  return [count ?? (cursor === undefined ? 13 : 20), cursor ?? null, [pinned ? 1 : 0, null, 1]]
}

export function readListChatsPayload(
  payload: unknown,
): Required<Omit<ListChatsRequest, 'cursor'>> & { cursor?: string } {
  return {
    count: readNumber(payload, [0]) ?? 13,
    pinned: readNumber(payload, [2, 0]) === 1,
    ...withoutUndefined({ cursor: readString(payload, [1]) }),
  }
}

export interface ChatList {
  chats: ChatSummary[]
  /** Of the next page; missing on the last one. */
  cursor?: string
}

/** Reply of `MaZiqc`. Shape: `[null,cursor,rows]`. Source: fact sheet §6.2 [S]. */
const CHAT_LIST_CURSOR = wirePath('CHAT_LIST_CURSOR', 1)
const CHAT_LIST_ROWS = wirePath('CHAT_LIST_ROWS', 2)

/** An account without chats answers an empty list. @throws {ProtocolDriftError} when the rows are something else than a list. */
export function readChatList(payload: unknown): ChatList {
  const rows = read(payload, CHAT_LIST_ROWS) == null ? [] : requireList(payload, CHAT_LIST_ROWS)
  const cursor = readString(payload, CHAT_LIST_CURSOR)
  return {
    chats: rows.map(readChatSummary).filter((chat) => chat !== undefined),
    ...(cursor === undefined || cursor === '' ? {} : { cursor }),
  }
}

export function readChatSummary(row: unknown): ChatSummary | undefined {
  const id = readString(row, [0])
  if (id === undefined) return undefined
  return {
    id,
    title: readString(row, [1]) ?? '',
    pinned: get(row, 2) === true,
    ...withoutUndefined({
      updatedMs: readTime(get(row, 5)),
      responseId: readString(row, [6, 0, 1]),
      unread: readNumber(row, [6, 1]) === 1 ? true : undefined,
      kind: readNumber(row, [9]),
    }),
  }
}

export function buildChatSummary({
  id,
  title,
  pinned,
  updatedMs = 0,
  responseId,
  unread = false,
  kind = 1,
}: ChatSummary): unknown[] {
  const last = responseId === undefined ? null : [[id, responseId], unread ? 1 : 0]
  return [id, title, pinned ? true : null, null, null, buildTime(updatedMs), last, null, null, kind]
}

export function buildChatList({ chats, cursor }: ChatList): unknown[] {
  return [null, cursor ?? null, chats.map(buildChatSummary)]
}

export interface ChatTurn {
  chatId: string
  responseId: string
  /** Ids of the turn before. */
  previous?: { chatId: string; responseId: string; candidateId?: string }
  /** The user's text. */
  prompt: string
  candidates: Candidate[]
  createdMs?: number
}

/** Payload of `hNvQHb`. The limit counts turns, newest first. [S] */
export function readChatPayload({ chatId, limit = 10 }: { chatId: string; limit?: number }): unknown[] {
  return [chatId, limit, null, 1, [1], [4], null, 1]
}

export function readReadChatPayload(payload: unknown): { chatId: string; limit: number } | undefined {
  const chatId = readString(payload, [0])
  return chatId === undefined ? undefined : { chatId, limit: readNumber(payload, [1]) ?? 10 }
}

/** Reply of `hNvQHb`. Shape: `[turns]`, newest first. Source: fact sheet §6.2 [S]. */
const CHAT_TURNS = wirePath('CHAT_TURNS', 0)

/** Newest first, as sent. A chat that is gone answers an empty list. @throws {ProtocolDriftError} */
export function readChatTurns(payload: unknown): ChatTurn[] {
  const turns = read(payload, CHAT_TURNS) == null ? [] : requireList(payload, CHAT_TURNS)
  return turns.map(readChatTurn).filter((turn) => turn !== undefined)
}

export function readChatTurn(turn: unknown): ChatTurn | undefined {
  const chatId = readString(turn, [0, 0])
  const responseId = readString(turn, [0, 1])
  if (chatId === undefined || responseId === undefined) return undefined
  const before = get(turn, 1)
  const previousChat = readString(before, [0])
  const previousResponse = readString(before, [1])
  const previous =
    previousChat === undefined || previousResponse === undefined
      ? undefined
      : {
          chatId: previousChat,
          responseId: previousResponse,
          ...withoutUndefined({ candidateId: readString(before, [2]) }),
        }
  return {
    chatId,
    responseId,
    prompt: readString(turn, [2, 0, 0]) ?? '',
    candidates: (readList(turn, [3, 0]) ?? []).filter((node) => Array.isArray(node)).map(readCandidate),
    ...withoutUndefined({ previous, createdMs: readTime(get(turn, 4)) }),
  }
}

export type ChatTurnInput = Omit<ChatTurn, 'candidates'> & { candidates: readonly CandidateInput[] }

export function buildChatTurn(
  { chatId, responseId, previous, prompt, candidates, createdMs = 0 }: ChatTurnInput,
  { layout = 'dense' }: { layout?: Layout } = {},
): unknown[] {
  const before =
    previous === undefined
      ? null
      : [previous.chatId, previous.responseId, ...(previous.candidateId === undefined ? [] : [previous.candidateId])]
  return [
    [chatId, responseId],
    before,
    [[prompt, 0, null, null, null, null, 0]],
    [candidates.map((candidate) => buildCandidate(candidate, { layout }))],
    buildTime(createdMs),
  ]
}

/** `turns` newest first. */
export function buildChatTurns(turns: readonly ChatTurnInput[], options: { layout?: Layout } = {}): unknown[] {
  return [turns.map((turn) => buildChatTurn(turn, options))]
}

/** Both steps of deleting a chat, for one batch each, in this order. Source: fact sheet §6.2 [S, M]. */
export function deleteChatCalls(chatId: string): BatchCall[] {
  return [
    { id: RPC.deleteChat, payload: [chatId] },
    { id: RPC.deleteChatFollowUp, payload: [chatId, [1, null, 0, 1]] },
  ]
}

/** First element of a payload: the id that `GzXR5e`, `qWymEb`, `k81mDb`, `PCck7e`, `kwDCne` and `UXcSJb` act on. */
export function readIdPayload(payload: unknown): string | undefined {
  return readString(payload, [0])
}

/** Payload of `k81mDb`. [W] */
export function markReadPayload(chatId: string): unknown[] {
  return [chatId]
}

/** Payload of `PCck7e`. [M] */
export function acknowledgeTurnPayload(responseId: string): unknown[] {
  return [responseId]
}

/** Payload of `MUAZcd`. [W] */
export function chatMetadataPayload(chatId: string): unknown[] {
  return [null, [['unread_metadata']], [chatId, null, null, null, null, null, [[chatId, ''], 0]]]
}

export function readChatMetadataPayload(payload: unknown): string | undefined {
  return readString(payload, [2, 0])
}

/** Reply of `MUAZcd`: `[null,row]`. [W] */
export function readChatMetadata(payload: unknown): ChatSummary | undefined {
  return readChatSummary(get(payload, 1))
}

export function buildChatMetadata(chat: ChatSummary): unknown[] {
  return [null, buildChatSummary(chat)]
}

/** Payload of `EqPOKe`, whose reply is a list of turns. [W] */
export function readTurnPayload({ chatId, responseId }: { chatId: string; responseId: string }): unknown[] {
  return [chatId, responseId]
}

export function readReadTurnPayload(payload: unknown): { chatId: string; responseId: string } | undefined {
  const chatId = readString(payload, [0])
  const responseId = readString(payload, [1])
  return chatId === undefined || responseId === undefined ? undefined : { chatId, responseId }
}

export interface LibraryItem {
  chatId: string
  responseId: string
  candidateId?: string
  title: string
  snippet?: string
  kind?: number
  createdMs?: number
}

/** Payload of `jGArJ`; send it with source path `/library`. [W] */
export function libraryPayload({ cursor, count = 13 }: { cursor?: string; count?: number } = {}): unknown[] {
  const filter = [0, 0, 0, 1, 1, 0, 0, 1, 0]
  return cursor === undefined ? [filter, count] : [filter, count, cursor]
}

/** Reply of `jGArJ`: `[rows,cursor]`. [W] */
export function readLibrary(payload: unknown): { items: LibraryItem[]; cursor?: string } {
  const items: LibraryItem[] = []
  for (const row of readList(payload, [0]) ?? []) {
    const chatId = readString(row, [0, 0])
    const responseId = readString(row, [0, 1])
    if (chatId === undefined || responseId === undefined) continue
    items.push({
      chatId,
      responseId,
      title: readString(row, [3]) ?? '',
      ...withoutUndefined({
        createdMs: readTime(get(row, 1)),
        kind: readNumber(row, [2]),
        snippet: readString(row, [4, 0]),
        candidateId: readString(row, [5]),
      }),
    })
  }
  return { items, ...withoutUndefined({ cursor: readString(payload, [1]) }) }
}

export function buildLibrary({ items, cursor }: { items: readonly LibraryItem[]; cursor?: string }): unknown[] {
  const rows = items.map(({ chatId, responseId, candidateId, title, snippet, kind = 1, createdMs = 0 }) => [
    [chatId, responseId],
    buildTime(createdMs),
    kind,
    title,
    [snippet ?? ''],
    candidateId ?? null,
  ])
  return [rows, cursor ?? null]
}
