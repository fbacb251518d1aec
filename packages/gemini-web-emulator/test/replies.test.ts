import {
  findResult,
  readChatList,
  readChatTurns,
  readGems,
  readJob,
  readOriginalImageUrl,
  RPC,
  type BatchReply,
} from '@castorjs/gemini-web-protocol'
import { describe, expect, it } from 'vitest'
import { createVisitor, quietEmulator, signedIn } from './visitor.ts'

const payloadOf = (reply: BatchReply, id: string): unknown => findResult(reply, id)?.payload

describe('words', () => {
  it('remembers what was said in the chat, and only there', async () => {
    const ada = await signedIn(quietEmulator())
    const first = await ada.ask('Hello! My name is Ada, and my favourite colour is teal.')
    const second = await ada.ask('What is my name?', { after: first })
    expect(second.text).toBe('Your name is Ada.')
    expect((await ada.ask('And what is my favourite colour?', { after: second })).text).toBe(
      'Your favourite colour is teal.',
    )
    expect((await ada.ask('What did I say first?', { after: second })).text).toBe(
      'First you said: “Hello! My name is Ada, and my favourite colour is teal.”',
    )
    expect((await ada.ask('What is my name?')).text).toBe('You have not told me your name yet.')
  })

  it('continues from an earlier reply without the later ones', async () => {
    const ada = await signedIn(quietEmulator())
    const first = await ada.ask('My name is Ada')
    const second = await ada.ask('My name is Bea', { after: first })
    expect((await ada.ask('What is my name?', { after: second })).text).toBe('Your name is Bea.')
    expect((await ada.ask('What is my name?', { after: first })).text).toBe('Your name is Ada.')
  })

  it('reads a folded history, in the prompt and in an attached file', async () => {
    const ada = await signedIn(quietEmulator())
    const folded =
      'Lines between dashes tell who speaks.\n\n--- user ---\nMy name is Ada\n\n--- model ---\nHello\n\n--- user ---\n'
    expect((await ada.ask(`${folded}What is my name?`)).text).toBe('Your name is Ada.')
    expect((await ada.ask(`${folded}Repeat exactly:  a\n\n--- b ---\n`)).text).toBe(' a\n\n--- b ---\n')
    const reference = await ada.upload(
      'conversation.txt',
      'text/plain',
      '--- user ---\nMy dog is called Rex\n\n--- model ---\nNice',
    )
    const prompt = 'The attached file holds the conversation so far.\n\n--- user ---\nWhat is my dog?'
    expect((await ada.ask(prompt, { files: [{ reference, name: 'conversation.txt' }] })).text).toBe('Your dog is Rex.')
  })

  it.each([
    ['a word', 'plain'],
    ['outer spaces', ' \t two spaces and a tab\t '],
    ['lines', 'lines\n\n\nand  more\n'],
    ['what looks like turns', 'User: hi\nAssistant: no\nUser: yes'],
    ['signs', '😀🏳️‍🌈👨‍👩‍👧 é ü 漢字 \u2028 "quotes" \\ <b> & = \''],
    ['a long text', 'long 文 '.repeat(3_000)],
  ])('repeats %s byte for byte', async (_, text) => {
    const ada = await signedIn(quietEmulator())
    expect((await ada.ask(`Repeat exactly: ${text}`)).text).toBe(text)
  })

  it.each([
    ['What model are you?', 'I am Gemini 3.6 Flash.'],
    ['你是什么模型？', '我是 Gemini 3.6 Flash。'],
    ['我叫小明。我的名字是什么？', '你的名字是小明。'],
    ['Count to 5', '1, 2, 3, 4, 5'],
    ['What is 17 * 23?', '17 * 23 = 391'],
    ['Reply with only the word pong', 'pong'],
    [
      'Please run python to compute 2**10',
      '```python?code_reference&code_event_index=2\nprint(2**10)\n```\n```text?code_stdout&code_event_index=2\n1024\n\n```\n2 to the power of 10 is 1024.',
    ],
  ])('answers %j', async (prompt, text) => {
    expect((await (await signedIn(quietEmulator())).ask(prompt)).text).toBe(text)
  })

  it('says which question it answers, and the same each time', async () => {
    const emulator = quietEmulator()
    const [one, two] = [await signedIn(emulator), await signedIn(quietEmulator({ seed: 7 }))]
    const text = (await one.ask('How do tides work?')).text
    expect(text).toContain('How do tides work?')
    expect((await two.ask('How do tides work?')).text).toBe(text)
  })

  it('writes as many words as asked for, in many growing snapshots', async () => {
    const ada = await signedIn(quietEmulator())
    const reply = await ada.ask('Write 2000 words about rivers')
    expect(reply.text.split(/\s+/)).toHaveLength(2000)
    expect(reply.messages).toBeGreaterThan(250)
    expect(reply.messages).toBeLessThan(420)
  })

  it('sends thoughts of thinking models before the text', async () => {
    const ada = await signedIn(quietEmulator())
    for (const model of ['pro', 'thinking'] as const) {
      const reply = await ada.ask('Why is the sky blue?', { model })
      expect(reply.thoughts).toContain('Why is the sky blue?')
      expect(reply.activity?.label).toBe('Reading the question')
    }
    expect((await ada.ask('Why is the sky blue?', { model: 'flash' })).thoughts).toBe('')
  })

  it('quotes attached text and describes other files', async () => {
    const ada = await signedIn(quietEmulator())
    const text = { reference: await ada.upload('notes.md', 'text/markdown', '# Plan\nBuy milk'), name: 'notes.md' }
    expect((await ada.ask('Summarise this', { files: [text] })).text).toContain(
      'notes.md says:\n\n> # Plan\n> Buy milk',
    )
    const png = Uint8Array.from(atob('iVBORw0KGgoAAAANSUhEUgAAAAoAAAAUCAYAAACXtf2DAAAAAElFTkSuQmCC'), (character) =>
      character.charCodeAt(0),
    )
    const image = { reference: await ada.upload('dot.png', 'image/png', png), name: 'dot.png' }
    expect((await ada.ask('What is in this picture?', { files: [image] })).text).toContain(
      `I see the image dot.png (image/png, ${png.length} bytes, 10×20 pixels).`,
    )
  })

  it('takes resumable uploads in pieces', async () => {
    const ada = await signedIn(quietEmulator())
    const headers = { 'push-id': ada.tokens.pushId ?? '', 'x-tenant-id': 'bard-storage' }
    const start = await ada.request('https://push.clients6.google.com/upload/', {
      method: 'POST',
      headers: {
        ...headers,
        'x-goog-upload-command': 'start',
        'x-goog-upload-protocol': 'resumable',
        'x-goog-upload-header-content-length': '11',
      },
      body: 'File name: hello.txt',
    })
    expect(start.headers.get('x-goog-upload-chunk-granularity')).toBe('262144')
    const url = start.headers.get('x-goog-upload-url') ?? ''
    const send = (command: string, offset: number, body: string): Promise<Response> =>
      ada.request(url, {
        method: 'POST',
        headers: { ...headers, 'x-goog-upload-command': command, 'x-goog-upload-offset': String(offset) },
        body,
      })
    expect((await send('upload', 0, 'hello ')).headers.get('x-goog-upload-status')).toBe('active')
    const end = await send('upload, finalize', 6, 'world')
    const reference = await end.text()
    expect(reference).toMatch(/^\/contrib_service\/ttl_1d\/\w{32}_Ad/)
    expect((await ada.ask('Read it', { files: [{ reference }] })).text).toContain('> hello world')
    expect((await send('upload, finalize', 0, 'again')).status).toBe(400)
  })

  it('sees neither the tail of a huge prompt nor too much attached text', async () => {
    const ada = await signedIn(quietEmulator())
    const text = (await ada.ask(`Repeat exactly: ${'x'.repeat(140_000)}`)).text
    expect(text).toBe('x'.repeat(130_000 - 'Repeat exactly: '.length))
    const halves = await Promise.all(
      ['a', 'b'].map(async (name) => ({
        reference: await ada.upload(`${name}.txt`, 'text/plain', name.repeat(81_000)),
        name: `${name}.txt`,
      })),
    )
    expect((await ada.ask('Read', { files: halves })).text).toContain(
      'a.txt says:\n\n> (This file is too long to be read.)',
    )
  })
})

