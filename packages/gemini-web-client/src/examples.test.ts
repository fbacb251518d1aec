import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cleanText, RPC } from '@castorjs/gemini-web-protocol'
import { CUT_SIZES, cutBytes } from '@castorjs/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { scriptedApp, type Scripted } from '../test/scripted-app.ts'
import { createGeminiWebClient, type GeminiWebClient } from './client.ts'
import { isGeminiWebError } from './error.ts'

const SHARED = new URL('../../../../shared/protocol/', import.meta.url)
const present = existsSync(SHARED)
if (!present) console.log('skipped: ../shared/protocol is not here, so its bodies cannot be read')

const COOKIES = '__Secure-1PSID=g.a000test; __Secure-1PSIDTS=sidts-first'
const clients: GeminiWebClient[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, SHARED)))
}

/** A body that its author kept as a JSON string. */
function quoted(name: string): string {
  return JSON.parse(readFileSync(new URL(`recorded/leechael/${name}`, SHARED), 'utf8')) as string
}

function pieces(bytes: Uint8Array): Uint8Array[][] {
  return [[bytes], ...CUT_SIZES.map((size) => cutBytes(bytes, size))]
}

function clientOf(options: Parameters<typeof scriptedApp>[0]): GeminiWebClient {
  const { transport } = scriptedApp(options)
  const client = createGeminiWebClient({
    cookies: COOKIES,
    transport,
    attempts: 1,
    recovery: { pollMs: 1, totalMs: 20 },
  })
  clients.push(client)
  return client
}

/** The outcome of a turn that is answered with these pieces: what `expected.json` speaks of, or the error's code. */
async function outcome(body: Scripted['body']): Promise<Record<string, unknown>> {
  const client = clientOf({ generate: () => ({ body: body ?? '' }) })
  let streamed = ''
  try {
    for await (const event of client.stream('A question')) {
      if (event.type === 'text-delta') streamed += event.text
      if (event.type !== 'reply') continue
      const { reply } = event
      return {
        streamed,
        text: reply.text,
        ...(reply.thoughts === '' ? {} : { thoughts: reply.thoughts }),
        rid: reply.responseId,
        cid: reply.chat?.chatId,
        rcid: reply.candidateId,
        title: reply.title,
        model: reply.servedModelName,
        context: reply.chat?.contextToken,
      }
    }
  } catch (error) {
    if (!isGeminiWebError(error)) throw error
    return { code: error.code, upstreamCode: error.upstreamCode }
  }
  return {}
}

interface Expected {
  errors: { status: number; bard?: number }[]
  stream?: {
    text?: string
    thoughts?: string
    done?: boolean
    rid?: string
    cid?: string
    rcid?: string
    title?: string
    model?: string
    context?: string
  }
}

/** What the client says where there is no answer. */
const FAILURES: Record<string, string> = {
  'stream-22-error-1037-usage-limit.txt': 'usage_limit',
  'stream-24-error-1155-cut-off.txt': 'truncated',
  'stream-25-status-only-7.txt': 'signed_out',
  'stream-26-ack-only.txt': 'empty_answer',
  'stream-27-interrupted.txt': 'truncated',
  'stream-28-error-1060-blocked.txt': 'address_blocked',
}
/** A card says nothing itself: its text stands elsewhere, and `expected.json` quotes the placeholder. */
const CARD = 'stream-10-web-images.txt'

