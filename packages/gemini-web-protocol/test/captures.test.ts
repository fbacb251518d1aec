import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  createByteFrameDecoder,
  createDeltaWriter,
  createReplyDecoder,
  decodeFrames,
  isAnswered,
  readBatchReply,
  readChatList,
  readReply,
  readXsrfToken,
} from '../src/index.ts'

function capture(name: string): Uint8Array {
  return readFileSync(join(import.meta.dirname, 'captures', `${name}.txt`))
}

/** What a client tells its caller, with the body cut into pieces of `size` bytes. */
function tell(bytes: Uint8Array, size: number) {
  const decoder = createReplyDecoder()
  const text = createDeltaWriter()
  const thoughts = createDeltaWriter({ clean: false })
  const deltas = { text: [] as string[], thoughts: [] as string[] }
  for (let from = 0; from < bytes.length; from += size) {
    for (const update of decoder.push(bytes.subarray(from, from + size))) {
      if (update.text !== undefined) deltas.text.push(text.apply(update.text))
      if (update.thoughts !== undefined) deltas.thoughts.push(thoughts.apply(update.thoughts))
    }
  }
  decoder.finish()
  deltas.text.push(text.finish())
  deltas.thoughts.push(thoughts.finish())
  return { deltas, reply: decoder.reply }
}

describe('captures', () => {
  it.each([1, 2, 7, 64, 100_000])('text-reply tells the same deltas cut every %i bytes', (size) => {
    const { deltas, reply } = tell(capture('text-reply'), size)
    expect(deltas).toEqual({
      text: ['Wasser siedet bei 100 °C 💧', ' auf Meereshöhe; "p = 1 atm" & h < 10 m.', ''],
      thoughts: ['**Einordnen**\n\nDie Frage zielt auf den Siedepunkt.', ''],
    })
    expect(reply).toMatchObject({
      chatId: 'c_00aa11bb22cc33dd',
      responseId: 'r_44ee55ff66aa77bb',
      candidateId: 'rc_88cc99dd00ee11ff',
      complete: true,
      final: true,
      ended: true,
      title: 'Siedepunkt 💧',
      contextToken: 'AwAAAcastor',
      servedModelId: 'fbb127bbb056c959',
      servedModelName: '3.6 Flash',
      language: 'de',
      country: 'ZZ',
      activity: { label: 'Nachdenken' },
      quotaNotice: { resetMs: 1_790_000_000_000, modelId: 'fbb127bbb056c959' },
      serverMs: 1_830,
    })
  })

  it.each([1, 3, 500])('image-reply-sparse has one picture and no placeholder, cut every %i bytes', (size) => {
    const { deltas, reply } = tell(capture('image-reply-sparse'), size)
    expect(deltas.text.join('')).toBe('Hier.\n')
    expect(reply.candidates[0]?.images).toEqual([
      {
        imageId: 'http://googleusercontent.com/image_generation_content/0',
        url: 'https://lh3.googleusercontent.com/gg-dl/CASTORpreview',
        fileName: 'lighthouse.png',
        token: '$Acastor',
        createdMs: 1_790_000_000_000,
        mimeType: 'image/png',
        width: 1024,
        height: 576,
        bytes: 1_000,
      },
    ])
    expect(reply.contextToken).toBe('AwAAAcastor')
  })

  it('error-after-answer is answered all the same', () => {
    const reply = readReply(capture('error-after-answer'))
    expect(reply.refusals).toEqual([{ status: 13, code: 1096 }])
    expect(isAnswered(reply)).toBe(true)
  })

  it('wrong-length loses nothing on either way', () => {
    const decoder = createByteFrameDecoder()
    const frames = [...decoder.push(capture('wrong-length')), ...decoder.finish()]
    expect(frames).toHaveLength(5)
    expect(decoder.problems).toEqual([{ kind: 'length', frame: 1 }])
    expect(tell(capture('wrong-length'), 9).deltas.text).toEqual(['Ein Satz.', ' Noch einer.', ''])
  })

  it('chat-list is one page', () => {
    expect(readChatList(readBatchReply(capture('chat-list')).results[0]?.payload)).toEqual({
      cursor: 'weiter==',
      chats: [
        { id: 'c_00aa11bb22cc33dd', title: 'Siedepunkt 💧', pinned: true, updatedMs: 1_790_000_000_120, kind: 1 },
      ],
    })
  })

  it('stale-token brings a fresh one', () => {
    expect(readXsrfToken(new TextDecoder().decode(capture('stale-token')))).toBe('ADcastorFresh:1790000000000')
    expect(decodeFrames(capture('stale-token'))).toHaveLength(2)
  })
})