describe('guests', () => {
  it('get the small model, no title, no context and no tools', async () => {
    const guest = createVisitor(quietEmulator())
    await guest.page()
    expect(guest.tokens.token).toBeUndefined()
    const reply = await guest.ask('hello', { model: 'pro' })
    expect(reply).toMatchObject({
      servedModelId: 'cf41b0e0dd7d53e5',
      servedModelName: '3.5 Flash-Lite',
      complete: true,
      progress: 0,
      ended: true,
    })
    expect([reply.contextToken, reply.title, reply.thoughts]).toEqual([undefined, undefined, ''])
    const refused = await guest.ask('Draw a boat')
    expect([refused.text.includes('sign in'), refused.candidates[0]?.images]).toEqual([true, []])
  })

  it('get their cookies from the start call', async () => {
    const guest = createVisitor(quietEmulator())
    await guest.call(RPC.guestStart, [0])
    expect([...guest.cookies.keys()]).toEqual(['NID', 'COMPASS'])
  })
})

describe('chats and gems', () => {
  it('lists, reads and deletes chats, and leaves temporary ones out', async () => {
    const ada = await signedIn(quietEmulator())
    const first = await ada.ask('My name is Ada')
    const second = await ada.ask('What is my name?', { after: first })
    const hidden = await ada.ask('secret', { temporary: true })
    expect(hidden.title).toBeUndefined()
    const list = readChatList(payloadOf(await ada.call(RPC.listChats, [13, null, [0, null, 1]]), RPC.listChats))
    expect(list.chats.map(({ id, title }) => [id, title])).toEqual([[first.chatId, 'My name is Ada']])
    const turns = readChatTurns(
      payloadOf(await ada.call(RPC.readChat, [first.chatId, 10, null, 1, [1], [4], null, 1]), RPC.readChat),
    )
    expect(turns.map((turn) => [turn.responseId, turn.prompt, turn.candidates[0]?.text])).toEqual([
      [second.responseId, 'What is my name?', 'Your name is Ada.'],
      [first.responseId, 'My name is Ada', first.text],
    ])
    expect(turns[0]?.previous).toEqual({
      chatId: first.chatId,
      responseId: first.responseId,
      candidateId: first.candidateId,
    })
    await ada.call(RPC.deleteChat, [first.chatId])
    await ada.call(RPC.deleteChatFollowUp, [first.chatId, [1, null, 0, 1]])
    expect(
      readChatList(payloadOf(await ada.call(RPC.listChats, [13, null, [0, null, 1]]), RPC.listChats)).chats,
    ).toEqual([])
    expect((await ada.ask('still there?', { after: hidden })).complete).toBe(true)
  })

  it('pages through many chats', async () => {
    const ada = await signedIn(quietEmulator())
    for (let index = 0; index < 5; index++) await ada.ask(`chat ${index}`)
    const first = readChatList(payloadOf(await ada.call(RPC.listChats, [3, null, [0, null, 1]]), RPC.listChats))
    const rest = readChatList(payloadOf(await ada.call(RPC.listChats, [3, first.cursor, [0, null, 1]]), RPC.listChats))
    expect([first.chats.length, rest.chats.length, rest.cursor]).toEqual([3, 2, undefined])
    expect(new Set([...first.chats, ...rest.chats].map((chat) => chat.id)).size).toBe(5)
    expect(findResult(await ada.call(RPC.listChats, [3, 'bad cursor', [0, null, 1]]), RPC.listChats)?.refusal).toEqual({
      status: 3,
    })
  })

  it('keeps gems and follows them', async () => {
    const ada = await signedIn(quietEmulator())
    const fields = (prompt: string): unknown[] => [
      'Haiku helper',
      'Writes haiku',
      prompt,
      null,
      null,
      null,
      null,
      null,
      0,
      null,
      1,
      null,
      null,
      null,
      [],
    ]
    const id = (
      payloadOf(await ada.call(RPC.createGem, [fields('Answer with one haiku.')]), RPC.createGem) as [string]
    )[0]
    expect((await ada.ask('Rivers?', { gemId: id })).text).toContain(
      'As Haiku helper I follow my instruction: Answer with one haiku.',
    )
    await ada.call(RPC.updateGem, [id, [...fields('Answer with two.'), 0]])
    expect(readGems(payloadOf(await ada.call(RPC.listGems, [2, ['en'], 0]), RPC.listGems))).toEqual([
      { id, name: 'Haiku helper', description: 'Writes haiku', prompt: 'Answer with two.' },
    ])
    await ada.call(RPC.deleteGem, [id])
    expect(payloadOf(await ada.call(RPC.listGems, [2, ["'en'"], 0]), RPC.listGems)).toEqual([])
    expect(findResult(await ada.call(RPC.deleteGem, [id]), RPC.deleteGem)?.refusal).toEqual({ status: 5 })
    const hidden = readGems(payloadOf(await ada.call(RPC.listGems, [4, ['en'], 0]), RPC.listGems)).map((gem) => gem.id)
    expect(hidden).toContain('storybook')
  })
})

