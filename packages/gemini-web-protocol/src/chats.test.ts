import { describe, expect, it } from 'vitest'
import {
  buildChatList,
  buildChatMetadata,
  buildChatTurns,
  buildLibrary,
  chatMetadataPayload,
  deleteChatCalls,
  libraryPayload,
  listChatsPayload,
  readChatList,
  readChatMetadata,
  readChatMetadataPayload,
  readChatPayload,
  readChatTurns,
  readIdPayload,
  readLibrary,
  readListChatsPayload,
  readReadChatPayload,
  readReadTurnPayload,
  readTurnPayload,
} from './chats.ts'
import { ProtocolDriftError } from './path.ts'

const chat = {
  id: 'c_1',
  title: 'Ohm’s law & friends',
  pinned: true,
  updatedMs: 1_790_000_300_120,
  responseId: 'r_1',
  unread: true,
  kind: 2,
}

describe('chat list', () => {
  it('asks for pinned chats, for others, and for the next page', () => {
    expect(listChatsPayload({ pinned: true })).toEqual([13, null, [1, null, 1]])
    expect(listChatsPayload()).toEqual([13, null, [0, null, 1]])
    expect(listChatsPayload({ cursor: 'abc' })).toEqual([20, 'abc', [0, null, 1]])
    expect(readListChatsPayload(listChatsPayload({ pinned: true, cursor: 'abc' }))).toEqual({
      count: 20,
      pinned: true,
      cursor: 'abc',
    })
  })

  it('reads what it wrote', () => {
    const list = { chats: [chat, { id: 'c_2', title: '', pinned: false, updatedMs: 0, kind: 1 }], cursor: 'x==' }
    expect(readChatList(buildChatList(list))).toEqual(list)
  })

  it('is empty for an account without chats, and drift for anything else than a list', () => {
    expect(readChatList([])).toEqual({ chats: [] })
    expect(readChatList([null, ''])).toEqual({ chats: [] })
    expect(() => readChatList([null, null, 'rows'])).toThrow(ProtocolDriftError)
  })

  it('reads the row of one chat', () => {
    expect(readChatMetadataPayload(chatMetadataPayload('c_1'))).toBe('c_1')
    expect(readChatMetadata(buildChatMetadata(chat))).toEqual(chat)
  })
})

describe('chat history', () => {
  it('asks for turns', () => {
    expect(readChatPayload({ chatId: 'c_1', limit: 3 })).toEqual(['c_1', 3, null, 1, [1], [4], null, 1])
    expect(readReadChatPayload(readChatPayload({ chatId: 'c_1' }))).toEqual({ chatId: 'c_1', limit: 10 })
    expect(readReadTurnPayload(readTurnPayload({ chatId: 'c_1', responseId: 'r_1' }))).toEqual({
      chatId: 'c_1',
      responseId: 'r_1',
    })
    expect(readReadChatPayload([])).toBeUndefined()
  })

  it.each(['dense', 'sparse'] as const)('reads turns it wrote in the %s layout', (layout) => {
    const [turn] = readChatTurns(
      buildChatTurns(
        [
          {
            chatId: 'c_1',
            responseId: 'r_2',
            previous: { chatId: 'c_1', responseId: 'r_1', candidateId: 'rc_1' },
            prompt: 'a paper boat',
            createdMs: 1_790_000_000_000,
            candidates: [
              {
                id: 'rc_2',
                text: 'Ready',
                complete: true,
                videos: [
                  {
                    kind: 2,
                    url: 'https://contribution.usercontent.google.com/download?c=x',
                    mimeType: 'video/mp4',
                    durationMs: 8_000,
                    width: 1280,
                    height: 720,
                  },
                ],
              },
            ],
          },
        ],
        { layout },
      ),
    )
    expect(turn).toMatchObject({
      chatId: 'c_1',
      responseId: 'r_2',
      previous: { chatId: 'c_1', responseId: 'r_1', candidateId: 'rc_1' },
      prompt: 'a paper boat',
      createdMs: 1_790_000_000_000,
      candidates: [
        { id: 'rc_2', text: 'Ready', complete: true, videos: [{ kind: 2, durationMs: 8_000, width: 1280 }] },
      ],
    })
  })

  it('is empty for a chat that is gone, and drift for anything else than a list', () => {
    expect(readChatTurns([])).toEqual([])
    expect(() => readChatTurns([5])).toThrow('CHAT_TURNS [0]: expected array, found number')
  })

  it('is deleted in two steps', () => {
    expect(deleteChatCalls('c_1')).toEqual([
      { id: 'GzXR5e', payload: ['c_1'] },
      { id: 'qWymEb', payload: ['c_1', [1, null, 0, 1]] },
    ])
    expect(readIdPayload(['c_1'])).toBe('c_1')
  })
})

describe('library', () => {
  it('reads what it wrote', () => {
    const library = {
      items: [
        {
          chatId: 'c_1',
          responseId: 'r_1',
          candidateId: 'rc_1',
          title: 'Boat',
          snippet: 'A boat',
          kind: 3,
          createdMs: 1_790_000_000_000,
        },
      ],
      cursor: 'x',
    }
    expect(readLibrary(buildLibrary(library))).toEqual(library)
    expect(libraryPayload({ cursor: 'x' })).toEqual([[0, 0, 0, 1, 1, 0, 0, 1, 0], 13, 'x'])
  })
})
