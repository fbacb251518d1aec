/**
 * The fact sheet's example bodies and the recorded replies, read from beside the repository. They
 * are not part of it: without them these tests say so and stop.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  ackMessage,
  activityMessage,
  type BatchReply,
  buildAccountStatus,
  buildChatList,
  buildChatTurns,
  buildPrompt,
  contextMessage,
  createByteFrameDecoder,
  createFrameEncoder,
  createReplyDecoder,
  decodeFrames,
  encodeBatchReply,
  encodeErrorReply,
  encodeUnframed,
  type Frame,
  messageEntry,
  progressMessage,
  quotaMessage,
  readAccountStatus,
  readBatchReply,
  readChatList,
  readChatTurns,
  readEntry,
  readExtensions,
  readFeatureQuota,
  readFeatureSwitches,
  readGems,
  readJob,
  readModelHeader,
  readOriginalImageUrl,
  readPageState,
  readPageTokens,
  readPrompt,
  readReply,
  readRotatePage,
  readRotateReply,
  readTools,
  readUsage,
  readXsrfToken,
  refusalEntry,
  RPC,
  snapshotMessage,
  titleMessage,
  trailerEntries,
} from '../src/index.ts'

const shared = join(import.meta.dirname, '../../../../shared/protocol')
const examples = join(shared, 'examples/gemini-web')
const recorded = join(shared, 'recorded')
const checker = join(shared, 'check-frames.mjs')
const present = existsSync(examples) && existsSync(recorded)
if (!present) console.log('skipped: ../shared/protocol is not here, so its example bodies cannot be read')

/** Every size up to 64, then ever larger ones up to the whole body. */
function cutSizes(length: number): number[] {
  const sizes: number[] = []
  for (let size = 1; size < length; size = size < 64 ? size + 1 : Math.ceil(size * 1.5)) sizes.push(size)
  return [...sizes, length]
}

function* pieces(body: Uint8Array, size: number): Generator<Uint8Array> {
  for (let from = 0; from < body.length; from += size) yield body.subarray(from, from + size)
}

function framesInPieces(body: Uint8Array, size: number): Frame[] {
  const decoder = createByteFrameDecoder()
  const frames: Frame[] = []
  for (const piece of pieces(body, size)) frames.push(...decoder.push(piece))
  return [...frames, ...decoder.finish()]
}

function replyInPieces(body: Uint8Array, size: number) {
  const decoder = createReplyDecoder()
  let text = ''
  let thoughts = ''
  for (const piece of [...pieces(body, size), undefined]) {
    for (const update of piece === undefined ? decoder.finish() : decoder.push(piece)) {
      if (update.text !== undefined) text = text.slice(0, update.text.kept) + update.text.added
      if (update.thoughts !== undefined) thoughts = thoughts.slice(0, update.thoughts.kept) + update.thoughts.added
    }
  }
  expect(text).toBe(decoder.reply.text)
  expect(thoughts).toBe(decoder.reply.thoughts)
  return decoder.reply
}

/** The same summary as the checker's, made with our readers. */
function summarise(body: Uint8Array) {
  const entries = decodeFrames(body).flat().map(readEntry)
  const out: Record<string, unknown> = { entries: entries.length, rpcs: [], errors: [], transportErrors: [] }
  for (const entry of entries) {
    if (entry.type === 'rpc' || (entry.type === 'refusal' && entry.id !== null)) {
      ;(out['rpcs'] as string[]).push(
        entry.slot === undefined || entry.slot === 'generic' ? (entry.id as string) : `${entry.id}#${entry.slot}`,
      )
    }
    if (entry.type === 'refusal')
      (out['errors'] as unknown[]).push({
        status: entry.status,
        ...(entry.code === undefined ? {} : { bard: entry.code }),
      })
    if (entry.type === 'error') {
      ;(out['transportErrors'] as unknown[]).push(entry.status)
      if (entry.xsrfToken !== undefined) out['xsrf'] = entry.xsrfToken
    }
  }
  return out
}

function batch(folder: string, name: string): BatchReply {
  return readBatchReply(readFileSync(join(folder, name)))
}