describe('tools', () => {
  it('makes pictures by tool and by wording, with the size and number asked for', async () => {
    const ada = await signedIn(quietEmulator())
    const byTool = await ada.ask('a lighthouse', { tool: 'image' })
    expect(byTool.candidates[0]?.images).toMatchObject([
      {
        imageId: 'http://googleusercontent.com/image_generation_content/0',
        fileName: 'a_lighthouse.png',
        mimeType: 'image/png',
        width: 1024,
        height: 1024,
      },
    ])
    const wide = await ada.ask('Please generate two images of a boat, 16:9 in 2K')
    expect(wide.candidates[0]?.images.map(({ width, height }) => [width, height])).toEqual([
      [1024, 559],
      [1024, 559],
    ])
    expect((await ada.ask('How are images made?')).candidates[0]?.images).toEqual([])
  })

  it('shows pictures of the web on a card', async () => {
    const reply = await (await signedIn(quietEmulator())).ask('Show me pictures of red pandas')
    expect(reply.text).toBe('Here is what I found for red pandas.')
    expect(reply.candidates[0]?.webImages).toHaveLength(2)
  })

  it('makes a video as a job that history shows when it is done', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const reply = await ada.ask('a paper boat', { tool: 'video', media: { orientation: 'portrait' } })
    const job = reply.candidates[0]?.videoJob ?? ''
    const status = async () => readJob(payloadOf(await ada.call(RPC.job, [job]), RPC.job))
    const history = async () =>
      readChatTurns(
        payloadOf(await ada.call(RPC.readChat, [reply.chatId, 1, null, 1, [1], [4], null, 1]), RPC.readChat),
      )[0]?.candidates[0]
    expect(await status()).toMatchObject({
      id: job,
      done: false,
      chatId: reply.chatId,
      responseId: reply.responseId,
      candidateId: reply.candidateId,
      prompt: 'a paper boat',
    })
    expect(await history()).toMatchObject({ videoJob: job, videos: [] })
    emulator.controls.advance(200)
    expect(await status()).toMatchObject({ done: true })
    expect((await history())?.videos).toMatchObject([
      { kind: 2, mimeType: 'video/mp4', durationMs: 8_000, width: 720, height: 1280 },
    ])
  })

  it('makes music with track, clip, captions and cover', async () => {
    const reply = await (
      await signedIn(quietEmulator())
    ).ask('quiet harbour', { tool: 'music', media: { genres: ['jazz'], length: 'short', vocals: 'instrumental' } })
    expect(reply.candidates[0]?.music).toMatchObject({
      title: 'quiet harbour',
      genre: 'Jazz',
      moods: ['calm', 'spacious'],
      audio: { kind: 4, mimeType: 'audio/mpeg' },
      clip: { kind: 2, mimeType: 'video/mp4' },
      captionsUrl: expect.stringContaining('quiet_harbour.vtt'),
    })
  })

  it('writes canvas documents and gives them again as a whole', async () => {
    const ada = await signedIn(quietEmulator())
    const page = await ada.ask('A countdown timer page', { tool: 'canvas' })
    expect(page.candidates[0]?.documents).toMatchObject([
      { id: `${page.chatId}_index.html`, kind: 2, language: 'html', final: true, fileName: 'index.html' },
    ])
    const next = await ada.ask('Add a red button', { tool: 'canvas', after: page })
    expect(next.candidates[0]?.documents[0]?.content).toMatch(/countdown timer page[\s\S]*Add a red button/)
    expect((await ada.ask('An essay about tides', { tool: 'canvas' })).candidates[0]?.documents).toMatchObject([
      { kind: 1, fileName: 'document.md' },
    ])
  })

  it('plans, changes the plan, runs and reports a research', async () => {
    const emulator = quietEmulator()
    const ada = await signedIn(emulator)
    const plan = await ada.ask('state of tidal power', { tool: 'research', model: 'pro' })
    expect(plan.candidates[0]).toMatchObject({
      researchState: 2,
      plan: {
        title: 'state of tidal power',
        confirmPrompt: 'Start research',
        steps: [{ number: 1, label: 'Research websites' }, { number: 2 }, { number: 3 }],
      },
    })
    const changed = await ada.ask('only Europe', { tool: 'research', model: 'pro', after: plan, turn: 1 })
    expect(changed.candidates[0]?.plan?.title).toBe('state of tidal power (only Europe)')
    const started = await ada.ask('Start research', { tool: 'research', model: 'pro', after: changed, turn: 2 })
    const job = started.candidates[0]?.researchJob ?? ''
    expect(started.candidates[0]).toMatchObject({ researchState: 3, documents: [{ jobId: job, kind: 3, content: '' }] })
    expect(readJob(payloadOf(await ada.call(RPC.job, [job]), RPC.job))).toMatchObject({ done: false, state: 3 })
    emulator.controls.advance(400)
    const turns = readChatTurns(
      payloadOf(await ada.call(RPC.readChat, [plan.chatId, 1, null, 1, [1], [4], null, 1]), RPC.readChat),
    )
    expect(turns[0]?.candidates[0]?.report).toMatchObject({
      title: 'state of tidal power (only Europe)',
      jobId: job,
      citations: [{ number: 1, url: 'https://research.example.org/overview' }, { number: 2 }],
    })
    expect(turns[0]?.candidates[0]?.report?.text.length).toBeGreaterThan(200)
  })

  it('gives out originals of stored chats only', async () => {
    const ada = await signedIn(quietEmulator())
    const payload = (chat: Awaited<ReturnType<typeof ada.ask>>): unknown[] => [
      [
        [null, null, null, [null, null, null, null, null, '']],
        ['http://googleusercontent.com/image_generation_content/0', 0],
        null,
        [19, ''],
        null,
        null,
        null,
        null,
        null,
        '',
      ],
      [chat.responseId, chat.candidateId, chat.chatId, null, ''],
      1,
      0,
      1,
    ]
    const stored = await ada.ask('Draw a boat')
    expect(
      readOriginalImageUrl(payloadOf(await ada.call(RPC.originalImage, payload(stored)), RPC.originalImage)),
    ).toMatch(/^https:\/\/lh3\.googleusercontent\.com\/gg\/AB/)
    const temporary = await ada.ask('Draw a boat', { temporary: true })
    expect(findResult(await ada.call(RPC.originalImage, payload(temporary)), RPC.originalImage)?.refusal).toEqual({
      status: 7,
    })
  })
})
