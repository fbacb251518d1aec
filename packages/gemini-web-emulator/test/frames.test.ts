import { readFileSync } from 'node:fs'
import { HOSTS, RPC } from '@castorjs/gemini-web-protocol'
import { describe, expect, it } from 'vitest'
import { loadChecker, messagesOf, MISSING_RECORDINGS, positionsOf, PROTOCOL_FOLDER } from './recorded.ts'
import { createVisitor, quietEmulator, signedIn, type Ask, type Visitor } from './visitor.ts'

if (MISSING_RECORDINGS !== undefined) console.log(`frames.test.ts leaves out its comparisons: ${MISSING_RECORDINGS}`)

const KINDS: Array<[name: string, prompt: string, ask: Ask]> = [
  ['text', 'How do tides work? 潮汐 🌊', {}],
  ['thoughts', 'Why is the sky blue?', { model: 'pro' }],
  ['code', 'Please run python to compute 2**10', {}],
  ['a long answer', 'Write 3000 words', {}],
  ['repeated emoji', `Repeat exactly: ${'👨‍👩‍👧 <a href="x"> & = '.repeat(40)}`, {}],
  ['a picture', 'Draw a lighthouse', {}],
  ['pictures of the web', 'Show me pictures of red pandas', {}],
  ['a video', 'a paper boat', { tool: 'video' }],
  ['music', 'quiet harbour', { tool: 'music' }],
  ['canvas', 'A countdown timer page', { tool: 'canvas' }],
  ['a plan', 'tidal power', { tool: 'research', model: 'pro' }],
  ['a refusal', 'x', { headers: { 'x-goog-ext-525001261-jspb': '[]' } }],
  ['no answer', 'x', { continuation: { chatId: 'c_1', responseId: 'r_1', candidateId: 'rc_1' } }],
]

describe.skipIf(MISSING_RECORDINGS !== undefined)('the independent checker', () => {
  describe.each(['sparse', 'dense'] as const)('accepts %s replies', (layout) => {
    it.each(KINDS)('with %s', async (_, prompt, ask) => {
      const check = await loadChecker()
      const ada = await signedIn(quietEmulator({ settings: { layout } }))
      expect(check(await (await ada.send(prompt, ask)).text())).toMatchObject({ problems: [], complete: true })
    })
  })

  it('accepts guests, unframed bodies, errors and research to the end', async () => {
    const check = await loadChecker()
    const emulator = quietEmulator()
    const [guest, ada] = [createVisitor(emulator), await signedIn(emulator)]
    const bodies = [
      await (await guest.send('hello')).text(),
      await (await ada.send('hello', { rt: false })).text(),
      await (await ada.request(`${HOSTS.app}/_/BardChatUi/data/batchexecute?rt=c`)).text(),
      await (await ada.send('hello', { rt: true, headers: { 'content-type': 'text/plain' } })).text(),
    ]
    ada.tokens.token = 'stale'
    bodies.push(await (await ada.send('hello')).text())
    for (const body of bodies) expect(check(body).problems).toEqual([])
  })

  it('accepts every RPC', async () => {
    const check = await loadChecker()
    const ada = await signedIn(quietEmulator())
    for (const id of Object.values(RPC)) {
      const response = await ada.request(`${HOSTS.app}/_/BardChatUi/data/batchexecute?rt=c`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'Test' },
        body: new URLSearchParams({
          'f.req': JSON.stringify([[[id, '[]', null, 'generic']]]),
          at: ada.tokens.token ?? '',
        }).toString(),
      })
      expect([id, check(await response.text())]).toMatchObject([id, { problems: [], complete: true }])
    }
  })
})

describe.skipIf(MISSING_RECORDINGS !== undefined)('positions', () => {
  const recorded = (path: string): string => {
    const text = readFileSync(`${PROTOCOL_FOLDER}/${path}`, 'utf8')
    const parsed: unknown = path.endsWith('.json') ? JSON.parse(text) : text
    return typeof parsed === 'string' ? parsed : text
  }
  async function sent(visitor: Visitor, prompt: string, ask: Ask): Promise<unknown[]> {
    return messagesOf(await (await visitor.send(prompt, ask)).text())
  }
  /** Positions of ours that the other does not have. */
  const extra = (ours: unknown, theirs: unknown): string[] => {
    const known = new Set(positionsOf(theirs))
    return positionsOf(ours).filter((position) => !known.has(position))
  }
  const missing = (ours: unknown, theirs: unknown): string[] => extra(theirs, ours)

  it('of an acknowledgement are the recorded ones', async () => {
    const [ack] = await sent(await signedIn(quietEmulator()), 'hello', {})
    const [theirs] = messagesOf(recorded('recorded/fragment-ack-frame.json'))
    expect(positionsOf(ack).toSorted()).toEqual(positionsOf(theirs).toSorted())
  })

  it('of a research plan are the recorded ones', async () => {
    const ours = await sent(await signedIn(quietEmulator()), 'RCU', { tool: 'research', model: 'pro' })
    const theirs = messagesOf(recorded('recorded/leechael/stream_research_step1_response.json'))
    const plan = (messages: unknown[]): unknown =>
      messages.find((message) => JSON.stringify(message).includes('"56"') && JSON.stringify(message).includes('[1],"'))
    expect(extra(ours[0], theirs[0])).toEqual([])
    expect(plan(theirs)).toBeDefined()
    // What the nodes of the text and the parsed thoughts hold follows from the text.
    expect(extra(plan(ours), plan(theirs)).filter((position) => !position.startsWith('26.'))).toEqual([])
    expect(missing(plan(ours), plan(theirs)).filter((position) => !/^26\.|^4\.0\.37\./.test(position))).toEqual([])
  })

  it.each([
    ['text', 'stream-01-text.txt', 'How do tides work?', {}],
    ['thoughts', 'stream-02-thinking.txt', 'Why is the sky blue?', { model: 'pro' }],
    ['a picture', 'stream-08-image-generate.txt', 'Draw a lighthouse', {}],
    ['a video', 'stream-11-video-pending.txt', 'a paper boat', { tool: 'video' }],
    ['music', 'stream-15-music-done.txt', 'quiet harbour', { tool: 'music' }],
    ['canvas', 'stream-16-canvas.txt', 'A countdown timer page', { tool: 'canvas' }],
    ['a plan', 'stream-17-research-plan.txt', 'tidal power', { tool: 'research', model: 'pro' }],
  ] satisfies Array<[string, string, string, Ask]>)('of %s are those of the example', async (_, file, prompt, ask) => {
    const ours = await sent(await signedIn(quietEmulator()), prompt, ask)
    const theirs = messagesOf(recorded(`examples/gemini-web/${file}`))
    const all = (messages: unknown[]): Set<string> => new Set(messages.flatMap((message) => positionsOf(message)))
    const [own, known] = [all(ours), all(theirs)]
    // The quota notice and the label of a tool at work are not in every example.
    const other = (position: string): boolean => !/^(?:26|27|6)\b/.test(position)
    expect([...own].filter((position) => !known.has(position) && other(position))).toEqual([])
    expect([...known].filter((position) => !own.has(position) && other(position))).toEqual([])
  })
})
