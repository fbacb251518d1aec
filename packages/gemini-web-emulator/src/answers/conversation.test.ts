import { describe, expect, it } from 'vitest'
import { readConversation, readFoldedTurns } from './conversation.ts'

describe('readFoldedTurns', () => {
  it.each([
    'User: one\nAssistant: two\nUser: three',
    '[user]\none\n[assistant]\ntwo\n[user]\nthree',
    '<user>\none\n</user>\n<assistant>\ntwo\n</assistant>\n<user>\nthree\n</user>',
    '### User\none\n### Model\ntwo\n### User\nthree',
    '**User**: one\n**Model**: two\n**User**: three',
    '<turn role="user">one</turn>\n<turn role="model">two</turn>\n<turn role="user">three</turn>',
    'Human: one\n\nAI: two\n\nHuman: three',
    '用户：one\n助手：two\n用户：three',
  ])('cuts %j', (text) => {
    expect(readFoldedTurns(text)?.map((turn) => turn.text.trim())).toEqual(['one', 'two', 'three'])
  })

  it('keeps text between dashes exactly, also when it looks like a mark', () => {
    const text =
      'How to read this.\n\n---- system ----\nBe kind\n\n---- user ----\n--- user ---\n  a \n\n\n---- model ----\nb\n\n---- user ----\n c\n'
    expect(readFoldedTurns(text)).toEqual([
      { role: 'system', text: 'Be kind' },
      { role: 'user', text: '--- user ---\n  a \n' },
      { role: 'model', text: 'b' },
      { role: 'user', text: ' c\n' },
    ])
  })

  it.each(['What is a user?', 'Dear user:\nhello', 'note: model: x', 'Assistant: I said so'])(
    'leaves %j alone',
    (text) => {
      expect(readFoldedTurns(text)).toBeUndefined()
    },
  )
})

describe('readConversation', () => {
  const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', bytes: new Uint8Array(), text })

  it('puts together chat, attached history and prompt', () => {
    const document = file('notes.txt', 'Buy milk')
    const history = file('conversation.txt', '--- user ---\nearlier\n\n--- model ---\nyes')
    expect(
      readConversation({
        prompt: '--- system ---\nBe kind\n\n--- user ---\nbefore\n\n--- model ---\nok\n\n--- user ---\nnow',
        history: [{ prompt: 'in the chat', text: 'said' }],
        files: [history, document],
      }),
    ).toEqual({
      last: 'now',
      earlier: ['in the chat', 'earlier', 'before'],
      notes: ['Be kind'],
      answers: ['said', 'yes', 'ok'],
      documents: [document],
    })
  })

  it('does not take a mark that waits to be continued for speech', () => {
    expect(
      readConversation({ prompt: 'User: one\nAssistant: two\nUser: three\n\nAssistant:', history: [], files: [] }).last,
    ).toBe('three')
  })
})