describe.skipIf(!present)('the example bodies', () => {
  const expected = present
    ? (JSON.parse(readFileSync(new URL('examples/gemini-web/expected.json', SHARED), 'utf8')) as Record<
        string,
        Expected
      >)
    : {}
  const streams = Object.entries(expected).filter(([name]) => name.startsWith('stream-'))

  it.each(streams)('reads %s whole and cut at every size', async (name, { stream, errors }) => {
    for (const body of pieces(bytesOf(`examples/gemini-web/${name}`))) {
      const result = await outcome(body)
      const code = FAILURES[name]
      if (code !== undefined) {
        const bard = errors[0]?.bard ?? errors[0]?.status
        expect(result).toMatchObject({ code, ...(bard === undefined ? {} : { upstreamCode: String(bard) }) })
        continue
      }
      const { done: _, ...rest } = stream ?? {}
      const { frames: __, ...facts } = rest as Record<string, unknown>
      const text = name === CARD ? result.text : cleanText(stream?.text ?? '').text
      expect(result).toMatchObject({ ...facts, text })
      if (name !== 'stream-03-rewritten-snapshot.txt') expect(result.streamed).toBe(text)
      if (name === CARD) expect(text).toMatch(/\w/)
    }
  })

  it('repairs the token with er-29 and reports er-30, er-31 and er-32', async () => {
    const bodies = { 400: 'er-29-http400-xsrf.txt', 401: 'er-32-http401.txt', 405: 'er-31-http405-get.txt' }
    const seen: string[] = []
    const repaired = clientOf({
      generate({ body }) {
        seen.push(new URLSearchParams(body).get('at') ?? '')
        if (seen.length === 1) return { status: 400, body: [bytesOf(`examples/gemini-web/${bodies[400]}`)] }
        return { body: [bytesOf('examples/gemini-web/stream-01-text.txt')] }
      },
    })
    expect((await repaired.generate('Hello')).text).toBe('Water boils at 100 °C at sea level.')
    expect(seen[1]).toBe('ADexampleFreshToken_0123456789ab:1790000000000')
    for (const [status, file, code] of [
      [400, 'er-30-http400-bad-request.txt', 'drift'],
      [405, bodies[405], 'drift'],
      [401, bodies[401], 'signed_out'],
    ] as const) {
      const client = clientOf({ generate: () => ({ status, body: [bytesOf(`examples/gemini-web/${file}`)] }) })
      await expect(client.generate('Hello')).rejects.toMatchObject({ code })
    }
  })

  it('reads the replies of the other calls', async () => {
    const files: Record<string, string> = {
      [RPC.status]: 'rpc-33-otAQ7b-account-ok.txt',
      [RPC.listChats]: 'rpc-35-MaZiqc-list-chats.txt',
      [RPC.readChat]: 'rpc-36-hNvQHb-read-chat.txt',
      [RPC.createGem]: 'rpc-38-oMH3Zd-create-gem.txt',
    }
    const client = clientOf({
      batch: ([id = '']) => {
        const file = files[id]
        return file === undefined ? undefined : { body: [bytesOf(`examples/gemini-web/${file}`)] }
      },
    })
    expect((await client.models()).map((model) => model.displayName)).toContain('3.1 Pro')
    const { chats, cursor } = await client.chats.list()
    expect(chats.length).toBeGreaterThan(0)
    expect(cursor).toMatch(/\w/)
    expect(await client.chats.read('c_1a2b3c4d5e6f7081')).toHaveLength(2)
    expect(await client.gems.create({ name: 'n', description: 'd', prompt: 'p' })).toMatch(/\w/)
  })

  it('says signed_out for the status of dead cookies', async () => {
    const body = [bytesOf('examples/gemini-web/rpc-34-otAQ7b-unauthenticated.txt')]
    const client = clientOf({ batch: () => ({ body }) })
    await expect(client.start()).rejects.toMatchObject({ code: 'signed_out', upstreamCode: '1016' })
  })
})

describe.skipIf(!present)('the recorded replies', () => {
  const CODES: Record<string, string> = {
    'stream-error-1003.txt': 'reference_refused',
    'stream-error-1096-rejected.txt': 'turn_rejected',
    'stream-status-7.txt': 'signed_out',
    'stream-status-8.txt': 'usage_limit',
    'stream-status-9.txt': 'drift',
    'stream-status-13.txt': 'unavailable',
    'unframed-status-2.txt': 'unavailable',
    'unframed-status-4.txt': 'unavailable',
  }
  const files = present ? readdirSync(new URL('recorded/', SHARED)).filter((name) => name in CODES) : []

  it.each(files)('reads %s whole and cut at every size', async (name) => {
    for (const body of pieces(bytesOf(`recorded/${name}`))) {
      expect(await outcome(body)).toMatchObject({ code: CODES[name] })
    }
  })

  it('reads a recorded research plan and start', async () => {
    const plan = clientOf({ generate: () => ({ body: quoted('stream_research_step1_response.json') }) })
    const planned = await plan.research.plan('A question')
    expect(planned.plan.steps.length).toBeGreaterThan(0)
    expect(planned.plan.confirmPrompt).toBe('开始研究')
    const start = clientOf({ generate: () => ({ body: quoted('stream_research_step2_response.json') }) })
    expect((await start.research.start(planned)).jobId).toMatch(/^[\w-]{8,}$/)
  })
})
