import { describe, expect, it } from 'vitest'
import { answerFrames, promptOf, scriptedApp } from '../test/scripted-app.ts'
import { createGeminiWebClient } from './client.ts'
import type { TurnEvent } from './turn.ts'

const COOKIES = '__Secure-1PSID=g.a000test; __Secure-1PSIDTS=sidts-first'

describe('createGeminiWebClient', () => {
  it('walks the whole line: cookies, page, status, one turn in deltas', async () => {
    const app = scriptedApp({
      generate: () => ({
        body: answerFrames('Water boils at 100 °C.', {
          snapshots: ['Water', 'Water boils'],
          title: 'Boiling',
          thoughts: 'Hm.',
        }),
      }),
    })
    const client = createGeminiWebClient({ cookies: COOKIES, transport: app.transport })
    const events: TurnEvent[] = []
    for await (const event of client.stream('When does water boil?', { model: 'fast' })) events.push(event)
    await client.close()
    expect(events.slice(0, -1)).toEqual([
      { type: 'thought-delta', text: 'Hm.' },
      { type: 'text-delta', text: 'Water' },
      { type: 'text-delta', text: ' boils' },
      { type: 'text-delta', text: ' at 100 °C.' },
    ])
    expect(events.at(-1)).toMatchObject({
      type: 'reply',
      reply: {
        text: 'Water boils at 100 °C.',
        thoughts: 'Hm.',
        title: 'Boiling',
        servedModelName: '3.8 Flash',
        substituted: false,
        chat: {
          chatId: 'c_1',
          responseId: 'r_1',
          candidateId: 'rc_1',
          contextToken: 'ctx',
          turns: 1,
          model: 'fast',
          temporary: false,
        },
      },
    })
    expect(app.requests.map(({ url }) => url.pathname.split('/').at(-1))).toEqual([
      'app',
      'batchexecute',
      'StreamGenerate',
    ])
    expect(app.requests[2]?.headers.cookie).toBe('__Secure-1PSID=g.a000test; __Secure-1PSIDTS=sidts-first')
    expect(app.open).toBe(0)
  })

  it('goes on in a chat with the ids of the last reply', async () => {
    const app = scriptedApp()
    const client = createGeminiWebClient({ cookies: COOKIES, transport: app.transport })
    const chat = client.chat()
    await chat.send('one')
    await chat.send('two')
    await client.close()
    const second = app.to('StreamGenerate')[1]
    expect(second && promptOf(second)).toMatchObject({
      prompt: 'two',
      turn: 1,
      continuation: { chatId: 'c_1', responseId: 'r_1', candidateId: 'rc_1', contextToken: 'ctx' },
    })
  })
})