/** Some recordings were stored as a JSON string that holds the body. */
function recordedBody(name: string): Uint8Array {
  const raw = readFileSync(join(recorded, name))
  return raw[0] === 0x22 ? new TextEncoder().encode(JSON.parse(raw.toString('utf8')) as string) : raw
}

describe.skipIf(!present)('example bodies', () => {
  const expected = (present ? JSON.parse(readFileSync(join(examples, 'expected.json'), 'utf8')) : {}) as Record<
    string,
    Record<string, unknown>
  >
  const names = Object.keys(expected)

  it('are all there', () => {
    expect(names).toHaveLength(46)
  })

  it.each(names)('%s reads as its expectation says, whole and cut', (name) => {
    const body = readFileSync(join(examples, name))
    const { stream, ...rest } = expected[name] as { stream?: Record<string, unknown> }
    expect(summarise(body)).toEqual(rest)
    const whole = decodeFrames(body)
    for (const size of cutSizes(body.length)) expect(framesInPieces(body, size)).toEqual(whole)
    if (stream === undefined) return
    const reply = readReply(body)
    const { frames, rid, cid, rcid, text, thoughts, done, model, title, context } = stream as Record<string, never>
    expect(reply).toMatchObject({ messages: frames, thoughts: thoughts ?? '', complete: done ?? false, problems: [] })
    expect([reply.responseId, reply.chatId, reply.candidateId]).toEqual([rid, cid, rcid])
    expect([reply.servedModelName, reply.title, reply.contextToken]).toEqual([model, title, context])
    expect(reply.text).toBe(name.startsWith('stream-10') ? 'A red panda resting on a branch.' : (text ?? ''))
    for (const size of cutSizes(body.length)) expect(replyInPieces(body, size)).toEqual(reply)
  })

  it('hold the media they show', () => {
    const media = (name: string) => readReply(readFileSync(join(examples, name))).candidates[0]
    expect(media('stream-08-image-generate.txt')?.images).toEqual([
      {
        imageId: 'http://googleusercontent.com/image_generation_content/0',
        url: 'https://lh3.googleusercontent.com/gg-dl/EXAMPLEpreviewToken0',
        fileName: 'lighthouse.png',
        token: '$AexampleImageToken0',
        createdMs: 1_790_000_001_500,
        mimeType: 'image/png',
        width: 1024,
        height: 559,
        bytes: 812_345,
      },
    ])
    expect(media('stream-09-image-edit-sparse.txt')?.images[0]).toMatchObject({ fileName: 'edited.png', width: 1024 })
    expect(media('stream-10-web-images.txt')?.webImages).toEqual([
      {
        url: 'https://images.example.org/red-panda.jpg',
        alt: 'Red panda on a branch',
        title: 'Red panda - Example Zoo',
      },
    ])
    expect(media('stream-11-video-pending.txt')?.videoJob).toBe('3f0a7b52-6c1d-4e8f-9a0b-1c2d3e4f5061')
    for (const name of ['stream-15-music-done.txt', 'stream-46-music-done-dense.txt']) {
      expect(media(name)?.music).toMatchObject({
        title: 'Quiet Harbour',
        artist: 'Gemini',
        genre: 'Ambient',
        moods: ['calm', 'spacious'],
        audio: { kind: 4, fileName: 'quiet_harbour.mp3', mimeType: 'audio/mpeg' },
        clip: { kind: 2, fileName: 'quiet_harbour.mp4' },
      })
    }
    expect(media('stream-15-music-done.txt')).toMatchObject({
      musicProgress: 'Generating your music...',
      music: { captionsUrl: expect.stringContaining('quiet_harbour.vtt') },
    })
    expect(media('stream-16-canvas.txt')?.documents).toEqual([
      {
        id: 'c_1a2b3c4d5e6f7081_index.html',
        title: 'Countdown timer',
        content: '```html\n<!DOCTYPE html>\n<html><body><h1>Timer</h1></body></html>\n```',
        fileName: 'index.html',
        kind: 2,
        language: 'html',
        final: true,
      },
    ])
    expect(media('stream-17-research-plan.txt')).toMatchObject({
      researchState: 2,
      plan: {
        title: 'Tidal power today',
        confirmPrompt: 'Start research',
        duration: 'Ready in a few minutes',
        editLabel: 'Edit plan',
        editPrompt: 'Update the research plan',
      },
    })
    expect(media('stream-17-research-plan.txt')?.plan?.steps).toHaveLength(3)
    expect(media('stream-18-research-start.txt')).toMatchObject({
      researchState: 3,
      researchJob: '9b1c2d3e-4f50-4617-8283-94a5b6c7d8e9',
    })
  })

  it('hold the calls they show', () => {
    const payload = (name: string, slot?: string) =>
      batch(examples, name).results.find((result) => slot === undefined || result.slot === slot)?.payload
    expect(readJob(payload('rpc-12-kwDCne-video-pending.txt'))).toMatchObject({
      done: false,
      title: 'Paper boat',
      chatId: 'c_1a2b3c4d5e6f7081',
    })
    expect(readJob(payload('rpc-13-kwDCne-video-done.txt'))).toMatchObject({
      done: true,
      finishedMs: 1_790_000_088_250,
    })
    expect(readJob(payload('rpc-19-kwDCne-research-running.txt'))).toMatchObject({ done: false, state: 3 })
    for (const name of ['rpc-14-hNvQHb-video-done.txt', 'rpc-45-hNvQHb-video-done-dense.txt']) {
      const [turn] = readChatTurns(payload(name))
      expect(turn).toMatchObject({ prompt: 'a paper boat on a pond', createdMs: 1_790_000_000_000 })
      expect(turn?.candidates[0]?.videos).toMatchObject([
        { kind: 2, fileName: 'video.mp4', durationMs: 8_000, width: 1280, height: 720 },
      ])
    }
    expect(readChatTurns(payload('rpc-20-hNvQHb-research-running.txt'))[0]?.candidates[0]?.report).toBeUndefined()
    expect(readChatTurns(payload('rpc-21-hNvQHb-research-result.txt'))[0]?.candidates[0]?.report).toMatchObject({
      title: 'Tidal power today',
      jobId: '9b1c2d3e-4f50-4617-8283-94a5b6c7d8e9',
      text: expect.stringMatching(/^# Tidal power today/),
      citations: [
        { number: 1, url: 'https://tides.example.org/plants', title: 'Plants in operation' },
        { number: 2, url: 'https://costs.example.net/tidal', title: 'Cost review' },
      ],
    })
    expect(readAccountStatus(payload('rpc-33-otAQ7b-account-ok.txt'))).toMatchObject({
      code: 1000,
      blocked: false,
      guest: false,
      capacity: 1,
      capacityIndex: 11,
      models: [
        { id: 'cf41b0e0dd7d53e5', label: 'Fast', mode: 6, name: '3.5 Flash-Lite' },
        { id: 'fbb127bbb056c959', label: 'Flash', mode: 1, name: '3.6 Flash' },
        { id: '9d8ca3786ebdfbea', label: 'Pro', mode: 3, name: '3.1 Pro' },
      ],
    })
    expect(readAccountStatus(payload('rpc-34-otAQ7b-unauthenticated.txt'))).toMatchObject({
      code: 1016,
      guest: true,
      blocked: false,
    })
    expect(readChatList(payload('rpc-35-MaZiqc-list-chats.txt'))).toEqual({
      cursor: 'exampleCursor==',
      chats: [
        {
          id: 'c_1111111111111111',
          title: 'Pinned chat',
          pinned: true,
          updatedMs: 1_790_000_300_120,
          responseId: 'r_2222222222222222',
          kind: 1,
        },
        {
          id: 'c_3333333333333333',
          title: 'Ohm’s law & friends',
          pinned: false,
          updatedMs: 1_790_000_200_000,
          kind: 2,
        },
      ],
    })
    expect(
      readChatTurns(payload('rpc-36-hNvQHb-read-chat.txt')).map((turn) => [turn.prompt, turn.candidates[0]?.text]),
    ).toEqual([
      ['and in Fahrenheit?', '212 °F.'],
      ['when does water boil?', 'At 100 °C at sea level.'],
    ])
    expect(readGems(payload('rpc-37-CNgdBe-list-gems.txt', 'custom')).map((gem) => gem.name)).toEqual(['Haiku helper'])
    expect(readGems(payload('rpc-37-CNgdBe-list-gems.txt', 'system')).map((gem) => gem.id)).toEqual([
      'coding-partner',
      'writing-editor',
    ])
    expect(readOriginalImageUrl(payload('rpc-39-c8o8Fe-full-size.txt'))).toBe(
      'https://lh3.googleusercontent.com/gg/EXAMPLEfullSizeToken',
    )
    expect(batch(examples, 'rpc-41-reject-7.txt').results).toEqual([
      { id: RPC.originalImage, slot: 'generic', payload: undefined, refusal: { status: 7 } },
    ])
    expect(readFeatureQuota(payload('rpc-42-qpEbW-quota.txt'))[0]).toEqual({
      type: 1,
      action: 11,
      usedPercent: 40,
      resetMs: 1_790_010_000_000,
      total: 100,
      remaining: 60,
    })
  })

  it('hold the pages and headers of the transcripts', () => {
    const transcript = (name: string) => readFileSync(join(examples, name), 'utf8')
    const signedIn = transcript('http-01-app-page-signed-in.txt')
    expect(readPageTokens(signedIn)).toEqual({
      token: 'ADexampleXsrfToken_0123456789:1790000000000',
      buildLabel: 'boq_assistant-bard-web-server_20260919.05_p2',
      sessionId: '-1234567890123456789',
      language: 'en',
      pushId: 'feeds/exampleupload01',
      pctx: 'CgcSBWjK7pYx',
      secondToken: 'exampleSecondToken',
      accountNumber: '100000000000000000001',
      email: 'someone@example.com',
    })
    expect(readPageState({ status: 200, body: signedIn })).toBe('signed-in')
    expect(readPageState({ status: 200, body: transcript('http-02-app-page-anonymous.txt') })).toBe('guest')
    const locations = [...transcript('http-03-redirects-that-are-not-json.txt').matchAll(/Location: (\S+)/g)].map(
      (match) => match[1] as string,
    )
    expect(locations.map((location) => readPageState({ status: 302, location }))).toEqual([
      'sign-in',
      'consent',
      'sorry',
    ])
    const rotation = transcript('http-04-rotate-cookies.txt')
    expect(readRotatePage(rotation)).toEqual({ session: '4000000000000000001', intervalSeconds: 600 })
    expect(readRotateReply(")]}'\n\n" + (/^\[\["identity.*$/m.exec(rotation)?.[0] ?? ''))).toEqual({
      nextSeconds: 600,
      ms: 21,
    })
    const header = /x-goog-ext-525001261-jspb: (\S+)/.exec(transcript('http-08-generate-request.txt'))?.[1] ?? ''
    expect(readModelHeader(header)).toMatchObject({
      era: 'current',
      modelId: 'fbb127bbb056c959',
      capacity: 1,
      mode: 1,
      features: [4, 5, 6, 8],
    })
  })
})

describe.skipIf(!present)('recorded replies', () => {
  const bodies = [
    'stream-error-1003.txt',
    'stream-error-1096-rejected.txt',
    'stream-status-7.txt',
    'stream-status-8.txt',
    'stream-status-9.txt',
    'stream-status-13.txt',
    'unframed-status-2.txt',
    'unframed-status-4.txt',
  ]

  it.each(bodies)('%s is the refusal of its name, whole and cut', (name) => {
    const body = recordedBody(name)
    const code = Number(/\d+/.exec(name)?.[0])
    const refusal = name.includes('error') ? { status: code === 1003 ? 3 : 13, code } : { status: code }
    for (const size of cutSizes(body.length)) {
      expect(replyInPieces(body, size).refusals).toEqual([refusal])
      expect(framesInPieces(body, size)).toEqual(decodeFrames(body))
    }
    expect(readReply(body)).toMatchObject({ truncated: false, messages: 0, ended: !name.startsWith('unframed') })
  })

  it('http400 bodies give the fresh token', () => {
    expect(readXsrfToken(readFileSync(join(recorded, 'http400-xsrf-redacted.txt'), 'utf8'))).toBe(
      'ADRxxxxxxxxxxxxxxxxxb9z:1784898544302',
    )
    expect(readXsrfToken(readFileSync(join(recorded, 'http400-xsrf-other-google-product.txt'), 'utf8'))).toBe(
      'AIQ-s5gPQTOep6C4Wl2jUb_jIuJb:1789723276401',
    )
    expect(readReply(recordedBody('http400-guest-unframed.txt')).error).toEqual({ status: 400, code: 3 })
  })

  it('calls have their payloads', () => {
    expect(batch(recorded, 'rpc-PCck7e.txt').results).toEqual([
      { id: RPC.acknowledgeTurn, slot: 'generic', payload: [] },
    ])
    expect(readUsage(batch(recorded, 'rpc-aPya6c.txt').results[0]?.payload)).toEqual({ blocked: false, fraction: 0 })
    const call = (name: string) => readBatchReply(recordedBody(`leechael/${name}`)).results[0]?.payload
    const list = readChatList(call('batch_list_chats_response.json'))
    expect(list.chats).toHaveLength(13)
    expect(list.chats[0]).toEqual({
      id: 'c_0000000000000000',
      title: '渐冻症研究与家属指南',
      pinned: false,
      updatedMs: 1_773_328_885_165,
      kind: 1,
    })
    expect(list.cursor).toMatch(/=$/)
    expect(readTools(call('list_enabled_tools_basic.txt'))).toHaveLength(11)
    expect(readTools(call('list_enabled_tools_basic.txt'))[5]).toMatchObject({
      names: ['workspace_tool', 'Gmail'],
      label: 'Gmail',
    })
    expect(readExtensions(call('list_extension_catalog_basic.txt'))[0]).toMatchObject({
      id: 'workspace_tool',
      label: 'Google Workspace',
    })
    expect(readFeatureSwitches(call('list_feature_flags_basic.txt'))).toHaveLength(28)
  })

  it('the research recordings give plan and job, whole and cut', () => {
    for (const name of [
      'leechael/stream_research_step1_response.json',
      'leechael/stream_research_step2_response.json',
    ]) {
      const body = recordedBody(name)
      const whole = readReply(body)
      for (const size of cutSizes(body.length)) expect(replyInPieces(body, size)).toEqual(whole)
    }
    const plan = readReply(recordedBody('leechael/stream_research_step1_response.json'))
    expect(plan).toMatchObject({
      complete: true,
      ended: true,
      title: 'RCU/双缓冲/版本化快照发布方案',
      contextToken: 'AwAAAA_REDACTED',
      servedModelId: 'e6fa609c3fa255c0',
    })
    expect(plan.thoughts).toMatch(/^\*\*\*生成研究计划\*\*\*/)
    expect(plan.candidates[0]).toMatchObject({
      researchState: 2,
      plan: { title: 'RCU、双缓冲、版本化快照发布', confirmPrompt: '开始研究' },
    })
    const start = readReply(recordedBody('leechael/stream_research_step2_response.json'))
    expect(start.candidates[0]).toMatchObject({
      researchState: 3,
      researchJob: '00000000-0000-0000-0000-000000000000',
      complete: true,
    })
  })

  it('the fragments give ids, job and music', () => {
    expect(readReply(recordedBody('fragment-ack-frame.json'))).toMatchObject({
      responseId: 'r_7013976975ffa957',
      messages: 1,
      text: '',
    })
    expect(readReply(recordedBody('fragment-video-pending-frame.json')).candidates[0]?.videoJob).toBe(
      'e3136f2f-29f4-4f33-9223-271d4697c60a',
    )
    expect(readReply(recordedBody('fragment-music-frame.json')).candidates[0]).toMatchObject({
      musicProgress: 'Generating your music...',
      music: { audio: { kind: 4, fileName: 'concrete_maps.mp3' }, clip: { kind: 2, fileName: 'concrete_maps.mp4' } },
    })
  })

  it('the recorded requests are read, and ours fill the same slots', () => {
    const inner = (step: number) =>
      JSON.parse(readFileSync(join(recorded, `leechael/inner_req_research_step${step}.json`), 'utf8')) as unknown[]
    expect(readPrompt(inner(1))).toMatchObject({
      toolName: 'research',
      turn: 0,
      temporary: false,
      requestId: '9117B76C-42D3-45C3-B3CB-93A655FE25BD',
    })
    const second = readPrompt(inner(2))
    expect(second).toMatchObject({
      prompt: '开始研究',
      turn: 1,
      continuation: { chatId: 'c_0000000000000000', contextToken: 'AwAAAA_REDACTED' },
    })
    const ours = buildPrompt({
      prompt: '开始研究',
      requestId: second?.requestId ?? '',
      tool: 'research',
      turn: 1,
      attestation: '!REDACTED',
      nonce: '0'.repeat(32),
      continuation: {
        chatId: 'c_0000000000000000',
        responseId: 'r_0000000000000000',
        candidateId: 'rc_0000000000000000',
        contextToken: 'AwAAAA_REDACTED',
      },
      length: 69,
      // This capture of March 2026 still has the older value.
      slots: { 41: [2] },
    })
    expect(ours).toEqual(inner(2))
  })
})

describe.skipIf(!present)('what we write', () => {
  const ids = { chatId: 'c_1a2b3c4d5e6f7081', responseId: 'r_0f1e2d3c4b5a6978' }

  it('is accepted by the independent checker', () => {
    const folder = mkdtempSync(join(tmpdir(), 'castor-frames-'))
    try {
      const stream = (messages: readonly unknown[][], end = true): string => {
        const encoder = createFrameEncoder()
        const body = messages.map((message) => encoder.push([messageEntry(message)])).join('')
        return end ? body + encoder.push(trailerEntries({ ms: 1_234 })) + encoder.end() : body
      }
      const answer = (text: string, complete = false) =>
        snapshotMessage({
          ...ids,
          candidates: [{ id: 'rc_1', text, complete }],
          modelId: 'fbb127bbb056c959',
          modelName: '3.6 Flash',
        })
      for (const layout of ['dense', 'sparse'] as const) {
        const messages = [
          ackMessage({ ...ids, layout }),
          activityMessage({ ...ids, label: 'Thinking <deeply>', layout }),
          answer('日本語 🇯🇵 👩‍🚀'),
          answer('日本語 🇯🇵 👩‍🚀 a < b && c = d\n', true),
          titleMessage({ ...ids, title: '絵文字 🎌', layout }),
          quotaMessage({ ...ids, modelId: 'fbb127bbb056c959', layout }),
          contextMessage({ ...ids, contextToken: 'AwAAAA', candidateId: 'rc_1', layout }),
        ]
        writeFileSync(join(folder, `stream-${layout}.txt`), stream(messages))
      }
      writeFileSync(
        join(folder, 'guest.txt'),
        stream([ackMessage(ids), answer('Guest.', true), progressMessage(0)], false),
      )
      writeFileSync(
        join(folder, 'unframed.txt'),
        encodeUnframed([messageEntry(answer('One array.', true)), ...trailerEntries({ ms: 3 })]),
      )
      const refused = createFrameEncoder()
      writeFileSync(
        join(folder, 'refused.txt'),
        refused.push([refusalEntry({ status: 8, code: 1037 })]) +
          refused.push(trailerEntries({ ms: 3 })) +
          refused.end(),
      )
      const calls = [
        {
          id: RPC.status,
          payload: buildAccountStatus({ models: [{ id: 'x', label: 'Schnell ✓', mode: 1, name: '3.6 Flash' }] }),
        },
        {
          id: RPC.listChats,
          payload: buildChatList({ chats: [{ id: 'c_1', title: 'Ohm’s law & friends', pinned: true }] }),
          slot: '2',
        },
        {
          id: RPC.readChat,
          payload: buildChatTurns([
            { ...ids, prompt: 'hi', candidates: [{ id: 'rc_1', text: 'hello', complete: true }] },
          ]),
        },
        { id: RPC.originalImage, refusal: { status: 7 } },
      ]
      writeFileSync(join(folder, 'batch.txt'), encodeBatchReply(calls))
      writeFileSync(join(folder, 'batch-apart.txt'), encodeBatchReply(calls, { together: false }))
      writeFileSync(
        join(folder, 'error.txt'),
        encodeErrorReply({ status: 400, code: 3, xsrfToken: 'AD:1790000000000' }),
      )
      writeFileSync(join(folder, 'error-unframed.txt'), encodeErrorReply({ status: 400, code: 3, framed: false }))
      // Totals whose own digits change the total.
      for (let length = 880; length < 1_000; length++)
        writeFileSync(join(folder, `size-${length}.txt`), stream([answer('é'.repeat(length - 700), true)]))
      expect(execFileSync(process.execPath, [checker, folder], { encoding: 'utf8' })).toMatch(
        /\d+ bodies checked, 0 failed\s*$/,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('fills the positions of the recorded research plan', () => {
    const messages = readMessages('leechael/stream_research_step1_response.json')
    const plan = readReply(recordedBody('leechael/stream_research_step1_response.json')).candidates[0]
    const thinking = { id: 'rc_1', thoughts: 'a' }
    const planned = {
      id: 'rc_1',
      text: 'b',
      thoughts: '',
      working: true,
      researchState: 2,
      ...(plan?.plan && { plan: plan.plan }),
      ...(plan?.researchQuota && { researchQuota: plan.researchQuota }),
    }
    const ours = [
      ackMessage({ responseId: 'r_1' }),
      activityMessage({ ...ids, label: 'x' }),
      snapshotMessage({ ...ids, candidates: [thinking] }),
      snapshotMessage({ ...ids, candidates: [planned], layout: 'sparse' }),
      snapshotMessage({
        ...ids,
        candidates: [{ ...planned, complete: true }],
        layout: 'sparse',
        modelId: 'e',
        modelName: '3.1 Pro',
      }),
      titleMessage({ ...ids, title: 'x' }),
      quotaMessage({ ...ids, modelId: 'x' }),
      contextMessage({ ...ids, contextToken: 'x' }),
    ]
    expect(messages).toHaveLength(ours.length)
    for (const [index, message] of ours.entries()) {
      // The recorded first thinking snapshot carries an empty list of pictures; ours has no rich content then.
      expect(filled(message), `message ${index}`).toEqual(filled(messages[index]))
      if (index !== 2)
        expect(filled((message as unknown[][][])[4]?.[0]), `candidate ${index}`).toEqual(
          filled((messages[index] as unknown[][][])[4]?.[0]),
        )
    }
    const richOf = (message: unknown) => (message as unknown[][][][])[4]?.[0]?.[12]
    expect(filled(richOf(ours[4]))).toEqual(filled(richOf(messages[4])))
  })

  it('fills the positions of the recorded research start', () => {
    const messages = readMessages('leechael/stream_research_step2_response.json')
    const job = '00000000-0000-0000-0000-000000000000'
    const running = {
      id: 'rc_1',
      text: 'x',
      working: true,
      researchState: 3,
      researchJob: job,
      researchQuota: { numbers: [-1, 3, 3] },
      documents: [{ id: job, jobId: job, content: '', kind: 3 }],
    }
    const ours = snapshotMessage({
      ...ids,
      candidates: [{ ...running, complete: true }],
      layout: 'sparse',
      modelId: 'e',
      modelName: '3.1 Pro',
    })
    const theirs = messages[2] as unknown[][][][]
    expect(filled(ours)).toEqual(filled(theirs))
    const candidate = (message: unknown) => (message as unknown[][][])[4]?.[0]
    expect(filled(candidate(ours))).toEqual(filled(candidate(theirs)))
    expect(filled(candidate(ours)?.[12])).toEqual(filled(candidate(theirs)?.[12]))
    expect(candidate(ours)?.[30]).toEqual(candidate(theirs)?.[30])
  })
})

function readMessages(name: string): unknown[] {
  return decodeFrames(recordedBody(name))
    .flat()
    .map(readEntry)
    .flatMap((entry) => (entry.type === 'message' ? [JSON.parse(entry.payload) as unknown] : []))
}

/** Positions that hold something, with the keys of a trailing object. */
function filled(message: unknown): string[] {
  if (!Array.isArray(message)) return []
  return message.flatMap((value: unknown, index) => {
    if (value === null) return []
    if (typeof value === 'object' && !Array.isArray(value))
      return Object.keys(value as object).map((key) => `key ${key}`)
    return [`index ${index}`]
  })
}
