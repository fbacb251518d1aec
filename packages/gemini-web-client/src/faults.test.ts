import type { Fault } from '@castorjs/gemini-web-emulator'
import { afterEach, describe, expect, it } from 'vitest'
import { emulated, type Emulated, type EmulatedOptions } from '../test/emulated.ts'
import type { TurnOptions } from './client.ts'
import type { GeminiWebErrorCode, GeminiWebFault } from './error.ts'

let world: Emulated | undefined

function create(options?: EmulatedOptions): Emulated {
  world = emulated(options)
  return world
}

afterEach(async () => {
  const held = world?.held()
  await world?.close()
  world = undefined
  if ((held ?? 0) > 0) throw new Error(`${held} connections or places are still held`)
})

const LONG = 'Tell me about the sea in many words.'

async function failure(
  fault: Fault,
  { options, turn }: { options?: EmulatedOptions; turn?: TurnOptions } = {},
): Promise<unknown> {
  const { emulator, client } = create(options)
  await client.start()
  emulator.controls.fail({ times: 0, ...fault })
  return client.generate(LONG, turn).then(
    (reply) => reply.text,
    (error: unknown) => error,
  )
}

interface Row {
  name: string
  fault: Fault
  code: GeminiWebErrorCode
  by: GeminiWebFault
}

describe('what goes wrong is told apart', () => {
  const rows: Row[] = [
    { name: 'an unusable reference', fault: { kind: 'code', code: 1003 }, code: 'reference_refused', by: 'caller' },
    { name: 'a transient failure', fault: { kind: 'code', code: 1013 }, code: 'unavailable', by: 'upstream' },
    { name: 'a usage limit', fault: { kind: 'code', code: 1037 }, code: 'usage_limit', by: 'account' },
    { name: 'another model in the chat', fault: { kind: 'code', code: 1050 }, code: 'model_changed', by: 'caller' },
    { name: 'a refused model header', fault: { kind: 'code', code: 1052 }, code: 'model_refused', by: 'model' },
    { name: 'a video limit', fault: { kind: 'code', code: 1053 }, code: 'usage_limit', by: 'account' },
    { name: 'a refused country', fault: { kind: 'code', code: 1060 }, code: 'address_blocked', by: 'egress' },
    { name: 'a throttled address', fault: { kind: 'code', code: 1095 }, code: 'throttled', by: 'egress' },
    { name: 'a rejected turn', fault: { kind: 'code', code: 1096 }, code: 'turn_rejected', by: 'upstream' },
    { name: 'a refused follow-up', fault: { kind: 'code', code: 1097 }, code: 'chat_lost', by: 'upstream' },
    { name: 'a transient sign-in failure', fault: { kind: 'code', code: 1099 }, code: 'signed_out', by: 'account' },
    { name: 'a file without account', fault: { kind: 'code', code: 1100 }, code: 'downgraded', by: 'account' },
    { name: 'a cut without content', fault: { kind: 'code', code: 1155 }, code: 'empty_answer', by: 'upstream' },
    {
      name: 'a cut after content',
      fault: { kind: 'code', code: 1155, when: 'partial' },
      code: 'truncated',
      by: 'upstream',
    },
    { name: 'too many pictures', fault: { kind: 'code', code: 1185 }, code: 'throttled', by: 'account' },
    { name: 'an unknown code', fault: { kind: 'code', code: 1999 }, code: 'unavailable', by: 'upstream' },
    { name: 'a bare status 7', fault: { kind: 'code', code: 0, status: 7 }, code: 'signed_out', by: 'account' },
    { name: 'a bare status 8', fault: { kind: 'code', code: 0, status: 8 }, code: 'usage_limit', by: 'account' },
    { name: 'a bare status 13', fault: { kind: 'code', code: 0, status: 13 }, code: 'unavailable', by: 'upstream' },
    { name: 'a malformed request', fault: { kind: 'http', status: 400, body: 'er' }, code: 'drift', by: 'upstream' },
    { name: 'a refused sign-in', fault: { kind: 'http', status: 401, body: 'er' }, code: 'signed_out', by: 'account' },
    { name: 'a plain 429', fault: { kind: 'http', status: 429, body: 'html' }, code: 'throttled', by: 'egress' },
    {
      name: 'a Sorry page',
      fault: { kind: 'http', status: 429, body: 'sorry' },
      code: 'address_blocked',
      by: 'egress',
    },
    { name: 'an overload', fault: { kind: 'http', status: 503, body: 'html' }, code: 'unavailable', by: 'upstream' },
    { name: 'a sign-in redirect', fault: { kind: 'redirect', to: 'sign-in' }, code: 'signed_out', by: 'account' },
    { name: 'a consent redirect', fault: { kind: 'redirect', to: 'consent' }, code: 'consent_required', by: 'egress' },
    { name: 'a Sorry redirect', fault: { kind: 'redirect', to: 'sorry' }, code: 'address_blocked', by: 'egress' },
    { name: 'a page in place of a reply', fault: { kind: 'html' }, code: 'signed_out', by: 'account' },
    { name: 'no answer', fault: { kind: 'empty' }, code: 'empty_answer', by: 'upstream' },
    { name: 'a connection that never opens', fault: { kind: 'reset', afterBytes: 0 }, code: 'network', by: 'egress' },
    {
      name: 'garbage',
      fault: { kind: 'garbage', text: '<html>what</html>'.repeat(20), afterFrames: 0 },
      code: 'drift',
      by: 'upstream',
    },
  ]
  it.each(rows)('$name is $code, at fault: $by', async ({ fault, code, by }) => {
    expect(await failure(fault)).toMatchObject({ name: 'GeminiWebError', code, fault: by })
  })

  it('a stall before the first word', async () => {
    const options = { client: { patience: { firstMs: 30, idleMs: 30, workingMs: 30 } } }
    expect(await failure({ kind: 'stall' }, { options })).toMatchObject({ code: 'stalled', fault: 'upstream' })
  })

  it('a stall in a temporary chat, after the first words', async () => {
    const options = { client: { patience: { idleMs: 30, workingMs: 30 } } }
    const error = await failure({ kind: 'stall', afterFrames: 3 }, { options, turn: { temporary: true } })
    expect(error).toMatchObject({ code: 'stalled' })
  })

  it('a cut in a temporary chat, after the first words', async () => {
    const error = await failure({ kind: 'cut', afterFrames: 3 }, { turn: { temporary: true } })
    expect(error).toMatchObject({ code: 'truncated', fault: 'upstream' })
  })

  it('never says a cookie, a token or the prompt', async () => {
    const error = await failure({ kind: 'http', status: 401, body: 'er' })
    expect(JSON.stringify([error, String(error), (error as Error).stack])).not.toMatch(/g\.a000|sidts-|sea in many/)
  })
})

