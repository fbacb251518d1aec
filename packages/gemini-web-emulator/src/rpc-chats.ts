/** Calls about chats: list, history, metadata, deleting, library. Source: fact sheet §6.2. */

import {
  buildChatList,
  buildChatMetadata,
  buildChatTurns,
  buildLibrary,
  readChatMetadataPayload,
  readIdPayload,
  readListChatsPayload,
  readReadChatPayload,
  readReadTurnPayload,
  readString,
  type ChatSummary,
  type ChatTurnInput,
  type LibraryItem,
} from '@castorjs/gemini-web-protocol'
import { finishedCandidate } from './candidate.ts'
import type { Chat, Turn } from './profile.ts'
import { EMPTY, INVALID, type RpcContext, type RpcResult } from './rpc.ts'

/** Stored chats, newest first. */
function storedChats({ caller }: RpcContext): Chat[] {
  if (caller.account === undefined) return []
  return [...caller.profile.chats.values()]
    .filter((chat) => !chat.temporary)
    .sort((a, b) => b.updatedMs - a.updatedMs || (a.id < b.id ? -1 : 1))
}

function summaryOf(chat: Chat): ChatSummary {
  const responseId = chat.turns.at(-1)?.responseId
  return {
    id: chat.id,
    title: chat.title,
    pinned: chat.pinned,
    updatedMs: chat.updatedMs,
    unread: chat.unread,
    kind: 1,
    ...(responseId === undefined ? {} : { responseId }),
  }
}

export function listChats(payload: unknown, context: RpcContext): RpcResult {
  const { count, pinned, cursor } = readListChatsPayload(payload)
  const start = cursor === undefined ? 0 : Number(/^castor-(\d+)$/.exec(decode(cursor))?.[1] ?? Number.NaN)
  if (!Number.isFinite(start)) return INVALID
  const chats = storedChats(context).filter((chat) => chat.pinned === pinned)
  const end = start + count
  const next = end < chats.length ? { cursor: btoa(`castor-${end}`) } : {}
  return { payload: buildChatList({ chats: chats.slice(start, end).map(summaryOf), ...next }) }
}

function decode(text: string): string {
  try {
    return atob(text)
  } catch {
    return ''
  }
}

function turnInput(chat: Chat, index: number, { exchange }: RpcContext): ChatTurnInput {
  const { world, url } = exchange
  const turn = chat.turns[index] as Turn
  const before = chat.turns[index - 1]
  const { extra } = turn.answer
  const jobId = extra?.kind === 'video' || extra?.kind === 'research' ? extra.jobId : undefined
  const candidate = finishedCandidate(turn.answer, {
    chatId: chat.id,
    candidateId: turn.candidateId,
    createdMs: turn.createdMs,
    done: jobId !== undefined && world.jobs.isListed(jobId),
    fromHistory: true,
    planJobId: world.settings.planJobId,
    ...(world.settings.links === 'loopback' ? { origin: url.origin } : {}),
  })
  const unfinished = world.clock.now() < turn.finishedMs
  return {
    chatId: chat.id,
    responseId: turn.responseId,
    prompt: turn.prompt,
    createdMs: turn.createdMs,
    // While an answer is being made, history shows that a tool is at work. Source: fact sheet §5.3.
    candidates: [unfinished ? { id: turn.candidateId, text: '', working: true } : candidate],
    ...(before === undefined
      ? {}
      : { previous: { chatId: chat.id, responseId: before.responseId, candidateId: before.candidateId } }),
  }
}

export function readChat(payload: unknown, context: RpcContext): RpcResult {
  const request = readReadChatPayload(payload)
  if (request === undefined) return INVALID
  const chat = context.caller.profile.chats.get(request.chatId)
  const { layout } = context.exchange.world.settings
  if (chat === undefined) return { payload: buildChatTurns([], { layout }) }
  const newest = chat.turns.map((_, index) => turnInput(chat, index, context)).reverse()
  return { payload: buildChatTurns(newest.slice(0, Math.max(1, request.limit)), { layout }) }
}

export function readTurn(payload: unknown, context: RpcContext): RpcResult {
  const request = readReadTurnPayload(payload)
  const chat = request === undefined ? undefined : context.caller.profile.chats.get(request.chatId)
  const index = chat?.turns.findIndex((turn) => turn.responseId === request?.responseId) ?? -1
  if (request === undefined) return INVALID
  return {
    payload: buildChatTurns(chat === undefined || index < 0 ? [] : [turnInput(chat, index, context)], {
      layout: context.exchange.world.settings.layout,
    }),
  }
}

export function deleteChat(payload: unknown, { caller }: RpcContext): RpcResult {
  const id = readIdPayload(payload)
  if (id === undefined) return INVALID
  caller.profile.chats.delete(id)
  return EMPTY
}

export function markRead(payload: unknown, { caller }: RpcContext): RpcResult {
  const chat = caller.profile.chats.get(readIdPayload(payload) ?? '')
  if (chat !== undefined) chat.unread = false
  return EMPTY
}

export function chatMetadata(payload: unknown, { caller }: RpcContext): RpcResult {
  const chat = caller.profile.chats.get(readChatMetadataPayload(payload) ?? '')
  return chat === undefined ? INVALID : { payload: buildChatMetadata(summaryOf(chat)) }
}

export function library(payload: unknown, context: RpcContext): RpcResult {
  const limit = Array.isArray(payload) && typeof payload[1] === 'number' ? payload[1] : 13
  const start = Number(/^castor-(\d+)$/.exec(decode(readString(payload, [2]) ?? ''))?.[1] ?? 0)
  const items: LibraryItem[] = []
  for (const chat of storedChats(context)) {
    for (const turn of chat.turns.toReversed()) {
      if (turn.answer.extra === undefined) continue
      items.push({
        chatId: chat.id,
        responseId: turn.responseId,
        candidateId: turn.candidateId,
        title: turn.answer.title,
        snippet: turn.prompt.slice(0, 80),
        kind: 1,
        createdMs: turn.createdMs,
      })
    }
  }
  const end = start + limit
  return {
    payload: buildLibrary({
      items: items.slice(start, end),
      ...(end < items.length ? { cursor: btoa(`castor-${end}`) } : {}),
    }),
  }
}
