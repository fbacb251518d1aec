import {
  chatSourcePath,
  deleteChatCalls,
  listChatsPayload,
  readChatList,
  readChatPayload,
  readChatTurns,
  RPC,
  type ChatList,
  type ChatTurn,
} from '@castorjs/gemini-web-protocol'
import type { Batch } from './batch-execute.ts'
import type { DriftLog } from './drift.ts'
import { GeminiWebError } from './error.ts'

export interface ListChatsOptions {
  /** Pinned chats instead of the others. */
  pinned?: boolean
  /** From the page before. */
  cursor?: string
  signal?: AbortSignal
}

export interface ReadChatOptions {
  /** Newest turns to read. Default 10. */
  limit?: number
  signal?: AbortSignal
}

/** Chats kept in the account. */
export interface Chats {
  /** One page; ask again with its `cursor` for the next. */
  list(options?: ListChatsOptions): Promise<ChatList>
  /** Turns of a chat, newest first. @throws {GeminiWebError} `not_found` */
  read(chatId: string, options?: ReadChatOptions): Promise<ChatTurn[]>
  delete(chatId: string, options?: { signal?: AbortSignal }): Promise<void>
}

export interface ChatsPorts {
  batch: Batch
  drifts: DriftLog
  prepare: (signal?: AbortSignal) => Promise<void>
  accountIndex?: number
}

export function createChats({ batch, drifts, prepare, accountIndex }: ChatsPorts): Chats {
  function callOptions(chatId: string, signal: AbortSignal | undefined): { sourcePath: string; signal?: AbortSignal } {
    return { sourcePath: chatSourcePath(chatId, accountIndex), ...(signal === undefined ? {} : { signal }) }
  }

  return {
    async list({ signal, ...page } = {}) {
      await prepare(signal)
      const payload = await batch.one(RPC.listChats, listChatsPayload(page), signal === undefined ? {} : { signal })
      return drifts.read(() => readChatList(payload))
    },
    async read(chatId, { limit = 10, signal } = {}) {
      await prepare(signal)
      const payload = await batch.one(RPC.readChat, readChatPayload({ chatId, limit }), callOptions(chatId, signal))
      const turns = drifts.read(() => readChatTurns(payload))
      if (turns.length === 0)
        throw new GeminiWebError('not_found', 'The chat does not exist in this account', { field: 'chatId' })
      return turns
    },
    async delete(chatId, { signal } = {}) {
      await prepare(signal)
      // Two calls, one after the other, as the page does.
      for (const call of deleteChatCalls(chatId)) await batch.all([call], callOptions(chatId, signal))
    },
  }
}