describe('what is repaired without a word', () => {
  it('reads an answer although a code follows it', async () => {
    expect(await failure({ kind: 'code', code: 1096, when: 'after' })).toMatch(/\w/)
  })

  it('asks once more after an empty answer, before any output', async () => {
    const { emulator, client, count } = create()
    await client.start()
    emulator.controls.fail({ kind: 'empty' })
    expect((await client.generate(LONG)).text).toMatch(/\w/)
    expect(count('/StreamGenerate')).toBe(2)
  })

  it('asks only once when told so', async () => {
    expect(await failure({ kind: 'empty', times: 1 }, { turn: { attempts: 1 } })).toMatchObject({
      code: 'empty_answer',
    })
  })

  it('takes the fresh request token out of the 400', async () => {
    const { emulator, client, count } = create()
    await client.start()
    emulator.controls.expireToken('grace')
    expect((await client.generate(LONG)).text).toMatch(/\w/)
    expect(count('/StreamGenerate')).toBe(2)
  })

  it('reads the models again when the model header was refused', async () => {
    const { emulator, client, count } = create()
    await client.start()
    emulator.controls.fail({ kind: 'code', code: 1052 })
    expect((await client.generate(LONG, { model: 'fast' })).text).toMatch(/\w/)
    expect(count('/StreamGenerate')).toBe(2)
    expect(count('/batchexecute')).toBe(2)
  })

  it('renews the session after a refused sign-in', async () => {
    const { emulator, client, count } = create()
    await client.start()
    emulator.controls.fail({ kind: 'http', status: 401, body: 'er' })
    expect((await client.generate(LONG)).text).toMatch(/\w/)
    expect(count('/RotateCookies')).toBe(1)
  })
})

describe('a broken answer is read back from its chat', () => {
  it.each([
    { name: 'cut', fault: { kind: 'cut', afterFrames: 4 } },
    { name: 'reset', fault: { kind: 'reset', afterFrames: 4 } },
    { name: 'stalled', fault: { kind: 'stall', afterFrames: 4 } },
    { name: 'full of garbage', fault: { kind: 'garbage', text: '<html>what</html>'.repeat(20), afterFrames: 4 } },
  ] as const)('when the stream was $name after the context token', async ({ fault }) => {
    const settings = { contextToken: 'first', snapshotChars: 20 } as const
    const { emulator, client, count } = create({ settings, client: { patience: { idleMs: 30, workingMs: 30 } } })
    await client.start()
    emulator.controls.answer({ text: 'One two three four five six seven eight nine ten eleven twelve.' })
    emulator.controls.fail(fault)
    let streamed = ''
    let reply
    for await (const event of client.stream(LONG)) {
      if (event.type === 'text-delta') streamed += event.text
      if (event.type === 'reply') reply = event.reply
    }
    expect(streamed).toBe('One two three four five six seven eight nine ten eleven twelve.')
    expect(reply).toMatchObject({ text: streamed, recovered: true })
    expect(count('/StreamGenerate')).toBe(1)
  })

  it('never asks again after output when the chat does not have it', async () => {
    const { emulator, client, count } = create({ settings: { contextToken: 'none' } })
    await client.start()
    emulator.controls.fail({ kind: 'cut', afterFrames: 3 })
    emulator.controls.fail({ kind: 'http', status: 503, on: 'batch', times: 0 })
    await expect(client.generate(LONG)).rejects.toMatchObject({ code: 'truncated' })
    expect(count('/StreamGenerate')).toBe(1)
  })
})

it('sees a block of the account that came after the start, at the first answer that looks odd', async () => {
  const { emulator, client, close } = emulated()
  try {
    await client.start()
    emulator.controls.changeAccount('grace', { status: 1021 })
    emulator.controls.expireTicket('grace')
    await expect(client.generate('Hello')).rejects.toMatchObject({ code: 'account_rejected', upstreamCode: '1021' })
  } finally {
    await close()
  }
})
